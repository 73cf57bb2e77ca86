package twiceless

import (
	"slices"
	"time"

	"github.com/twiceless/twiceless/internal/bubble"
)

// turnKind is one way in which a run can depart from the undisturbed one, in the order in which they are tried.
type turnKind uint8

const (
	goesOn   turnKind = iota
	dies              // the process dies; a new one goes on from a position that was committed
	diesDone          // it dies after the commit
	again             // the commit is lost, and the process delivers again
	zombify           // the process loses its partitions, does not know it and goes on
	apart             // keys are handled by two processes
	other             // another open call of the process is next
	switched          // a call of another process is next
	waits             // time passes first
	turnKinds
)

// turnOption is one thing that can happen next.
type turnOption struct {
	kind turnKind
	p    *idemProcess
	a    *bubble.Ask // the call that is next
	back int         // events before the present one that are delivered again too
}

// turn is a departure: at the n-th decision of a run its option is taken. The option that changes nothing is 0.
type turn struct{ at, option int }

// pick takes one of the options and keeps what there was to choose from.
func (r *idemRun) pick() turnOption {
	kinds := make([]turnKind, len(r.options))
	for i, o := range r.options {
		kinds[i] = o.kind
	}
	at := len(r.decisions)
	r.decisions = append(r.decisions, kinds)
	taken := r.choose(at, kinds)
	if taken > 0 {
		r.turns = append(r.turns, turn{at, taken})
	}
	return r.options[taken]
}

// beforeCall decides what happens while the requests of at least one process are ready.
func (r *idemRun) beforeCall(p *idemProcess) {
	r.options = append(r.options[:0], turnOption{kind: goesOn, p: p, a: p.calls[0]})
	r.mayDie(p)
	if p.event != noEvent && !p.zombie() {
		r.mayGoBack(zombify, p)
	}
	for _, a := range p.calls[1:] {
		r.options = append(r.options, turnOption{kind: other, p: p, a: a})
	}
	for _, q := range r.procs {
		if q != p && hasCall(q) {
			r.options = append(r.options, turnOption{kind: switched, p: q, a: q.calls[0]})
		}
	}
	if r.busy() != nil {
		r.options = append(r.options, turnOption{kind: waits})
	}
	switch o := r.pick(); o.kind {
	case dies:
		r.note(idemLine{p: p, call: p.calls[0], unsent: true})
		r.die(p, o.back)
	case zombify:
		r.note(idemLine{p: p, words: "◇ loses its partition here and does not know", during: true})
		r.rewind(p, o.back)
		parts := p.parts
		p.parts = nil
		r.start(parts).successor = true
	case waits:
		r.wait()
	default:
		r.call(o.p, o.a)
	}
}

// call lets a request take effect.
func (r *idemRun) call(p *idemProcess, a *bubble.Ask) {
	if r.steps++; r.steps > maxSteps {
		r.fault = r.during(p) + "does not end: more than 10 000 calls in one schedule"
		return
	}
	r.now = p
	p.calls = slices.DeleteFunc(p.calls, func(b *bubble.Ask) bool { return a == b })
	r.note(idemLine{p: p, call: a})
	a.Answer(nil, nil)
}

// diesHere decides whether a process dies where nothing else can happen, and notes it in these words.
func (r *idemRun) diesHere(p *idemProcess, words string) bool {
	r.options = append(r.options[:0], turnOption{kind: goesOn})
	r.mayDie(p)
	o := r.pick()
	if o.kind != dies {
		return false
	}
	r.note(idemLine{p: p, words: words})
	r.die(p, o.back)
	return true
}

// afterCall decides whether a process lives to see a reply.
func (r *idemRun) afterCall(p *idemProcess) {
	a := p.replies[0]
	if r.diesHere(p, "✗ the process dies here, before it sees the reply") {
		return
	}
	p.replies = p.replies[1:]
	a.Answer(nil, nil)
}

// afterDelivery decides what follows the end of a delivery: its commit as a rule, and the next one.
func (r *idemRun) afterDelivery(p *idemProcess) {
	switch err := p.ready.What.(cutAsk).err; {
	case p.event == noEvent:
		r.give(p, 0)
	case p.zombie():
		p.event, p.ready, p.idle = noEvent, nil, true
	case err != nil:
		r.afterError(p, err)
	default:
		r.afterSuccess(p)
	}
}

func (r *idemRun) afterSuccess(p *idemProcess) {
	p.errors = 0
	r.options = append(r.options[:0], turnOption{kind: goesOn})
	r.mayDie(p)
	r.options = append(r.options, turnOption{kind: diesDone})
	r.mayGoBack(again, p)
	switch o := r.pick(); o.kind {
	case dies:
		r.note(idemLine{p: p, words: "✗ the process dies here, before the commit"})
		r.die(p, o.back)
	case again:
		r.note(idemLine{p: p, words: "✗ the commit is lost"})
		r.rewind(p, o.back)
		r.give(p, 0)
	case diesDone:
		r.commit(p)
		r.note(idemLine{p: p, words: "✗ the process dies here, after the commit"})
		r.die(p, 0)
	default:
		r.commit(p)
		r.give(p, 0)
	}
}

func (r *idemRun) commit(p *idemProcess) {
	r.pos[r.sub.keys[p.event]]++
	p.event = noEvent
}

// afterError delivers the event again, as any group does, after a pause that doubles.
func (r *idemRun) afterError(p *idemProcess, err error) {
	r.note(idemLine{p: p, words: "the delivery ends in an error: " + err.Error()})
	if p.errors++; r.strict || p.errors >= maxErrors {
		r.fault = r.during(p) + "returns an error " + repeated(p.errors) + ": " + err.Error()
		return
	}
	if r.diesHere(p, "✗ the process dies here") {
		return
	}
	r.count[p.event]-- // what follows an error is not counted
	r.give(p, time.Duration(firstPause)<<(p.errors-1))
}

// mayDie adds the deaths of a process here, one for each position that its successor could go on from.
func (r *idemRun) mayDie(p *idemProcess) { r.mayGoBack(dies, p) }

func (r *idemRun) mayGoBack(kind turnKind, p *idemProcess) {
	if p.zombie() { // nothing of it is delivered again
		r.options = append(r.options, turnOption{kind: kind, p: p})
		return
	}
	for back := 0; ; back++ {
		if _, allowed := r.rewound(p, back); !allowed {
			return
		}
		r.options = append(r.options, turnOption{kind: kind, p: p, back: back})
	}
}

// die kills a process; if it owned anything a new one owns that now.
func (r *idemRun) die(p *idemProcess, back int) {
	if !p.zombie() {
		r.rewind(p, back)
	}
	parts := p.parts
	r.kill(p)
	p.parts = nil
	if len(parts) > 0 {
		r.start(parts).successor = true
	}
}
