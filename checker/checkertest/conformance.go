package checkertest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/sim/history"
)

// Conformance holds a checker to what every checker promises:
//
//   - an empty history exercises nothing, and clean histories have no findings;
//   - a planted history of one of its properties fires exactly that property, with the label that says why; one of
//     another checker's properties fires nothing;
//   - there is a planted history for each of its properties;
//   - its counts fit its findings, and evidence names facts of the history, ascending;
//   - the report does not depend on the numbers in the names of nodes, and not on the run before.
func Conformance(t *testing.T, c checker.Checker) {
	t.Run("empty", func(t *testing.T) {
		r := c.Check(&history.History{})
		require.Empty(t, r.Findings)
		require.Empty(t, r.Exercised)
		require.Empty(t, r.Undecided)
		require.Empty(t, r.Violations)
	})
	for _, e := range Clean() {
		t.Run("clean/"+e.Name, func(t *testing.T) {
			r := c.Check(e.History)
			require.Empty(t, r.Findings)
			invariant(t, c, e.History, r)
		})
	}
	fired := map[history.Property]bool{}
	for _, e := range Planted() {
		t.Run("planted/"+e.Name, func(t *testing.T) {
			r := c.Check(e.History)
			invariant(t, c, e.History, r)
			if !judges(c, e.Property) {
				require.Empty(t, r.Findings, "only %s is violated here", e.Property)
				return
			}
			fired[e.Property] = true
			require.Len(t, r.Findings, 1)
			require.Equal(t, e.Property, r.Findings[0].Property)
			require.Equal(t, e.Label, r.Findings[0].Label)
			require.Positive(t, r.Exercised[e.Property])
		})
	}
	for _, p := range c.Properties {
		require.True(t, fired[p], "no planted history for %s", p)
	}
}

func judges(c checker.Checker, p history.Property) bool {
	for _, q := range c.Properties {
		if p == q {
			return true
		}
	}
	return false
}

// invariant checks what holds for every report.
func invariant(t *testing.T, c checker.Checker, h *history.History, r checker.Report) {
	t.Helper()
	found := map[history.Property]int64{}
	for _, f := range r.Findings {
		found[f.Property]++
		require.True(t, judges(c, f.Property), "%s is not among the properties of %s", f.Property, c.Name)
		require.NotEmpty(t, f.Label)
		require.NotEmpty(t, f.Detail)
		require.NotEmpty(t, f.Evidence)
		last := int64(0)
		for _, id := range f.Evidence {
			require.Greater(t, id, last, "evidence ascends")
			require.LessOrEqual(t, id, int64(h.Len()))
			last = id
		}
	}
	require.Equal(t, found, r.Violations, "violations are counted findings")
	require.Equal(t, r, c.Check(h), "a second look")
	require.Equal(t, r, c.Check(Renamed(h)), "with other node numbers")
}

// Renamed is the history with other numbers in the names of its nodes.
func Renamed(h *history.History) *history.History {
	out := &history.History{Header: h.Header}
	for _, f := range h.Facts {
		f.Node = renamed(f.Node)
		if (f.Kind == history.KindFaultBegan || f.Kind == history.KindEvicted) && f.Value != "" {
			names := strings.Split(f.Value, ",")
			for i := range names {
				names[i] = renamed(names[i])
			}
			f.Value = strings.Join(names, ",")
		}
		out.Record(f)
	}
	return out
}

func renamed(node string) string {
	if i := strings.LastIndexByte(node, '-'); i > 0 {
		return node[:i] + "-7" + node[i+1:]
	}
	return node
}
