package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// reservations judges, when the run is over:
//
//	∀ reservation made at a store:  it is confirmed or released
//
// A reservation that runs out by itself is released, and the store must say so: what only a clock would free one day holds
// back what somebody else could have had. Made again after it was released, it is open again; confirmed twice is confirmed.
// What was confirmed or released and never made is not this property's.
//
// Cost: linear in the facts of reservations. Noted. Exercised: reservations made; undecided: open ones in a run that was cut short.
func reservations() Checker {
	return overLedger(Checker{
		Name:       "reservations",
		Doc:        "every reservation is confirmed or released in the end",
		Properties: []history.Property{history.PropReservationLeaked},
		Weight:     history.Noted,
	}, judgeReservations)
}

// opMade opens a reservation.
const opMade = "made"

func judgeReservations(l *ledger) Report {
	r := newReport()
	open := map[cell]int64{}
	var made []cell
	for f := range l.kinds(history.KindReservation) {
		at := cell{f.Resource, f.Key}
		id, known := open[at]
		switch {
		case f.Op != opMade && known:
			open[at] = 0
		case f.Op == opMade && id == 0:
			if !known {
				made = append(made, at)
			}
			open[at] = f.ID
		}
	}
	for _, at := range made {
		id := open[at]
		if id != 0 && l.cutShort() {
			r.Undecided[history.PropReservationLeaked]++
			continue
		}
		r.Exercised[history.PropReservationLeaked]++
		if id == 0 {
			continue
		}
		r.note(history.PropReservationLeaked, func() history.Finding {
			var ev evidence
			ev.causes(l, id)
			return history.Finding{Property: history.PropReservationLeaked, Event: l.at(id).Event, Stage: l.at(id).Stage, Label: history.LabelNeverSettled,
				Evidence: ev.sorted(), Detail: fmt.Sprintf("reservation %s at %s is neither confirmed nor released", at.key, at.store)}
		})
	}
	return r
}
