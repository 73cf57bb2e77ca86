package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// sagaReads counts the dirty reads of sagas, which have no isolation of their own:
//
//	saga s acted on what step i of another saga s' wrote, and i was compensated afterwards
//
// It is not wrong where nobody promises isolation: it shows where a semantic lock is missing. A saga that reads its own
// writes, one that reads after the compensation, and one that reads what is then compensated because it had been made twice, so
// that one of the two still stands, are well.
//
// Cost: linear in the facts of the sagas that were read from. Noted. Exercised: reads of other sagas' writes. One note per read.
func sagaReads() Checker {
	return overLedger(Checker{
		Name:       "saga-reads",
		Doc:        "no saga acts on what another one compensates afterwards",
		Properties: []history.Property{history.PropSagaDirtyRead},
		Weight:     history.Noted,
	}, judgeSagaReads)
}

func judgeSagaReads(l *ledger) Report {
	r := newReport()
	if len(l.byKind[history.KindSagaRead]) == 0 {
		return r
	}
	byEvent := map[string]*account{}
	for i := range l.accounts {
		byEvent[l.accounts[i].event] = &l.accounts[i]
	}
	for f := range l.kinds(history.KindSagaRead) {
		writer := byEvent[f.Value]
		if writer == nil || f.Value == f.Event {
			continue
		}
		r.Exercised[history.PropSagaDirtyRead]++
		undone := l.undoneAfter(writer, f.Op, f.ID)
		if undone == 0 {
			continue
		}
		r.note(history.PropSagaDirtyRead, func() history.Finding {
			var ev evidence
			ev.add(f.Cause, f.ID, undone)
			return history.Finding{Property: history.PropSagaDirtyRead, Event: f.Event, Stage: f.Stage, Label: history.LabelReversedAfterRead, Evidence: ev.sorted(),
				Detail: fmt.Sprintf("%s acted on %s of %s, which was compensated afterwards", f.Event, f.Op, f.Value)}
		})
	}
	return r
}

// undoneAfter is the first compensation after a read by which nothing of a step that stood at the read stands any more.
func (l *ledger) undoneAfter(a *account, stage string, read int64) int64 {
	standing, stood := 0, false
	for _, id := range l.of(a) {
		f := l.at(int64(id))
		if f.Stage != stage || !f.Changed {
			continue
		}
		switch f.Kind {
		case history.KindApplied:
			standing++
		case history.KindReversed:
			if stood = stood || f.ID > read && standing > 0; stood && standing == 1 {
				return f.ID
			}
			standing = max(0, standing-1)
		}
	}
	return 0
}
