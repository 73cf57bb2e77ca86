package faults

import (
	"fmt"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// ObservedHit is a passage through a hook that a run made: a place where a fault may fall.
type ObservedHit struct {
	Hook       string
	Event      string // "" = none; then Role keys the hit
	Stage      string // "" = none
	Role       string // of the caller of an RPC, of the node otherwise; what $caller or $node would be
	NodeRole   string // of the node where it happens
	Node       string // where it happens
	Caller     string // of an RPC; "" otherwise
	At         int64  // ns since the start of the world
	Nth        int    // of its key, from 1
	ByRPC      bool   // it has a caller
	Background bool   // it has no event
}

// Observer collects the hits of one world.
type Observer struct {
	hits  []ObservedHit
	count map[hitKey]int
}

type hitKey struct{ hook, event, stage, role string }

// maxObserved bounds what is kept: the first hits of a run are enough to aim at.
const maxObserved = 100_000

// Observe collects every hit of a world that has not run yet.
func Observe(w *sim.World) *Observer {
	o := &Observer{count: map[hitKey]int{}}
	w.Observe(func(h *sim.Hit) {
		if len(o.hits) >= maxObserved {
			return
		}
		k := hitKey{hook: h.Hook, event: h.Event, stage: h.Stage}
		role := actor(h).Role()
		if h.Event == "" {
			k = hitKey{hook: h.Hook, role: role}
		}
		o.count[k]++
		hit := ObservedHit{Hook: h.Hook, Event: k.event, Stage: k.stage, Role: role, NodeRole: h.Node.Role(), Node: h.Node.Name(),
			At: int64(w.Now()), Nth: o.count[k], ByRPC: h.Caller != nil, Background: h.Event == ""}
		if h.Caller != nil {
			hit.Caller = h.Caller.Name()
		}
		o.hits = append(o.hits, hit)
	})
	return o
}

// Hits in order of time; the first 100,000.
func (o *Observer) Hits() []ObservedHit { return o.hits }

// MaxHunt is the most faults of a hunting plan.
const MaxHunt = 3

// Choices are where the choices of a hunting plan come from: uniform words. Small words choose what is small or early, so
// that whoever makes words smaller makes plans simpler.
type Choices interface{ Uint64() uint64 }

// Hunt draws the hunting plan of a seed; see HuntWith.
func Hunt(seed uint64, sc Space, kinds []string, hits []ObservedHit) (Hunting, error) {
	s := rng.NewStream(seed, "hunt")
	return HuntWith(&s, sc, kinds, hits, MaxHunt)
}

// HuntWith draws a hunting plan: a swarm. The first choice is which of the kinds take part at all, so that some
// plans are all of one kind, then 1 to most faults of these, three quarters of them at observed hits that have an
// event, the others at times, with a duration or size from half to twice the kind's own. What comes after the drain keeps its time. kinds are names of fault
// kinds; nil means all of them. Without hits all faults are timed.
func HuntWith(s Choices, sc Space, kinds []string, hits []ObservedHit, most uint64) (Hunting, error) {
	if kinds == nil {
		kinds = kindNames()
	}
	swarm, err := swarmOf(kinds, s)
	if err != nil {
		return Hunting{}, err
	}
	if len(swarm) == 0 {
		return Hunting{}, fmt.Errorf("no fault kind to hunt with")
	}
	if sc.ChaosBegin < 0 || sc.ChaosEnd <= sc.ChaosBegin {
		return Hunting{}, fmt.Errorf("the chaos phase from %d to %d ns is empty", sc.ChaosBegin, sc.ChaosEnd)
	}
	var h Hunting
	for range 1 + rng.Below(s.Uint64(), most) {
		k := swarm[rng.Below(s.Uint64(), uint64(len(swarm)))]
		t, err := sc.shape(k, s.Uint64())
		if err != nil {
			return Hunting{}, err
		}
		t.For, t.By = scaled(t.For, s), scaled(t.By, s)
		if t.Grace > 0 { // no draw for the other kinds, whose plans stay what they were before this one existed
			t.Grace = scaled(t.Grace, s)
		}
		moment := sc.ChaosBegin + int64(rng.Below(s.Uint64(), uint64(sc.ChaosEnd-sc.ChaosBegin)))
		if !t.Drained {
			t.At = moment
		}
		f := t.Fault()
		where, atHook := s.Uint64(), rng.Below(s.Uint64(), 4) < 3
		if n := worth(k, hits); atHook && n > 0 && !t.Drained {
			aim(&f, k, nthWorth(k, hits, rng.Below(where, n)))
		}
		if err := f.Validate(); err != nil {
			return Hunting{}, fmt.Errorf("fault kind %s: %w", k.Name, err)
		}
		h.Faults = append(h.Faults, f)
	}
	return h, nil
}

// swarmOf keeps each kind with probability one half, and one of them at least.
func swarmOf(names []string, s Choices) ([]history.FaultKind, error) {
	var all, out []history.FaultKind
	for _, name := range names {
		k, ok := history.FaultKindByName(name)
		if !ok {
			return nil, fmt.Errorf("unknown fault kind %q; %s", name, nearest(name, kindNames(), "list them with: simulate list faults"))
		}
		if k.Verb != "" {
			all = append(all, k)
		}
	}
	for _, k := range all {
		if s.Uint64()&1 == 0 {
			out = append(out, k)
		}
	}
	if len(out) == 0 && len(all) > 0 {
		out = append(out, all[rng.Below(s.Uint64(), uint64(len(all)))])
	}
	return out, nil
}

// scaled is d halved, kept or doubled.
func scaled(d int64, s Choices) int64 { return d << rng.Below(s.Uint64(), 3) / 2 }

// worth counts the hits that a fault of the kind is worth being aimed at: a hunt of many plans shares one list of hits, and
// copies none of it.
func worth(k history.FaultKind, hits []ObservedHit) (n uint64) {
	for i := range hits {
		if hits[i].worth(k) {
			n++
		}
	}
	return n
}

// worth says whether a fault of the kind may matter at the hit: it has an event, and if the fault falls on consumers or on
// brokers one of them takes part. Other faults leave out what a broker does with its disk: each record is written by every
// replica, and these many places are one to whoever is not a broker.
func (h *ObservedHit) worth(k history.FaultKind) bool {
	switch {
	case h.Event == "":
		return false
	case k.Target == RoleConsumer:
		return h.Role == RoleConsumer || h.NodeRole == RoleConsumer
	case k.Target == "@broker":
		return h.Role == RoleBroker || h.NodeRole == RoleBroker
	}
	return h.NodeRole != RoleBroker || h.ByRPC
}

// nthWorth is the n-th of them, n from 0.
func nthWorth(k history.FaultKind, hits []ObservedHit, n uint64) ObservedHit {
	for i := range hits {
		if !hits[i].worth(k) {
			continue
		}
		if n == 0 {
			return hits[i]
		}
		n--
	}
	panic("faults: fewer hits than were counted")
}

// aim moves a fault to a hit. A fault of a consumer or a broker falls on the one that takes part in the hit, if
// one does; other targets stay as they were drawn.
func aim(f *Fault, k history.FaultKind, h ObservedHit) {
	f.Trigger = Trigger{Hook: h.Hook, Event: h.Event, Stage: h.Stage, Nth: h.Nth}
	role := ""
	switch k.Target {
	case RoleConsumer:
		role = RoleConsumer
	case "@broker":
		role = RoleBroker
	}
	switch {
	case role == "":
	case h.ByRPC && h.Role == role:
		f.Targets = []string{"$caller"}
	case h.NodeRole == role:
		f.Targets = []string{"$node"}
	}
}
