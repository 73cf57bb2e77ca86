package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// tears judges what a stack declares to become durable together (KindLinked), when the run is over:
//
//	consume-produce-tear  group g reads topic in and writes topic out:
//	    ∀ record of in:  g's position is behind it  ⇔  a record of out was made under a delivery of it to g
//	dual-write-tear       service s and topic t:
//	    ∀ event e:  (e stands at s ⇒ t has a record of e)  and  (t has a record of e ⇒ e was applied at s)
//
// The two halves of the second are not mirror images: an application that was reversed after its record went out is a
// compensation, one that was reversed before leaves neither half. A record of in whose place another one has taken
// is gone and judged no more. Nothing is declared of a record that leads to no output, such as one that is filtered out, or
// parked: topics with such records must not be declared. Outputs of aborted transactions are no records for whoever reads
// only what is committed; facts that state them must be left out.
//
// Cost: linear in records, deliveries and effects for each declaration. Noted. Exercised: records and events with either half;
// undecided: those with one half in a run that was cut short. One note per record or event.
func tears() Checker {
	return overLedger(Checker{
		Name:       "tears",
		Doc:        "what is declared to become durable together does, or not at all",
		Properties: []history.Property{history.PropConsumeProduceTear, history.PropDualWriteTear},
		Weight:     history.Noted,
	}, judgeTears)
}

// What is declared.
const (
	linkConsumeProduce = "consume-produce"
	linkDualWrite      = "dual-write"
)

func judgeTears(l *ledger) Report {
	r := newReport()
	type declared struct{ op, from, to, group string }
	known := map[declared]bool{} // stacks declare at every boot
	for f := range l.kinds(history.KindLinked) {
		d := declared{f.Op, f.Resource, f.Value, f.Key}
		if known[d] {
			continue
		}
		known[d] = true
		switch f.Op {
		case linkConsumeProduce:
			l.tornUnits(&r, f)
		case linkDualWrite:
			l.tornWrites(&r, f)
		}
	}
	return r
}

// halves judges one pair; has is the fact of the half that is there, 0 = none.
func (l *ledger) halves(r *Report, p history.Property, one, other int64, tell func() (event, text string)) {
	switch {
	case one == 0 && other == 0:
		return
	case one != 0 && other != 0:
		r.Exercised[p]++
		return
	case l.cutShort():
		r.Undecided[p]++
		return
	}
	r.Exercised[p]++
	r.note(p, func() history.Finding {
		var ev evidence
		ev.causes(l, max(one, other))
		event, text := tell()
		return history.Finding{Property: p, Event: event, Label: history.LabelHalfMissing, Evidence: ev.sorted(), Detail: text}
	})
}

func (l *ledger) tornUnits(r *Report, link *history.Fact) {
	outputs := l.outputs(link)
	for f := range l.kinds(history.KindAppended) {
		if f.Offset < 0 || topicOf(f.Resource) != link.Resource || l.truncated(f) {
			continue
		}
		passed, output := l.passed(f.Resource, f.Offset, link.Key), outputs[place{f.Resource, f.Offset}]
		l.halves(r, history.PropConsumeProduceTear, passed, output, func() (string, string) {
			text := "the position is behind it, and nothing of it is in " + link.Value
			if passed == 0 {
				text = link.Value + " has what it led to, and the position is not behind it"
			}
			return f.Event, fmt.Sprintf("%s at %s:%d: %s", f.Event, f.Resource, f.Offset, text)
		})
	}
}

// outputs are, for each place of the input, the first record of the output topic made under a delivery of it.
func (l *ledger) outputs(link *history.Fact) map[place]int64 {
	outputs := map[place]int64{}
	for f := range l.kinds(history.KindAppended) {
		if topicOf(f.Resource) != link.Value {
			continue
		}
		d := l.deliveryOf(f.ID)
		if d == nil || d.Op != link.Key || topicOf(d.Resource) != link.Resource {
			continue
		}
		if at := (place{d.Resource, d.Offset}); outputs[at] == 0 {
			outputs[at] = f.ID
		}
	}
	return outputs
}

func (l *ledger) tornWrites(r *Report, link *history.Fact) {
	records := make([]int64, len(l.accounts))
	for f := range l.kinds(history.KindAppended) {
		if n := l.number[f.ID-1]; n >= 0 && records[n] == 0 && topicOf(f.Resource) == link.Value {
			records[n] = f.ID
		}
	}
	for i := range l.accounts {
		a := &l.accounts[i]
		row := int64(0)
		for j := range a.slots {
			s := &a.slots[j]
			if l.effects[s.effect].resource == link.Resource && (!s.missing() || records[i] != 0) {
				row = max(row, s.first)
			}
		}
		l.halves(r, history.PropDualWriteTear, row, records[i], func() (string, string) {
			text := fmt.Sprintf("written at %s, and no record of it in %s", link.Resource, link.Value)
			if row == 0 {
				text = fmt.Sprintf("a record of it is in %s, and nothing at %s", link.Value, link.Resource)
			}
			return a.event, a.event + ": " + text
		})
	}
}
