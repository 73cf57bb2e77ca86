package twiceless

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/internal/sqldoor"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// openSQL is a pool of connections to a database of the world. It is closed with its process.
func (m *member) openSQL(database string) *sql.DB {
	m.gu.lock.Lock()
	defer m.gu.lock.Unlock()
	m.pools++
	db := sqldoor.Open(&sqlTransport{m: m, database: database, pool: strconv.Itoa(m.pools)}, sqldoor.Options{Errors: m.gu.h.brought.sqlErrors, Parsed: &m.gu.h.brought.parsed})
	m.closers = append(m.closers, func() {
		if n := db.Stats().WaitCount; n > 0 {
			m.gu.h.remark("goroutines have waited for a connection of a full pool; database/sql hands connections to several that wait by chance, so such runs need not repeat: raise SetMaxOpenConns in the test")
		}
		_ = db.Close()
	})
	return db
}

// sqlTransport carries the requests of one pool's connections.
type sqlTransport struct {
	m        *member
	database string
	pool     string
}

type sqlAsk struct {
	database   string
	pool, conn string // as the driver names them
	req        model.SQLRequest
}

// Do asks the database and waits.
func (t *sqlTransport) Do(ctx context.Context, session string, req model.SQLRequest) (model.SQLReply, error) {
	q := t.ask(session, req)
	v, err := t.m.group.AskUntil(ctx, q.text(), q)
	if err != nil {
		return model.SQLReply{}, t.failed(err)
	}
	return v.(model.SQLReply), nil
}

// Tell sends what nobody waits for.
func (t *sqlTransport) Tell(session string, req model.SQLRequest) {
	q := t.ask(session, req)
	t.m.group.Tell(q.text(), q)
}

func (t *sqlTransport) ask(session string, req model.SQLRequest) *sqlAsk {
	return &sqlAsk{database: t.database, pool: t.pool, conn: session, req: req}
}

// connection is the name by which the database knows a connection. The driver numbers connections as they are opened, and
// which of two goroutines opens first at one instant is chance; so they are numbered by their first requests.
func (m *member) connection(q *sqlAsk) string {
	name := q.pool + "." + q.conn
	number, known := m.conns[name]
	if !known {
		number = "c" + strconv.Itoa(len(m.conns)+1)
		m.conns[name] = number
	}
	return number
}

// connected says whether the database has heard of a connection.
func (m *member) connected(q *sqlAsk) bool { return m.conns[q.pool+"."+q.conn] != "" }

// failed is the error of a request that the database has not answered, or not answered as a database.
func (t *sqlTransport) failed(err error) error {
	switch {
	case errors.Is(err, sim.ErrRefused), errors.Is(err, model.ErrUnavailable):
		return fmt.Errorf("%w: %w", sqldoor.ErrNotSent, networkError(t.database, sim.ErrRefused))
	case errors.Is(err, model.ErrOverloaded):
		return &model.SQLError{Code: tooManyConnections, Message: "sorry, too many clients already"}
	}
	return networkError(t.database, err)
}

// tooManyConnections is the SQLSTATE of a database that takes no more work.
const tooManyConnections = "53300"

// text names the request: its op and the arguments.
func (q *sqlAsk) text() string {
	var b strings.Builder
	b.WriteString(q.database + "." + q.req.Op())
	for _, v := range q.req.Args {
		b.WriteByte(' ')
		switch v.Kind {
		case model.SQLText, model.SQLBytes:
			b.WriteString(v.Text)
		default:
			b.WriteString(strconv.FormatInt(v.Int, 10))
		}
	}
	return b.String()
}

func (q *sqlAsk) do(c model.Ctx, gu *guest, d *delivery) (any, error) {
	name := gu.members[c.Process().Node()].connection(q)
	if q.req.Session != "" {
		q.req.Session = name
	}
	q.req.Connection = name
	op := q.req.Op()
	if st, _ := gu.stageOf(q.database, op, q.changes()); st != nil {
		i := c.Intent()
		i.Stage = st.Name
		c = c.With(i)
	}
	cause := int64(0)
	if d != nil {
		cause = d.cause
	}
	q.req.Cause = cause
	reply, _, err := c.Ask(q.database, op, q.req, cause)
	if err != nil {
		return nil, err
	}
	return reply, nil
}

// inTransaction is the message that a request belongs to, given the one that it tells of by itself; nil = it tells of none. A
// commit has no words of its own: it belongs to what the statements before it did, unless they were of several.
func (m *member) inTransaction(q *sqlAsk, d *delivery) *delivery {
	conn := q.pool + "." + q.conn
	before := m.txs[conn]
	switch {
	case q.req.Session == "":
	case q.req.Do == model.SQLBegin, before == nil:
		m.txs[conn] = d
	case d != nil && d.intent.Event != before.intent.Event:
		m.txs[conn] = &delivery{}
	case d == nil && before.intent.Event != "":
		return before
	}
	return d
}

// changes says whether the request may change rows: a commit does what its statements have asked for.
func (q *sqlAsk) changes() bool {
	if q.req.Do == model.SQLExecute {
		return q.req.Statement.Does != model.SQLSelect
	}
	return q.req.Do == model.SQLCommit
}
