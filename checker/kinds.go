package checker

import "github.com/twiceless/twiceless/sim/history"

// Kinds is the table of checkers, sorted by name.
func Kinds() []Checker {
	return []Checker{
		duplicates(),
		linearizable(),
		loss(),
		order(),
		phantoms(),
		stuck(),
	}
}

// overLedger makes a checker of a judgement over the ledger.
func overLedger(c Checker, judge func(*ledger) Report) Checker {
	c.judge = judge
	c.Check = func(h *history.History) Report { return judge(newLedger(h)) }
	return c
}
