package command

import (
	"cmp"
	"context"
	"reflect"
	"slices"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// edgeFlags say whether edges are looked for, and how far.
type edgeFlags struct {
	wanted bool
	limit  string
}

// upTo reads the limit of a search, ns; 0 = that of each dimension.
func (f *edgeFlags) upTo() (int64, error) {
	if f.limit == "" {
		return 0, nil
	}
	ns, err := rng.ParseDuration(f.limit)
	switch {
	case err != nil:
		return 0, failf(exitInput, "--edge-limit %s: %v", f.limit, err)
	case ns <= 0:
		return 0, failf(exitInput, "--edge-limit %s: want more than nothing, as in 26h", f.limit)
	case !f.wanted:
		return 0, failf(exitInput, "--edge-limit says how far --edges looks, which is not asked for")
	}
	return ns, nil
}

// findEdges measures the bounds that the stacks state.
func (a *app) findEdges(ctx context.Context, done *finished, limit int64, shard [2]int, quiet bool) error {
	bar := a.newProgress(quiet)
	if bar != nil {
		bar.noun = "edges"
	}
	search := &scenarios.EdgeSearch{Scenario: done.sc, Stacks: done.stacks, Kinds: done.faults, Base: done.base, Limit: limit, Shard: shard,
		Workers: done.workers, Patience: patience, Progress: bar.tell}
	edges, err := search.Do(ctx)
	bar.end()
	done.edges = edges
	done.sortEdges()
	return err
}

// sortEdges puts them in the order of stacks, dimensions and fault kinds.
func (c *comparison) sortEdges() {
	kinds := faultNames()
	slices.SortFunc(c.edges, func(a, b history.Edge) int {
		return cmp.Or(cmp.Compare(slices.Index(c.stacks, a.Stack), slices.Index(c.stacks, b.Stack)), cmp.Compare(a.Dimension, b.Dimension),
			cmp.Compare(slices.Index(kinds, a.Fault), slices.Index(kinds, b.Fault)))
	})
}

// joinEdges adds those of another part of the comparison.
func (c *comparison) joinEdges(o *comparison, first, dir string) error {
	for _, e := range o.edges {
		at := slices.IndexFunc(c.edges, func(k history.Edge) bool {
			return k.Stack == e.Stack && k.Dimension == e.Dimension && k.Fault == e.Fault
		})
		switch {
		case at < 0:
			c.edges = append(c.edges, e)
		case c.edges[at].Limit != e.Limit:
			return failf(exitInput, "%s and %s looked for the edge of %s, %s up to different limits", first, dir, e.Stack, e.Dimension)
		case !reflect.DeepEqual(c.edges[at], e):
			return failf(exitDrift, "%s and %s found different edges of %s, %s", first, dir, e.Stack, e.Dimension)
		}
	}
	c.sortEdges()
	return nil
}

// checkEdges reports edges that no search could have found.
func (c *comparison) checkEdges(path string) error {
	names := stackNames(c.sc)
	for i := range c.edges {
		e := &c.edges[i]
		_, known := history.FaultKindByName(e.Fault)
		seed := e.At(e.Breaks).Seed
		if !slices.Contains(names, e.Stack) || !known || e.Breaks > 0 && (seed < e.Seed || seed-e.Seed >= uint64(max(0, e.Runs))) {
			return failf(exitInput, "%s: damaged: the edge of %q under %q", path, e.Stack, e.Fault)
		}
	}
	return nil
}

// edgeCases are those of the smallest seed at each edge, whose files the edges name from then on. A run is done again
// from what the edge says, so that a report made again has the same cases.
func (done *finished) edgeCases() (saved []savedCase, err error) {
	mem := &scenarios.Memory{}
	for i := range done.edges {
		e := &done.edges[i]
		e.Case = nil
		k, err := scenarios.EdgeCase(done.sc, e, patience)
		if err != nil {
			return nil, err
		}
		if k == nil {
			continue
		}
		r, err := scenarios.Supervise(k, mem, patience)
		if err != nil {
			return nil, err
		}
		promised := checker.Promised(done.contract(e.Stack))
		if !slices.ContainsFunc(promised, func(p history.Property) bool { return r.Row.Violations[string(p)] > 0 }) {
			return nil, failf(exitDrift, "%s under %s at %s, seed %d broke a promise; done again, it breaks none", e.Stack, e.Fault,
				rng.FormatDuration(e.Breaks), k.Witness.Seed)
		}
		k.Witness = r.Witness(k.Witness.Seed)
		expect(k, r.Verdicts.Findings, done.contract(e.Stack))
		s := savedCase{c: k, row: r.Row, file: caseFile(k)}
		e.Case = &s.file
		saved = append(saved, s)
	}
	return saved, nil
}

// edges weighs measured edges: a promise that breaks inside the envelope is broken, whichever plan shows it.
func (j *judgement) edges(edges []history.Edge) {
	for i := range edges {
		e := &edges[i]
		switch e.Standing() {
		case history.BoundWrong:
			j.broken = true
			j.say("broken", "%s declares %s <= %s, and %s breaks a promise inside it", e.Stack, e.Dimension, rng.FormatDuration(e.Declared), e.Fault)
		case history.BoundUndecided, history.BoundDoubtful:
			j.noted = true
		}
	}
}
