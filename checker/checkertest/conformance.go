package checkertest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/sim/history"
)

// Conformance holds a checker to what every checker promises:
//
//   - an empty history exercises nothing; clean histories have no findings, and nothing is noted in them but what they are
//     about (Example.With);
//   - a planted history of one of its properties fires exactly that property, with the label that says why: a finding, or
//     of a noted property one thing seen;
//   - a near miss of one of its properties does not fire it, although it is judged, or else says that it is not (Unjudged);
//   - what is planted, or a near miss, for another checker fires nothing of its own, but what the example has by definition;
//     where that other property is no noted one, what is noted may be seen beside it: a duplicate comes of a redelivery;
//   - there are a planted history and a near miss that is judged for each of its properties;
//   - its counts fit its findings, and evidence names facts of the history, ascending;
//   - the report does not depend on the numbers in the names of nodes, on the names of events and keys, on when the story
//     took place, nor on the run before.
func Conformance(t *testing.T, c checker.Checker) {
	t.Run("empty", func(t *testing.T) { require.Equal(t, silence(), c.Check(&history.History{})) })
	for _, e := range Clean() {
		t.Run("clean/"+e.Name, func(t *testing.T) {
			r := c.Check(e.History)
			invariant(t, c, e.History, r)
			require.Empty(t, r.Findings)
			silent(t, c, e, r)
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
			silent(t, c, e, r)
			require.Zero(t, r.Violations[e.Property], "%v", r.Findings)
			if slices.Contains(c.Properties, e.Property) {
				spared[e.Property] = spared[e.Property] || !e.Unjudged
				require.Equal(t, e.Unjudged, r.Exercised[e.Property] == 0, "exercised %d times", r.Exercised[e.Property])
			}
		})
	}
	for _, p := range c.Properties {
		require.True(t, fired[p], "no planted history for %s", p)
		require.True(t, spared[p], "no near miss for %s that is judged", p)
	}
}

// planted checks what a checker says of a planted history.
func planted(t *testing.T, c checker.Checker, e Example) {
	t.Helper()
	r := c.Check(e.History)
	invariant(t, c, e.History, r)
	if !slices.Contains(c.Properties, e.Property) {
		silent(t, c, e, r)
		return
	}
	told := r.Findings
	if c.Weight == history.Noted {
		require.Empty(t, r.Findings)
		require.Equal(t, map[history.Property]int64{e.Property: 1}, r.Seen, "%v", r.Samples)
		told = r.Samples
	}
	require.Len(t, told, 1)
	require.Equal(t, e.Property, told[0].Property)
	require.Equal(t, e.Label, told[0].Label)
	require.Positive(t, r.Exercised[e.Property])
}

// silent checks that a checker shows nothing of an example beside what that has by definition, and all of it. What is noted
// may be seen where something weightier is planted or nearly so.
func silent(t *testing.T, c checker.Checker, e Example, r checker.Report) {
	t.Helper()
	found, seen := maps.Clone(r.Violations), maps.Clone(r.Seen)
	for _, p := range e.With {
		if slices.Contains(c.Properties, p) {
			require.Positive(t, found[p]+seen[p], "it is said to show %s", p)
		}
		delete(found, p)
		delete(seen, p)
	}
	require.Empty(t, found, "%v", r.Findings)
	if e.Property == "" || weight(e.Property) == history.Noted {
		require.Empty(t, seen, "%v", r.Samples)
	}
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
		if f.Kind == history.KindSagaRead {
			f.Value = "z" + f.Value // names an event too
		}
		if f.Key != "" && f.Kind != history.KindLinked { // where it is a group
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
