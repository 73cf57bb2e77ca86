package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// zombies judges, for each partition of a group and each service:
//
//	critical applications under deliveries of that partition come in order of the deliveries' generations
//
// So whoever was replaced does not act after the one that replaced it has acted. What it did before that is no matter
// of this property, and what it does while its successor has done nothing yet neither: nobody could know. Assumes that
// KindDelivered names the generation (Fence; of a queue the how many-th receive of that message, which is all that one guards) and the group (Op), and that causes lead from an application to its
// delivery; a delivery without a generation is left out. A counterexample: a call that the service executes with delay
// counts when it is applied, also if it was sent in time.
//
// Cost: linear, with one map entry per partition and service. One finding per event and effect. Exercised: critical
// applications under a delivery with a generation.
func zombies() Checker {
	return overLedger(Checker{
		Name:       "zombies",
		Doc:        "no consumer applies a critical effect after the one that took its partition over has applied one",
		Properties: []history.Property{history.PropZombie},
	}, judgeZombies)
}

// guarded is what one owner at a time may act for.
type guarded struct{ group, partition, service string }

// owner is the latest generation that has acted, and its first application.
type owner struct{ generation, applied int64 }

func judgeZombies(l *ledger) Report {
	r := newReport()
	latest := map[guarded]owner{}
	type effectOf struct{ account, effect int32 }
	found := map[effectOf]bool{}
	for f := range l.kinds(history.KindApplied) {
		n := l.number[f.ID-1]
		if !f.Changed || f.Class != history.Critical || n < 0 {
			continue
		}
		d := l.deliveryOf(f.ID)
		if d == nil || d.Fence < 1 {
			continue
		}
		r.Exercised[history.PropZombie]++
		what := guarded{d.Op, guardedBy(d), f.Resource}
		last := latest[what]
		switch e := (effectOf{n, l.byEffect[effectName{f.Stage, f.Resource}]}); {
		case d.Fence > last.generation:
			latest[what] = owner{d.Fence, f.ID}
		case d.Fence < last.generation && !found[e]:
			found[e] = true
			r.find(l.zombie(f, d, last))
		}
	}
	return r
}

// noDelivery stands for the delivery of a fact to which none led.
const noDelivery = int32(-1)

// deliveryOf is the delivery that led to a fact; nil = none. The answer is kept for each fact on the way: a chain of n
// applications that cause one another would else be walked n times.
func (l *ledger) deliveryOf(id int64) *history.Fact {
	if l.delivery == nil {
		l.delivery = make([]int32, l.h.Len())
	}
	answer, at := noDelivery, id
	for ; at != 0; at = l.at(at).Cause {
		if l.at(at).Kind == history.KindDelivered {
			answer = int32(at)
			break
		}
		if known := l.delivery[at-1]; known != 0 {
			answer = known
			break
		}
	}
	for ; id != at; id = l.at(id).Cause {
		l.delivery[id-1] = answer
	}
	if answer == noDelivery {
		return nil
	}
	return l.at(int64(answer))
}

func (l *ledger) zombie(f, d *history.Fact, by owner) history.Finding {
	a := &l.accounts[l.number[f.ID-1]]
	var ev evidence
	ev.causes(l, f.ID)
	ev.causes(l, by.applied)
	ev.around(l, a, d.ID, f.ID)
	return history.Finding{
		Property: history.PropZombie,
		Event:    f.Event,
		Stage:    f.Stage,
		Label:    history.LabelNotFenced,
		Evidence: ev.sorted(),
		Detail: fmt.Sprintf("%s: %s took place at %s for an owner of generation %d, after generation %d of %s had acted there",
			f.Event, f.Stage, f.Resource, d.Fence, by.generation, d.Resource),
	}
}
