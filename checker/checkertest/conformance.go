package checkertest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/sim/history"
)

// Conformance holds a checker to what every checker promises:
//
//   - an empty history exercises nothing, and clean histories have no findings;
//   - a planted history of one of its properties fires exactly that property, with the label that says why: a finding, or
//     of a noted property one thing seen; one of another checker's properties fires nothing, but that what is noted may be
//     seen beside what is found: a duplicate comes of a redelivery;
//   - a near miss of one of its properties does not fire it, although it is judged;
//   - there are a planted history and a near miss for each of its properties;
//   - its counts fit its findings, and evidence names facts of the history, ascending;
//   - the report does not depend on the numbers in the names of nodes, on the names of events and keys, on when the story
//     took place, nor on the run before.
func Conformance(t *testing.T, c checker.Checker) {
	t.Run("empty", func(t *testing.T) { require.Equal(t, silence(), c.Check(&history.History{})) })
	for _, e := range Clean() {
		t.Run("clean/"+e.Name, func(t *testing.T) {
			r := c.Check(e.History)
			require.Empty(t, r.Findings)
			require.Empty(t, r.Seen)
			invariant(t, c, e.History, r)
		})
	}
	fired, spared := map[history.Property]bool{}, map[history.Property]bool{}
	for _, e := range Planted() {
		t.Run("planted/"+e.Name, func(t *testing.T) {
			fired[e.Property] = true
			planted(t, c, e)
		})
	}
	for _, e := range Near() {
		t.Run("near/"+e.Name, func(t *testing.T) {
			r := c.Check(e.History)
			invariant(t, c, e.History, r)
			if slices.Contains(c.Properties, e.Property) {
				spared[e.Property] = true
				require.Zero(t, r.Violations[e.Property], "%v", r.Findings)
				require.Zero(t, r.Seen[e.Property], "%v", r.Samples)
				require.Equal(t, e.Unjudged, r.Exercised[e.Property] == 0, "exercised %d times", r.Exercised[e.Property])
			}
		})
	}
	for _, p := range c.Properties {
		require.True(t, fired[p], "no planted history for %s", p)
		require.True(t, spared[p], "no near miss for %s", p)
	}
}

// planted checks what a checker says of a planted history.
func planted(t *testing.T, c checker.Checker, e Example) {
	t.Helper()
	r := c.Check(e.History)
	invariant(t, c, e.History, r)
	if !slices.Contains(c.Properties, e.Property) {
		require.Empty(t, r.Findings, "only %s is violated here", e.Property)
		if weight(e.Property) == history.Noted {
			require.Empty(t, r.Seen, "only %s is to be seen here: %v", e.Property, r.Samples)
		}
		return
	}
	told := r.Findings
	if c.Weight == history.Noted {
		require.Empty(t, r.Findings)
		require.Equal(t, map[history.Property]int64{e.Property: 1}, r.Seen)
		told = r.Samples
	}
	require.Len(t, told, 1)
	require.Equal(t, e.Property, told[0].Property)
	require.Equal(t, e.Label, told[0].Label)
	require.Positive(t, r.Exercised[e.Property])
}

// weight is that of the checker of a property.
func weight(p history.Property) history.Weight {
	for _, c := range checker.Kinds() {
		if slices.Contains(c.Properties, p) {
			return c.Weight
		}
	}
	panic("checkertest: no checker judges " + string(p))
}

// silence is the report that says nothing.
func silence() checker.Report {
	none := func() map[history.Property]int64 { return map[history.Property]int64{} }
	return checker.Report{Exercised: none(), Undecided: none(), Violations: none(), Seen: none()}
}

// invariant checks what holds for every report.
func invariant(t *testing.T, c checker.Checker, h *history.History, r checker.Report) {
	t.Helper()
	found := map[history.Property]int64{}
	for _, f := range r.Findings {
		found[f.Property]++
		wellTold(t, c, h, f)
	}
	for _, f := range r.Samples {
		require.Positive(t, r.Seen[f.Property])
		wellTold(t, c, h, f)
	}
	require.Equal(t, found, r.Violations, "violations are counted findings")
	if c.Weight == history.Noted {
		require.Empty(t, r.Findings, "what nobody promises is no finding")
	} else {
		require.Empty(t, r.Seen)
	}
	require.Equal(t, r, c.Check(h), "a second look")
	require.Equal(t, r, c.Check(Renamed(h)), "with other node numbers")
	require.Equal(t, anonymous(r), anonymous(c.Check(Retold(h))), "with other names of events and keys, at another time")
}

// wellTold checks what holds for everything that is told.
func wellTold(t *testing.T, c checker.Checker, h *history.History, f history.Finding) {
	t.Helper()
	require.Contains(t, c.Properties, f.Property, "not among the properties of %s", c.Name)
	require.True(t, slices.ContainsFunc(history.Labels(), func(l struct {
		Name history.Label
		Doc  string
	}) bool {
		return l.Name == f.Label
	}), "%q is not in the table of labels", f.Label)
	require.NotEmpty(t, f.Detail)
	require.NotEmpty(t, f.Evidence)
	last := int64(0)
	for _, id := range f.Evidence {
		require.Greater(t, id, last, "evidence ascends")
		require.LessOrEqual(t, id, int64(h.Len()))
		last = id
	}
}

// anonymous is a report without the names that its story tells.
func anonymous(r checker.Report) checker.Report {
	for _, told := range []*[]history.Finding{&r.Findings, &r.Samples} {
		list := slices.Clone(*told)
		for i := range list {
			list[i].Event, list[i].Detail = "", ""
		}
		*told = list
	}
	return r
}

// Retold is the history with other names of events and keys, a day later.
func Retold(h *history.History) *history.History {
	const day = 24 * 3600 * 1000 * Millisecond
	out := &history.History{Header: h.Header}
	for i := range out.Header.Chaos {
		out.Header.Chaos[i] += day
	}
	for _, f := range h.Facts {
		f.Time += day
		if f.Until != 0 {
			f.Until += day
		}
		if f.Event != "" {
			f.Event = "z" + f.Event
		}
		if f.Key != "" {
			f.Key = "z" + f.Key
		}
		out.Record(f)
	}
	return out
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
