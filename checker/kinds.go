package checker

import "github.com/twiceless/twiceless/sim/history"

// Kinds is the table of checkers, sorted by name.
func Kinds() []Checker {
	return []Checker{
		abortRewind(),
		assignments(),
		autoCommit(),
		commitAhead(),
		commitRegress(),
		commits(),
		compactions(),
		deadLetters(),
		duplicateRecords(),
		duplicates(),
		durability(),
		jumps(),
		linearizable(),
		logRegress(),
		loss(),
		offsetOrder(),
		order(),
		ownership(),
		pageCache(),
		phantoms(),
		positionBounds(),
		logRecords(),
		recovered(),
		redelivery(),
		sequences(),
		stuck(),
		tornTransactions(),
		zombieWrites(),
		zombies(),
	}
}

// overLedger makes a checker of a judgement over the ledger.
func overLedger(c Checker, judge func(*ledger) Report) Checker {
	c.judge = judge
	c.Check = func(h *history.History) Report { return judge(newLedger(h)) }
	return c
}
