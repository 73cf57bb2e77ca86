package lint

import (
	"bytes"
	"errors"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
)

// A textRule is a pattern that the text of the repository must not match. The patterns are put together from parts so that this file has none.
type textRule struct {
	rule    string
	pattern *regexp.Regexp
	exts    []string // nil: every text file
}

var textRules = []textRule{
	{rule: ruleMachinePath, pattern: regexp.MustCompile(`(^|[^A-Za-z0-9_.\-])/(` + "wo" + "rk|ro" + `ot)/|/tmp/` + "bash" + "_jobs")},
	{rule: ruleRegistryHost, pattern: regexp.MustCompile(
		`\b(` + `(proxy|sum|index)\.` + `golang\.org|` + `pypi\.` + `org|files\.python` + `hosted\.org|registry\.` + `npmjs\.org|` +
			`(static\.|index\.)?crates\.` + `io|repo1?\.maven\.` + `(org|apache\.org)|(deb|security|ftp)\.` + `debian\.org)\b`)},
	{rule: ruleUnfinished, pattern: regexp.MustCompile(`\b(` + "TO" + "DO|FIX" + "ME|X" + `XX)\b`), exts: []string{".go", ".md", ".yaml"}},
}

// maxTextSize bounds what is read of a file: larger ones are data.
const maxTextSize = 4 << 20

// Text reports what the text of the repository at root must not contain, nested modules excepted.
func Text(root string) ([]Finding, error) {
	var found []Finding
	err := walk(root, true, func(rel string) error {
		name := filepath.Join(root, filepath.FromSlash(rel))
		info, err := os.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxTextSize {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		found = append(found, textFindings(rel, text)...)
		return nil
	})
	return found, err
}

func textFindings(rel string, text []byte) []Finding {
	if bytes.IndexByte(text[:min(len(text), 8000)], 0) >= 0 {
		return nil
	}
	var found []Finding
	for _, r := range textRules {
		if r.exts != nil && !slices.Contains(r.exts, path.Ext(rel)) {
			continue
		}
		for _, at := range r.pattern.FindAllIndex(text, -1) {
			line := 1 + bytes.Count(text[:at[1]], []byte("\n"))
			found = append(found, Finding{r.rule, token.Position{Filename: rel, Line: line}, string(bytes.TrimSpace(text[at[0]:at[1]]))})
		}
	}
	return found
}
