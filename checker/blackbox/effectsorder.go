package blackbox

import (
	"fmt"

	"github.com/twiceless/twiceless/checker/ops"
)

// effectOrder finds effects of one key that took place in another order than their intents. At one stage, x was
// overtaken if
//
//	∃ y of the same key: x was answered before y was called, and y was applied before x was first called to be
//
// by first applications: a repetition changes nothing. Without a key nothing has an order. Intents that overlap have no order, and neither has one of
// unknown outcome, which may still be on its way. Nor is x overtaken for sure if an application of unknown outcome may
// have been its first.
//
// Applications are played in the order of time, with the latest call of an intent applied so far per key and stage.
// Positions are dense, so this is linear: one place per position says what happens there.
type effectOrder struct {
	j     *effectsJudge
	marks []orderMark
	at    []int32 // by position: the mark of which the first call or return lies there, plus one
	lanes map[uint64]int32
}

// orderMark is the first application of an intent at a stage.
type orderMark struct {
	id, lane       int32
	call, returned int64
	trace          trace
	exact          bool // surely the first
}

func newEffectOrder(j *effectsJudge) *effectOrder {
	end := int64(-1)
	for k := range j.applied {
		if a := &j.applied[k]; a.sure {
			end = max(end, a.returned)
		}
	}
	return &effectOrder{j: j, at: make([]int32, end+1), lanes: map[uint64]int32{}}
}

// add notes the first applications of an intent.
func (e *effectOrder) add(id int32, slots []effectSlot) {
	for k := range slots {
		s := &slots[k]
		if s.sure == 0 || e.j.keys.value(s.key).IsNull() {
			continue
		}
		e.marks = append(e.marks, orderMark{id, e.lane(s), s.call, s.returned, s.first, s.unsure == 0})
		e.at[s.call], e.at[s.returned] = int32(len(e.marks)), int32(len(e.marks))
	}
}

// lane is the number of a key at a stage.
func (e *effectOrder) lane(s *effectSlot) int32 {
	name := uint64(s.stage)<<32 | uint64(s.key)
	n, ok := e.lanes[name]
	if !ok {
		n = int32(len(e.lanes))
		e.lanes[name] = n
	}
	return n
}

// judge plays the applications.
func (e *effectOrder) judge(r *ops.Report) {
	latest := make([]int32, len(e.lanes)) // mark of the intent that was called last, plus one
	for at, n := range e.at {
		if n == 0 {
			continue
		}
		m := &e.marks[n-1]
		x := &e.j.intents[m.id]
		ahead := latest[m.lane]
		if m.call == int64(at) && m.exact && ahead != 0 && e.intent(ahead).call > x.returned {
			e.found(r, m, &e.marks[ahead-1])
		}
		if m.returned == int64(at) && (ahead == 0 || e.intent(ahead).call < x.call) {
			latest[m.lane] = n
		}
	}
}

func (e *effectOrder) intent(mark int32) *intent { return &e.j.intents[e.marks[mark-1].id] }

func (e *effectOrder) found(r *ops.Report, x, y *orderMark) {
	r.Find("effect-order-inversion", e.j.ordered, func(a *ops.Anomaly) {
		a.Evidence = evidence(e.j.intents[x.id].trace, e.j.intents[y.id].trace, x.trace, y.trace)
		a.Detail = fmt.Sprintf("%s was intended before %s, of the same key, and applied after it", e.j.ids.value(x.id), e.j.ids.value(y.id))
	})
}
