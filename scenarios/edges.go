package scenarios

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// EdgeSearch measures the bounds that stacks state: for each bound that is a duration, and each fault kind that loads
// its dimension, the size from which on a promise breaks. What it finds is a statement about whether, never about how
// often: the share of runs that break at an edge is no rate.
type EdgeSearch struct {
	Scenario *Scenario
	Stacks   []string // names, in order
	Kinds    []string // names of fault kinds, in order
	Base     uint64   // run i at every size has seed Base+i
	Limit    int64    // largest size, ns; 0 = a week, of an outage or pause twice the bound, a minute at least
	Shard    [2]int   // i of n, from 1: every n-th search; {0,0} = all
	Workers  int
	Patience time.Duration             // for one run; 0 waits for ever
	Progress func(finished, total int) // searches; may be nil; called from workers, one at a time
}

// Resolution of a search: its bracket is at most 1 % of its upper end.
const edgeFine = 100

// edgeRuns is the number of runs at each size under measuring plans.
const edgeRuns = 10

// edgeJob is one search.
type edgeJob struct {
	stack string
	bound history.Bound
	kind  history.FaultKind
}

// jobs are the searches that there is something to search in.
func (s *EdgeSearch) jobs() (jobs []edgeJob) {
	var all []edgeJob
	for _, stack := range s.Stacks {
		contract := s.Scenario.stackNamed(stack).Contract
		if len(checker.Promised(contract)) == 0 {
			continue
		}
		for _, b := range contract.Envelope {
			for _, name := range s.Scenario.possible(stack, s.Kinds) {
				if kind, ok := history.FaultKindByName(name); ok && kind.Dimension == b.Dimension && isDuration(b.Dimension) {
					all = append(all, edgeJob{stack, b, kind})
				}
			}
		}
	}
	for i := range all {
		if s.Shard[1] == 0 || i%s.Shard[1] == s.Shard[0]-1 {
			jobs = append(jobs, all[i])
		}
	}
	return jobs
}

func isDuration(d history.Dimension) bool {
	for _, row := range history.Dimensions() {
		if row.Name == d {
			return row.Duration
		}
	}
	return false
}

// Do searches. Its result is in the order of stacks, bounds and kinds, and the same for any number of workers: a search
// is done by one of them from its first run to its last. An error is bad input, a *Crash, or that of ctx.
func (s *EdgeSearch) Do(ctx context.Context) ([]history.Edge, error) {
	jobs := s.jobs()
	found, errs := make([]*history.Edge, len(jobs)), make([]error, len(jobs))
	next := make(chan int, len(jobs))
	for i := range jobs {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	var telling sync.Mutex
	done := 0
	for range max(1, min(s.Workers, len(jobs))) {
		wg.Go(func() {
			mem := &Memory{}
			for i := range next {
				if found[i], errs[i] = s.do(ctx, jobs[i], mem); errs[i] != nil {
					mem = &Memory{} // a run may have been abandoned with it
				}
				telling.Lock()
				if done++; s.Progress != nil {
					s.Progress(done, len(jobs))
				}
				telling.Unlock()
			}
		})
	}
	wg.Wait()
	edges := []history.Edge{}
	for i := range jobs {
		if errs[i] != nil {
			return nil, errs[i]
		}
		if found[i] != nil {
			edges = append(edges, *found[i])
		}
	}
	return edges, nil
}

// do is one search; nil if nothing can be aimed at.
func (s *EdgeSearch) do(ctx context.Context, j edgeJob, mem *Memory) (*history.Edge, error) {
	plans, err := newEdgePlans(s.Scenario, j.stack, j.kind, s.Base, s.Patience)
	if err != nil || plans == nil {
		return nil, err
	}
	limit := edgeLimit(j.bound, s.Limit)
	inside, err := plans.inside(limit)
	if err != nil {
		return nil, err
	}
	e := &history.Edge{Stack: j.stack, Dimension: j.bound.Dimension, Fault: j.kind.Name, Plan: plans.planType(), Declared: j.bound.Max,
		Inside: inside, Limit: limit, Runs: plans.runs(), Seed: s.Base, Targets: plans.targets(), Companion: plans.companion()}
	e.Probes = bisection{gridAround(inside, limit), edgeFine}.search(func(size int64) (history.EdgeProbe, bool) {
		var p history.EdgeProbe
		if err = ctx.Err(); err == nil {
			p, err = s.probe(plans, size, mem)
		}
		return p, err == nil
	})
	if err != nil {
		return nil, err
	}
	e.Conclude()
	return e, nil
}

// probe does the runs of one size.
func (s *EdgeSearch) probe(plans *edgePlans, size int64, mem *Memory) (history.EdgeProbe, error) {
	p := history.EdgeProbe{Size: size, Runs: plans.runs()}
	promised := checker.Promised(s.Scenario.stackNamed(plans.stack).Contract)
	for i := range p.Runs {
		c, err := plans.caseAt(i, size)
		if err != nil {
			return p, err
		}
		r, err := Supervise(c, mem, s.Patience)
		if err != nil {
			return p, err
		}
		if why, bad := r.Failed(); bad && r.Stop.Kind != sim.StopAsked {
			return p, &Crash{How: "panic", Detail: why}
		}
		p.Touched += tally(r.Row.FaultsHit > 0)
		broken, open := standing(r, promised)
		p.Undecided += tally(open)
		if !broken {
			continue
		}
		if p.Broken == 0 {
			p.Seed = c.Witness.Seed
		}
		p.Broken++
		p.Breaches += tally(!r.Row.Outside)
		if target := plans.targetOf(i); !slices.Contains(p.Targets, target) {
			p.Targets = append(p.Targets, target)
		}
	}
	slices.Sort(p.Targets)
	return p, nil
}

// standing says whether a run broke a promise, and if not, whether it left one open. A run that did not come to its end
// has shown less than it was asked for.
func standing(r *Result, promised []history.Property) (broken, open bool) {
	open = r.Stop.Kind != sim.StopQuiescent && r.Stop.Kind != sim.StopStuck
	for _, p := range promised {
		broken = broken || r.Row.Violations[string(p)] > 0
		open = open || r.Row.Undecided[string(p)] > 0
	}
	return broken, open && !broken
}

func tally(is bool) int {
	if is {
		return 1
	}
	return 0
}

// EdgeCase is the case, without its digests, of the run at the edge that broke a promise with the smallest seed; nil if
// none did.
func EdgeCase(sc *Scenario, e *history.Edge, patience time.Duration) (*Case, error) {
	kind, ok := history.FaultKindByName(e.Fault)
	if e.Breaks == 0 || !ok {
		return nil, nil
	}
	plans, err := newEdgePlans(sc, e.Stack, kind, e.Seed, patience)
	if err != nil || plans == nil {
		return nil, err
	}
	if int64(e.Runs) != int64(plans.runs()) {
		return nil, fmt.Errorf("the edge of %s under %s rests on %d runs, this program does %d", e.Stack, e.Fault, e.Runs, plans.runs())
	}
	return plans.caseAt(int(e.At(e.Breaks).Seed-e.Seed), e.Breaks)
}
