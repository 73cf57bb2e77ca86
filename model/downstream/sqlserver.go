package downstream

import (
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// What Postgres and Linux do unless they are told otherwise. A server looks for a deadlock once in each wait, when it has
// lasted for deadlockTimeout. The machine asks after a silent peer when a connection was idle for keepaliveIdle, and gives
// it up after keepaliveProbes without an answer.
const (
	deadlockTimeout   = sim.Second
	keepaliveIdle     = 2 * sim.Hour
	keepaliveInterval = 75 * sim.Second
	keepaliveProbes   = 9
)

// sqlServer is the part of a database that speaks SQL: the connections to a Relational, after Postgres.
//
// A session is there as long as it has an open transaction. It is idle in transaction, or one request of it is in work or
// waits for a lock; what arrives meanwhile waits in the socket, and is read when that is over.
//
//	the caller's process ends      its machine closes the connection: an idle session is rolled back at once, a busy one
//	                               when its request is over. So a statement that waited for a lock still runs, and if it
//	                               commits by itself it is committed: the server looks at the socket only between
//	                               requests (client_connection_check_interval is 0)
//	the caller falls silent        power loss, partition: the transaction and its locks stay until keepalive gives up,
//	                               after 2 h 11 min, or IdleInTransaction ends the session
//	the database stops             open transactions are gone; what was committed is on the disk
//
// Serials, as sequences, are not taken back by a rollback. After a stop they go on from the last that was committed.
type sqlServer struct {
	engine   *Relational
	sessions []*sqlSession   // in order of their begin
	running  []*sqlStatement // in work or waiting, in order of arrival
}

// sqlSession is one connection with an open transaction, or whose end its client has not heard of yet.
type sqlSession struct {
	peer  string
	inc   int32
	name  string
	t     *Transaction // nil = none, yet or any more
	asked []asked      // parallel to the executions of t
	inbox []inbound
	busy  bool
	gone  bool            // the connection is closed: nobody reads an answer
	ended *model.SQLError // the server has ended the session, and says so to what comes next
	idle  [2]sim.Handle   // timers of a session that is idle in transaction
}

// inbound is a request in the socket. It may start at a time of the monotonic clock, which the capacity says.
type inbound struct {
	r     *sim.Request
	q     *model.SQLRequest
	start sim.Time
}

// asked is for what and why a statement came.
type asked struct {
	action sim.Action
	op     string
	fact   int64
	hash   uint64
}

// sqlStatement is a statement in work or waiting.
type sqlStatement struct {
	r         *sim.Request
	q         *model.SQLRequest
	c         *sqlSession // nil = it commits by itself
	t         *Transaction
	e         *Execution // nil = in work
	cancelled bool       // while it was in work
	waits     *Transaction
	patience  sim.Handle
}

// connected says whether a request belongs to a transaction. It has passed the door already: an overloaded server turns
// away who is new, and has its clients wait.
func connected(r *sim.Request) bool {
	q, ok := r.Body.(model.SQLRequest)
	return ok && q.Session != "" && q.Do != model.SQLBegin
}

// closes says whether a connection is being closed, which nobody can refuse.
func closes(r *sim.Request) bool {
	q, ok := r.Body.(model.SQLRequest)
	return ok && q.Do == model.SQLClose
}

func newSQLServer(cfg *Config) sqlServer {
	engine, err := NewRelational(cfg.Schema)
	if err != nil {
		panic("downstream: schema of " + cfg.Service + ": " + err.Error())
	}
	engine.unverified = cfg.Planted.Has(model.ReadsNotValidated)
	return sqlServer{engine: engine}
}

// connection is the socket: a statement without a session is a connection of its own.
func (s *database) connection(r *sim.Request, q *model.SQLRequest, wait sim.Duration) {
	if q.Do == model.SQLCancel {
		s.cancel(r, q)
		return
	}
	if q.Session == "" {
		if q.Do != model.SQLExecute {
			r.Fail(failure(model.SQLNoTransaction, "there is no transaction in progress"), 0)
			return
		}
		st := &sqlStatement{r: r, q: q}
		s.sql.running = append(s.sql.running, st)
		s.work(r, wait, func() {
			st.t = s.sql.engine.Begin(model.ReadCommitted, false, int64(s.n.Wall()))
			s.start(st)
		})
		return
	}
	c := s.session(r, q.Session)
	switch {
	case c != nil:
	case q.Do == model.SQLBegin:
		r.KeepOpen()
		c = &sqlSession{peer: r.From, inc: r.CallerIncarnation(), name: q.Session}
		s.sql.sessions = append(s.sql.sessions, c)
	case q.Do == model.SQLClose:
		r.Reply(model.SQLReply{}, 0)
		return
	default:
		r.Fail(failure(model.SQLConnectionGone, "server closed the connection unexpectedly"), 0)
		return
	}
	c.inbox = append(c.inbox, inbound{r, q, s.n.Now().Add(wait)})
	if !c.busy {
		s.next(c)
	}
}

func (s *database) session(r *sim.Request, name string) *sqlSession {
	i := slices.IndexFunc(s.sql.sessions, func(c *sqlSession) bool {
		return c.peer == r.From && c.inc == r.CallerIncarnation() && c.name == name
	})
	if i < 0 {
		return nil
	}
	return s.sql.sessions[i]
}

// next takes up what a session does when its last request is over.
func (s *database) next(c *sqlSession) {
	c.busy = false
	s.n.Cancel(c.idle[0])
	s.n.Cancel(c.idle[1])
	switch {
	case c.gone:
		s.drop(c)
	case len(c.inbox) > 0:
		in := c.inbox[0]
		c.inbox = c.inbox[1:]
		c.busy = true
		st := &sqlStatement{r: in.r, q: in.q, c: c}
		if in.q.Do == model.SQLExecute {
			s.sql.running = append(s.sql.running, st)
		}
		s.work(in.r, max(0, in.start.Sub(s.n.Now())), func() { s.serve(st) })
	case c.t != nil:
		s.idle(c)
	case c.ended == nil:
		s.drop(c)
	}
}

// drop forgets a session; what it left open is rolled back.
func (s *database) drop(c *sqlSession) {
	s.sql.sessions = slices.DeleteFunc(s.sql.sessions, func(o *sqlSession) bool { return o == c })
	s.n.Cancel(c.idle[0])
	s.n.Cancel(c.idle[1])
	s.rollback(c)
}

// rollback ends the transaction of a session, if it has one, and says of a repetition that it was recognised.
func (s *database) rollback(c *sqlSession) (fact int64) {
	if t := c.t; t != nil {
		fact = s.recognised(t, c.asked)
		c.t, c.asked = nil, nil
		s.sql.engine.Rollback(t)
		s.sweep()
	}
	return fact
}

// serve is a request of a session after its service time.
func (s *database) serve(st *sqlStatement) {
	c, r := st.c, st.r
	switch {
	case c.ended != nil:
		err := c.ended
		c.ended = nil
		s.fails(st, err, 0)
	case st.q.Do == model.SQLBegin && c.t != nil:
		s.fails(st, failure(model.SQLActiveTransaction, "there is already a transaction in progress"), 0)
	case st.q.Do == model.SQLBegin:
		c.t = s.sql.engine.Begin(st.q.Level, st.q.ReadOnly, int64(s.n.Wall()))
		s.answer(st, model.SQLReply{}, 0)
	case st.q.Do == model.SQLClose:
		c.gone = true
		r.Reply(model.SQLReply{}, 0)
		s.next(c)
	case c.t == nil:
		s.fails(st, failure(model.SQLNoTransaction, "there is no transaction in progress"), 0)
	case st.q.Do == model.SQLExecute:
		st.t = c.t
		s.start(st)
	case st.q.Do == model.SQLRollback:
		s.answer(st, model.SQLReply{}, s.rollback(c))
	case c.t.Failed():
		fact := s.rollback(c)
		s.fails(st, failure(model.SQLFailedTransaction, "the transaction had failed: commit has rolled it back"), fact)
	default:
		s.commitSQL(st, c.t, c.asked, model.SQLReply{})
	}
}

// answer and fails end a request; its session goes on with what came next.
func (s *database) answer(st *sqlStatement, reply model.SQLReply, fact int64) {
	st.r.Reply(reply, fact)
	s.over(st)
}

func (s *database) fails(st *sqlStatement, err *model.SQLError, fact int64) {
	st.r.Fail(err, fact)
	s.over(st)
}

func (s *database) over(st *sqlStatement) {
	s.sql.running = slices.DeleteFunc(s.sql.running, func(o *sqlStatement) bool { return o == st })
	s.n.Cancel(st.patience)
	if st.c != nil {
		s.next(st.c)
	}
}

// Closed is the notice that a caller's process is no more.
func (s *database) Closed(peer string, incarnation int32) {
	for _, c := range slices.Clone(s.sql.sessions) {
		if c.peer == peer && c.inc == incarnation {
			c.gone = true
			if !c.busy {
				s.next(c)
			}
		}
	}
}

// idle arms what ends a session that is idle in transaction.
func (s *database) idle(c *sqlSession) {
	if d := s.cfg.IdleInTransaction; d > 0 {
		c.idle[0] = s.n.After(d, func() {
			c.ended = failure(model.SQLIdleTransaction, "terminating connection due to idle-in-transaction timeout")
			s.n.Cancel(c.idle[1])
			s.rollback(c)
		})
	}
	s.keepalive(c, keepaliveIdle, keepaliveProbes)
}

// keepalive asks after the peer of an idle session; probes is how many silent ones are left until it is given up.
func (s *database) keepalive(c *sqlSession, in sim.Duration, probes int) {
	c.idle[1] = s.n.AfterBackground(in, func() {
		answer := s.n.Probe(c.peer, c.inc)
		switch {
		case answer == sim.PeerAlive:
			s.keepalive(c, keepaliveIdle, keepaliveProbes)
		case answer == sim.PeerGone || probes == 0:
			s.drop(c)
		default:
			s.keepalive(c, keepaliveInterval, probes-1)
		}
	})
}
