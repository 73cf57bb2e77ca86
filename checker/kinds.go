package checker

import "github.com/twiceless/twiceless/sim/history"

// Kinds is the table of checkers, sorted by name.
func Kinds() []Checker {
	return []Checker{
		abortRewind(),
		accounted(),
		assignments(),
		autoCommit(),
		commitAhead(),
		commitRegress(),
		commits(),
		compactions(),
		convergence(),
		deadLetters(),
		divergent(),
		drained(),
		duplicateRecords(),
		duplicates(),
		durability(),
		falseDedup(),
		folds(),
		inversions(),
		isolated(),
		jumps(),
		linearizable(),
		livelock(),
		logRegress(),
		loss(),
		money(),
		offsetOrder(),
		openTransactions(),
		order(),
		overwrites(),
		ownership(),
		pageCache(),
		phantoms(),
		poison(),
		positionBounds(),
		logRecords(), // named records
		recovered(),
		redelivery(),
		reservations(),
		sagaReads(),
		sagas(),
		sequences(),
		signals(),
		starvation(),
		stuck(),
		stuckPartition(),
		tears(),
		timers(),
		tornTransactions(),
		visibility(),
		workflows(),
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
