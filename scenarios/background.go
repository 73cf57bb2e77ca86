package scenarios

import (
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// How long nothing must have happened to any event before code that works in the background counts as being at rest: it may
// wait that long between two looks at its outbox. If events still lack what others have had, it may wait for its next try,
// and the pauses between tries grow; not for ever, because then each run that loses something would take as long.
const (
	restTime    = 30 * sim.Second
	pendingTime = 2 * 60 * sim.Second
)

// background is what the watchdog knows of events, where code may have work that nobody else knows of.
type background struct {
	scanned  int      // facts seen
	stirred  sim.Time // when something last happened to an event, calls for it included
	accepted int      // events that the log has taken
	givenUp  int      // of them, by somebody
	had      []int    // by required stage: how many events it was applied for
	seen     map[appliedStage]bool
}

type appliedStage struct{ event, stage string }

// restless says whether a guest may have work that nobody else knows of.
func (w *world) restless() bool {
	if w.guest == nil || !w.guest.Restless() {
		return false
	}
	b := &w.background
	for facts := w.sim.History.Facts; b.scanned < len(facts); b.scanned++ {
		b.see(&facts[b.scanned], w.sim.History.Header.Requires)
	}
	rest := restTime
	if b.pending() {
		rest = pendingTime
	}
	return w.sim.Now().Sub(b.stirred) < rest
}

// see takes a fact into account. Commits belong to events as well, and to nothing that is to be waited for.
func (b *background) see(f *history.Fact, required []history.Requirement) {
	if b.seen == nil {
		b.seen, b.had = map[appliedStage]bool{}, make([]int, len(required))
	}
	switch f.Kind {
	case history.KindAccepted:
		b.accepted++
	case history.KindParked, history.KindDropped:
		b.givenUp++
	case history.KindApplied:
		for i := range required {
			if at := (appliedStage{f.Event, f.Stage}); required[i].Stage == f.Stage && !b.seen[at] {
				b.seen[at] = true
				b.had[i]++
			}
		}
	case history.KindCalled, history.KindDelivered:
	default:
		return
	}
	if f.Event != "" {
		b.stirred = sim.Time(f.Time)
	}
}

// pending says whether events lack what others have had. A stage that the code never comes to is none of it.
func (b *background) pending() bool {
	for _, n := range b.had {
		if n > 0 && n+b.givenUp < b.accepted {
			return true
		}
	}
	return false
}
