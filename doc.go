// Package twiceless puts a team's own consumer under test: its code runs in a simulated system, fault plans are aimed at
// the places where it waits, and what breaks the promise (no event lost, none done twice) is shrunk to a story of a few
// lines, with the lines of the code and a command that shows it again.
//
// There are three doors, the smallest first:
//
//	CheckIdempotent  a function and a way to read its end state; no broker, no scenario
//	Host             unchanged code: func(ctx, message) error with a *sql.DB, an *http.Client, a producer
//	Native           stages of a flow, written against the simulator's own context: exact and fast
//
// Behind Host and Native stands one and the same test, in this order:
//
//  1. saved cases of this test, in testdata/twiceless, are done again: what was found once stays found until it is mended
//  2. a control run without any fault, which must be clean and must put the promise to the test
//  3. fault plans of a fixed set of seeds, so that the same commit gives the same verdict on every machine
//  4. what is found is done twice, shrunk, tried against what would help, and saved as a case: commit it with the code
//
// The variables of the environment TWICELESS_SEARCH=20261121 and TWICELESS_PLANS=5000 search new ground, at night for
// instance: a date has seeds of its own, so that a search can be repeated. TWICELESS_CASE=file does one case only. Under
// go test -short at most 20 plans are done.
//
// A test of a known bug says so with the option Expect: it passes until the bug is mended, and then fails.
//
// A scenario says what surrounds the code: topics, services with their latencies, the group, the stack of engine and
// layers. It is named (payments is in the library), or a file, or a value.
//
// The package imports scenarios, which runs cases, and reports, which tells stories. It also imports package testing and
// pgregory.net/rapid, so programs do not import it. What CI gets of a test is in docs/ci.md. Read search.go for the test, options.go for what can be chosen.
package twiceless
