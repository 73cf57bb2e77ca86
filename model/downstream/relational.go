package downstream

import (
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim/history"
)

// Relational is a relational database in memory that behaves as Postgres does: no node, no disk, no time. It answers at
// once, or says for whose end a statement waits; the caller goes on when it has ended a transaction and asks Finished.
//
// Read committed: each statement sees what was committed before it began, and what its own transaction wrote. Who writes
// or locks a row owns it until the transaction ends. Who meets an owned row waits, first come first served, and then
// looks at the newest version: if that no longer matches, the row is passed over; rows that match only since then are
// not found. An insert waits for whoever has the same key uncommitted.
//
// Serializable: all statements see one snapshot, that of the first. Who would write a row that was changed since is
// refused (SQLSerialization), and so is a commit that changes rows if what the transaction read has changed since: the rows of a key where the condition names one, otherwise the whole table. That refuses more than Postgres
// does, and lets nothing pass that is not serializable among transactions of this level: those that wrote are in the
// order of their commits, those that only read come where their snapshot was taken.
//
// An error ends what the transaction did, at once, with its locks; it remains, failed, until Rollback.
type Relational struct {
	tables   []*table
	commits  int64
	open     []*Transaction // in order of their begin
	waiting  []*Execution   // in order in which they began to wait
	finished []*Execution
	old      []*row // that have versions which only earlier snapshots see

	objects    map[string][]int64 // by object, the commits that made its versions
	unverified bool               // planted: see model.ReadsNotValidated
}

// Transaction is one open transaction of a Relational.
type Transaction struct {
	Level      model.Isolation
	ReadOnly   bool
	Executions []*Execution // its statements, in order

	now      int64 // ns
	snapshot int64 // of a serializable one; -1 = no statement yet
	locked   []*row
	made     []*table
	reads    []reading
	accesses []history.Access // with own for what this transaction has written
	last     map[string]int   // by object, the latest of accesses
	written  map[string]int   // by object, which of accesses is the write of it; without those that came to nothing
	over     bool             // it holds nothing any more: it committed, or failed, or was rolled back
	failed   bool
}

// reading is what a serializable transaction looked at: the rows of a key, or a table.
type reading struct {
	in   *table
	k    *key // nil = the table
	text string
}

// Execution is one statement on its way. It is over when it has a Reply or an Err; until then it waits for Waits.
type Execution struct {
	Statement *model.SQLStatement
	Args      []model.SQLValue
	Reply     *model.SQLReply
	Err       *model.SQLError
	Waits     *Transaction

	// Recognised: it met a row with the same unique key, so it was told that somebody had done this before.
	Recognised bool

	t        *Transaction
	in       *table
	snapshot int64
	planned  bool
	found    []*row // what the snapshot shows and the condition takes
	next     int    // how many of them are locked or passed over
	taken    []*row
	values   [][]model.SQLValue // what is to be written: of an insert by row of VALUES, of an update by row taken
	put      int                // how many of them are written
	wrote    []*row
	output   [][]model.SQLValue
}

// NewRelational has these tables. The error is that of the first CREATE TABLE that fails.
func NewRelational(schema []*model.SQLStatement) (*Relational, error) {
	r := &Relational{objects: map[string][]int64{}}
	t := r.Begin(model.ReadCommitted, false, 0)
	for _, s := range schema {
		if e := r.Execute(t, s, nil); e.Err != nil {
			return nil, e.Err
		}
	}
	r.Commit(t)
	return r, nil
}

// Begin opens a transaction; now is what CURRENT_TIMESTAMP is in it, ns since the Unix epoch.
func (r *Relational) Begin(level model.Isolation, readOnly bool, now int64) *Transaction {
	t := &Transaction{Level: level, ReadOnly: readOnly, now: now, snapshot: -1}
	r.open = append(r.open, t)
	return t
}

// Execute runs a statement as far as it goes. The transaction must not have one that waits.
func (r *Relational) Execute(t *Transaction, s *model.SQLStatement, args []model.SQLValue) *Execution {
	if e := t.waits(); e != nil {
		panic("downstream: a statement in a transaction whose " + e.Statement.Op() + " waits")
	}
	e := &Execution{Statement: s, Args: args, t: t}
	switch {
	case t.failed:
		e.Err = failure(model.SQLFailedTransaction, "current transaction is aborted, commands ignored until end of transaction block")
		return e
	case t.over:
		panic("downstream: a statement in a transaction that has ended")
	}
	t.Executions = append(t.Executions, e)
	if t.snapshot < 0 {
		t.snapshot = r.commits
	}
	if e.snapshot = r.commits; t.Level == model.Serializable {
		e.snapshot = t.snapshot
	}
	r.run(e)
	r.wake()
	return e
}

// waits is the statement of the transaction that waits; nil = none.
func (t *Transaction) waits() *Execution {
	if n := len(t.Executions); n > 0 && t.Executions[n-1].Waits != nil {
		return t.Executions[n-1]
	}
	return nil
}

// has notes what a serializable transaction has read.
func (t *Transaction) has(rd reading) {
	if t.Level == model.Serializable {
		t.reads = append(t.reads, rd)
	}
}

// Failed says whether a statement of the transaction has failed, so that it can only be rolled back.
func (t *Transaction) Failed() bool { return t.failed }

// run takes a statement from where it is to its end, its error or its next wait.
func (r *Relational) run(e *Execution) {
	waits, err := r.step(e)
	switch {
	case err != nil:
		r.fail(e, err)
	case waits != nil:
		e.Waits = waits
		r.waiting = append(r.waiting, e)
	}
}

