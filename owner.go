package twiceless

import (
	"regexp"
	"runtime"
	"strings"
)

// owner is the test that code belongs to.
type owner struct {
	pkg  string // import path
	test string // t.Name()
}

// ownerOf finds the package of a running test: that of the function which package testing called.
func ownerOf(test string) owner {
	var pcs [128]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	function := ""
	for {
		f, more := frames.Next()
		if f.Function == "testing.tRunner" || !more {
			return owner{packageOf(function), test}
		}
		if f.Function != "" && !strings.HasPrefix(f.Function, "runtime.") {
			function = f.Function
		}
	}
}

// packageOf a function as the runtime names it: example.com/shop/charge_test.TestX.func1. An external test belongs to the
// package that it stands beside.
func packageOf(function string) string {
	slash := strings.LastIndexByte(function, '/')
	dot := strings.IndexByte(function[slash+1:], '.')
	if dot < 0 {
		return function
	}
	return strings.TrimSuffix(function[:slash+1+dot], "_test")
}

// name is what cases call it.
func (o owner) name() string { return o.pkg + "." + o.test }

// command does the test again. It names the package by its import path, so that it works anywhere in the module: go test
// runs tests in the directory of their package, and nobody can know where it was called.
func (o owner) command() string {
	parts := strings.Split(o.test, "/")
	for i := range parts {
		parts[i] = "^" + regexp.QuoteMeta(parts[i]) + "$"
	}
	return "go test " + o.pkg + " -run " + quoted(strings.Join(parts, "/")) + " -count=1"
}

// quoted is a word for a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
