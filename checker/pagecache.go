package checker

import (
	"fmt"

	"github.com/twiceless/twiceless/sim/history"
)

// pageCache judges every stop that is no power loss, and the boot after it:
//
//	the disk holds as many records at the boot as at the stop
//
// A process that ends leaves the page cache to its machine. If it did not, every kill would be a power loss, and a
// comparison would call by the one name what it has measured of the other. Assumes that KindStopped and KindBooted
// state how many records the disk holds (Offset). Cost: linear. Exercised: stops of nodes whose disk held something.
func pageCache() Checker {
	return overLedger(Checker{
		Name:       "page-cache",
		Doc:        "a stop that is no power loss leaves on the disk all that was written, fsynced or not",
		Properties: []history.Property{history.PropPageCache},
		Weight:     history.Guaranteed,
	}, judgePageCache)
}

// byPowerLoss is the note of a stop that takes the page cache with it.
const byPowerLoss = "power-loss"

func judgePageCache(l *ledger) Report {
	r := newReport()
	stopped := map[string]*history.Fact{} // by node
	for f := range l.kinds(history.KindStopped, history.KindBooted) {
		switch f.Kind {
		case history.KindStopped:
			stopped[f.Node] = f
		case history.KindBooted:
			before := stopped[f.Node]
			if before == nil || before.Note == byPowerLoss || before.Offset <= 0 {
				continue
			}
			r.Exercised[history.PropPageCache]++
			if f.Offset != before.Offset {
				var ev evidence
				ev.add(before.Cause, before.ID, f.ID)
				r.find(history.Finding{
					Property: history.PropPageCache,
					Label:    history.LabelForgottenByKill,
					Evidence: ev.sorted(),
					Detail:   fmt.Sprintf("a node was stopped with %d records on its disk and found %d", before.Offset, f.Offset),
				})
			}
		}
	}
	return r
}