// fail ends a statement and all that its transaction did.
func (r *Relational) fail(e *Execution, err *model.SQLError) {
	e.Err, e.Waits = err, nil
	e.t.failed = true
	r.release(e.t, 0)
}

// Fail ends a statement that waits: it was cancelled, or it has waited long enough in a deadlock.
func (r *Relational) Fail(e *Execution, err *model.SQLError) {
	if e.Waits == nil {
		panic("downstream: the end of a wait that is over")
	}
	r.waiting = slices.DeleteFunc(r.waiting, func(w *Execution) bool { return w == e })
	r.fail(e, err)
	r.wake()
}

// Deadlocked says whether a statement waits, over others, for its own transaction. A circle may also be closed by a
// statement that waits again after it was woken, so it is asked of whoever waits, each time somebody has begun to.
func (r *Relational) Deadlocked(e *Execution) bool {
	w := e
	for range r.waiting {
		if w = w.Waits.waits(); w == nil || w == e {
			return w == e
		}
	}
	return false // the circle is one of others
}

// Prepare is the last word about a transaction: after it Commit cannot fail. It returns the changes that make the commit
// durable, none if the transaction changed nothing. No other transaction may be committed before this one is.
func (r *Relational) Prepare(t *Transaction) ([]Change, *model.SQLError) {
	if t.over || t.waits() != nil {
		panic("downstream: commit of a transaction that is over or waits")
	}
	changes := t.changes()
	if len(changes) > 0 && !r.unverified && !r.stands(t) {
		err := failure(model.SQLSerialization, "could not serialize access due to read/write dependencies among transactions")
		r.Abort(t)
		return nil, err
	}
	return changes, nil
}

// Abort fails a transaction none of whose statements waits: it holds nothing any more and can only be rolled back.
func (r *Relational) Abort(t *Transaction) {
	t.failed = true
	r.release(t, 0)
	r.wake()
}

// Wrote says whether a commit of the transaction would change anything.
func (t *Transaction) Wrote() bool { return !t.over && len(t.changes()) > 0 }

// stands says whether what a serializable transaction has read is still so.
func (r *Relational) stands(t *Transaction) bool {
	return t.Level != model.Serializable || !slices.ContainsFunc(t.reads, func(rd reading) bool {
		if rd.k == nil {
			return rd.in.changed > t.snapshot
		}
		return slices.ContainsFunc(rd.k.index[rd.text], func(x *row) bool { return x.latest().commit > t.snapshot })
	})
}

// Commit ends a transaction that Prepare has let pass: others see what it did.
func (r *Relational) Commit(t *Transaction) {
	commit := int64(0)
	if len(t.changes()) > 0 {
		r.commits++
		commit = r.commits
		for _, x := range t.locked {
			r.installed(x.writes(), commit)
		}
	}
	r.end(t, commit)
}

// Rollback ends a transaction: nothing of it remains. A statement of it that waits ends with SQLQueryCanceled.
func (r *Relational) Rollback(t *Transaction) {
	if e := t.waits(); e != nil {
		r.Fail(e, failure(model.SQLQueryCanceled, "canceling statement due to user request"))
	}
	r.end(t, 0)
}

func (r *Relational) end(t *Transaction, commit int64) {
	r.open = slices.DeleteFunc(r.open, func(o *Transaction) bool { return o == t })
	r.release(t, commit)
	r.wake()
}

// release gives back what the transaction has locked.
func (r *Relational) release(t *Transaction, commit int64) {
	if t.over {
		return
	}
	t.over = true
	for _, made := range t.made {
		if made.maker = nil; commit == 0 {
			r.tables = slices.DeleteFunc(r.tables, func(x *table) bool { return x == made })
		}
	}
	for _, x := range t.locked {
		x.settle(commit)
	}
	horizon := r.horizon()
	r.old = slices.DeleteFunc(append(r.old, t.locked...), func(x *row) bool { return x.prune(horizon) })
}

// horizon is the oldest snapshot that somebody looks at.
func (r *Relational) horizon() int64 {
	oldest := r.commits
	for _, t := range r.open {
		if t.over {
			continue
		}
		if t.Level == model.Serializable && t.snapshot >= 0 {
			oldest = min(oldest, t.snapshot)
		}
		if e := t.waits(); e != nil {
			oldest = min(oldest, e.snapshot)
		}
	}
	return oldest
}

// wake takes up, in the order in which they began to wait, the statements whose wait is over. One that waits again goes to
// the end, and so do those that waited behind it for the same row: their order stays.
func (r *Relational) wake() {
	for {
		i := slices.IndexFunc(r.waiting, func(e *Execution) bool { return e.Waits.over })
		if i < 0 {
			return
		}
		e := r.waiting[i]
		r.waiting = slices.Delete(r.waiting, i, i+1)
		e.Waits = nil
		if r.run(e); e.Waits == nil {
			r.finished = append(r.finished, e)
		}
	}
}

// Finished takes the statements that had to wait and are over since it was asked last, in the order of their end.
func (r *Relational) Finished() []*Execution {
	out := r.finished
	r.finished = nil
	return out
}

// find is the table of a name as a transaction sees it; a maker is who is about to create it for all.
func (r *Relational) find(t *Transaction, name string) (found *table, maker *Transaction) {
	for _, x := range r.tables {
		if x.name == name && (x.maker == nil || x.maker == t) {
			return x, nil
		}
		if x.name == name {
			maker = x.maker
		}
	}
	return nil, maker
}

func failure(code, format string, args ...any) *model.SQLError {
	return &model.SQLError{Code: code, Message: fmt.Sprintf(format, args...)}
}
