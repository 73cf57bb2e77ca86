package checkertest

import "github.com/twiceless/twiceless/sim/history"

// Saga is a saga of a story. Its steps are bookkeeping to the other judges: they have no class.
type Saga struct {
	s     *Story
	event string
	began int64
	asked int64 // the last call of Asks
}

// Saga declares a saga with its steps "a,b,c?" and its pivot, "" = none.
func (s *Story) Saga(event, steps, pivot string) *Saga { return s.saga(event, steps, pivot, "") }

// SagaInReverse declares one whose compensations come in reverse order.
func (s *Story) SagaInReverse(event, steps string) *Saga { return s.saga(event, steps, "", "reverse") }

func (s *Story) saga(event, steps, pivot, order string) *Saga {
	f := fact(history.KindSagaBegan, "saga-1", event, 0)
	f.Value, f.Stage, f.Op = steps, pivot, order
	return &Saga{s: s, event: event, began: s.Record(f)}
}

// Do lets steps take place, each by a call that is answered.
func (g *Saga) Do(steps ...string) *Saga {
	for _, step := range steps {
		g.act(history.KindApplied, step, true, history.Acked)
	}
	return g
}

// DoUnheard lets a step take place whose answer is lost.
func (g *Saga) DoUnheard(step string) *Saga {
	return g.act(history.KindApplied, step, true, history.Indeterminate)
}

// Undo compensates steps.
func (g *Saga) Undo(steps ...string) *Saga {
	for _, step := range steps {
		g.act(history.KindReversed, step, true, history.Acked)
	}
	return g
}

// UndoUnheard compensates a step whose answer is lost.
func (g *Saga) UndoUnheard(step string) *Saga {
	return g.act(history.KindReversed, step, true, history.Indeterminate)
}

// UndoNothing is a compensation that finds nothing to compensate and changes nothing.
func (g *Saga) UndoNothing(step string) *Saga {
	return g.act(history.KindReversed, step, false, history.Acked)
}

// Asks lets the saga call for a step.
func (g *Saga) Asks(step string) *Saga {
	g.asked = g.call(step)
	return g
}

// Arrives lets the step take place that was asked for last.
func (g *Saga) Arrives(step string) *Saga {
	f := fact(history.KindApplied, step+"-1", g.event, g.asked)
	f.Stage, f.Resource, f.Op, f.Changed = step, step, step, true
	g.s.Record(f)
	return g
}

func (g *Saga) call(step string) int64 {
	f := fact(history.KindCalled, "saga-1", g.event, g.began)
	f.Stage, f.Resource, f.Op = step, step, step
	return g.s.Record(f)
}

func (g *Saga) act(k history.Kind, step string, changed bool, answer history.Outcome) *Saga {
	call := g.call(step)
	f := fact(k, step+"-1", g.event, call)
	f.Stage, f.Resource, f.Op, f.Changed = step, step, step, changed
	g.s.Record(f)
	f = fact(history.KindReturned, "saga-1", g.event, call)
	f.Stage, f.Outcome = step, answer
	g.s.Record(f)
	return g
}

// End tells an end: completed, compensated or needs-operator.
func (g *Saga) End(how string) *Saga {
	f := fact(history.KindSagaEnded, "saga-1", g.event, g.began)
	f.Op = how
	g.s.Record(f)
	return g
}

// Reads lets the saga act in a step on what another saga's step wrote.
func (g *Saga) Reads(step, of, theirs string) *Saga {
	f := fact(history.KindSagaRead, "saga-1", g.event, g.began)
	f.Stage, f.Value, f.Op = step, of, theirs
	g.s.Record(f)
	return g
}

// Reservation makes, confirms or releases a reservation of seats.
func (s *Story) Reservation(op, key string) *Story {
	f := fact(history.KindReservation, "seats-1", "order-1", 0)
	f.Op, f.Resource, f.Key = op, "seats", key
	s.Record(f)
	return s
}

// Flow is a workflow of a story in one of its runs.
type Flow struct {
	s   *Story
	id  string
	run int64
}

// Flow starts a run of a workflow.
func (s *Story) Flow(id string, run int64) *Flow { return (&Flow{s, id, run}).happens("started") }

// End ends the run.
func (w *Flow) End() *Flow { return w.happens("ended") }

func (w *Flow) happens(op string) *Flow {
	f := w.fact(history.KindWorkflow, "worker-1")
	f.Op = op
	w.s.Record(f)
	return w
}

func (w *Flow) fact(k history.Kind, node string) history.Fact {
	f := fact(k, node, w.id, 0)
	f.Fence = w.run
	return f
}

// Command lets an execution issue a command.
func (w *Flow) Command(index int64, activity string) *Flow { return w.command(index, activity, "") }

// CommandOnce is one whose activity is promised to start at most once.
func (w *Flow) CommandOnce(index int64, activity string) *Flow {
	return w.command(index, activity, "at-most-once")
}

func (w *Flow) command(index int64, activity, promise string) *Flow {
	f := w.fact(history.KindCommand, "worker-1")
	f.Offset, f.Stage, f.Op, f.Value = index, activity, promise, "schedule"
	w.s.Record(f)
	return w
}

// Activity takes effect, in a start whose answer is lost or not.
func (w *Flow) Activity(name string, answer history.Outcome) *Flow {
	(&Saga{s: w.s, event: w.id}).act(history.KindApplied, name, true, answer)
	return w
}

// Signal is sent by a node, or received.
func (w *Flow) Signal(op, node, key string) *Flow {
	f := w.fact(history.KindSignal, node)
	f.Op, f.Key = op, key
	w.s.Record(f)
	return w
}

// Timer sets a timer that is due in some milliseconds.
func (w *Flow) Timer(key string, ms int64) *Flow {
	f := w.fact(history.KindTimer, "worker-1")
	f.Op, f.Key, f.Until = "set", key, w.s.now+ms*Millisecond
	w.s.Record(f)
	return w
}

// Fires lets a timer fire.
func (w *Flow) Fires(key string) *Flow { return w.timer("fired", key) }

// Cancels cancels a timer.
func (w *Flow) Cancels(key string) *Flow { return w.timer("cancelled", key) }

func (w *Flow) timer(op, key string) *Flow {
	f := w.fact(history.KindTimer, "worker-1")
	f.Op, f.Key = op, key
	w.s.Record(f)
	return w
}

// Wait lets milliseconds pass.
func (w *Flow) Wait(ms int64) *Flow {
	w.s.Wait(ms)
	return w
}
