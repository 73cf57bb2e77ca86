package scenarios

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/sim/history"
)

func itoa(i int) string { return strconv.Itoa(i) }

// Sweep is a comparison: stacks × fault kinds × runs, then the hunting runs of each stack, then the Poisson runs of some. Its jobs are numbered;
// which machine or worker does one changes nothing about its row.
type Sweep struct {
	Scenario *Scenario
	Stacks   []string // names; in order
	Faults   []string // names of fault kinds, none included; in order
	Runs     int
	Base     uint64   // run i of every cell has seed Base+i, i from 0
	Hunts    int      // hunting runs of each stack, also with seeds from Base on; 0 = none
	Prey     []string // fault kinds that hunting plans are made of; one at least if there are Hunts
	Poisson  *PoissonRuns
	Settled  map[[2]string]bool // (stack, fault kind) of cells that need no more runs
	Workers  int
	Shard    [2]int                    // i of n, from 1; {0,0} = all
	Have     map[history.Key]bool      // rows that are there already (--resume)
	Patience time.Duration             // for one run; 0 = a minute
	Progress func(done, total int)     // may be nil; called from one goroutine
	Keep     func(*Case, *Result) bool // whether a run's case is to be kept; may be nil; called from workers
}

// Swept is what a sweep yields. Rows are in job order, whatever the workers did.
type Swept struct {
	Rows    []history.Row
	Cases   []*Case // kept ones, in job order
	Twice   int     // runs done twice
	Crashes []CrashedCase
	Drifted []*Case // runs whose second run differed: exit 4
}

// CrashedCase is a run that did not end by the rules, with the case that repeats it.
type CrashedCase struct {
	Case *Case
	Err  error
}

// job is one run to do.
type job struct {
	index              int
	stack, fault, plan string
	seed               uint64
}

// twiceEvery is the sample of a sweep that runs twice: 5 %.
const twiceEvery = 20

func (s *Sweep) jobs() []job {
	var out []job
	hash, i := s.Scenario.Hash(), 0
	add := func(stack, fault, plan string, run int) {
		j := job{i, stack, fault, plan, s.Base + uint64(run)}
		i++
		settled := plan == PlanMeasuring && s.Settled[[2]string{stack, fault}]
		mine := !settled && (s.Shard[1] == 0 || j.index%s.Shard[1] == s.Shard[0]-1)
		if mine && !s.Have[history.Key{Scenario: hash, Epoch: Epoch, Stack: stack, Fault: fault, Plan: plan, Seed: j.seed}] {
			out = append(out, j)
		}
	}
	for _, st := range s.Stacks {
		for _, f := range s.Faults {
			for r := range s.Runs {
				add(st, f, PlanMeasuring, r)
			}
		}
	}
	for _, st := range s.Stacks {
		if len(s.Scenario.possible(st, s.Prey)) == 0 {
			continue // nothing can happen to it, so there is nothing to hunt
		}
		for r := range s.Hunts {
			add(st, history.HuntFault, PlanHunting, r)
		}
	}
	if p := s.Poisson; p != nil {
		for _, st := range p.Stacks {
			for _, m := range p.Multipliers {
				for r := range p.Runs {
					add(st, history.PoissonFault(m), PlanPoisson, r)
				}
			}
		}
	}
	return out
}

// MeasuringCase is the case of one run of a cell: its plan is drawn without looking at what the stack does.
func MeasuringCase(sc *Scenario, stack, fault string, base, seed uint64) (*Case, error) {
	plan, err := faults.Measure(fault, base, seed, sc.space())
	if err != nil {
		return nil, err
	}
	return &Case{Version: CaseVersion, Intent: Intent{Scenario: sc, Stack: stack, Fault: fault, PlanType: PlanMeasuring, Plan: plan.Lines(), Owner: sc.owner(), Door: sc.door()},
		Witness: Witness{Seed: seed}}, nil
}

// ChosenCase is a case whose faults somebody has chosen; fault names the kind that they are most like.
func ChosenCase(sc *Scenario, stack, fault string, plan []faults.Fault, seed uint64) *Case {
	return &Case{Version: CaseVersion, Intent: Intent{Scenario: sc, Stack: stack, Fault: fault, PlanType: PlanHunting, Plan: faults.Lines(plan), Owner: sc.owner(), Door: sc.door()},
		Witness: Witness{Seed: seed}}
}

// outcome of one job.
type outcome struct {
	row     *history.Row
	kept    *Case
	twice   bool
	drifted *Case
	crash   *CrashedCase
	err     error
}

