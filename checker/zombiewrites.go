package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// zombieWrites judges fencing where logs and the coordinator of transactions must keep it:
//
//	∀ producer, along each log as it stands:  the epochs of its records and markers never decrease
//	∀ producer, at the coordinator:  after an epoch was given out no transaction is decided under an older one
//
// A log that has heard nothing of the new epoch cannot refuse the old one: only what is in the log counts, not when the
// epoch was given out. Assumes KindSequenced and KindMarked with the producer's epoch, and KindTransaction of the
// coordinator. Cost: linear, a map entry per producer and log. Exercised: records, markers and decisions of a producer
// that came after others of it.
func zombieWrites() Checker {
	return overLedger(Checker{
		Name:       "zombie-writes",
		Doc:        "no log takes a record, and no coordinator a decision, of a producer under an older epoch after a newer one",
		Properties: []history.Property{history.PropZombieWrite},
		Weight:     history.Guaranteed,
	}, judgeZombieWrites)
}

func judgeZombieWrites(l *ledger) Report {
	r := newReport()
	if len(l.byKind[history.KindSequenced])+len(l.byKind[history.KindMarked])+len(l.byKind[history.KindTransaction]) == 0 {
		return r
	}
	numbers := l.sequenced()
	for _, p := range l.logs() {
		newest := map[string]*history.Fact{} // by producer
		for _, e := range p.standing().records {
			n := numbers[e.origin]
			if f := l.at(e.origin); f.Kind == history.KindMarked {
				n = f
			}
			if n != nil {
				l.judgeEpoch(&r, newest, n, n.Value)
			}
		}
	}
	newest := map[string]*history.Fact{}
	for f := range l.kinds(history.KindTransaction) {
		if f.Op != opBegan { // a client may begin what the coordinator will refuse
			l.judgeEpoch(&r, newest, f, f.Resource)
		}
	}
	return r
}

// judgeEpoch compares an act of a producer with its newest epoch so far.
func (l *ledger) judgeEpoch(r *Report, newest map[string]*history.Fact, f *history.Fact, producer string) {
	last := newest[producer]
	if last == nil || f.Fence > last.Fence {
		newest[producer] = f
	}
	if last == nil {
		return
	}
	r.Exercised[history.PropZombieWrite]++
	if f.Fence >= last.Fence {
		return
	}
	var ev evidence
	ev.causes(l, f.ID)
	ev.add(last.Cause, last.ID)
	r.find(history.Finding{
		Property: history.PropZombieWrite,
		Event:    f.Event,
		Label:    history.LabelNotFenced,
		Evidence: ev.sorted(),
		Detail:   fmt.Sprintf("%s of producer %s was taken in epoch %d after epoch %d had been", f.Kind, producer, f.Fence, last.Fence),
	})
}
