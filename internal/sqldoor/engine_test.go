package sqldoor

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/internal/sqlmemory"
	"github.com/twiceless/twiceless/model"
)

const schema = `
	CREATE TABLE orders (id BIGSERIAL PRIMARY KEY, ref TEXT NOT NULL, amount INT, payload JSONB, at TIMESTAMPTZ NOT NULL DEFAULT now());
	CREATE UNIQUE INDEX orders_once ON orders (ref);
	CREATE TABLE accounts (id INT PRIMARY KEY, balance BIGINT NOT NULL);
	INSERT INTO accounts VALUES (1, 100);`

func openEngine(t *testing.T) *sql.DB {
	e, err := sqlmemory.New(nil)
	require.NoError(t, err)
	db := Open(e, Options{})
	t.Cleanup(func() {
		assert.NoError(t, db.Close())
		assert.Zero(t, e.Open())
	})
	statements, _, err := ParseScript(schema)
	require.NoError(t, err)
	for _, s := range statements {
		_, err := e.Do(t.Context(), "setup", model.SQLRequest{Statement: s})
		require.NoError(t, err)
	}
	return db
}

func count(t *testing.T, db *sql.DB, where string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRow("SELECT count(*) FROM orders WHERE "+where, args...).Scan(&n))
	return n
}

func TestRowsComeBackAsTheyWereWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openEngine(t)
		payload, err := json.Marshal(map[string]int{"n": 1})
		require.NoError(t, err)
		var id int
		require.NoError(t, db.QueryRow("INSERT INTO orders (ref, amount, payload) VALUES ($1, $2, $3) RETURNING id", "a", nil, payload).Scan(&id))
		assert.Equal(t, 1, id)

		var (
			ref    string
			amount sql.NullInt64
			doc    json.RawMessage
			at     time.Time
		)
		require.NoError(t, db.QueryRow("SELECT ref, amount, payload, at FROM orders o WHERE o.id = ?", id).Scan(&ref, &amount, &doc, &at))
		assert.Equal(t, "a", ref)
		assert.False(t, amount.Valid)
		assert.JSONEq(t, `{"n":1}`, string(doc))
		assert.True(t, at.Equal(time.Now()))

		time.Sleep(time.Minute)
		assert.Equal(t, 1, count(t, db, "at <= now() - interval '1 minute' AND at > $1 AND at > '1999-12-31'::timestamptz", time.Now().Add(-time.Hour)))
		assert.Equal(t, 0, count(t, db, "at <= now() - interval '61 seconds'"))
		assert.Equal(t, 1, count(t, db, "amount IS NULL AND ref BETWEEN 'a' AND 'b' AND (amount > 0) IS NOT TRUE"))
		assert.ErrorIs(t, db.QueryRow("SELECT id FROM orders WHERE ref = 'z'").Scan(&id), sql.ErrNoRows)
	})
}

func TestARollbackLeavesNothing(t *testing.T) {
	db := openEngine(t)
	tx, err := db.Begin()
	require.NoError(t, err)
	_, err = tx.Exec("INSERT INTO orders (ref) VALUES ('a'), ('b')")
	require.NoError(t, err)
	var n int
	require.NoError(t, tx.QueryRow("SELECT count(*) FROM orders").Scan(&n))
	assert.Equal(t, 2, n)
	assert.Equal(t, 0, count(t, db, "TRUE"))
	require.NoError(t, tx.Rollback())
	assert.Equal(t, 0, count(t, db, "TRUE"))
}

// The inbox of a consumer: whoever inserts the key does the work.
func TestOnConflict(t *testing.T) {
	db := openEngine(t)
	for _, want := range []int64{1, 0} {
		res, err := db.Exec("INSERT INTO orders (ref, amount) VALUES ($1, 1) ON CONFLICT (ref) DO NOTHING", "a")
		require.NoError(t, err)
		n, err := res.RowsAffected()
		require.NoError(t, err)
		assert.Equal(t, want, n)
	}
	var amount int
	require.NoError(t, db.QueryRow("INSERT INTO orders (ref, amount) VALUES ('a', 5) ON CONFLICT (ref) DO UPDATE SET amount = orders.amount + excluded.amount RETURNING amount").Scan(&amount))
	assert.Equal(t, 6, amount)
}

