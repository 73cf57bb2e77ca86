package model

// OpTxn is the op of a general transaction of a database: its request is a TxnRequest, its reply a TxnReply. A TxnRequest
// under an op that a stage names is one application of that stage's effect.
const OpTxn = "txn"

// Isolation of a transaction.
type Isolation uint8

// ReadCommitted sees committed data and checks nothing it read before: two of them may both act on what they read
// (a lost update, a select-then-insert race). Serializable commits only if every version read earlier still stands.
const (
	ReadCommitted Isolation = iota
	Serializable
)

// String is the level's name in histories.
func (i Isolation) String() string {
	return [...]string{ReadCommitted: "read-committed", Serializable: "serializable"}[i]
}

// Write sets a row. Insert is the unique constraint: the commit fails if the row exists.
type Write struct {
	Key, Value string
	Insert     bool
}

// Version is a row version that the transaction read earlier; 0 = it found no row.
type Version struct {
	Key     string
	Version int64
}

// TxnRequest is one round of a transaction: reads, and a commit if there are writes. A transaction that reads, thinks
// and writes takes two rounds and carries the versions of the first into the second.
type TxnRequest struct {
	Reads    []string
	Writes   []Write
	Level    Isolation
	Versions []Version
	Cause    int64 // fact id that led here
}

// TxnReply holds the rows read, parallel to Reads.
type TxnReply struct {
	Rows    []Row
	Version int64 // of the rows written; 0 = none were
}

// Row is a row as a transaction sees it. Version is the number of the commit that wrote it; 0 = there is no row.
type Row struct {
	Key, Value string
	Version    int64
}
