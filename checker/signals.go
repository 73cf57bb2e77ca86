package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// signals judges, for each workflow id w and each signal s that was sent to it:
//
//	signal-lost        s was sent before w ended, or w has not ended, and w never received s
//	signal-duplicated  w received s twice
//	signal-reordered   one sender sent s before s', and w received s for the first time after s'
//
// Two senders have no order between them, and a repetition is no reorder. A signal that was sent twice under one id, as
// by a sender that had no answer, is one signal. One that w receives and nobody sent is not judged.
//
// Cost: linear in the facts of signals, one map entry per signal and per sender. Noted. Exercised: signals that were sent; for the second
// those received; for the third those received that their sender had sent another one before. Undecided: those not
// received in a run that was cut short.
func signals() Checker {
	return overLedger(Checker{
		Name:       "signals",
		Doc:        "a workflow receives each signal once, and those of one sender in order",
		Properties: []history.Property{history.PropSignalLost, history.PropSignalDuplicated, history.PropSignalReordered},
		Weight:     history.Noted,
	}, judgeSignals)
}

// opReceived ends the way of a signal.
const (
	opSent     = "sent"
	opReceived = "received"
)

// signal is one on its way.
type signal struct {
	sent     *history.Fact
	nth      int // of its sender to this workflow, from 1
	received int64
	twice    bool
}

type sender struct{ workflow, node string }

func judgeSignals(l *ledger) Report {
	r := newReport()
	type name struct{ workflow, signal string }
	byName := map[name]*signal{}
	sent, latest := map[sender]int{}, map[sender]*signal{} // latest: the furthest that was received
	var order []*signal
	for f := range l.kinds(history.KindSignal) {
		at := name{f.Event, f.Key}
		s := byName[at]
		switch {
		case f.Op == opSent && s == nil:
			by := sender{f.Event, f.Node}
			sent[by]++
			s = &signal{sent: f, nth: sent[by]}
			byName[at] = s
			order = append(order, s)
		case f.Op == opReceived && s != nil:
			by := sender{f.Event, s.sent.Node}
			s.receive(&r, f, latest[by])
			if last := latest[by]; last == nil || s.nth > last.nth {
				latest[by] = s
			}
		}
	}
	ends := l.workflowEnds()
	for _, s := range order {
		end := ends[s.sent.Event]
		switch {
		case s.received == 0 && l.cutShort():
			r.Undecided[history.PropSignalLost]++
		case s.received == 0 && end != 0 && end < s.sent.ID:
		default:
			r.Exercised[history.PropSignalLost]++
			if s.received == 0 {
				r.note(history.PropSignalLost, func() history.Finding {
					return signalFinding(history.PropSignalLost, s.sent, history.LabelNeverCame, "was sent and never received", s.sent.ID, end)
				})
			}
		}
	}
	return r
}

// receive judges one receipt.
func (s *signal) receive(r *Report, f *history.Fact, latest *signal) {
	if s.received != 0 {
		if !s.twice {
			s.twice = true
			r.note(history.PropSignalDuplicated, func() history.Finding {
				return signalFinding(history.PropSignalDuplicated, f, history.LabelRepeated, "was received twice", s.sent.ID, s.received, f.ID)
			})
		}
		return
	}
	s.received = f.ID
	r.Exercised[history.PropSignalDuplicated]++
	if s.nth > 1 || latest != nil {
		r.Exercised[history.PropSignalReordered]++
	}
	if latest != nil && latest.nth > s.nth {
		r.note(history.PropSignalReordered, func() history.Finding {
			return signalFinding(history.PropSignalReordered, f, history.LabelReordered,
				"was received after "+latest.sent.Key+", which its sender sent later", s.sent.ID, latest.sent.ID, latest.received, f.ID)
		})
	}
}

func signalFinding(p history.Property, f *history.Fact, label history.Label, text string, ids ...int64) history.Finding {
	return workflowFinding(p, f, label, fmt.Sprintf("signal %s of %s %s", f.Key, f.Event, text), ids...)
}
