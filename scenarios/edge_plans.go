package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// edgePlans are the plans of one search: that of run i differs from size to size in the size alone.
//
// Most dimensions are searched with the measuring plans of the fault kind. A wrong clock is not: it makes nobody do
// anything again, it only makes somebody forget. So each of its runs has a companion, a consumer that is killed between
// an effect and the commit, at a hook, and the clock goes wrong at that same hit. These plans aim, which is right here:
// an edge says whether, not how often.
type edgePlans struct {
	sc    *Scenario
	stack string
	kind  history.FaultKind
	base  uint64

	roles []string // whose clock is wrong, in turn; nil = measuring plans
	aims  [][]faults.ObservedHit
}

// aimsPerRole is how many places of the kill each role's clock is tried with.
const aimsPerRole = 2

// newEdgePlans returns nil if the kind needs a companion and the run without faults has no effect to aim at.
func newEdgePlans(sc *Scenario, stack string, kind history.FaultKind, base uint64, patience time.Duration) (*edgePlans, error) {
	p := &edgePlans{sc: sc, stack: stack, kind: kind, base: base}
	if kind.Dimension != history.ClockSkew {
		return p, nil
	}
	h, err := NewHunter(sc, stack, []string{kind.Name}, base, patience)
	if err != nil {
		return nil, err
	}
	if p.aims = aimsOf(h.hits, sc.effectHooks()); len(p.aims) == 0 {
		return nil, nil
	}
	p.roles = sc.Vocabulary(stack).Roles
	return p, nil
}

// effectHooks are the hooks at which an effect stands: those of critical effects, of any if none is critical.
func (s *Scenario) effectHooks() (hooks []string) {
	var critical []string
	for i := range s.Flow {
		if st := &s.Flow[i]; st.Kind == "effect" {
			hook := history.RPCHook(st.Service+"."+st.Op, history.StepApplied)
			hooks = append(hooks, hook)
			if st.Class == history.Critical {
				critical = append(critical, hook)
			}
		}
	}
	if len(critical) > 0 {
		return critical
	}
	return hooks
}

// aimsOf are the places for a kill, by event: hits of a consumer's calls from the moment that an effect of the event
// stands. Only the events of the first half of a run count, so that what comes again comes before the heal.
func aimsOf(hits []faults.ObservedHit, effects []string) (aims [][]faults.ObservedHit) {
	index := map[string]int{} // looked up only
	for _, h := range hits {
		if h.Event == "" || !h.ByRPC || h.Role != faults.RoleConsumer {
			continue
		}
		i, known := index[h.Event]
		if !known && !slices.Contains(effects, h.Hook) {
			continue
		}
		if !known {
			i = len(aims)
			index[h.Event] = i
			aims = append(aims, nil)
		}
		aims[i] = append(aims[i], h)
	}
	return aims[:(len(aims)+1)/2]
}

func (p *edgePlans) aimed() bool { return p.roles != nil }

func (p *edgePlans) planType() string {
	if p.aimed() {
		return PlanHunting
	}
	return PlanMeasuring
}

func (p *edgePlans) companion() string {
	if p.aimed() {
		return "consumer-kill between an effect and its commit"
	}
	return ""
}

// runs at each size.
func (p *edgePlans) runs() int {
	if p.aimed() {
		return aimsPerRole * len(p.roles)
	}
	return edgeRuns
}

// plan of run i.
func (p *edgePlans) plan(i int, size int64) ([]faults.Fault, error) {
	if p.aimed() {
		return p.aimedPlan(i, size), nil
	}
	m, err := faults.Measure(p.kind.Name, p.base, p.base+uint64(i), p.sc.space())
	return m.Sized(p.kind.Dimension, size).Plan(), err
}

// aimedPlan: roles take turns, and each meets kills at places spread over what a consumer does from the effect on, of an
// event that the run draws.
func (p *edgePlans) aimedPlan(i int, size int64) []faults.Fault {
	draw := rng.Combine(rng.Combine(p.base, rng.Hash("edge")), uint64(i))
	places := p.aims[rng.Below(draw, uint64(len(p.aims)))]
	h := places[i/len(p.roles)*len(places)/aimsPerRole]
	at := faults.Trigger{Hook: h.Hook, Event: h.Event, Stage: h.Stage, Nth: h.Nth}
	wrong := faults.Fault{Trigger: at, Verb: p.kind.Verb, Targets: []string{p.roles[i%len(p.roles)]}, By: size, For: p.kind.For, UntilHeal: p.kind.UntilHeal}
	kill, _ := history.FaultKindByName("consumer-kill")
	return []faults.Fault{wrong, {Trigger: at, Verb: kill.Verb, Targets: []string{"$caller"}, For: kill.For}}
}

// targetOf run i.
func (p *edgePlans) targetOf(i int) string {
	plan, err := p.plan(i, 1)
	if err != nil || len(plan) == 0 {
		return ""
	}
	return strings.Join(plan[0].Targets, ",")
}

// targets of all runs, sorted.
func (p *edgePlans) targets() (all []string) {
	for i := range p.runs() {
		all = append(all, p.targetOf(i))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// caseAt is the case of run i.
func (p *edgePlans) caseAt(i int, size int64) (*Case, error) {
	plan, err := p.plan(i, size)
	if err != nil {
		return nil, err
	}
	for _, f := range plan {
		if err := f.Validate(); err != nil {
			return nil, fmt.Errorf("fault kind %s: %w", p.kind.Name, err)
		}
	}
	return &Case{Version: CaseVersion, Intent: Intent{Scenario: p.sc, Stack: p.stack, Fault: p.kind.Name, PlanType: p.planType(), Plan: faults.Lines(plan), Owner: p.sc.owner(), Door: p.sc.door()},
		Witness: Witness{Seed: p.base + uint64(i)}}, nil
}

// inside is the largest size up to the limit that the envelope admits, 0 if it admits none: what a bound says about
// faults of this kind, by the predicate that every run is judged with.
func (p *edgePlans) inside(limit int64) (int64, error) {
	var bad error
	admits := func(size int64) bool {
		for i := range p.runs() {
			plan, err := p.plan(i, size)
			if in, _ := p.sc.Inside(p.stack, plan); err != nil || !in {
				bad = err
				return false
			}
		}
		return true
	}
	low, high := int64(0), limit+1 // low is admitted, high is not
	for high-low > 1 && bad == nil {
		if mid := low + (high-low)/2; admits(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low, bad
}

// Limits of searches where none is asked for. While a fault is on, a world is executed event by event, so that an outage
// of days costs minutes; quiet time costs nothing, and a clock that is a week off costs no more than one that is right.
const (
	edgeFarLimit = 7 * 24 * 3600 * nsSecond
	edgeBeyond   = 2 // times the declared bound, at least
)

// edgeLimit is the largest size of a search; asked is 0 or what somebody wants it to be.
func edgeLimit(b history.Bound, asked int64) int64 {
	least, most := int64(edgeFarLimit), int64(faults.MaxTime)
	switch b.Dimension {
	case history.ClockSkew:
		most = faults.MaxSkew
	case history.Outage, history.Pause:
		least = 60 * nsSecond
	}
	if asked == 0 {
		asked = max(least, edgeBeyond*min(b.Max, most/edgeBeyond))
	}
	return min(most, asked)
}
