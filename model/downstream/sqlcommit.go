package downstream

import (
	"slices"
	"strconv"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// start runs a statement after its service time.
func (s *database) start(st *sqlStatement) {
	if st.cancelled {
		s.sql.engine.Abort(st.t)
		s.ended(st, cancelled())
		s.sweep()
		return
	}
	if st.c != nil && !st.t.Failed() {
		st.c.asked = append(st.c.asked, ask(st))
	}
	st.e = s.sql.engine.Execute(st.t, st.q.Statement, st.q.Args)
	if st.e.Waits == nil {
		s.ended(st, st.e.Err)
	}
	s.sweep()
}

func cancelled() *model.SQLError {
	return failure(model.SQLQueryCanceled, "canceling statement due to user request")
}

func ask(st *sqlStatement) asked {
	a := asked{action: st.r.Action, op: st.q.Op(), fact: st.r.Fact, hash: rng.Hash(st.q.Op())}
	for _, v := range st.q.Args {
		a.hash = rng.Combine(rng.Combine(a.hash, rng.Hash(v.Text)), uint64(v.Int))
	}
	return a
}

// sweep answers the statements whose wait has come to an end, and gives each wait that began its look for a deadlock.
func (s *database) sweep() {
	for done := s.sql.engine.Finished(); len(done) > 0; done = s.sql.engine.Finished() {
		for _, e := range done {
			i := slices.IndexFunc(s.sql.running, func(st *sqlStatement) bool { return st.e == e })
			s.ended(s.sql.running[i], e.Err)
		}
	}
	for _, st := range s.sql.running {
		if st.e == nil || st.e.Waits == st.waits {
			continue
		}
		s.n.Cancel(st.patience)
		if st.waits = st.e.Waits; st.waits != nil {
			st.patience = s.n.After(deadlockTimeout, func() { s.suspect(st) })
		}
	}
}

// suspect looks for a deadlock; whoever looks while there is one ends it.
func (s *database) suspect(st *sqlStatement) {
	if s.sql.engine.Deadlocked(st.e) {
		s.stop(st, failure(model.SQLDeadlock, "deadlock detected"))
	}
}

// stop ends a statement that waits.
func (s *database) stop(st *sqlStatement, err *model.SQLError) {
	s.sql.engine.Fail(st.e, err)
	s.ended(st, err)
	s.sweep()
}

// cancel is what a driver asks on another connection. It is answered whether or not it met anything.
func (s *database) cancel(r *sim.Request, q *model.SQLRequest) {
	for _, st := range s.sql.running {
		if st.r.From != r.From || st.r.CallerIncarnation() != r.CallerIncarnation() || q.Session != st.q.Session || q.Session == "" && (q.Connection == "" || q.Connection != st.q.Connection) {
			continue
		}
		switch {
		case st.e == nil:
			st.cancelled = true
		case st.e.Waits != nil:
			s.stop(st, cancelled())
		}
		break
	}
	r.Reply(model.SQLReply{}, 0)
}

// ended answers a statement; one that commits by itself does so first.
func (s *database) ended(st *sqlStatement, err *model.SQLError) {
	switch {
	case st.c != nil && err != nil:
		s.fails(st, err, 0)
	case st.c != nil:
		s.answer(st, *st.e.Reply, 0)
	case err != nil:
		fact := s.recognised(st.t, []asked{ask(st)})
		s.sql.engine.Rollback(st.t)
		s.fails(st, err, fact)
	default:
		s.commitSQL(st, st.t, []asked{ask(st)}, *st.e.Reply)
	}
}

// commitSQL ends a transaction that has not failed. One that changes nothing needs neither turn nor disk.
func (s *database) commitSQL(st *sqlStatement, t *Transaction, by []asked, reply model.SQLReply) {
	if !t.Wrote() {
		fact := s.recognised(t, by)
		done := s.toldSQL(st, t)
		s.transacted(&done)
		s.committedSQL(st, t)
		s.answer(st, reply, fact)
		s.sweep()
		return
	}
	s.turn(st.r, func() {
		changes, err := s.sql.engine.Prepare(t)
		if err != nil {
			s.committedSQL(st, t)
			s.fails(st, err, 0)
			s.sweep()
			return
		}
		rec := record{changes: changes, parts: s.effects(st.r, t, by), wall: s.n.Wall(), done: s.toldSQL(st, t)}
		s.busy = true
		s.apply(st.r, &rec, func(fact int64) {
			s.committedSQL(st, t)
			s.busy = false
			s.answer(st, reply, fact)
			s.sweep()
			s.advance()
		})
	})
}

// committedSQL ends the transaction in the engine, which rolls back one that Prepare has refused.
func (s *database) committedSQL(st *sqlStatement, t *Transaction) {
	if t.Failed() {
		s.sql.engine.Rollback(t)
	} else {
		s.sql.engine.Commit(t)
	}
	if st.c != nil {
		st.c.t, st.c.asked = nil, nil
	}
}

// effects are the applications that a commit states: one for each event and stage.
func (s *database) effects(r *sim.Request, t *Transaction, by []asked) []record {
	var parts []record
	for _, at := range s.stagesOf(t, by, (*Execution).Changed) {
		cause := r.Fact
		if cause == 0 {
			cause = at.asked.fact
		}
		parts = append(parts, record{effect: true, event: at.asked.action.Event, stage: at.Name, op: at.asked.op, class: at.Class, hash: at.asked.hash,
			result:  s.cfg.Service + "/" + strconv.Itoa(len(s.n.Disk().Read(file))+1),
			attempt: at.asked.action.Attempt, cause: cause, wall: s.n.Wall()})
	}
	return parts
}

// recognised states that a transaction which changes nothing was told that somebody had done this before; it returns the
// last such fact, 0 = none.
func (s *database) recognised(t *Transaction, by []asked) (fact int64) {
	if t.Wrote() {
		return 0
	}
	for _, at := range s.stagesOf(t, by, func(e *Execution) bool { return e.Recognised }) {
		fact = s.n.Record(history.Fact{Kind: history.KindSuppressed, Event: at.asked.action.Event, Stage: at.Name, Resource: s.cfg.Service, Op: at.asked.op,
			Cause: at.asked.fact, Attempt: at.asked.action.Attempt, Note: "unique key", Fence: -1, Offset: -1})
	}
	return fact
}

// taken is a stage that a transaction is taken for, with the first of its statements that speaks for it.
type taken struct {
	SQLStage
	asked asked
}

// stagesOf says what stages of which events the statements speak for that the filter lets pass. What belongs to no event
// speaks for none.
func (s *database) stagesOf(t *Transaction, by []asked, filter func(*Execution) bool) []taken {
	var out []taken
	add := func(st SQLStage, a asked) {
		if a.action.Event == "" {
			return
		}
		for i := range out {
			if o := &out[i]; o.Name == st.Name && o.asked.action.Event == a.action.Event {
				o.asked.hash = rng.Combine(o.asked.hash, a.hash)
				return
			}
		}
		out = append(out, taken{st, a})
	}
	for i, e := range t.Executions {
		if j := slices.IndexFunc(s.cfg.SQLStages, func(st SQLStage) bool { return st.Op == by[i].op }); j >= 0 && filter(e) {
			add(s.cfg.SQLStages[j], by[i])
		}
	}
	if len(out) > 0 {
		return out
	}
	for i, e := range t.Executions {
		if filter(e) {
			add(s.otherStage(by[i].action.Stage), by[i])
		}
	}
	return out
}

// otherStage is what a transaction is taken for whose ops no stage names.
func (s *database) otherStage(name string) SQLStage {
	for _, st := range s.cfg.SQLStages {
		if st.Name == name {
			return st
		}
	}
	if len(s.cfg.SQLStages) > 0 {
		return s.cfg.SQLStages[0]
	}
	return SQLStage{Name: name}
}
