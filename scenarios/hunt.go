package scenarios

import (
	"fmt"
	"slices"
	"time"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/sim/history"
)

// Hunter draws the hunting plans of one stack. The plan of a seed is a function of scenario, stack, fault kinds,
// base and seed alone: how many runs there are, and who does them, changes nothing about it.
type Hunter struct {
	sc    *Scenario
	stack string
	kinds []string
	base  uint64
	most  uint64   // faults of a plan
	bugs  []string // planted
	hits  []faults.ObservedHit
}

// NewHunter takes those of the kinds (nil = all) that can happen under the stack, does the run without faults of seed
// base and keeps the hooks that it passes: where faults may fall. What a stack calls is its own, so that the hits of
// one stack say nothing of another. An error of type *Crash is a run that did not end by the rules; any other is bad
// input. Patience is that of Supervise.
func NewHunter(sc *Scenario, stack string, kinds []string, base uint64, patience time.Duration) (*Hunter, error) {
	h := &Hunter{sc: sc, stack: stack, kinds: sc.possible(stack, kinds), base: base, most: faults.MaxHunt}
	calm := h.calm(base)
	var err error
	h.hits, err = supervised(sc, patience, func() ([]faults.ObservedHit, error) {
		w := build(calm, nil, &Memory{})
		defer w.sim.Close()
		seen := faults.Observe(w.sim)
		w.run()
		return seen.Hits(), nil
	})
	return h, err
}

// Planting is the same hunt through worlds with planted bugs: plan for plan that of the stack without them.
func (h *Hunter) Planting(bugs ...string) *Hunter {
	planted := *h
	planted.bugs = bugs
	return &planted
}

// Narrow is the same hunt with at most so many faults a plan, from 1 to faults.MaxHunt, and some of its kinds only.
func (h *Hunter) Narrow(most uint64, keep func(history.FaultKind) bool) *Hunter {
	some := *h
	some.most = most
	some.kinds = slices.DeleteFunc(slices.Clone(h.kinds), func(name string) bool {
		kind, ok := history.FaultKindByName(name)
		return !ok || !keep(kind)
	})
	return &some
}

// possible are those of the kinds, nil = all, that can happen under a stack.
func (s *Scenario) possible(stack string, kinds []string) []string {
	if kinds == nil {
		for _, k := range history.FaultKinds() {
			kinds = append(kinds, k.Name)
		}
	}
	return slices.DeleteFunc(slices.Clone(kinds), func(k string) bool { return !s.CanHappen(stack, k) })
}

// calm is the case of a hunting run without faults.
func (h *Hunter) calm(seed uint64) *Case {
	return &Case{Version: CaseVersion, Intent: Intent{Scenario: h.sc, Stack: h.stack, Fault: history.HuntFault, PlanType: PlanHunting, Plan: []string{}, Planted: h.bugs, Owner: h.sc.owner(), Door: h.sc.door()},
		Witness: Witness{Seed: seed}}
}

// Case is the case of the hunting run with that seed, from base on. That of base has no faults: a stack that breaks
// there needs none, and every story that a hunt tells would be about nothing.
func (h *Hunter) Case(seed uint64) (*Case, error) {
	if seed < h.base {
		return nil, fmt.Errorf("seed %d lies before the base seed %d", seed, h.base)
	}
	if seed == h.base {
		return h.calm(seed), nil
	}
	return h.with(seed)(faults.Hunt(seed, h.sc.space(), h.kinds, h.hits))
}

// Choose is the case of a hunting run with that seed whose plan is drawn by other choices than those of the seed.
func (h *Hunter) Choose(seed uint64, choices faults.Choices) (*Case, error) {
	return h.with(seed)(faults.HuntWith(choices, h.sc.space(), h.kinds, h.hits, h.most))
}

func (h *Hunter) with(seed uint64) func(faults.Hunting, error) (*Case, error) {
	return func(plan faults.Hunting, err error) (*Case, error) {
		if err != nil {
			return nil, err
		}
		c := h.calm(seed)
		c.Intent.Plan = plan.Lines()
		return c, nil
	}
}

// Control is the case of the run without faults.
func (h *Hunter) Control() *Case { return h.calm(h.base) }

// Kinds are the fault kinds that can happen under the stack, of those that were asked for.
func (h *Hunter) Kinds() []string { return slices.Clone(h.kinds) }
