package blackbox_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
)

// Tests against definitions judge small random histories, legal and illegal ones. TWICELESS_FULL=1 judges a hundred times as many.
const fullVariable = "TWICELESS_FULL"

func rounds(few int) int {
	if os.Getenv(fullVariable) != "" {
		return 100 * few
	}
	return few
}

func whole(n int64) ops.Value { return ops.Value{Kind: ops.Int, Int: n} }

func text(s string) ops.Value { return ops.Value{Kind: ops.Text, Text: s} }

// fields is a map; names and values take turns.
func fields(pairs ...any) ops.Value {
	m := ops.Value{Kind: ops.Map}
	for i := 0; i < len(pairs); i += 2 {
		m.Items = append(m.Items, text(pairs[i].(string)), pairs[i+1].(ops.Value))
	}
	return m
}

// A random history: a few processes, each of which invokes what ask says and hears what answer says, or nothing.
type randomHistory struct {
	rng       *rand.Rand
	processes int
	events    int
	ask       func() (f string, in ops.Value)
	answer    func(f string, in ops.Value) (ops.Type, ops.Value)
}

// operations are those of one history.
func (h randomHistory) operations(t *testing.T) []*ops.Operation {
	t.Helper()
	var out []*ops.Operation
	var p ops.Problems
	pairs := ops.NewPairs(false, func(o *ops.Operation) { kept := *o; out = append(out, &kept) }, &p)
	open := make([]*ops.Event, h.processes)
	names := make([]string, h.processes)
	for i := range h.events {
		n := h.rng.IntN(h.processes)
		if open[n] == nil {
			if names[n] == "" {
				names[n] = fmt.Sprint(n)
			}
			f, in := h.ask()
			e := ops.Event{Line: i + 1, Index: int64(i), Process: names[n], Type: ops.Invoke, F: f, Value: in, Time: ops.NoTime}
			open[n] = &e
			pairs.Event(&e)
			continue
		}
		e := *open[n]
		e.Line, e.Index = i+1, int64(i)
		e.Type, e.Value = h.answer(e.F, e.Value)
		open[n] = nil
		pairs.Event(&e)
	}
	pairs.End()
	require.NoError(t, p.Error("random"))
	return out
}

// outcome is ok in most cases.
func outcome(rng *rand.Rand) ops.Type {
	return [...]ops.Type{ops.OK, ops.OK, ops.OK, ops.Fail, ops.Info}[rng.IntN(5)]
}

// judged is what a model says of operations.
func judged(t *testing.T, model string, header ops.Value, o blackbox.Options, operations []*ops.Operation) *ops.Report {
	t.Helper()
	models := blackbox.Models()
	i := slices.IndexFunc(models, func(m blackbox.Model) bool { return m.Name == model })
	require.GreaterOrEqual(t, i, 0)
	var p ops.Problems
	judge := models[i].New(ops.Header{Line: 1, Model: model, Fields: header}, o, &p)
	for _, op := range operations {
		judge.Take(op)
	}
	require.NoError(t, p.Error("random"))
	r := judge.Report()
	r.Sort()
	return r
}

// counts are how many of each name a report found.
func counts(r *ops.Report) map[string]int64 {
	m := map[string]int64{}
	for _, a := range r.Anomalies {
		m[a.Name] = a.Count
	}
	return m
}

// described is a history for the message of a failing test, written only then.
type described []*ops.Operation

func (d described) String() string {
	s := ""
	for _, o := range d {
		s += fmt.Sprintf("%s %s %s [%d, %d] %s → %s\n", o.Process, o.Outcome, o.F, o.Call, o.Return, o.In, o.Out)
	}
	return s
}
