package faults

import (
	"fmt"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Injector carries out the plan of one world. It belongs to that world and is as single-threaded as it is.
type Injector struct {
	w     *sim.World
	c     Controls
	shots []*shot
	cuts  []cut
	lags  []lag
	bad   []loss
	holds []hold
	off   []refusal
	left  []*sim.Node // members that joined for a fault and left: nothing boots them again
	fired int
	done  bool // Finish was called
}

// shot is one fault of the plan and what became of it.
type shot struct {
	in    *Injector
	f     Fault
	v     verb
	text  string
	state state
	hits  int   // of its key so far
	began int64 // id of the fact
	at    int64 // ns; when it took effect
	hit   *sim.Hit
	nodes []bound // that its lift is about
	cuts  []cut
	names string      // node names concerned, as in the fact
	res   string      // services or role concerned
	rest  []*sim.Node // deploy: those whose turn is still to come
	due   int64       // deploy: when the present step is over at the latest, ns; hold: when the message goes on; 0 = none under way
}

// bound is a node as a shot met it.
type bound struct {
	n   *sim.Node
	inc int32
}

type state uint8

const (
	pending state = iota // its trigger was not reached
	armed                // it was, and the fault waits for its moment: lose-reply
	active
	ended
	missed
)

// Inject registers the plan with a world that has not run yet, after the scenario has made its nodes. Faults at
// one instant happen in the order of the plan, before anything else at that instant. An invalid fault is a bug of
// the caller, who checks plans (Check) before it runs them, and panics.
func Inject(w *sim.World, plan []Fault, c Controls) *Injector {
	in := &Injector{w: w, c: c}
	var watched []string
	heals := false
	for _, f := range plan {
		if err := f.Validate(); err != nil {
			panic("faults: " + err.Error())
		}
		v, _ := verbByName(f.Verb)
		s := &shot{in: in, f: f, v: v, text: f.String()}
		in.shots = append(in.shots, s)
		heals = heals || f.UntilHeal
		switch {
		case f.Trigger.Drained: // see AfterDrain
		case !f.Trigger.Timed():
			if !contains(watched, f.Trigger.Hook) {
				watched = append(watched, f.Trigger.Hook)
			}
		case f.Trigger.At < int64(w.Now()):
			s.miss("its time lies before the start of the injector")
		default:
			w.At(sim.Time(f.Trigger.At), sim.PhaseFault, func() { s.fire(nil) })
		}
	}
	for _, hook := range watched {
		in.watch(hook)
	}
	if heals {
		c.OnHeal(in.heal)
	}
	return in
}

// watch counts the hits of one hook for every fault that is keyed by it.
func (in *Injector) watch(hook string) {
	var keyed []*shot
	for _, s := range in.shots {
		if s.f.Trigger.Hook == hook {
			keyed = append(keyed, s)
		}
	}
	in.w.Watch(hook, func(h *sim.Hit) {
		for _, s := range keyed {
			if s.state != pending || !s.f.Trigger.matches(h) {
				continue
			}
			s.hits++
			if s.hits == s.f.Trigger.Nth {
				s.fire(h)
			}
		}
	})
}

// matches says whether a hit counts for the key of a hook trigger.
func (t Trigger) matches(h *sim.Hit) bool {
	if t.Event != "" {
		return h.Event == t.Event && (t.Stage == "" || h.Stage == t.Stage)
	}
	return h.Event == "" && t.Role == actor(h).Role()
}

// actor is the party whose action a hit is: the caller of an RPC, the node otherwise.
func actor(h *sim.Hit) *sim.Node {
	if h.Caller != nil {
		return h.Caller
	}
	return h.Node
}

// fire is called when the trigger is reached.
func (s *shot) fire(h *sim.Hit) {
	if s.in.done {
		return
	}
	if at := s.in.c.Heal(); !s.f.Trigger.Drained && at != 0 && int64(s.in.w.Now()) >= at {
		s.miss("its trigger was reached after the heal had begun")
		return
	}
	s.hit = h
	reason := s.v.apply(s)
	s.hit = nil
	switch {
	case reason != "":
		s.miss(reason)
	case s.state == active && s.f.For > 0:
		s.in.w.At(s.in.w.Now().Add(sim.Duration(s.f.For)), sim.PhaseFault, s.end)
	}
}

// begin records that the fault takes effect now on these nodes. Its verb calls it before it touches anything, so
// that what follows can name it as its cause. first is the fact's node; concerned lists all, first too.
func (s *shot) begin(concerned []*sim.Node) {
	s.state, s.at = active, int64(s.in.w.Now())
	s.in.fired++
	s.names = nodeNames(concerned)
	fact := s.fact(history.KindFaultBegan, concerned)
	switch {
	case s.f.For > 0:
		fact.Until = s.at + s.f.For
	case s.due > 0:
		fact.Until = s.due
	}
	s.began = s.in.w.Record(fact)
}

// end lifts the fault.
func (s *shot) end() {
	if s.state != active {
		return
	}
	s.state = ended
	if s.v.lift != nil {
		s.v.lift(s)
	}
	fact := *s.in.w.History.At(s.began)
	s.in.w.Record(history.Fact{Node: fact.Node, Incarnation: fact.Incarnation, Kind: history.KindFaultEnded, Cause: s.began,
		Fence: -1, Offset: -1, Resource: s.res, Op: s.v.name, Value: s.names, Note: s.text})
}

// miss records that the fault will not take effect, and why.
func (s *shot) miss(reason string) {
	s.state = missed
	fact := s.fact(history.KindFaultMissed, nil)
	fact.Value = reason
	s.in.w.Record(fact)
}

// fact is what all facts about a fault have. Where no node is known, the node is that of the world.
func (s *shot) fact(kind history.Kind, concerned []*sim.Node) history.Fact {
	f := history.Fact{Kind: kind, Fence: -1, Offset: -1, Resource: s.res, Op: s.v.name, Value: s.names, Note: s.text}
	if len(concerned) > 0 {
		f.Node, f.Incarnation = concerned[0].Name(), concerned[0].Incarnation()
	}
	return f
}

// heal lifts what lasts until then, in the order of the plan.
func (in *Injector) heal() {
	for _, s := range in.shots {
		if s.f.UntilHeal {
			s.end()
		}
	}
}

// Finish records the faults whose trigger was never reached. It is called once, when the run is over.
func (in *Injector) Finish() {
	if in.done {
		return
	}
	for _, s := range in.shots {
		switch {
		case s.state == armed:
			s.miss("its trigger was reached, but no such reply was sent after it")
		case s.state == pending && s.f.Trigger.Timed():
			s.miss("the run was over before its time")
		case s.state == pending:
			s.miss(fmt.Sprintf("its hook had %d hits of %d", s.hits, s.f.Trigger.Nth))
		}
	}
	in.done = true
}

// LastEnd is the latest stated end, ns, of the faults that took effect and of those that are still to come at a
// time, what comes after the drain left out; 0 = there is none. Heal waits for it: it begins after that instant, or
// later in it than the lift, which is an event of PhaseFault. A hook may still move it until then, and a deploy under
// way knows the end of its present step only, so whoever waits asks again.
func (in *Injector) LastEnd() int64 {
	var last int64
	for _, s := range in.shots {
		switch {
		case s.f.Trigger.Drained:
		case s.state == pending && s.f.Trigger.Timed(), s.state == armed && s.f.Trigger.Timed():
			last = max(last, s.f.Trigger.At+s.f.For)
		case s.state == active, s.state == ended:
			last = max(last, s.at+s.f.For, s.due)
		}
	}
	return last
}

// AfterDrain is the next fault that counts from the end of the first drain: how long after it, ns, and what carries it
// out. ok is false when none is left.
func (in *Injector) AfterDrain() (after int64, carryOut func(), ok bool) {
	var next *shot
	for _, s := range in.shots {
		if s.f.Trigger.Drained && s.state == pending && (next == nil || s.f.Trigger.At < next.f.Trigger.At) {
			next = s
		}
	}
	if next == nil {
		return 0, nil, false
	}
	return next.f.Trigger.At, func() { next.fire(nil) }, true
}

// Active is the number of faults in effect now.
func (in *Injector) Active() int { return in.count(active) }

// Missed is the number of faults that were not carried out; before Finish, of those known by now.
func (in *Injector) Missed() int { return in.count(missed) }

// Fired is the number of faults that took effect so far.
func (in *Injector) Fired() int { return in.fired }

func (in *Injector) count(is state) int {
	n := 0
	for _, s := range in.shots {
		if s.state == is {
			n++
		}
	}
	return n
}
