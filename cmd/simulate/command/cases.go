package command

import (
	"cmp"
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/internal/tell"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// failure is a failing run to keep.
type failure struct {
	row   history.Row
	print string // fingerprint that it stands for; "" = the gravest of the run
}

// savedCase is the failing run that stands for a cell, or for a story that a hunt found.
type savedCase struct {
	c    *scenarios.Case
	row  history.Row
	file string // relative to the directory of the report

	label history.Label // of the finding to tell first
}

// caseFile is where a case lies in a report.
func caseFile(c *scenarios.Case) string {
	return path.Join(casesDir, fmt.Sprintf("%s.%s.%s.case", c.Intent.Stack, c.Intent.Fault, c.Name()))
}

// failing says how bad a row is: 2 = a critical duplicate, a loss or a broken promise, 1 = any other violation, 0 = none.
func failing(r *history.Row, promised []history.Property) int {
	grave := append([]history.Property{history.PropDuplicateCritical, history.PropLoss, history.PropStuck}, promised...)
	for _, p := range grave {
		if r.Violations[string(p)] > 0 {
			return 2
		}
	}
	for _, p := range history.SortedKeys(r.Violations) {
		if r.Violations[p] > 0 {
			return 1
		}
	}
	return 0
}

// cases are those of the failing runs with the smallest seed of each cell, and of each breach that a hunt found. A run
// is done again from its row, so that they are a function of the rows, whichever machines made these; its digest must
// be that of the row.
func (c *comparison) cases(rows []history.Row) ([]savedCase, error) {
	var todo []failure
	for _, stack := range c.stacks {
		promised := checker.Promised(c.contract(stack))
		for _, fault := range c.faults {
			worst := 0
			var pick history.Row
			for _, r := range cellOf(rows, stack, fault) {
				if f := failing(&r, promised); f > worst || f == worst && f > 0 && r.Seed < pick.Seed {
					worst, pick = f, r
				}
			}
			if worst > 0 {
				todo = append(todo, failure{row: pick})
			}
		}
		todo = append(todo, c.breaches(rows, stack)...)
	}
	hunters, err := c.hunters(todo)
	if err != nil {
		return nil, err
	}
	saved, errs := make([]savedCase, len(todo)), make([]error, len(todo))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(todo)) {
		wg.Go(func() {
			mem := &scenarios.Memory{}
			for i := range next {
				saved[i], errs[i] = c.caseOf(&todo[i], hunters, mem)
				if errs[i] != nil {
					mem = &scenarios.Memory{}
				}
			}
		})
	}
	for i := range todo {
		next <- i
	}
	close(next)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return saved, nil
}

// caseOf does the run of a row again and makes its case.
func (c *comparison) caseOf(f *failure, hunters map[string]*scenarios.Hunter, mem *scenarios.Memory) (savedCase, error) {
	row := &f.row
	k, err := c.drawn(row, hunters)
	if err != nil {
		return savedCase{}, err
	}
	r, err := scenarios.Supervise(k, mem, patience)
	if err != nil {
		return savedCase{}, err
	}
	if r.Row.Digest != row.Digest {
		return savedCase{}, failf(exitDrift, "%s under %s, seed %d: its row has the digest %s, done again it has %s",
			row.Stack, row.Fault, row.Seed, row.Digest, r.Row.Digest)
	}
	k.Witness = r.Witness(row.Seed)
	found := slices.DeleteFunc(slices.Clone(r.Verdicts.Findings), func(g history.Finding) bool { return f.print != "" && g.Fingerprint() != f.print })
	expect(k, found, c.contract(row.Stack))
	story, _, _ := storyOf(k, r)
	return savedCase{k, *row, caseFile(k), story.Label}, nil
}

// drawn is the case of a row, without its witness.
func (c *comparison) drawn(row *history.Row, hunters map[string]*scenarios.Hunter) (*scenarios.Case, error) {
	switch row.Plan {
	case history.Hunting:
		return hunters[row.Stack].Case(row.Seed)
	case history.Poisson:
		return scenarios.PoissonCase(c.sc, row.Stack, row.Fault, row.Seed, c.poisson.Faults)
	}
	return scenarios.MeasuringCase(c.sc, row.Stack, row.Fault, c.base, row.Seed)
}

// expect writes into a case what its run showed: the gravest of these findings.
func expect(k *scenarios.Case, found []history.Finding, contract history.Contract) {
	k.Intent.Expected = checker.Pass.String()
	if f, ok := tell.Gravest(found, checker.Promised(contract)); ok {
		k.Intent.Property, k.Intent.Fingerprint, k.Intent.Expected = string(f.Property), f.Fingerprint(), checker.Fail.String()
	}
}

// again is the command of the smallest break.
func (a *app) again(done *finished, cases []savedCase) string {
	if len(cases) == 0 {
		return ""
	}
	return a.command("replay", relative(filepath.Join(done.out, done.smallest(cases)[0].file)))
}

// smallest sorts breaks: a broken contract before anything that is permitted, a critical duplicate or a loss before the
// rest, the stack with the most layers, then the run with the least damage.
func (done *finished) smallest(cases []savedCase) []savedCase {
	rank := func(s *savedCase) int {
		switch {
		case done.promised(s):
			return 0
		case s.row.Fault == reports.Control:
			return 3
		case failing(&s.row, nil) == 2:
			return 1
		}
		return 2
	}
	damage := func(s *savedCase) int64 { return s.row.Excess[history.Critical] + s.row.Losses() }
	layers := func(s *savedCase) int { return len(done.stack(s.row.Stack).Layers) }
	sorted := slices.Clone(cases)
	slices.SortStableFunc(sorted, func(x, y savedCase) int {
		a, b := &x, &y
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(layers(b), layers(a)), cmp.Compare(damage(a), damage(b)))
	})
	return sorted
}

// promised says whether a case breaks a promise inside the envelope.
func (done *finished) promised(s *savedCase) bool {
	return slices.Contains(checker.Promised(done.contract(s.row.Stack)), history.Property(s.c.Intent.Property)) && !s.row.Outside
}

// stories are the smallest break of each stack and cause. A history is larger than all rows together, so that it is made
// again for the few runs that are told.
func (done *finished) stories(cases []savedCase) ([]reports.Told, error) {
	var told []reports.Told
	seen := map[[2]string]bool{}
	for _, s := range done.smallest(cases) {
		key := [2]string{s.row.Stack, string(s.label)}
		if seen[key] {
			continue
		}
		seen[key] = true
		r, err := scenarios.Supervise(s.c, &scenarios.Memory{}, patience)
		if err != nil {
			return nil, err
		}
		f, _, some := storyOf(s.c, r)
		if !some {
			continue
		}
		// The page lies beside its cases and is the same wherever it was made: neither this directory nor this process is in it.
		here := &app{self: "simulate"}
		opt := here.storyOptions("", s.c, r, f)
		opt.Again = here.command("replay", s.file)
		told = append(told, reports.Told{History: r.History, Finding: f, Options: opt, Case: s.file, Promised: done.promised(&s)})
	}
	return told, nil
}

// blankWitness is that of a run that left no digest.
func blankWitness(seed uint64) scenarios.Witness {
	const zeros = "0000000000000000"
	return scenarios.Witness{Seed: seed, Digest: zeros, HistoryDigest: zeros, Epoch: scenarios.Epoch, Go: runtime.Version()}
}
