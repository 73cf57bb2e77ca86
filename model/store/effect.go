package store

import (
	"github.com/twiceless/twiceless/sim/history"
)

// effect is an operation at the moment at which it takes effect: one that changes its record when the change is durable,
// for until then a power loss undoes it and no later operation has met it; another one when it has looked.
type effect struct {
	name
	cause   int64 // the caller's fact that asked; 0 = nobody judges it
	op      string
	result  string
	changed bool
	note    string
}

// state records it. That comes before the reply and before the hooks at which the node may die, since later operations
// meet what is left whether or not the caller ever hears of it.
func (s *durable) state(e *effect) {
	if e.cause == 0 {
		return
	}
	s.n.Record(history.Fact{Kind: history.KindDecided, Event: e.event, Stage: e.stage, Cause: e.cause, Resource: Service + "/" + e.event + "/" + e.stage,
		Op: e.op, Value: e.result, Changed: e.changed, Note: e.note, Fence: -1, Offset: -1})
}

// found states the changes that a killed incarnation had written and could not state any more: they take effect now that
// they are flushed. What a replica copied its primary has stated, which tells others only what took effect.
func (s *durable) found(all []change) {
	if len(all) == 0 {
		return
	}
	stated := map[int64]bool{}
	for i := range s.n.World().History.Facts {
		if f := &s.n.World().History.Facts[i]; f.Kind == history.KindDecided {
			stated[f.Cause] = true
		}
	}
	for i := range all {
		if c := &all[i]; !stated[c.cause] {
			s.state(c.effect())
		}
	}
}

// effect is the operation that made a change, which its state tells: each of the three leads to a state of its own.
func (c *change) effect() *effect {
	e := effect{name: c.name, cause: c.cause, op: OpClaim, result: Granted, changed: true, note: writtenBefore}
	switch c.is {
	case done:
		e.op, e.result = OpDone, OK
	case absent:
		e.op, e.result = OpRelease, OK
	}
	return &e
}

const writtenBefore = "written before the crash"
