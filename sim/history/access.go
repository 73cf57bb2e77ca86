package history

import (
	"fmt"
	"strconv"
	"strings"
)

// Access is one read or write of a transaction of a database. Versions of an object are named by numbers above 0 that are
// its own; 0 is the version before the first write, when there was no row.
type Access struct {
	Write  bool
	Object string // a row by its key, also while there is no such row
	// Of a read the version that was seen. Of a write the version that it made.
	Version int64
	Before  int64 // of a write the version that it replaced: these make the order of the versions
}

// Accesses is the value of a KindTransacted: what the transaction did, in its order.
//
//	r3:orders/1 w3>7:orders/1
func Accesses(all []Access) string {
	b := make([]byte, 0, 32*len(all))
	for i := range all {
		a := &all[i]
		if i > 0 {
			b = append(b, ' ')
		}
		if a.Write {
			b = append(strconv.AppendInt(append(b, 'w'), a.Before, 10), '>')
		} else {
			b = append(b, 'r')
		}
		b = append(strconv.AppendInt(b, a.Version, 10), ':')
		b = append(b, escapeSpace(a.Object)...)
	}
	return string(b)
}

// escapeSpace keeps the name of an object in one word.
func escapeSpace(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "%", "%25"), " ", "%20")
}

func unescapeSpace(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "%20", " "), "%25", "%")
}

// ParseAccesses is the inverse of Accesses. The error names the first word that is no access.
func ParseAccesses(text string) ([]Access, error) {
	if text == "" {
		return nil, nil
	}
	var all []Access
	for word := range strings.SplitSeq(text, " ") {
		a, ok := parseAccess(word)
		if !ok {
			return nil, fmt.Errorf("%q is no access: r<version>:<object> or w<before>><version>:<object>", word)
		}
		all = append(all, a)
	}
	return all, nil
}

func parseAccess(word string) (a Access, ok bool) {
	what, object, ok := strings.Cut(word, ":")
	a.Object = unescapeSpace(object)
	if !ok || what == "" || object == "" {
		return a, false
	}
	seen, least := what[1:], int64(0)
	switch what[0] {
	case 'r':
	case 'w':
		a.Write, least = true, 1
		before, made, split := strings.Cut(seen, ">")
		seen = made
		a.Before, ok = parseVersion(before, 0)
		if !split || !ok {
			return a, false
		}
	default:
		return a, false
	}
	a.Version, ok = parseVersion(seen, least)
	return a, ok
}

// parseVersion takes the number of a version, least or above.
func parseVersion(s string, least int64) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n >= least
}
