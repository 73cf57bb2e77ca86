package tell

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// gravity lists the properties, the gravest first.
func gravity() []history.Property {
	return []history.Property{
		history.PropHarness, history.PropCommit, history.PropDeadLetter, history.PropPageCache,
		history.PropDuplicateCritical, history.PropLoss, history.PropStuck, history.PropPhantom, history.PropLinearizable, history.PropZombie,
		history.PropDuplicateState, history.PropOrder, history.PropDuplicateNotify, history.PropDuplicateDerived,
	}
}

// Gravest is the finding to tell first: a broken promise before a permitted anomaly, then by gravity, then the first.
func Gravest(found []history.Finding, promised []history.Property) (history.Finding, bool) {
	if len(found) == 0 {
		return history.Finding{}, false
	}
	order := gravity()
	return slices.MinFunc(found, func(a, b history.Finding) int {
		return cmp.Or(
			boolCompare(slices.Contains(promised, a.Property), slices.Contains(promised, b.Property)),
			cmp.Compare(slices.Index(order, a.Property), slices.Index(order, b.Property)))
	}), true
}

// boolCompare puts true first.
func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// Amount says what a critical duplicate cost.
func Amount(c *scenarios.Case, h *history.History, f history.Finding) string {
	if f.Property != history.PropDuplicateCritical {
		return ""
	}
	for i := range c.Intent.Scenario.Flow {
		st := &c.Intent.Scenario.Flow[i]
		if st.Name != f.Stage || st.Amount == 0 {
			continue
		}
		net := int64(0)
		for j := range h.Facts {
			switch fact := &h.Facts[j]; {
			case fact.Event != f.Event || fact.Stage != f.Stage || !fact.Changed:
			case fact.Kind == history.KindApplied:
				net++
			case fact.Kind == history.KindReversed:
				net--
			}
		}
		return fmt.Sprintf("%s of %s instead of %s at %s, applied %d times", st.Name, money(net*st.Amount), money(st.Amount), st.Service, net)
	}
	return ""
}

// money writes hundredths.
func money(hundredths int64) string { return fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100) }