// Do runs the jobs. An error is bad input; ctx ends it early and what is finished is returned with ctx's error.
func (s *Sweep) Do(ctx context.Context) (*Swept, error) {
	jobs, hunters := s.jobs(), s.hunters()
	results := make([]outcome, len(jobs))
	next := make(chan int)
	finished := make(chan int, len(jobs))
	var wg sync.WaitGroup
	for range max(1, s.Workers) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			mem := &Memory{}
			for i := range next {
				results[i], mem = s.do(jobs[i], hunters, mem)
				finished <- i
			}
		}()
	}
	err := s.feed(ctx, len(jobs), next, finished)
	close(next)
	wg.Wait()
	swept, bad := collect(results)
	return swept, errors.Join(bad, err)
}

// feed hands out the jobs in order and reports progress.
func (s *Sweep) feed(ctx context.Context, n int, next chan<- int, finished <-chan int) error {
	done := 0
	report := func() {
		done++
		if s.Progress != nil {
			s.Progress(done, n)
		}
	}
	for i := 0; i < n; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case next <- i:
			i++
		case <-finished:
			report()
		}
	}
	for done < n {
		<-finished
		report()
	}
	return nil
}

// hunterOf makes the hunter of a stack when it is first asked for: a shard or a resumed sweep may never ask.
type hunterOf func() (*Hunter, error)

func (s *Sweep) hunters() map[string]hunterOf {
	all := map[string]hunterOf{}
	for _, stack := range s.Stacks {
		all[stack] = sync.OnceValues(func() (*Hunter, error) { return NewHunter(s.Scenario, stack, s.Prey, s.Base, s.patience()) })
	}
	return all
}

// caseOf is the case of a job. If the run that a hunter observes crashed, it is the case of that run.
func (s *Sweep) caseOf(j job, hunters map[string]hunterOf) (*Case, error) {
	switch j.plan {
	case PlanPoisson:
		return PoissonCase(s.Scenario, j.stack, j.fault, j.seed, s.Poisson.Faults)
	case PlanMeasuring:
		return MeasuringCase(s.Scenario, j.stack, j.fault, s.Base, j.seed)
	}
	h, err := hunters[j.stack]()
	if err != nil {
		return h.calm(s.Base), err
	}
	return h.Case(j.seed)
}

func (s *Sweep) patience() time.Duration {
	if s.Patience == 0 {
		return time.Minute
	}
	return s.Patience
}

// failed is the outcome of a job without a row: a crash of its case, or bad input.
func failed(c *Case, err error) outcome {
	if _, ok := errors.AsType[*Crash](err); ok {
		return outcome{crash: &CrashedCase{c, err}}
	}
	return outcome{err: err}
}

// do is one job, perhaps twice. Memory that a run was abandoned with is not used again.
func (s *Sweep) do(j job, hunters map[string]hunterOf, mem *Memory) (outcome, *Memory) {
	c, err := s.caseOf(j, hunters)
	if err != nil {
		return failed(c, err), mem
	}
	patience := s.patience()
	r, err := Supervise(c, mem, patience)
	if err != nil {
		return failed(c, err), &Memory{}
	}
	if why, bad := r.Failed(); bad {
		return outcome{crash: &CrashedCase{c, errors.New(why)}}, mem
	}
	row := r.Row
	out := outcome{row: &row}
	c.Witness = r.Witness(j.seed)
	if s.Keep != nil && s.Keep(c, r) {
		out.kept = c
	}
	if j.index%twiceEvery == 0 {
		out.twice = true
		again, err := Supervise(c, &Memory{}, patience)
		if err != nil || again.Digest != r.Digest {
			out.drifted = c
		}
	}
	return out, mem
}

func collect(results []outcome) (*Swept, error) {
	s := &Swept{}
	var bad error
	for i := range results {
		o := &results[i]
		switch {
		case o.err != nil:
			bad = o.err
		case o.crash != nil:
			s.Crashes = append(s.Crashes, *o.crash)
		case o.row != nil:
			s.Rows = append(s.Rows, *o.row)
		}
		if o.kept != nil {
			s.Cases = append(s.Cases, o.kept)
		}
		if o.twice {
			s.Twice++
		}
		if o.drifted != nil {
			s.Drifted = append(s.Drifted, o.drifted)
		}
	}
	return s, bad
}

// Replayed is a case run twice.
type Replayed struct {
	First, Second *Result
	Same          bool // the two runs are equal
	Fresh         bool // they equal the case's witness
}

// Replay runs a case twice, on fresh memory each.
func Replay(c *Case, patience time.Duration) (*Replayed, error) {
	a, err := Supervise(c, &Memory{}, patience)
	if err != nil {
		return nil, err
	}
	b, err := Supervise(c, &Memory{}, patience)
	if err != nil {
		return nil, err
	}
	return &Replayed{First: a, Second: b, Same: a.Digest == b.Digest, Fresh: fmt.Sprintf("%016x", a.Digest) == c.Witness.Digest}, nil
}
