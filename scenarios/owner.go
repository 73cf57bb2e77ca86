package scenarios

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Owner is whose code a case belongs to, which nobody else can run: a test, or a program.
type Owner struct {
	Package string // import path
	Test    string // function, with a slash and a subtest if it is one: TestChargeOnce/card; "" = the package is a program
}

// ofProgram ends the owner that is a program: it is the function main of a package as the others are tests of one.
//
// The import path alone would be shorter, but a misspelt test is an import path as well: shop.testChargeOnce would be a
// program that nobody has, and TestChargeOnce one more.
const ofProgram = ".main"

// ParseOwner reads an owner as a case has it: the import path of a package, a dot, and a function. That is a test
// function, or one of its subtests as go test prints it, shop/charge.TestChargeOnce/card; or it is main, and then
// the package is a program, shop/cmd/simulate.main. What can be read as a test is one.
func ParseOwner(s string) (Owner, error) {
	if o, ok := testOwner(s); ok {
		return o, nil
	}
	if path, program := strings.CutSuffix(s, ofProgram); program && isImportPath(path) {
		return Owner{Package: path}, nil
	}
	return Owner{}, errors.New("want an import path, a dot and a test such as shop/charge.TestChargeOnce, or main for a program, not " + quoteShort(s))
}

func testOwner(s string) (Owner, bool) {
	for at := 0; ; {
		i := strings.Index(s[at:], ".Test") // a path may hold dots too: the first place is taken at which both halves are right
		if i < 0 {
			return Owner{}, false
		}
		at += i + 1
		if o := (Owner{s[:at-1], s[at:]}); isImportPath(o.Package) && isTest(o.Test) {
			return o, true
		}
	}
}

// Program says whether the owner is a program, and no test.
func (o Owner) Program() bool { return o.Test == "" }

// String is what ParseOwner reads.
func (o Owner) String() string {
	if o.Program() {
		return o.Package + ofProgram
	}
	return o.Package + "." + o.Test
}

// Run is the pattern of go test -run that means this test alone. Programs have none.
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
