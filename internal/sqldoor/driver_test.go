package sqldoor

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
)

func open(t *testing.T, opts Options) (*sql.DB, *double) {
	d := &double{}
	db := Open(d, opts)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	return db, d
}

func TestAStatementCommitsByItself(t *testing.T) {
	db, d := open(t, Options{})
	d.answers(model.SQLReply{Affected: 2})
	res, err := db.Exec("INSERT INTO orders (id, name) VALUES ($1, $2)", 7, "x")
	require.NoError(t, err)
	n, err := res.RowsAffected()
	assert.Equal(t, int64(2), n)
	assert.NoError(t, err)
	_, err = res.LastInsertId()
	assert.ErrorContains(t, err, "LastInsertId is not supported")
	assert.NoError(t, db.Ping())
	assert.Equal(t, []string{"c1 insert-orders 7 'x'", "c1 select"}, d.told())
}

func TestATransactionIsASession(t *testing.T) {
	db, d := open(t, Options{})
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable, ReadOnly: true})
	require.NoError(t, err)
	_, err = tx.Exec("DELETE FROM orders")
	require.NoError(t, err)
	_, err = db.Exec("UPDATE orders SET a = ?", 1) // outside of it, so on another connection
	require.NoError(t, err)
	require.NoError(t, tx.Commit())

	tx, err = db.Begin()
	require.NoError(t, err)
	require.NoError(t, tx.Rollback())
	assert.Equal(t, []string{
		"c1 begin serializable read only [c1]", "c1 delete-orders [c1]", "c2 update-orders 1", "c1 commit [c1]",
		"c1 begin [c1]", "c1 rollback [c1]",
	}, d.told())
}

func TestIsolationLevels(t *testing.T) {
	db, d := open(t, Options{})
	for level, want := range map[sql.IsolationLevel]string{
		sql.LevelDefault: "c1 begin [c1]", sql.LevelReadUncommitted: "c1 begin [c1]", sql.LevelReadCommitted: "c1 begin [c1]",
		sql.LevelSerializable: "c1 begin serializable [c1]",
		sql.LevelSnapshot:     "", sql.LevelRepeatableRead: "", sql.LevelLinearizable: "",
	} {
		tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: level})
		if want == "" {
			assert.ErrorContains(t, err, level.String()+": the modelled database knows Read Committed and Serializable")
			assert.Empty(t, d.told())
			continue
		}
		require.NoError(t, err)
		require.NoError(t, tx.Rollback())
		assert.Equal(t, []string{want, "c1 rollback [c1]"}, d.told())
	}
}

func TestTransactionsInWords(t *testing.T) {
	db, d := open(t, Options{})
	c, err := db.Conn(t.Context())
	require.NoError(t, err)
	for _, text := range []string{"BEGIN ISOLATION LEVEL SERIALIZABLE", "SELECT 1", "COMMIT", "begin"} {
		_, err = c.ExecContext(t.Context(), text)
		require.NoError(t, err, text)
	}
	_, err = c.BeginTx(t.Context(), nil)
	assertState(t, err, model.SQLActiveTransaction)
	_, err = c.ExecContext(t.Context(), "rollback")
	require.NoError(t, err)
	_, err = c.ExecContext(t.Context(), "COMMIT")
	assertState(t, err, model.SQLNoTransaction)
	require.NoError(t, c.Close())
	assert.Equal(t, []string{"c1 begin serializable [c1]", "c1 select [c1]", "c1 commit [c1]", "c1 begin [c1]", "c1 rollback [c1]"}, d.told())
}

func assertState(t *testing.T, err error, want string) {
	t.Helper()
	var state interface{ SQLState() string }
	if assert.ErrorAs(t, err, &state) {
		assert.Equal(t, want, state.SQLState())
	}
}

type cents int64

type name string

func (n name) Value() (driver.Value, error) { return "Mr " + string(n), nil }

