package scenarios

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Owner is the test that a case belongs to: one of a team's own handlers, which no other program can run.
type Owner struct {
	Package string // import path
	Test    string // function, with a slash and a subtest if it is one: TestChargeOnce/card
}

// ParseOwner reads an owner as a case has it: the import path of a package, a dot, and the name of a test function or
// of one of its subtests, as go test prints it: shop/charge.TestChargeOnce/card.
func ParseOwner(s string) (Owner, error) {
	for at := 0; ; {
		i := strings.Index(s[at:], ".Test") // a path may hold dots too: the first place is taken at which both halves are right
		if i < 0 {
			return Owner{}, errors.New("want an import path, a dot and a test such as shop/charge.TestChargeOnce, not " + quoteShort(s))
		}
		at += i + 1
		if o := (Owner{s[:at-1], s[at:]}); isImportPath(o.Package) && isTest(o.Test) {
			return o, nil
		}
	}
}

func (o Owner) String() string { return o.Package + "." + o.Test }

// Run is the pattern of go test -run that means this test alone.
func (o Owner) Run() string {
	parts := strings.Split(o.Test, "/")
	for i := range parts {
		parts[i] = "^" + regexp.QuoteMeta(parts[i]) + "$"
	}
	return strings.Join(parts, "/")
}

// isImportPath admits what a go command takes for the path of one package.
func isImportPath(s string) bool {
	for element := range strings.SplitSeq(s, "/") {
		odd := func(r rune) bool {
			return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-._~+", r)
		}
		if element == "" || element[0] == '.' || element[0] == '-' || strings.HasSuffix(element, ".") || strings.ContainsFunc(element, odd) {
			return false
		}
	}
	return true
}

// isTest admits what go test takes for a test, with its subtests.
func isTest(s string) bool {
	function, sub, nested := strings.Cut(s, "/")
	first, _ := utf8.DecodeRuneInString(strings.TrimPrefix(function, "Test"))
	odd := func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	blank := func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }
	subtest := !nested || !slices.Contains(strings.Split(sub, "/"), "") && !strings.ContainsFunc(sub, blank)
	return strings.HasPrefix(function, "Test") && !unicode.IsLower(first) && !strings.ContainsFunc(function, odd) && subtest
}
