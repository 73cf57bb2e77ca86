package twiceless_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/twiceless/twiceless"
)

// table is a database of one table of texts. Its statements are INSERT and COUNT with one argument; what a transaction
// inserts is there when it commits. The values of a table marked unique are.
type table struct {
	rows   []string
	unique bool
	full   bool // connections take statements directly; otherwise they are to be prepared first
	closed int  // connections
}

func (t *table) Connect(context.Context) (driver.Conn, error) {
	c := &tableConn{t: t}
	if t.full {
		return &fullConn{c}, nil
	}
	return c, nil
}

func (t *table) Driver() driver.Driver { return nil }

var errDuplicate = errors.New("duplicate key")

// tableConn is a connection of a driver that does the least: no contexts, no direct statements.
type tableConn struct {
	t       *table
	pending []string
	inTx    bool
}

func (c *tableConn) Prepare(query string) (driver.Stmt, error) { return &tableStmt{c, query}, nil }
func (c *tableConn) Close() error                              { c.t.closed++; return c.Rollback() }
func (c *tableConn) Begin() (driver.Tx, error)                 { c.inTx = true; return c, nil }

func (c *tableConn) Rollback() error {
	c.pending, c.inTx = nil, false
	return nil
}

func (c *tableConn) Commit() error {
	defer func() { _ = c.Rollback() }()
	for _, v := range c.pending {
		if c.t.unique && slices.Contains(c.t.rows, v) {
			return errDuplicate
		}
	}
	c.t.rows = append(c.t.rows, c.pending...)
	return nil
}

type tableStmt struct {
	c     *tableConn
	query string
}

func (s *tableStmt) Close() error  { return nil }
func (s *tableStmt) NumInput() int { return 1 }

func (s *tableStmt) Exec(args []driver.Value) (driver.Result, error) {
	value := args[0].(string)
	if s.c.t.unique && slices.Contains(s.c.t.rows, value) {
		return nil, errDuplicate
	}
	if s.c.pending = append(s.c.pending, value); s.c.inTx {
		return driver.ResultNoRows, nil
	}
	return driver.ResultNoRows, s.c.Commit()
}

func (s *tableStmt) Query(args []driver.Value) (driver.Rows, error) {
	n := int64(0)
	for _, v := range s.c.t.rows {
		if v == args[0] {
			n++
		}
	}
	return &oneRow{value: n}, nil
}

type oneRow struct {
	value driver.Value
	read  bool
}

func (r *oneRow) Columns() []string { return []string{"n"} }
func (r *oneRow) Close() error      { return nil }

func (r *oneRow) Next(to []driver.Value) error {
	if r.read {
		return io.EOF
	}
	to[0], r.read = r.value, true
	return nil
}

// fullConn takes statements directly.
type fullConn struct{ *tableConn }

func (c *fullConn) ExecContext(_ context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return (&tableStmt{c.tableConn, query}).Exec([]driver.Value{args[0].Value})
}

func (c *fullConn) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return (&tableStmt{c.tableConn, query}).Query([]driver.Value{args[0].Value})
}

func tableSystem(t table, handle func(db *sql.DB, ctx context.Context, id string) error) twiceless.System[*table, string] {
	return twiceless.System[*table, string]{
		World: func() *table { fresh := t; return &fresh },
		Process: func(w *table, in *twiceless.Cuts) func(context.Context, string) error {
			db := in.DB("orders", w)
			return func(ctx context.Context, id string) error { return handle(db, ctx, id) }
		},
		State:     func(w *table) any { return strings.Join(slices.Sorted(slices.Values(w.rows)), " ") },
		Schedules: 300,
	}
}

// Two inserts that belong together come apart where no transaction holds them.
func insertBoth(db *sql.DB, ctx context.Context, id string) error {
	var n int
	if err := db.QueryRowContext(ctx, "SELECT count(*)\n\t\tFROM orders WHERE id = ?", id).Scan(&n); err != nil || n > 0 {
		return err
	}
	if _, err := db.ExecContext(ctx, "INSERT INTO orders VALUES (?)", id); err != nil {
		return err
	}
	_, err := db.ExecContext(ctx, "INSERT INTO outbox VALUES (?)", "message of "+id)
	return err
}

func insertBothInOne(db *sql.DB, ctx context.Context, id string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // there is nothing to do about it
	for _, value := range []string{id, "message of " + id} {
		if _, err := tx.ExecContext(ctx, "INSERT INTO orders VALUES (?)", value); errors.Is(err, errDuplicate) {
			return nil
		} else if err != nil {
			return err
		}
	}
	if err := tx.Commit(); !errors.Is(err, errDuplicate) {
		return err
	}
	return nil
}

func TestStatementsAreCuts(t *testing.T) {
	for _, full := range []bool{false, true} {
		t.Run(fmt.Sprint("direct statements ", full), func(t *testing.T) {
			text := fails(t, tableSystem(table{full: full}, insertBoth), "a")
			says(t, text,
				"idempotent_sql_test.go:", "orders SELECT count(*) FROM orders WHERE id = ?", "→ ok",
				"idempotent_sql_test.go:", "orders INSERT INTO orders VALUES (?)", "→ ok", "✗ the process dies here, before it sees the reply",
				"idempotent_sql_test.go:", "orders SELECT count(*) FROM orders WHERE id = ?", "(second delivery, new process)",
				`once:  "a message of a"`, `here:  "a"`)

			passes(t, tableSystem(table{full: full, unique: true}, insertBothInOne), "a", "b")
		})
	}
}

// Before and after a commit are two cuts of their own: who does not look before he inserts doubles what was committed.
func TestCommitIsACut(t *testing.T) {
	text := fails(t, tableSystem(table{}, insertBothInOne), "a")
	says(t, text, "orders COMMIT", "→ ok", "✗ the process dies here, before it sees the reply", "orders COMMIT", `here:  "a a message of a message of a"`)
}

// A dead process has no connections, so that its open transaction holds nothing.
func TestConnectionsDieWithTheProcess(t *testing.T) {
	var opened, closed int
	sys := tableSystem(table{unique: true}, insertBothInOne)
	world := sys.World
	sys.World = func() *table { opened++; return world() }
	sys.State = func(w *table) any {
		if w.closed > 0 {
			closed++
		}
		return nil
	}
	passes(t, sys, "a")
	if closed != opened {
		t.Errorf("in %d of %d schedules a connection was closed at the end", closed, opened)
	}
}