func TestArguments(t *testing.T) {
	db, d := open(t, Options{})
	at := time.Date(2026, 11, 21, 10, 0, 0, 1234567, time.FixedZone("", 3600))
	number, nothing := 5, (*int)(nil)
	for _, c := range []struct {
		arg  any
		want string
	}{
		{nil, "NULL"}, {1, "1"}, {uint8(2), "2"}, {cents(-3), "-3"}, {time.Second, "1000000000"}, {&number, "5"}, {nothing, "NULL"},
		{"it's", "'it''s'"}, {name("X"), "'Mr X'"}, {true, "TRUE"}, {false, "FALSE"}, {[]byte{1, 255}, `'\x01ff'::bytea`}, {[]byte(nil), "NULL"}, {[]byte{}, `'\x'::bytea`},
		{at, "'2026-11-21 09:00:00.001234Z'::timestamptz"},
		{sql.NullString{}, "NULL"}, {sql.NullInt64{Int64: 4, Valid: true}, "4"}, {sql.Null[bool]{V: true, Valid: true}, "TRUE"},
	} {
		_, err := db.Exec("SELECT ?", c.arg)
		require.NoError(t, err, "%T", c.arg)
		assert.Equal(t, []string{"c1 select " + c.want}, d.told())
	}
	for _, c := range []struct {
		args []any
		want string
	}{
		{[]any{1.5}, "no floats"}, {[]any{float32(1)}, "no floats"}, {[]any{sql.NullFloat64{Float64: 1, Valid: true}}, "no floats"},
		{[]any{sql.Named("a", 1)}, "named arguments are not known"}, {[]any{uint64(1 << 63)}, "uint64"}, {[]any{struct{}{}}, "unsupported type struct"},
		{[]any{time.Time{}}, "times from 1678 to 2261, not 0001-01-01"},
		{nil, "0 arguments for a statement with 1 placeholders"}, {[]any{1, 2}, "2 arguments for a statement with 1 placeholders"},
	} {
		_, err := db.Exec("SELECT $1", c.args...)
		assert.ErrorContains(t, err, c.want)
		assert.Empty(t, d.told())
	}
}

func TestValuesOfRows(t *testing.T) {
	db, d := open(t, Options{})
	at := time.Date(2026, 11, 21, 10, 0, 0, 1000, time.UTC)
	when, _ := timeValue(at)
	row := []model.SQLValue{{Kind: model.SQLInteger, Int: 7}, {Kind: model.SQLText, Text: "x"}, {Kind: model.SQLBytes, Text: "\xff"}, boolean(true).Value, when, {}}
	d.answers(model.SQLReply{Columns: []string{"i", "t", "b", "yes", "at", "n"}, Rows: [][]model.SQLValue{make([]model.SQLValue, 6), row}})

	rows, err := db.Query("SELECT * FROM t")
	require.NoError(t, err)
	types, err := rows.ColumnTypes()
	require.NoError(t, err)
	var seen []string
	for _, c := range types {
		seen = append(seen, fmt.Sprint(c.Name(), " ", c.DatabaseTypeName(), " ", c.ScanType()))
	}
	assert.Equal(t, []string{"i INT8 int64", "t TEXT string", "b BYTEA []uint8", "yes BOOL bool", "at TIMESTAMPTZ time.Time", "n  interface {}"}, seen)

	require.True(t, rows.Next())
	var none [6]any
	require.NoError(t, rows.Scan(&none[0], &none[1], &none[2], &none[3], &none[4], &none[5]))
	assert.Equal(t, [6]any{}, none)
	require.True(t, rows.Next())
	var (
		i       int32
		text    sql.NullString
		b       []byte
		yes     *bool
		got     time.Time
		nothing sql.Null[int]
	)
	require.NoError(t, rows.Scan(&i, &text, &b, &yes, &got, &nothing))
	assert.Equal(t, int32(7), i)
	assert.Equal(t, sql.NullString{String: "x", Valid: true}, text)
	assert.Equal(t, []byte{255}, b)
	assert.True(t, *yes)
	assert.Equal(t, at, got)
	assert.False(t, nothing.Valid)
	assert.False(t, rows.Next())
	assert.NoError(t, rows.Err())
}

func TestPreparedStatements(t *testing.T) {
	db, d := open(t, Options{})
	_, err := db.Prepare("SELEC 1")
	assert.ErrorContains(t, err, "sql 1:1:")
	s, err := db.Prepare("INSERT INTO t (a) VALUES ($1) RETURNING a")
	require.NoError(t, err)
	defer s.Close()
	_, err = s.Exec(1)
	require.NoError(t, err)
	d.answers(model.SQLReply{Columns: []string{"a"}, Rows: [][]model.SQLValue{{{Kind: model.SQLInteger, Int: 2}}}})
	var a string
	require.NoError(t, s.QueryRow(2).Scan(&a))
	assert.Equal(t, "2", a)
	_, err = s.Exec()
	assert.ErrorContains(t, err, "0 arguments")
	assert.Equal(t, []string{"c1 insert-t 1", "c1 insert-t 2"}, d.told())
}

func TestASchemaInOneCall(t *testing.T) {
	var notes []string
	db, d := open(t, Options{Note: func(n string) { notes = append(notes, n) }})
	_, err := db.Exec("CREATE TABLE a (id INT); CREATE INDEX i ON a (id); CREATE TABLE b (id INT REFERENCES a)")
	require.NoError(t, err)
	_, err = db.Exec("CREATE INDEX j ON a (id)")
	require.NoError(t, err)
	assert.Equal(t, []string{"c1 create-a", "c1 create-b"}, d.told())
	assert.Equal(t, []string{"index i of a is not kept: it changes no answer", "the foreign key of b to a is not kept", "index j of a is not kept: it changes no answer"}, notes)
	_, err = db.Exec("CREATE TABLE c (id INT);\nDELETE FROM c")
	assert.ErrorContains(t, err, `2:1: the modelled database understands one statement in a call, or several CREATE TABLE, here, found "DELETE"`)
	assert.Empty(t, d.told())
}

