package twiceless

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/internal/tell"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// ran is what a run says. It is a copy: its history goes with the next run of the worker.
type ran struct {
	c         *scenarios.Case
	digest    uint64
	crash     *scenarios.Crash
	breach    *history.Finding // of the promise, neither excused by the envelope nor accepted
	accepted  []string         // fingerprints of breaches that are accepted
	undecided string           // why a promised property could not be judged; "" = all could
	vacuous   []string         // promised properties that were not put to the test
	touched   int64            // faults that fell on work under way
	awaits    awaits
	runs      int
	drifted   bool  // a second run differed
	err       error // the plan could not be drawn, or not run
}

// bad says whether a run ends the search.
func (r *ran) bad() bool { return r.err != nil || r.crash != nil || r.breach != nil || r.drifted }

// run does a case and judges it.
func (k *tester) run(c *scenarios.Case, mem *scenarios.Memory) *ran {
	out := &ran{c: c, runs: 1}
	r, err := scenarios.Supervise(c, mem, k.set.patience)
	if errors.As(err, &out.crash) {
		return out
	}
	if out.err = err; err != nil {
		return out
	}
	out.digest, out.awaits, out.touched = r.Digest, awaitsOf(r.History), r.Row.FaultsHit
	if out.crash = r.Crash(); out.crash == nil {
		k.judge(r, out)
	}
	return out
}

// judge looks for what breaks the promise.
func (k *tester) judge(r *scenarios.Result, out *ran) {
	counted := k.promised
	if r.Row.Outside {
		counted = checker.Guaranteed()
	}
	if r.Stop.Kind == sim.StopLimit { // what was still to come is neither lost nor stuck
		out.undecided = fmt.Sprintf("the run ended by %s (%s): either the code goes round in circles, or the scenario needs larger limits", r.Stop, r.Stop.Detail)
		counted = slices.DeleteFunc(slices.Clone(counted), func(p history.Property) bool { return p == history.PropLoss || p == history.PropStuck })
	}
	var broken []history.Finding
	for _, f := range r.Verdicts.Findings {
		switch {
		case !slices.Contains(counted, f.Property):
		case k.accepts(f.Fingerprint()):
			out.accepted = append(out.accepted, f.Fingerprint())
		default:
			broken = append(broken, f)
		}
	}
	if f, some := tell.Gravest(broken, k.promised); some {
		out.breach = &f
	}
	for _, p := range k.out.Promises {
		if n := r.Verdicts.Undecided[p]; n > 0 && !r.Row.Outside && out.undecided == "" {
			out.undecided = fmt.Sprintf("%s could not be judged for %d events: the run ended by %s", p, n, r.Stop)
		}
		if r.Verdicts.Exercised[p] == 0 {
			out.vacuous = append(out.vacuous, string(p))
		}
	}
}

// plans does the plans of the budget, up to the first that fails: which one that is, and what is said of those before it,
// does not depend on the number of workers.
func (k *tester) plans() []ran {
	all := make([]ran, k.set.budget.Plans)
	var next, first atomic.Int64 // next to do; the first that failed
	first.Store(int64(len(all)))
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			mem := &scenarios.Memory{}
			for i := next.Add(1) - 1; i < first.Load(); i = next.Add(1) - 1 {
				all[i] = *k.plan(int(i), mem)
				if all[i].crash != nil {
					mem = &scenarios.Memory{} // an abandoned run may still use the old one
				}
				for f := first.Load(); all[i].bad() && i < f && !first.CompareAndSwap(f, i); f = first.Load() {
				}
			}
		})
	}
	workers.Wait()
	return all[:min(int64(len(all)), first.Load()+1)]
}

// prey is the hunter of the i-th plan, so that simple stories are met before others: one fault in the first third, at
// most two in the second. And what happens long after the work is done, such as an operator who has everything delivered
// again, is left to the second half: code that does not survive an ordinary crash should hear of that first.
func (k *tester) prey(i int) *scenarios.Hunter {
	n := k.set.budget.Plans
	most := 1 + uint64(faults.MaxHunt*i/n) //nolint:gosec // i is from 0 to n-1
	now := k.hunter.Narrow(most, func(f history.FaultKind) bool { return f.After == 0 })
	if i < n/2 && len(now.Kinds()) > 0 {
		return now
	}
	return k.hunter.Narrow(most, func(history.FaultKind) bool { return true })
}

// draw is the i-th plan. The first ones, a third of all at most, have the caller die once at each step of each call: what
// code that waits has most to fear, and the reason why awaits are counted.
func (k *tester) draw(i int) Plan {
	seed := k.set.first + uint64(i) //nolint:gosec // i is not negative
	if i < min(len(k.deaths), k.set.budget.Plans/3) {
		return deathsOf(k.hunter, k.deaths[i], seed).Example(int(seed)) //nolint:gosec // seeds of plans are below 2^48
	}
	return planOf(k.prey(i), seed)
}

// twiceEvery is the sample of plans that are done twice.
const twiceEvery = 20

// plan does the i-th plan.
func (k *tester) plan(i int, mem *scenarios.Memory) *ran {
	p := k.draw(i)
	if p.err != nil {
		return &ran{err: p.err, runs: 1}
	}
	c := caseOf(k.hunter, p)
	as := c
	if i%sitedEvery == 0 {
		as = sited(c)
	}
	r := k.run(as, mem)
	if r.c = c; i%twiceEvery == 0 && r.crash == nil && r.err == nil {
		again := k.run(c, &scenarios.Memory{})
		r.runs, r.drifted = 2, again.digest != r.digest || again.crash != nil
	}
	return r
}
