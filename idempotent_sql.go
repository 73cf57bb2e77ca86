package twiceless

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
)

// DB is a pool of connections to a database of the world, over any driver; [MemorySQL] is one that needs no server. Each
// statement is a cut and so is a commit; beginning and rolling back are not, for dying there leaves what dying at the next
// statement does. When the process dies its connections are closed, and with them end the transactions open in them.
//
// A database that makes one connection wait for another has to do so in a way that testing/synctest sees (a channel, a
// sync.Cond) or give up by itself after a while, as most do with an error.
func (in *Cuts) DB(name string, connector driver.Connector) *sql.DB {
	c := &cutDB{in: in, name: name, to: connector}
	c.pool = sql.OpenDB(c)
	in.dbs = append(in.dbs, c)
	return c.pool
}

// cutDB is the database as one process sees it.
type cutDB struct {
	in   *Cuts
	name string
	to   driver.Connector
	pool *sql.DB

	mu     sync.Mutex
	opened []*cutConn
}

func (db *cutDB) Driver() driver.Driver { return db.to.Driver() }

func (db *cutDB) Connect(ctx context.Context) (driver.Conn, error) {
	raw, err := db.to.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c := &cutConn{db: db, raw: raw}
	db.mu.Lock()
	defer db.mu.Unlock()
	db.opened = append(db.opened, c)
	return c, nil
}

func (db *cutDB) close() {
	db.mu.Lock()
	opened := db.opened
	db.mu.Unlock()
	for _, c := range opened {
		_ = c.Close()
	}
	_ = db.pool.Close()
}

// statement passes one through with its cuts. A driver that wants it in another way says so before it has any effect.
func (db *cutDB) statement(ctx context.Context, query string, args any, run func() error) error {
	c := &cutCall{label: db.name + " " + brief(query), detail: fmt.Sprint(args)}
	return db.in.pass(ctx, ctx, c, db.in.p.group.AskUntil, func() error {
		err := run()
		if errors.Is(err, driver.ErrSkip) {
			c.result = "tried in another way"
		}
		return err
	})
}

// cutConn adds cuts to a connection. It has every optional method of a driver's connection; where the driver's own lacks
// one, it answers what makes database/sql do without.
type cutConn struct {
	db  *cutDB
	raw driver.Conn

	once sync.Once
	err  error // of closing
}

func (c *cutConn) Close() error {
	c.once.Do(func() { c.err = c.raw.Close() })
	return c.err
}

func (c *cutConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (result driver.Result, err error) {
	raw, ok := c.raw.(driver.ExecerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	err = c.db.statement(ctx, query, args, func() error {
		result, err = raw.ExecContext(ctx, query, args)
		return err
	})
	return result, err
}

func (c *cutConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (rows driver.Rows, err error) {
	raw, ok := c.raw.(driver.QueryerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	err = c.db.statement(ctx, query, args, func() error {
		rows, err = raw.QueryContext(ctx, query, args)
		return err
	})
	return rows, err
}

func (c *cutConn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

func (c *cutConn) PrepareContext(ctx context.Context, query string) (raw driver.Stmt, err error) {
	if p, ok := c.raw.(driver.ConnPrepareContext); ok {
		raw, err = p.PrepareContext(ctx, query)
	} else {
		raw, err = c.raw.Prepare(query)
	}
	if err != nil {
		return nil, err
	}
	return &cutStmt{c: c, raw: raw, query: query}, nil
}

// Begin is there because driver.Conn demands it; database/sql calls BeginTx.
func (c *cutConn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

func (c *cutConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	raw, err := c.begin(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &cutTx{db: c.db, raw: raw, ctx: ctx}, nil
}

func (c *cutConn) begin(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if b, ok := c.raw.(driver.ConnBeginTx); ok {
		return b.BeginTx(ctx, opts)
	}
	if opts != (driver.TxOptions{}) {
		return nil, errors.New("the driver knows neither isolation levels nor read-only transactions")
	}
	//lint:ignore SA1019 deprecated for callers of drivers that have BeginTx; this one has not
	return c.raw.Begin() //nolint:staticcheck // as above
}

func (c *cutConn) Ping(ctx context.Context) error {
	if p, ok := c.raw.(driver.Pinger); ok {
		return p.Ping(ctx)
	}
	return nil
}

func (c *cutConn) ResetSession(ctx context.Context) error {
	if r, ok := c.raw.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

func (c *cutConn) IsValid() bool {
	v, ok := c.raw.(driver.Validator)
	return !ok || v.IsValid()
}

func (c *cutConn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.raw.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

type cutTx struct {
	db  *cutDB
	raw driver.Tx
	ctx context.Context // of its beginning; Commit has none
}

func (t *cutTx) Commit() error {
	// database/sql has cancelled ctx by now, in order to begin the end of the transaction.
	return t.db.statement(context.WithoutCancel(t.ctx), "COMMIT", "", t.raw.Commit)
}

func (t *cutTx) Rollback() error { return t.raw.Rollback() }

// cutStmt adds cuts to a prepared statement.
type cutStmt struct {
	c     *cutConn
	raw   driver.Stmt
	query string
}

func (s *cutStmt) Close() error  { return s.raw.Close() }
func (s *cutStmt) NumInput() int { return s.raw.NumInput() }

// Exec is there because driver.Stmt demands it; database/sql calls ExecContext.
func (s *cutStmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), namedValues(args))
}

// Query is there because driver.Stmt demands it; database/sql calls QueryContext.
func (s *cutStmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), namedValues(args))
}

func (s *cutStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (result driver.Result, err error) {
	err = s.c.db.statement(ctx, s.query, args, func() error {
		if raw, ok := s.raw.(driver.StmtExecContext); ok {
			result, err = raw.ExecContext(ctx, args)
			return err
		}
		values, err := unnamed(args)
		if err == nil {
			//lint:ignore SA1019 deprecated for callers of drivers that have ExecContext; this one has not
			result, err = s.raw.Exec(values) //nolint:staticcheck // as above
		}
		return err
	})
	return result, err
}

func (s *cutStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (rows driver.Rows, err error) {
	err = s.c.db.statement(ctx, s.query, args, func() error {
		if raw, ok := s.raw.(driver.StmtQueryContext); ok {
			rows, err = raw.QueryContext(ctx, args)
			return err
		}
		values, err := unnamed(args)
		if err == nil {
			//lint:ignore SA1019 deprecated for callers of drivers that have QueryContext; this one has not
			rows, err = s.raw.Query(values) //nolint:staticcheck // as above
		}
		return err
	})
	return rows, err
}

func (s *cutStmt) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := s.raw.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return s.c.CheckNamedValue(v)
}

func namedValues(args []driver.Value) []driver.NamedValue {
	list := make([]driver.NamedValue, len(args))
	for i, v := range args {
		list[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return list
}

func unnamed(args []driver.NamedValue) ([]driver.Value, error) {
	list := make([]driver.Value, len(args))
	for i, a := range args {
		if a.Name != "" {
			return nil, errors.New("the driver does not know named parameters")
		}
		list[i] = a.Value
	}
	return list, nil
}