var errReset = errors.New("connection reset")

func notSent() error { return fmt.Errorf("%w: connection refused", ErrNotSent) }

// What database/sql and the pool do after a request has failed: repeat it only if it was certainly not carried out, and use the
// connection again only after an answer of the database.
func TestWhatARequestThatFailedMeans(t *testing.T) {
	duplicate := &model.SQLError{Code: model.SQLUniqueViolation, Message: "duplicate key", Constraint: "t_pkey"}
	for name, c := range map[string]struct {
		answers []any
		err     string // "" = none
		then    []string
	}{
		"an answer": {[]any{duplicate}, "duplicate key (SQLSTATE 23505)", []string{"c1 insert-t", "c1 select"}},
		"an answer that ends the connection": {[]any{&model.SQLError{Code: model.SQLConnectionGone, Message: "closed"}}, "closed",
			[]string{"c1 insert-t", "c2 select"}},
		"lost on the way": {[]any{errReset}, "connection reset", []string{"c1 insert-t", "c2 select"}},
		"not sent":        {[]any{notSent()}, "", []string{"c1 insert-t", "c2 insert-t", "c2 select"}},
		"not sent, and a new connection cannot be opened": {[]any{notSent(), notSent()}, "connection refused",
			[]string{"c1 insert-t", "c2 insert-t", "c3 select"}},
	} {
		t.Run(name, func(t *testing.T) {
			db, d := open(t, Options{})
			require.NoError(t, db.Ping()) // so that c1 was open
			d.told()
			d.answers(c.answers...)
			_, err := db.Exec("INSERT INTO t VALUES (1)")
			if c.err == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, c.err)
				assert.NotErrorIs(t, err, driver.ErrBadConn)
			}
			require.NoError(t, db.Ping())
			assert.Equal(t, c.then, d.told())
		})
	}
}

func TestNothingIsRepeatedInATransaction(t *testing.T) {
	db, d := open(t, Options{})
	for _, broken := range []error{errReset, notSent()} {
		tx, err := db.Begin()
		require.NoError(t, err)
		d.told()
		d.answers(broken)
		_, err = tx.Exec("INSERT INTO t VALUES (1)")
		assert.ErrorContains(t, err, broken.Error())
		assert.Equal(t, errors.Is(broken, ErrNotSent), errors.Is(err, driver.ErrBadConn))
		_, err = tx.Exec("INSERT INTO t VALUES (2)")
		assert.ErrorIs(t, err, driver.ErrBadConn)
		assert.ErrorIs(t, tx.Commit(), driver.ErrBadConn)
		log := d.told()
		require.Len(t, log, 2)
		assert.Contains(t, log[0], "insert-t")
		assert.Contains(t, log[1], "tell") // the session is closed, and so rolled back
		assert.Contains(t, log[1], "close [")
	}
}

func TestACommitWithoutAnAnswer(t *testing.T) {
	db, d := open(t, Options{})
	tx, err := db.Begin()
	require.NoError(t, err)
	d.answers(errReset)
	assert.ErrorIs(t, tx.Commit(), errReset)
	assert.Equal(t, []string{"c1 begin [c1]", "c1 commit [c1]", "tell c1 close [c1]"}, d.told())
}

func TestACommitThatIsRefusedEndsTheTransaction(t *testing.T) {
	db, d := open(t, Options{})
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable})
	require.NoError(t, err)
	d.answers(&model.SQLError{Code: model.SQLSerialization, Message: "could not serialize"})
	err = tx.Commit()
	assertState(t, err, model.SQLSerialization)
	assert.ErrorIs(t, err, model.ErrSerialize)
	require.NoError(t, db.Ping())
	assert.Equal(t, []string{"c1 begin serializable [c1]", "c1 commit [c1]", "c1 select"}, d.told())
}

// theirs stands for the error type of the driver that the code under test knows, such as pgconn.PgError.
type theirs struct{ Code, ConstraintName string }

func (e *theirs) Error() string { return "ERROR " + e.Code }

