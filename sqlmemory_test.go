package twiceless_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless"
)

// memory is a database of one table with the row (a, 1) and the row (b, 1).
func memory(t *testing.T) *sql.DB {
	t.Helper()
	db := sql.OpenDB(twiceless.MemorySQL("CREATE TABLE stock (name TEXT PRIMARY KEY, n BIGINT NOT NULL)"))
	t.Cleanup(func() { _ = db.Close() })
	for _, name := range []string{"a", "b"} {
		_, err := db.Exec("INSERT INTO stock VALUES ($1, 1)", name)
		require.NoError(t, err)
	}
	return db
}

func stock(t *testing.T, db *sql.DB, name string) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRow("SELECT n FROM stock WHERE name = $1", name).Scan(&n))
	return n
}

const take = "UPDATE stock SET n = n - 1 WHERE name = $1"

// A transaction is there as a whole or not at all, and who would change its rows waits for its end.
func TestMemorySQL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := memory(t)
		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.Exec(take, "a")
		require.NoError(t, err)
		require.Equal(t, 1, stock(t, db, "a"), "nothing is committed yet")

		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = db.ExecContext(soon, take, "a")
		require.ErrorIs(t, err, context.DeadlineExceeded)

		second := make(chan error)
		go func() {
			_, err := db.Exec(take, "a")
			second <- err
		}()
		synctest.Wait()
		require.NoError(t, tx.Commit())
		require.NoError(t, <-second)
		require.Equal(t, -1, stock(t, db, "a"), "who gave up has taken none")

		tx, err = db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.Exec(take, "a")
		require.NoError(t, err)
		_, err = tx.Exec("INSERT INTO stock VALUES ('a', 1)")
		require.Error(t, err)
		require.Error(t, tx.Commit(), "after an error nothing of it remains")
		require.Equal(t, -1, stock(t, db, "a"))
	})
}

// Of two transactions that wait for each other one is refused, at once: nobody else could end it.
func TestMemorySQLDeadlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := memory(t)
		errs := make(chan error, 2)
		for _, names := range [][]string{{"a", "b"}, {"b", "a"}} {
			go func() {
				tx, err := db.BeginTx(context.Background(), nil)
				for _, name := range names {
					if err == nil {
						_, err = tx.Exec(take, name)
					}
					time.Sleep(time.Second)
				}
				if err == nil {
					err = tx.Commit()
				} else {
					_ = tx.Rollback()
				}
				errs <- err
			}()
		}
		one, two := <-errs, <-errs
		require.NotEqual(t, one == nil, two == nil)
		var state interface{ SQLState() string }
		require.True(t, errors.As(errors.Join(one, two), &state))
		require.Equal(t, "40P01", state.SQLState())
		require.Zero(t, stock(t, db, "a"))
		require.Zero(t, stock(t, db, "b"))
	})
}

// With a connection ends what is open in it, so that a dead process holds no locks.
func TestMemorySQLConnectionEnds(t *testing.T) {
	db := memory(t)
	other := memory(t)
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	tx, err := conn.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.Exec(take, "a")
	require.NoError(t, err)
	require.ErrorIs(t, conn.Raw(func(c any) error { return c.(interface{ Close() error }).Close() }), nil)
	require.Equal(t, 1, stock(t, db, "a"))
	_, err = db.Exec(take, "a")
	require.NoError(t, err)
	require.Equal(t, 1, stock(t, other, "a"), "databases share nothing")
	require.Panics(t, func() { twiceless.MemorySQL("CREATE TABLE") })
}
