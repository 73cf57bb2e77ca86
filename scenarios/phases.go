package scenarios

import (
	"fmt"

	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// phases schedules warm-up, chaos, heal and drain. Heal begins when the last fault has ended, never before the
// end of chaos; the drain ends at quiescence, stuck, or at its limit. A world that has drained waits for the operator of a
// replay, if the plan or the stack has one, and drains again.
func (w *world) phases() {
	from, to := w.chaos()
	w.sim.At(from, sim.PhaseFault, w.beginChaos)
	w.sim.At(to, sim.PhaseFault, w.endChaos)
	w.sim.Watchdog(w.watch)
}

func (w *world) phase(name string) {
	w.sim.Record(history.Fact{Kind: history.KindPhase, Note: name, Fence: -1, Offset: -1})
}

// beginChaos demands what warm-up was for: a stable group.
func (w *world) beginChaos() {
	w.phase("chaos")
	for i := range w.asm.loops {
		l := &w.asm.loops[i]
		if !w.bus.ready(l, len(w.sim.Nodes(l.role))) {
			w.sim.Stop("warm-up: group " + l.group + " is not stable after " + sim.Duration(w.sc.Phases.WarmUp).String())
		}
	}
}

func (w *world) endChaos() { w.tryHeal() }

// tryHeal heals now, or asks again just after the last fault that is still on ends: at that very instant its end
// may not have been executed yet.
func (w *world) tryHeal() {
	if end := sim.Time(w.injector.LastEnd()); end >= w.sim.Now() {
		w.sim.At(end.Add(sim.Nanosecond), sim.PhaseFault, w.tryHeal)
		return
	}
	w.healAt, w.healed = w.sim.Now(), true
	w.phase("heal")
	for _, fn := range w.onHeal {
		fn()
	}
	w.drain(w.sc.Phases.Drain)
}

// drain begins a drain with that limit, ns.
func (w *world) drain(limit int64) {
	w.phase("drain")
	w.draining, w.moved = true, w.sim.Now()
	w.drainLimit = w.sim.AtBackground(w.sim.Now().Add(sim.Duration(limit)), sim.PhaseFault, func() {
		w.sim.Stop("limit drain")
	})
}

// visit is an operator who comes after a drain. The drain after the visit may take longer: all that was offered may come
// again, at once or as slowly as the operator publishes it.
type visit struct {
	after    sim.Duration // from the end of the first drain
	longer   int64        // ns
	carryOut func()
}

// nextVisit is the next operator to come: one of the plan, or the one who publishes dead letters again. That one comes
// once, and only if there are any: an alarm on their number has called.
func (w *world) nextVisit() (v visit, ok bool) {
	after, carryOut, ok := w.injector.AfterDrain()
	v = visit{sim.Duration(after), w.sc.Phases.Chaos, carryOut}
	r := w.asm.replay
	if r == nil || w.replayed || ok && v.after < r.After {
		return v, ok
	}
	letters := w.bus.records(r.Topic)
	if letters == 0 {
		return v, ok
	}
	takes := letters * int64(sim.Second) / int64(r.PerSecond)
	return visit{r.After, w.sc.Phases.Chaos + takes, func() {
		w.replayed = true
		(*controls)(w).replayDeadLetters(*r)
	}}, true
}

// rest keeps a drained world up until the next operator comes, and drains it again then; false if none will come.
func (w *world) rest() bool {
	v, ok := w.nextVisit()
	if !ok {
		return false
	}
	if w.drained == 0 {
		w.drained = w.sim.Now()
	}
	w.sim.Cancel(w.drainLimit)
	w.phase("quiet")
	w.draining = false
	w.still(true)
	w.sim.Quiet(max(0, w.drained.Add(v.after).Sub(w.sim.Now())), func() {
		w.still(false)
		w.phase("replay")
		v.carryOut()
		w.drain(w.sc.Phases.Drain + v.longer)
	})
	return true
}

// still tells a guest of a quiet time.
func (w *world) still(on bool) {
	if w.guest != nil {
		w.guest.Still(on)
	}
}

// watch ends a drain when the world is quiescent: no foreground event, nothing outstanding, and logs settled; or stuck: work is
// outstanding and the ledger has not moved for the longest chain of timeouts.
func (w *world) watch() *sim.StopReason {
	if !w.draining {
		return nil
	}
	if w.sim.Foreground() == 0 && w.outstanding() == 0 && !w.restless() {
		if !w.settled() || w.rest() {
			return nil
		}
		return &sim.StopReason{Kind: sim.StopQuiescent}
	}
	w.idle = 0
	w.look()
	if w.sim.Now().Sub(w.moved) > sim.Duration(w.sc.Phases.Chain) {
		return &sim.StopReason{Kind: sim.StopStuck, Detail: fmt.Sprintf("%d records and %d intents outstanding, nothing moved for %v",
			w.lag(), w.out.N, sim.Duration(w.sc.Phases.Chain))}
	}
	return nil
}

// settling is how long brokers may take to catch up with each other in the end. Where one never does, judges see logs as they are.
const settling = 30 * sim.Second

// settled says whether logs are as they stay. A broker that was away until now may hold what nobody else does and has not
// been told yet, and one that has just begun to fetch lacks what everybody else has: judged now, both would look broken.
func (w *world) settled() bool {
	if w.idle == 0 {
		w.idle = w.sim.Now()
	}
	return w.bus.settled() || w.sim.Now().Sub(w.idle) > settling
}

// look sees whether the ledger has moved.
func (w *world) look() {
	facts := w.sim.History.Facts
	for ; w.scanned < len(facts); w.scanned++ {
		switch facts[w.scanned].Kind {
		case history.KindApplied, history.KindCommitted, history.KindParked, history.KindDropped, history.KindAccepted, history.KindRefused, history.KindUncertain:
			w.moved = w.sim.Now()
		}
	}
}

// outstanding is work that a live component would take up.
func (w *world) outstanding() int64 {
	n := w.lag() + int64(w.out.N)
	if w.guest != nil {
		n += int64(w.guest.Working())
	}
	return n
}

func (w *world) lag() int64 {
	sum := int64(0)
	for i := range w.asm.loops {
		sum += w.bus.left(&w.asm.loops[i])
	}
	return sum
}

// close records what the stores hold at the end.
func (w *world) close(r sim.StopReason) {
	w.injector.Finish()
	w.bus.final()
	for _, nodes := range w.stores {
		store.FinalState(nodes...)
	}
	note := r.String()
	if r.Detail != "" {
		note += ": " + r.Detail
	}
	w.sim.Record(history.Fact{Kind: history.KindStopReason, Note: note, Fence: -1, Offset: -1})
}
