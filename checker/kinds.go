package checker

import "github.com/twiceless/twiceless/sim/history"

// Kinds is the table of checkers, sorted by name.
func Kinds() []Checker {
	return []Checker{
		commits(),
		compactions(),
		deadLetters(),
		duplicateRecords(),
		duplicates(),
		durability(),
		linearizable(),
		logRegress(),
		loss(),
		offsetOrder(),
		order(),
		pageCache(),
		phantoms(),
		positionBounds(),
		logRecords(),
		sequences(),
		stuck(),
		tornTransactions(),
		zombies(),
		zombieWrites(),
	}
}

// overLedger makes a checker of a judgement over the ledger.
func overLedger(c Checker, judge func(*ledger) Report) Checker {
	c.judge = judge
	c.Check = func(h *history.History) Report { return judge(newLedger(h)) }
	return c
}
