package scenarios

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An acceptance covers what it names and nothing beside it, up to the end of its last day.
func TestAcceptance(t *testing.T) {
	one := Acceptance{Finding: "loss/charge/unexplained", Stack: "at-least-once", Issue: "SHOP-17", Until: "2026-12-31"}
	require.NoError(t, one.Check())
	require.True(t, one.Covers("at-least-once", "loss/charge/unexplained"))
	require.False(t, one.Covers("at-least-once", "loss/charge/truncated"), "another label")
	require.False(t, one.Covers("at-least-once", "loss/present/unexplained"), "another stage")
	require.False(t, one.Covers("at-most-once", "loss/charge/unexplained"), "another stack")
	all := Acceptance{Finding: "loss", Issue: "SHOP-17", Until: "2026-12-31"}
	require.True(t, all.Covers("at-most-once", "loss/present/truncated"))
	require.False(t, all.Covers("at-most-once", "stuck/present/truncated"))
	evening := time.Date(2026, 12, 31, 23, 59, 0, 0, time.UTC)
	require.False(t, one.Ended(evening))
	require.True(t, one.Ended(evening.Add(time.Minute)))
	require.False(t, one.Ended(evening.In(time.FixedZone("east", 3600*5))), "the day is one of UTC")
}

// A scenario file accepts by an issue and a day; every flaw is told with its field, and a case keeps what is accepted.
func TestAcceptanceInAFile(t *testing.T) {
	_, src := scenarioShelf().text("payments")
	with := func(expect string) (*Scenario, error) {
		return Decode("mine.yaml", []byte(string(src)+"\nexpect:\n"+expect))
	}
	sc, err := with("  - { accept: loss/charge/unexplained, issue: SHOP-17, until: 2026-12-31 }\n  - { stack: outbox-effect, lost_silent: none }\n")
	require.NoError(t, err)
	require.Equal(t, []Acceptance{{Finding: "loss/charge/unexplained", Issue: "SHOP-17", Until: "2026-12-31"}}, sc.Accepted())
	again, err := DecodeCase("x.case", hunted(t, sc).Encode())
	require.NoError(t, err)
	require.Equal(t, sc.Accepted(), again.Intent.Scenario.Accepted())

	_, err = with(strings.Join([]string{
		"  - { accept: luck, until: soon }",
		"  - { accept: loss, issue: SHOP-17, until: 2026-12-31, stack: at-least-once, lost_silent: none }",
		"  - { stack: at-least-once, issue: SHOP-17 }",
		"  - { lost_silent: none }",
		"  - { accept: loss, issue: SHOP-17, until: 2026-12-31, stack: at-last-once }",
	}, "\n"))
	for _, want := range []string{"expect[0].accept: \"luck\" is neither", "expect[0].issue: missing", "expect[0].until: want the last day",
		"expect[1].accept: a statement either", "expect[2].accept: missing", "expect[3].stack: missing", "expect[4].stack: unknown stack"} {
		require.ErrorContains(t, err, want)
	}
}

// hunted is any case of a scenario.
func hunted(t *testing.T, sc *Scenario) *Case {
	t.Helper()
	c, err := MeasuringCase(sc, "at-least-once", "none", 1, 1)
	require.NoError(t, err)
	c.Intent.Expected = "pass"
	c.Witness = Witness{Seed: 1, Digest: strings.Repeat("0", 16), HistoryDigest: strings.Repeat("0", 16)}
	return c
}
