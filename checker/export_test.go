package checker

import "github.com/twiceless/twiceless/sim/history"

// AuditedStore judges the dedup store, and a search holds the witness of every record to account.
func AuditedStore(h *history.History) Report {
	return judgeStore(h, func(string) bool { return true })
}
