package twiceless

import (
	"runtime"
	"strings"

	"github.com/twiceless/twiceless/scenarios"
)

// ownerOf finds the package of a running test: that of the function which package testing called.
func ownerOf(test string) scenarios.Owner {
	var pcs [128]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	function := ""
	for {
		f, more := frames.Next()
		if f.Function == "testing.tRunner" || !more {
			return scenarios.Owner{Package: packageOf(function), Test: test}
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

// commandOf does a test again. It names the package by its import path, so that it works anywhere in the module: go test
// runs tests in the directory of their package, and nobody can know where it was called.
func commandOf(o scenarios.Owner) string {
	return "go test " + o.Package + " -run " + quoted(o.Run()) + " -count=1"
}

// quoted is a word for a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
