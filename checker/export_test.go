package checker

import "github.com/twiceless/twiceless/sim/history"

// AuditedStore judges the dedup store, and a search holds the witness of every record to account.
func AuditedStore(h *history.History) Report {
	return judgeStore(newLedger(h), func(string) bool { return true })
}

// EffectLevel judges what happened to effects: duplicates and losses with their first causes, phantoms, order, what is
// stuck, zombies.
func EffectLevel(h *history.History) Report {
	l := newLedger(h)
	r := newReport()
	for _, judge := range []func(*ledger) Report{judgeDuplicates, judgeLoss, judgePhantoms, judgeOrder, judgeStuck, judgeZombies} {
		r.add(judge(l))
	}
	return r
}
