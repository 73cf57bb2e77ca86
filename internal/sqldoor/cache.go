package sqldoor

import "sync"

// Cache keeps what texts were parsed to, for pools that are made again and again over the same code, as a test makes them.
// Statements are never changed, so pools may share them. The zero value is ready, and safe for use by several goroutines.
type Cache struct {
	mu    sync.Mutex
	texts map[string]parsed
}

type parsed struct {
	all   []command
	notes []string
}

// maxCached bounds the texts that are kept: code that writes values into its texts shall not fill the memory with them.
const maxCached = 1000

// parse is parseAll, once for each text that can be parsed. A nil cache keeps nothing.
func (c *Cache) parse(text string) ([]command, []string, error) {
	if c == nil {
		return parseAll(text)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.texts[text]; ok {
		return p.all, p.notes, nil
	}
	all, notes, err := parseAll(text)
	if err == nil && len(c.texts) < maxCached {
		if c.texts == nil {
			c.texts = map[string]parsed{}
		}
		c.texts[text] = parsed{all, notes}
	}
	return all, notes, err
}