func TestErrorsOfTheCodesOwnDriver(t *testing.T) {
	db, d := open(t, Options{Errors: func(e *Error) error { return &theirs{e.Code, e.Constraint} }})
	d.answers(&model.SQLError{Code: model.SQLUniqueViolation, Constraint: "orders_pkey"})
	_, err := db.Exec("INSERT INTO orders VALUES (1)")
	var pg *theirs
	require.ErrorAs(t, err, &pg)
	assert.Equal(t, theirs{"23505", "orders_pkey"}, *pg)
}

func TestAStatementThatIsGivenUpIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, d := open(t, Options{})
		d.answers(untilCancelled)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := db.ExecContext(ctx, "UPDATE t SET a = 1")
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(began))
		require.NoError(t, db.Ping())
		assert.Equal(t, []string{"c1 update-t", "tell c1 cancel", "c2 select"}, d.told())
	})
}

func TestNothingIsSentUnderAContextThatHasEnded(t *testing.T) {
	db, d := open(t, Options{})
	c, err := db.Conn(t.Context())
	require.NoError(t, err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.ExecContext(ended, "DELETE FROM t")
	assert.ErrorIs(t, err, context.Canceled)
	_, err = c.BeginTx(ended, nil)
	assert.ErrorIs(t, err, context.Canceled)
	require.NoError(t, c.Close())
	require.NoError(t, db.Ping())
	assert.Equal(t, []string{"c1 select"}, d.told(), "the connection is as good as before")
}

// A BEGIN that was not sent leaves nothing to close.
func TestABeginThatIsNotSent(t *testing.T) {
	db, d := open(t, Options{})
	d.answers(notSent())
	_, err := db.Begin()
	assert.ErrorIs(t, err, ErrNotSent)
	d.answers(errReset)
	_, err = db.Begin()
	assert.ErrorIs(t, err, errReset)
	assert.Equal(t, []string{"c1 begin [c1]", "c2 begin [c2]", "tell c2 close [c2]"}, d.told())
}

// The context of a transaction ends while no statement runs: database/sql rolls back in a goroutine of its own, and the driver
// closes the session instead of speaking to it.
func TestATransactionWhoseContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, d := open(t, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		tx, err := db.BeginTx(ctx, nil)
		require.NoError(t, err)
		cancel()
		synctest.Wait()
		_, err = tx.Exec("DELETE FROM t")
		assert.ErrorIs(t, err, sql.ErrTxDone)
		assert.ErrorIs(t, tx.Rollback(), sql.ErrTxDone)

		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		tx, err = db.BeginTx(ctx, nil)
		require.NoError(t, err)
		d.answers(untilCancelled)
		_, err = tx.ExecContext(ctx, "DELETE FROM t")
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		synctest.Wait()
		assert.Equal(t, []string{
			"c1 begin [c1]", "tell c1 close [c1]",
			"c2 begin [c2]", "c2 delete-t [c2]", "tell c2 cancel [c2]", "tell c2 close [c2]",
		}, d.told())
	})
}

// All goroutines of database/sql end with Close: the bubble would not end otherwise. Connections are named as they are opened,
// and one that goes idle beyond the limit of the pool is closed without a word, as nothing is open on it.
func TestAPoolInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, d := open(t, Options{})
		db.SetMaxOpenConns(2)
		db.SetMaxIdleConns(1)
		db.SetConnMaxIdleTime(time.Minute)
		slow := func(context.Context) (model.SQLReply, error) { time.Sleep(time.Second); return model.SQLReply{}, nil }
		d.answers(slow, slow, slow)
		began := time.Now()
		for range 3 {
			go func() {
				_, err := db.Exec("DELETE FROM t")
				assert.NoError(t, err)
			}()
			synctest.Wait()
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, time.Hour, time.Since(began))
		log := d.told()
		require.Len(t, log, 3)
		assert.Equal(t, []string{"c1 delete-t", "c2 delete-t"}, log[:2])
		assert.Zero(t, db.Stats().OpenConnections)
		require.NoError(t, db.Ping())
		assert.Equal(t, []string{"c3 select"}, d.told())
	})
}

func TestThePoolIsMadeByOpen(t *testing.T) {
	_, err := NewConnector(&double{}, Options{}).Driver().Open("postgres://")
	assert.ErrorContains(t, err, "its pool is made by Open")
}

// A commit that is not sent leaves the transaction open, which must not go back to the pool with the connection.
func TestACommitWhoseContextHasEnded(t *testing.T) {
	d := &double{}
	c, err := NewConnector(d, Options{}).Connect(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	tx, err := c.(driver.ConnBeginTx).BeginTx(ctx, driver.TxOptions{})
	require.NoError(t, err)
	cancel()
	require.ErrorIs(t, tx.Commit(), context.Canceled)
	assert.False(t, c.(driver.Validator).IsValid())
	require.NoError(t, c.Close())
	assert.Equal(t, []string{"c1 begin [c1]", "tell c1 close [c1]"}, d.told())
}
