package isolation

import "math"

// Never is the return of a transaction that nobody saw return: nothing came after it in real time.
const Never = math.MaxInt64

// NoSession is the session of a transaction that belongs to none.
const NoSession = -1

// Nobody is the writer of the initial version, and of a version that no transaction wrote.
const Nobody = -1

// Initial is the version of a key before the first write.
const Initial = 0

// Outcome of a transaction, as far as it is known.
type Outcome uint8

// The outcomes. A transaction of unknown outcome that somebody has seen the effect of is Committed: who builds the history
// decides that. One that stays Unknown is left out: it proves nothing.
const (
	Committed Outcome = iota
	Aborted
	Unknown
)

// Op is a read or a write of one key. A read sees one version, a write makes one.
type Op struct {
	Write   bool
	Key     int32 // index in History.Keys
	Version int32 // index in Key.Writers
}

// Transaction is what one transaction did, in its own order.
type Transaction struct {
	Outcome Outcome
	// ReadCommitted: it asked for no more than read committed, so what it has read may be overwritten under it, and no
	// rw edge begins here. A history of mixed levels is correct if the rest has no cycle (Adya's mixing theorem).
	ReadCommitted bool
	Session       int32 // number of its client, or NoSession
	// Call and Return are positions in real time; no two transactions share one. A Return is Never where nobody saw it.
	Call, Return int64
	Ops          []Op
}

// Key is one object with its versions, numbered from 1 in any order; Initial comes before all.
type Key struct {
	Writers []int32 // by version, the transaction that made it; Writers[Initial] is Nobody
	Order   []int32 // the versions whose order is known, oldest first, without Initial; those of aborted transactions too
	// Unread says of the committed versions that are not in Order that each comes after all that are. Otherwise nothing is
	// known of them.
	Unread bool
}

// History is a set of transactions over keys. The order of the transactions means nothing.
type History struct {
	Transactions []Transaction
	Keys         []Key
}

// writerOf is the transaction that made a version, or Nobody.
func (h *History) writerOf(key, version int32) int32 { return h.Keys[key].Writers[version] }

// committed says whether a transaction is known to have committed; Nobody, who made what was there first, has.
func (h *History) committed(t int32) bool {
	return t == Nobody || h.Transactions[t].Outcome == Committed
}

// is says whether a transaction has that outcome.
func (h *History) is(t int32, o Outcome) bool { return t != Nobody && h.Transactions[t].Outcome == o }
