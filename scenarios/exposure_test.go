package scenarios

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/sim/history"
)

// Each profile of the library is named after its file, and gives a source and a reason for every default fault kind:
// a column without a frequency would be counted as if it never happened.
func TestLibraryExposures(t *testing.T) {
	require.Contains(t, ExposureNames(), "cloud-default")
	for _, name := range ExposureNames() {
		e, err := LoadExposure(name)
		require.NoError(t, err)
		require.Equal(t, name, e.Name)
		require.NotEmpty(t, e.Why)
		var kinds []string
		for _, l := range e.Lines {
			kinds = append(kinds, l.Kind)
			require.Contains(t, faults.Sources(), l.Source)
			require.Greater(t, len(strings.Fields(l.Why)), 5, "%s: a reason in words", l.Kind)
		}
		for _, k := range history.FaultKinds() {
			if k.Default {
				require.Contains(t, kinds, k.Name)
			}
		}
	}
}

const smallExposure = `version: 1
name: mine
why: Two lines.
frequencies:
  pause: { rate: 2 per 1d per consumer, source: measured, why: Counted in March. }
  consumer-kill: { rate: 0 per 1d per system, source: judgement, why: Never seen. }
`

func TestDecodeExposure(t *testing.T) {
	e, err := DecodeExposure("mine.yaml", []byte(smallExposure))
	require.NoError(t, err)
	require.Equal(t, &faults.Exposure{Name: "mine", Why: "Two lines.", Lines: []faults.Frequency{ // in the order of the kinds
		{Kind: "consumer-kill", Rate: faults.Rate{Count: 0, Per: 86_400 * nsSecond, Scope: "system"}, Source: "judgement", Why: "Never seen."},
		{Kind: "pause", Rate: faults.Rate{Count: 2, Per: 86_400 * nsSecond, Scope: "consumer"}, Source: "measured", Why: "Counted in March."},
	}}, e)
	path := filepath.Join(t.TempDir(), "mine.yaml")
	require.NoError(t, os.WriteFile(path, []byte(smallExposure), 0o644))
	again, err := LoadExposure(path)
	require.NoError(t, err)
	require.Equal(t, e, again)
}

// All that is wrong is said at once, each with its place: as good as the errors of scenarios.
func TestExposureProblems(t *testing.T) {
	_, err := DecodeExposure("bad.yaml", []byte(`version: 2
nam: mine
frequencies:
  consumer-kil: { rate: 1 per 1d per consumer, source: judgement, why: x }
  broker-kill: { rate: 1 per 1d per consumer, source: judgement, why: x }
  none: { rate: 1 per 1d per system, source: judgement, why: x }
  pause: { rate: often, source: gossip, why: "" }
  partition: { rate: 1 per 1d per consumer }
  rebalance: 3
  clock-skew: { rate: 1 per 1d per node, source: judgement, why: x }
  clock-skew: { rate: 2 per 1d per node, source: judgement, why: x }
`))
	var ps Problems
	require.ErrorAs(t, err, &ps)
	var got []string
	for _, p := range ps {
		got = append(got, fmt.Sprintf("%d:%d %s: %s", p.Line, p.Col, p.Path, p.Message))
	}
	for _, want := range []string{
		"1:10 version: 2; at most 1",
		"2:1 nam: unknown field",
		"1:1 name: missing; want for example name: cloud-default",
		"4:3 frequencies.consumer-kil: unknown fault",
		"5:24 frequencies.broker-kill.rate: broker-kill happens to a broker: count it per broker or per system, not per consumer",
		"6:17 frequencies.none.rate: none is the control: it has no frequency",
		`7:18 frequencies.pause.rate: want a frequency such as 1 per 30d per consumer, not "often"`,
		`7:33 frequencies.pause.source: unknown source "gossip"`,
		"7:46 frequencies.pause.why: empty; an assumption has a reason",
		"8:14 frequencies.partition.source: missing; want for example source: judgement",
		"8:14 frequencies.partition.why: missing; want for example why: …",
		`9:14 frequencies.rebalance: want a map with fields, not "3"`,
		"11:3 frequencies.clock-skew: duplicate name; the first is in line 10",
	} {
		require.True(t, slices.Contains(got, want), "%s\nis not among\n%s", want, strings.Join(got, "\n"))
	}
	require.Len(t, got, 13)
}

func TestExposuresThatAreNone(t *testing.T) {
	for src, want := range map[string]string{
		"":                                       "empty; want an exposure profile",
		"a: 1\n---\nb: 1\n":                      "a second document; want an exposure profile alone",
		"version: 1\nname: x\n":                  "frequencies: missing",
		"version: 1\nname: x\nfrequencies: {}\n": "no fault kind; at least one",
	} {
		_, err := DecodeExposure("x.yaml", []byte(src))
		require.ErrorContains(t, err, want)
	}
	_, err := LoadExposure("cloud-defalt")
	require.ErrorContains(t, err, "no exposure profile of the library and no file (did you mean cloud-default?)")
}

// The parties are those that measuring plans draw from: a frequency per consumer meets as many as can be hit.
func TestPartiesOfAScenario(t *testing.T) {
	s := mustLoad(t)
	want := map[string]int64{"consumer": 3, "broker": 3, "service": 2, "node": 11, "system": 1}
	for _, scope := range SortedKeys(want) {
		require.Equal(t, want[scope], s.Parties(scope), scope)
	}
}
