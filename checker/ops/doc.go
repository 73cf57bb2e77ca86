// Package ops is the format of operation histories: what clients asked of a system and what they heard, recorded
// elsewhere, one event a line.
//
// It knows values, events and operations, and no model: what a history means is said by the table of package blackbox.
// Reading keeps two rules. A file is untrusted: its lines, depth, numbers and text are limited, and everything that is
// wrong with it is listed in one error with line and field, before anything is judged. And nothing is guessed: an
// operation without a completion is indeterminate, never failed.
//
//	Read    a file   → events in order, in JSON Lines or in Jepsen's EDN
//	Pairs   events   → operations with their calls and returns
//
// It may import checker for verdicts, and the standard library. To read next: value.go, event.go, operation.go,
// report.go.
package ops