func TestAUniqueViolationFailsTheTransaction(t *testing.T) {
	db := openEngine(t)
	_, err := db.Exec("INSERT INTO orders (ref) VALUES ('a')")
	require.NoError(t, err)
	tx, err := db.Begin()
	require.NoError(t, err)
	_, err = tx.Exec("INSERT INTO orders (ref) VALUES ('a')")
	assertState(t, err, model.SQLUniqueViolation)
	assert.ErrorIs(t, err, model.ErrUnique)
	var e *Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "orders_once", e.Constraint)
	_, err = tx.Exec("SELECT 1")
	assertState(t, err, model.SQLFailedTransaction)
	assertState(t, tx.Commit(), model.SQLFailedTransaction)
	assert.Equal(t, 1, count(t, db, "TRUE"))
}

// withdraw reads, thinks and writes.
func withdraw(ctx context.Context, db *sql.DB, level sql.IsolationLevel, amount int) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: level})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var balance int
	if err := tx.QueryRowContext(ctx, "SELECT balance FROM accounts WHERE id = 1").Scan(&balance); err != nil {
		return err
	}
	time.Sleep(time.Second)
	if _, err := tx.ExecContext(ctx, "UPDATE accounts SET balance = $1 WHERE id = 1", balance-amount); err != nil {
		return err
	}
	return tx.Commit()
}

// Three clients withdraw 10 each at the same time. Read committed loses two of the updates; serializable refuses them with 40001,
// and a client that begins again on that code loses none.
func TestSerializableWithARetryLoopLosesNoUpdate(t *testing.T) {
	for level, want := range map[sql.IsolationLevel]int{sql.LevelReadCommitted: 90, sql.LevelSerializable: 70} {
		synctest.Test(t, func(t *testing.T) {
			db := openEngine(t)
			retries := make(chan int, 3)
			for range 3 {
				go func() {
					for n := 0; ; n++ {
						err := withdraw(t.Context(), db, level, 10)
						var state interface{ SQLState() string }
						if errors.As(err, &state) && state.SQLState() == model.SQLSerialization {
							continue
						}
						assert.NoError(t, err)
						retries <- n
						return
					}
				}()
			}
			again := <-retries + <-retries + <-retries
			var balance int
			require.NoError(t, db.QueryRow("SELECT balance FROM accounts").Scan(&balance))
			assert.Equal(t, want, balance)
			assert.Equal(t, level == sql.LevelSerializable, again > 0)
		})
	}
}

func TestALockedRowIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openEngine(t)
		tx, err := db.Begin()
		require.NoError(t, err)
		_, err = tx.Exec("SELECT * FROM accounts WHERE id = 1 FOR UPDATE")
		require.NoError(t, err)

		_, err = db.Exec("SELECT * FROM accounts FOR UPDATE NOWAIT")
		assertState(t, err, model.SQLLockNotAvailable)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = db.ExecContext(short, "UPDATE accounts SET balance = 0")
		assert.ErrorIs(t, err, context.DeadlineExceeded)

		go func() {
			time.Sleep(time.Minute)
			_, err := tx.Exec("UPDATE accounts SET balance = balance - 1")
			assert.NoError(t, err)
			assert.NoError(t, tx.Commit())
		}()
		began := time.Now()
		var balance int
		require.NoError(t, db.QueryRow("UPDATE accounts SET balance = balance * 2 WHERE id = 1 RETURNING balance").Scan(&balance))
		assert.Equal(t, time.Minute, time.Since(began))
		assert.Equal(t, 198, balance, "the statement that was given up has changed nothing")
	})
}

func TestAReadOnlyTransaction(t *testing.T) {
	db := openEngine(t)
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	require.NoError(t, err)
	_, err = tx.Exec("DELETE FROM accounts")
	assertState(t, err, model.SQLReadOnly)
	require.NoError(t, tx.Rollback())
}
