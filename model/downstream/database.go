package downstream

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// database is a transactional database on one node. Commits are checked, written and flushed one after the other, so
// a check never meets a commit whose fate is open; reads see only what is durable. A commit is one record: it is there
// as a whole or not at all. A commit whose reply is lost is indeterminate to its caller, as with any database.
//
// An op that a stage names is a transaction of one statement: a read stage selects the row of the business key, an
// effect stage inserts a row for event and stage. That row has no unique constraint, so a repetition is applied again.
//
// It also has tables and speaks SQL, see sqlServer: the rows of the one are not those of the other, but all commits go
// through the same queue to the same disk.
//
// Every error is definite: ErrSerialize (somebody committed first), ErrUnique (the row exists), ErrFenced (a statement
// of an earlier owner than one it has seen, where the database fences).
type database struct {
	service
	rows    map[string]model.Row
	commits int64
	queue   []func() // commits that wait for their turn
	busy    bool
	sql     sqlServer
}

func newDatabase(cfg Config) func(*sim.Node) sim.Handler {
	return func(n *sim.Node) sim.Handler {
		s := &database{rows: map[string]model.Row{}, sql: newSQLServer(&cfg)}
		s.boot(cfg, n, s.load, s.execute)
		return s
	}
}

// load is one record at a boot.
func (s *database) load(rec *record) {
	if rec.changes != nil {
		s.sql.engine.Load(rec.changes)
		return
	}
	s.committed(rec)
}

// committed makes the rows of a durable commit visible.
func (s *database) committed(rec *record) {
	s.commits++
	for _, w := range rec.writes {
		s.rows[w.Key] = model.Row{Key: w.Key, Value: w.Value, Version: s.commits}
	}
}

func (s *database) execute(r *sim.Request, wait sim.Duration) {
	switch b := r.Body.(type) {
	case model.TxnRequest:
		s.work(r, wait, func() { s.transaction(r, &b) })
		return
	case model.SQLRequest:
		s.connection(r, &b, wait)
		return
	}
	m := r.Body.(model.Message)
	if s.fenced(&m) {
		r.Fail(model.ErrFenced, 0)
		return
	}
	s.work(r, wait, func() { s.statement(r, &m) })
}

// statement is a transaction of one statement.
func (s *database) statement(r *sim.Request, m *model.Message) {
	if _, kind, _ := s.stage(r); kind != model.Effect {
		r.Reply(answer(m, s.rows[m.Key].Value), 0)
		return
	}
	s.turn(r, func() {
		if s.fenced(m) {
			r.Fail(model.ErrFenced, 0)
			return
		}
		rec := s.effect(r, m)
		rec.writes = []model.Write{{Key: m.Event + "/" + m.Stage, Value: m.Payload}}
		rec.done = s.told(r, &model.TxnRequest{Writes: rec.writes})
		s.commit(r, &rec, answer(m, rec.result))
	})
}

// transaction is one round of a general transaction.
func (s *database) transaction(r *sim.Request, t *model.TxnRequest) {
	if len(t.Writes) == 0 {
		if err := s.check(t); err != nil {
			r.Fail(err, 0)
			return
		}
		done := s.told(r, t)
		s.transacted(&done)
		r.Reply(s.read(t), 0)
		return
	}
	s.turn(r, func() {
		if err := s.check(t); err != nil {
			r.Fail(err, 0)
			return
		}
		rec := s.effect(r, &model.Message{Intent: model.Intent{Event: r.Action.Event, Stage: r.Action.Stage}})
		_, kind, _ := s.stage(r)
		rec.effect, rec.hash = kind == model.Effect, 0
		for _, w := range t.Writes {
			rec.hash = rng.Combine(rng.Combine(rec.hash, rng.Hash(w.Key)), rng.Hash(w.Value))
		}
		rec.writes = append([]model.Write(nil), t.Writes...) // the record's own
		rec.done = s.told(r, t)
		reply := s.read(t)
		reply.Version = s.commits + 1 // no other commit comes before this one
		s.commit(r, &rec, reply)
	})
}

// check is the commit's condition: first committer wins, and no row is inserted twice.
func (s *database) check(t *model.TxnRequest) error {
	if t.Level == model.Serializable && !s.cfg.Planted.Has(model.ReadsNotValidated) {
		for _, v := range t.Versions {
			if s.rows[v.Key].Version != v.Version {
				return model.ErrSerialize
			}
		}
	}
	for i, w := range t.Writes {
		if !w.Insert {
			continue
		}
		if s.rows[w.Key].Version != 0 {
			return model.ErrUnique
		}
		for _, earlier := range t.Writes[:i] {
			if earlier.Key == w.Key {
				return model.ErrUnique
			}
		}
	}
	return nil
}

// read is what the transaction's reads see: the rows before its own writes.
func (s *database) read(t *model.TxnRequest) model.TxnReply {
	rows := make([]model.Row, len(t.Reads))
	for i, key := range t.Reads {
		rows[i] = s.rows[key]
		rows[i].Key = key
	}
	return model.TxnReply{Rows: rows}
}

// turn runs fn when no commit is under way, in order of asking.
func (s *database) turn(r *sim.Request, fn func()) {
	s.queue = append(s.queue, func() {
		if r.Alive() {
			fn()
		}
	})
	s.advance()
}

func (s *database) advance() {
	for !s.busy && len(s.queue) > 0 {
		fn := s.queue[0]
		s.queue = s.queue[1:]
		fn()
	}
}

// commit writes one record; its rows are visible, and the reply goes out, when it is durable.
func (s *database) commit(r *sim.Request, rec *record, reply any) {
	s.busy = true
	s.apply(r, rec, func(fact int64) {
		s.committed(rec)
		s.busy = false
		r.Reply(reply, fact)
		s.advance()
	})
}
