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

// Sweep is a comparison: stacks × fault kinds × runs. Its jobs are numbered; which machine or worker does one
// changes nothing about its row.
type Sweep struct {
	Scenario *Scenario
	Stacks   []string // names; in order
	Faults   []string // names of fault kinds, none included; in order
	Runs     int
	Base     uint64 // run i of every cell has seed Base+i, i from 0
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
	index        int
	stack, fault string
	seed         uint64
}

// twiceEvery is the sample of a sweep that runs twice: 5 %.
const twiceEvery = 20

func (s *Sweep) jobs() []job {
	var out []job
	hash, i := s.Scenario.Hash(), 0
	for _, st := range s.Stacks {
		for _, f := range s.Faults {
			for r := range s.Runs {
				j := job{i, st, f, s.Base + uint64(r)}
				i++
				if s.Shard[1] > 0 && j.index%s.Shard[1] != s.Shard[0]-1 {
					continue
				}
				if s.Have[history.Key{Scenario: hash, Epoch: Epoch, Stack: st, Fault: f, Plan: history.Measuring, Seed: j.seed}] {
					continue
				}
				out = append(out, j)
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
	return &Case{Version: CaseVersion, Intent: Intent{Scenario: sc, Stack: stack, Fault: fault, PlanType: PlanMeasuring, Plan: plan.Lines()},
		Witness: Witness{Seed: seed}}, nil
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
	jobs := s.jobs()
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
				results[i], mem = s.do(jobs[i], mem)
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

// do is one job, perhaps twice. Memory that a run was abandoned with is not used again.
func (s *Sweep) do(j job, mem *Memory) (outcome, *Memory) {
	c, err := MeasuringCase(s.Scenario, j.stack, j.fault, s.Base, j.seed)
	if err != nil {
		return outcome{err: err}, mem
	}
	patience := s.Patience
	if patience == 0 {
		patience = time.Minute
	}
	r, err := Supervise(c, mem, patience)
	var crash *Crash
	if errors.As(err, &crash) {
		return outcome{crash: &CrashedCase{c, err}}, &Memory{}
	}
	if err != nil {
		return outcome{err: err}, mem
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
