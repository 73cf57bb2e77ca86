package sqldoor

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/twiceless/twiceless/model"
)

// A conn is one session. database/sql lets one goroutine use it at a time.
type conn struct {
	*connector
	name string

	inTx   bool // the database may hold a transaction of this session
	used   bool // the database has answered: the connection was open
	broken bool // it must not be used again
}

var _ interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
	driver.NamedValueChecker
} = (*conn)(nil)

// request names the session in a transaction only: any other statement commits by itself.
func (c *conn) request(do model.SQLVerb) model.SQLRequest {
	r := model.SQLRequest{Connection: c.name, Do: do}
	if c.inTx || do == model.SQLBegin {
		r.Session = c.name
	}
	return r
}

// do sends a request. On a broken connection and under a context that has ended it sends nothing.
func (c *conn) do(ctx context.Context, req model.SQLRequest) (model.SQLReply, error) {
	if c.broken {
		return model.SQLReply{}, driver.ErrBadConn
	}
	if err := ctx.Err(); err != nil {
		return model.SQLReply{}, err
	}
	reply, err := c.transport.Do(ctx, c.name, req)
	if err != nil {
		return model.SQLReply{}, c.failed(ctx, err)
	}
	c.used = true
	return reply, nil
}

// run does one command of a text.
func (c *conn) run(ctx context.Context, cmd command, args []model.SQLValue) (model.SQLReply, error) {
	switch cmd.do {
	case model.SQLBegin:
		return model.SQLReply{}, c.begin(ctx, cmd.level, cmd.readOnly)
	case model.SQLCommit, model.SQLRollback:
		return model.SQLReply{}, c.finish(ctx, cmd.do)
	}
	req := c.request(model.SQLExecute)
	req.Statement, req.Args = cmd.statement, args
	return c.do(ctx, req)
}

func (c *conn) begin(ctx context.Context, level model.Isolation, readOnly bool) error {
	if c.inTx {
		return c.opts.error(&Error{Code: model.SQLActiveTransaction, Message: "there is already a transaction in progress"})
	}
	req := c.request(model.SQLBegin)
	req.Level, req.ReadOnly = level, readOnly
	c.inTx = true
	_, err := c.do(ctx, req)
	if err != nil && (!c.broken || errors.Is(err, ErrNotSent)) {
		c.inTx = false
	}
	return err
}

// finish ends the transaction. An answer of the database, an error too, has ended it; without one it may be open still, until
// the session is closed. Under a context that has ended nothing is sent, and the connection is broken, so that it is closed and
// the database rolls back: pgx does so, too.
func (c *conn) finish(ctx context.Context, do model.SQLVerb) error {
	if !c.inTx {
		return c.opts.error(&Error{Code: model.SQLNoTransaction, Message: "there is no transaction in progress"})
	}
	if err := ctx.Err(); err != nil {
		c.broken = true
		return err
	}
	_, err := c.do(ctx, c.request(do))
	if !c.broken {
		c.inTx = false
	}
	return err
}

// execute does all commands of a text, and returns the answer to the last one.
func (c *conn) execute(ctx context.Context, all []command, args []driver.NamedValue) (model.SQLReply, error) {
	values, err := c.arguments(all, args)
	if err != nil {
		return model.SQLReply{}, err
	}
	var reply model.SQLReply
	for _, cmd := range all {
		if reply, err = c.run(ctx, cmd, values); err != nil {
			return model.SQLReply{}, err
		}
	}
	return reply, nil
}

// arguments converts what was given for the placeholders.
func (c *conn) arguments(all []command, args []driver.NamedValue) ([]model.SQLValue, error) {
	want := 0
	for _, cmd := range all {
		if cmd.statement != nil {
			want = max(want, cmd.statement.Params)
		}
	}
	if len(args) != want {
		return nil, c.opts.error(&Error{Code: "08P01", Message: fmt.Sprintf("%d arguments for a statement with %d placeholders", len(args), want)})
	}
	var values []model.SQLValue
	for _, a := range args {
		v, err := toSQL(a.Value)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", a.Ordinal, err)
		}
		values = append(values, v)
	}
	return values, nil
}

// parse reads what one call brings: one command, or the tables of a schema, which a team creates in one call.
func (c *conn) parse(text string) ([]command, error) {
	all, notes, err := c.opts.Parsed.parse(text)
	if err != nil {
		return nil, err
	}
	for _, cmd := range all {
		if len(all) > 1 && (cmd.statement == nil || cmd.statement.Does != model.SQLCreateTable) {
			return nil, syntaxError(text, cmd.from, text[cmd.from:cmd.to], "one statement in a call, or several CREATE TABLE,")
		}
	}
	if c.opts.Note != nil {
		for _, n := range notes {
			c.opts.Note(n)
		}
	}
	return all, nil
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	all, err := c.parse(query)
	if err != nil {
		return nil, err
	}
	return result(c.execute(ctx, all, args))
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	all, err := c.parse(query)
	if err != nil {
		return nil, err
	}
	return newRows(c.execute(ctx, all, args))
}

// result has no LastInsertId, as in the Postgres drivers: RETURNING tells what was given.
func result(reply model.SQLReply, err error) (driver.Result, error) {
	if err != nil {
		return nil, err
	}
	return driver.RowsAffected(reply.Affected), nil
}

// Ping asks the database for a 1.
func (c *conn) Ping(ctx context.Context) error {
	req := c.request(model.SQLExecute)
	req.Statement = &model.SQLStatement{Does: model.SQLSelect, Items: []model.SQLItem{{Expr: literal(model.SQLValue{Kind: model.SQLInteger, Int: 1})}}}
	_, err := c.do(ctx, req)
	return err
}

// BeginTx begins a transaction. What is weaker than read committed is read committed, as in Postgres. Repeatable read and
// snapshot are refused: serializable in their place would hide the write skew that they allow.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	level := model.ReadCommitted
	switch l := sql.IsolationLevel(opts.Isolation); l {
	case sql.LevelDefault, sql.LevelReadUncommitted, sql.LevelReadCommitted:
	case sql.LevelSerializable:
		level = model.Serializable
	default:
		return nil, c.opts.error(&Error{Code: model.SQLFeatureNotSupported, Message: fmt.Sprintf("isolation level %s: the modelled database knows Read Committed and Serializable", l)})
	}
	if err := c.begin(ctx, level, opts.ReadOnly); err != nil {
		return nil, err
	}
	return &tx{ctx: ctx, conn: c}, nil
}

// A tx speaks under the context that it was begun with, as that of pgx does: Commit and Rollback are given none.
type tx struct {
	ctx  context.Context
	conn *conn
}

func (t *tx) Commit() error { return t.conn.finish(t.ctx, model.SQLCommit) }

// Rollback is called by database/sql in a goroutine of its own when the context of a transaction ends.
func (t *tx) Rollback() error { return t.conn.finish(t.ctx, model.SQLRollback) }

// IsValid says whether the pool may keep the connection.
func (c *conn) IsValid() bool { return !c.broken }

// ResetSession is called before the pool gives out a connection again.
func (c *conn) ResetSession(context.Context) error {
	if c.broken {
		return driver.ErrBadConn
	}
	return nil
}

// Close tells the database of it where that makes a difference.
func (c *conn) Close() error {
	c.broken = true
	if c.inTx {
		c.transport.Tell(c.name, c.request(model.SQLClose))
		c.inTx = false
	}
	return nil
}

// Prepare and Begin are there for database/sql, which calls the ones with a context instead.
func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

func (c *conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}
