package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// openTransactions judges, when a run has settled:
//
//	∀ incarnation of a client that is alive:  since it began its last transaction its producer had one decided
//
// A client that waits for its coordinator for ever is seen nowhere else, as long as others do its work: who has its partitions
// next has another transactional id. One that began a later transaction has given the one before up, or has been told. A decision by
// the coordinator alone, for a timeout, is one too. A client whose last transaction was empty, so that no coordinator heard of it,
// is taken for one that waits.
//
// Cost: linear in the facts of transactions and stops. Noted. Exercised: the incarnations with a transaction; undecided: those
// that wait in a run that ended before it was settled.
func openTransactions() Checker {
	return overLedger(Checker{
		Name:       "open-transactions",
		Doc:        "no client that is alive waits for ever for the end of its transaction",
		Properties: []history.Property{history.PropOpenForEver},
		Weight:     history.Noted,
	}, judgeOpenTransactions)
}

func judgeOpenTransactions(l *ledger) Report {
	r := newReport()
	e := l.ending()
	if !e.judged || len(l.byKind[history.KindTransaction]) == 0 {
		return r
	}
	last := map[incarnation]int64{} // the last beginning
	decided := map[string]int64{}   // by producer, the last decision
	var order []incarnation
	for f := range l.kinds(history.KindTransaction, history.KindStopped) {
		who := incarnation{f.Node, f.Incarnation}
		switch {
		case f.Kind == history.KindStopped:
			delete(last, who)
		case f.Op == opBegan:
			if last[who] == 0 {
				order = append(order, who)
			}
			last[who] = f.ID
		case f.Op == opCommitTx || f.Op == opAbort:
			decided[f.Resource] = f.ID
		}
	}
	for _, who := range order {
		began := last[who]
		switch {
		case began == 0:
		case decided[l.at(began).Resource] > began:
			r.Exercised[history.PropOpenForEver]++
		case !e.settled:
			r.Undecided[history.PropOpenForEver]++
		default:
			r.Exercised[history.PropOpenForEver]++
			r.note(history.PropOpenForEver, func() history.Finding { return l.openForEver(&e, began) })
		}
	}
	return r
}

func (l *ledger) openForEver(e *ending, began int64) history.Finding {
	f := l.at(began)
	var ev evidence
	ev.add(began, e.began, e.last)
	return history.Finding{Property: history.PropOpenForEver, Label: history.LabelNothingMoves, Evidence: ev.sorted(),
		Detail: fmt.Sprintf("the client of transaction %s is alive, and nobody has decided it", f.Value)}
}
