// Package sqlmemory is the relational engine of the modelled database without a world around it, for CheckIdempotent and for
// tests of the driver. It imports model and the engine; the driver that speaks to it is internal/sqldoor, which it does not
// know: it has the methods of its Transport.
package sqlmemory

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/downstream"
)

// Database answers requests by a relational engine in this process: no network, no disk, no time. It waits for locks as the
// database in a world does, and refuses at once what would wait for ever.
type Database struct {
	mu      sync.Mutex // never held by who waits
	engine  *downstream.Relational
	open    map[string]*downstream.Transaction // by session; looked up only
	waiting []wait
}

// New makes one with these tables.
func New(tables []*model.SQLStatement) (*Database, error) {
	engine, err := downstream.NewRelational(tables)
	if err != nil {
		return nil, err
	}
	return &Database{engine: engine, open: map[string]*downstream.Transaction{}}, nil
}

// Open counts the transactions that are open.
func (m *Database) Open() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.open)
}

// wait is a statement that waits for another transaction.
type wait struct {
	e    *downstream.Execution
	over chan struct{}
}

// Do answers a request.
func (m *Database) Do(ctx context.Context, _ string, q model.SQLRequest) (model.SQLReply, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer m.wake()
	t := m.open[q.Session]
	switch {
	case q.Do == model.SQLBegin:
		m.open[q.Session] = m.begin(q)
		return model.SQLReply{}, nil
	case q.Session == "": // it commits by itself
		t = m.begin(q)
		reply, err := m.execute(ctx, t, q)
		if err == nil {
			err = m.commit(t)
		} else {
			m.engine.Rollback(t)
		}
		return reply, err
	case t == nil:
		return model.SQLReply{}, &model.SQLError{Code: model.SQLConnectionGone, Message: "the connection is closed"}
	case q.Do == model.SQLExecute:
		return m.execute(ctx, t, q)
	}
	delete(m.open, q.Session)
	if q.Do == model.SQLCommit {
		return model.SQLReply{}, m.commit(t)
	}
	m.engine.Rollback(t)
	return model.SQLReply{}, nil
}

func (m *Database) begin(q model.SQLRequest) *downstream.Transaction {
	return m.engine.Begin(q.Level, q.ReadOnly, time.Now().UnixNano())
}

// execute runs a statement and waits, if need be, until others have ended that stand in its way.
func (m *Database) execute(ctx context.Context, t *downstream.Transaction, q model.SQLRequest) (model.SQLReply, error) {
	e := m.engine.Execute(t, q.Statement, q.Args)
	if e.Waits != nil {
		w := wait{e, make(chan struct{})}
		m.waiting = append(m.waiting, w)
		m.wake()
		m.mu.Unlock()
		select {
		case <-w.over:
		case <-ctx.Done():
		}
		m.mu.Lock()
	}
	switch {
	case e.Waits != nil:
		m.engine.Fail(e, &model.SQLError{Code: model.SQLQueryCanceled, Message: "canceling statement due to user request"})
		return model.SQLReply{}, ctx.Err()
	case e.Err != nil:
		return model.SQLReply{}, e.Err
	}
	return *e.Reply, nil
}

func (m *Database) commit(t *downstream.Transaction) error {
	if t.Failed() {
		m.engine.Rollback(t)
		return &model.SQLError{Code: model.SQLFailedTransaction, Message: "the transaction had failed: commit has rolled it back"}
	}
	if _, err := m.engine.Prepare(t); err != nil {
		m.engine.Rollback(t)
		return err
	}
	m.engine.Commit(t)
	return nil
}

// wake has those go on whose wait is over, and ends waits in a circle.
func (m *Database) wake() {
	m.engine.Finished() // those that waited are told by their own channel
	for _, w := range m.waiting {
		if w.e.Waits != nil && m.engine.Deadlocked(w.e) {
			m.engine.Fail(w.e, &model.SQLError{Code: model.SQLDeadlock, Message: "deadlock detected"})
		}
	}
	m.waiting = slices.DeleteFunc(m.waiting, func(w wait) bool {
		over := w.e.Waits == nil
		if over {
			close(w.over)
		}
		return over
	})
}

// Tell is the end of a connection whose transaction may be open, or of the patience of a caller, whom Do tells as well.
func (m *Database) Tell(_ string, q model.SQLRequest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.open[q.Session]; t != nil && q.Do == model.SQLClose {
		delete(m.open, q.Session)
		m.engine.Rollback(t)
		m.wake()
	}
}
