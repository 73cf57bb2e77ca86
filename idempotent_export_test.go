package twiceless

import "testing"

// Verdict is what CheckIdempotent would say, without failing the test.
func Verdict[W, E any](t *testing.T, sys System[W, E], events ...E) (text string, ok bool) {
	return checkIdempotent(t, sys, events)
}
