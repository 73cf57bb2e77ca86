package twiceless_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/testdata/native"
)

// A test of a known bug passes while the bug is there: with a story, and without a case. It fails when the bug has gone,
// and when what is found is another one, or elsewhere.
func TestExpect(t *testing.T) {
	const known = "duplicate-effect (critical)/charge/redelivered-after-commit-lost"
	find := func(t *testing.T, charge stage, expect twiceless.Option) (*reports.Outcome, string) {
		o := twiceless.CheckNative(t, "payments", charging(charge), small, kills(), expect)
		return o, twiceless.Render(o)
	}
	elsewhere(t)
	twiceless.WithoutRemedies(t)
	first, text := find(t, native.ChargeBlindly, twiceless.Expect(known, "charge.go:1"))
	require.Equal(t, reports.Broke, first.Kind)
	require.False(t, first.Held(), "it is elsewhere")
	require.Contains(t, text, "expected    no, but duplicate-effect")

	o, text := find(t, native.ChargeBlindly, twiceless.Expect(known, filepath.Base(first.Site)))
	require.True(t, o.Held())
	require.Contains(t, text, "expected    yes, so the test passes: duplicate-effect")
	require.Contains(t, text, "✗ consumer-1 killed", "the story is told")
	require.Empty(t, casesHere(t), "what is expected is no news")

	o, text = find(t, native.Charge, twiceless.Expect(known, ""))
	require.Equal(t, reports.Missed, o.Kind)
	require.False(t, o.Held())
	require.Contains(t, text, known+" was not found: if the code is")

	o, text = find(t, native.ChargeBlindly, twiceless.Expect("loss", ""))
	require.False(t, o.Held(), "it is another one")
	require.Contains(t, text, "no, but loss")
	require.NotEmpty(t, o.Case)
}

// A property stands for all of its fingerprints; a part of a file's name for no file.
func TestExpectation(t *testing.T) {
	require.Len(t, twiceless.ProblemsOf(twiceless.Expect("", "")), 1)
	require.Empty(t, twiceless.ProblemsOf(twiceless.Expect("loss", "handler.go:12")))
	for _, c := range []struct {
		expected, found string
		yes             bool
	}{
		{"handler.go:12", "example.com/shop/handler.go:12", true},
		{"shop/handler.go:12", "example.com/shop/handler.go:12", true},
		{"", "example.com/shop/handler.go:12", true},
		{"handler.go:1", "example.com/shop/handler.go:12", false},
		{"andler.go:12", "example.com/shop/handler.go:12", false},
	} {
		require.Equal(t, c.yes, twiceless.ExpectedAt(c.expected, c.found), c)
	}
}

// A check of a known bug passes while the bug is there. What cannot be run never passes.
func TestExpectOfCheckIdempotent(t *testing.T) {
	check := func(key string, expect ...string) (string, bool) {
		return twiceless.Verdict(t, twiceless.System[*[]string, string]{
			World: func() *[]string { return &[]string{} },
			Process: func(charges *[]string, in *twiceless.Cuts) func(context.Context, string) error {
				return func(ctx context.Context, order string) error {
					return in.Call(ctx, "charge", func() error {
						if key == "" || !slices.Contains(*charges, order) {
							*charges = append(*charges, order)
						}
						return nil
					})
				}
			},
			State:  func(charges *[]string) any { return *charges },
			Expect: expect,
		}, "order-1")
	}
	for _, c := range []struct {
		key    string
		expect []string
		passes bool
		says   string
	}{
		{"", []string{"delivered twice", "charge"}, true, "so the test passes"},
		{"", []string{"delivered twice", "refund"}, false, "does not hold refund"},
		{"order", []string{"delivered twice"}, false, "take it away"},
	} {
		text, ok := check(c.key, c.expect...)
		require.Equal(t, c.passes, ok, text)
		require.Contains(t, text, c.says)
	}
	text, ok := twiceless.Verdict(t, twiceless.System[int, string]{Expect: []string{"System"}}, "order-1")
	require.False(t, ok, text)
}
