package checkertest

import "github.com/twiceless/twiceless/sim/history"

// Serializable states a transaction of a database that asked for that level, as the database does: what it read and wrote in
// its order, r3:x the version 3 of x, w3>7:x that it replaced 3 by 7. Version 0 is there before the first write.
func (s *Story) Serializable(accesses string) *Story {
	return s.transacted("ledger/rows", "serializable", accesses, history.Acked)
}

// ReadCommitted states one that asked for read committed.
func (s *Story) ReadCommitted(accesses string) *Story {
	return s.transacted("ledger/rows", "read-committed", accesses, history.Acked)
}

// RolledBack states one that took back what others could read meanwhile.
func (s *Story) RolledBack(accesses string) *Story {
	return s.transacted("ledger/rows", "serializable", accesses, history.Failed)
}

// Elsewhere states a serializable transaction of another store.
func (s *Story) Elsewhere(accesses string) *Story {
	return s.transacted("ledger/sql", "serializable", accesses, history.Acked)
}

func (s *Story) transacted(store, level, accesses string, o history.Outcome) *Story {
	f := fact(history.KindTransacted, "ledger-1", "", 0)
	f.Resource, f.Op, f.Value, f.Outcome = store, level, accesses, o
	s.Record(f)
	return s
}
