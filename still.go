package twiceless

import (
	"slices"

	"github.com/twiceless/twiceless/internal/bubble"
	"github.com/twiceless/twiceless/model"
)

// In a quiet time, hours up to an operator's late visit, code that looks for work every second would be most of a run, and
// nothing of what it sees changes. So whatever it looks at answers when the time is over, and a poll whose time is up is
// taken for one with the poll that follows. The world has nothing to do for either and passes the time in leaps.

// Still has looks wait until it is over. Whoever has a deadline gives up and looks again.
func (gu *guest) Still(on bool) {
	gu.still = on
	held := gu.held
	gu.held = nil
	for _, a := range held {
		gu.begin(a)
	}
}

// heldBack is the work of an ask that waits for the end of a quiet time.
type heldBack struct{}

// hold keeps an ask until then, unless there will be nobody to hear it: what was to end a connection that has never come to
// the database. Code with deadlines opens thousands of these.
func (gu *guest) hold(m *member, a *bubble.Ask) {
	a.Work = heldBack{}
	if q, ok := a.What.(*sqlAsk); ok && (q.req.Do == model.SQLClose || q.req.Do == model.SQLCancel) && !m.connected(q) {
		a.Answer(nil, nil)
		return
	}
	gu.held = append(gu.held, a)
}

// release answers such an ask whose context has ended.
func (gu *guest) release(a *bubble.Ask) {
	gu.held = slices.DeleteFunc(gu.held, func(x *bubble.Ask) bool { return x == a })
	a.Answer(nil, a.Ctx.Err())
}

// looks says whether an ask is about no message and moves nobody else: neither a position nor a log.
func looks(a *bubble.Ask, d *delivery) bool {
	switch a.What.(type) {
	case *sqlAsk, *httpAsk, *cacheAsk:
		return d == nil
	}
	return false
}

// idles says whether there is nothing for the world in what the code has done.
func (gu *guest) idles() bool {
	if !gu.still {
		return false
	}
	t := gu.b.Peek()
	return len(t.Ended) == 0 && !slices.ContainsFunc(t.Asked, gu.wants) && !slices.ContainsFunc(t.Quit, gu.giveUp)
}

// wants says whether an ask that was not taken yet is one for the world.
func (gu *guest) wants(a *bubble.Ask) bool {
	m := gu.memberOf(a.Group)
	if m == nil || m.over {
		return true
	}
	if q, ofLoop := a.What.(*clientAsk); ofLoop {
		return q.do != doPoll || !m.client.waiting || m.client.ask != nil
	}
	return !looks(a, m.workOf(a))
}

// giveUp says whether it concerns the world that the caller of an ask has given up.
func (gu *guest) giveUp(a *bubble.Ask) bool {
	switch w := a.Work.(type) {
	case heldBack, nil: // nil = it is among those that were not taken yet
		return false
	case *client:
		return !w.waiting || !w.polls()
	}
	return true
}
