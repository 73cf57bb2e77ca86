package downstream

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/internal/sqldoor"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim/history"
)

// historyStatements are what random transactions are made of. $1 is a key from 1 to 3, $2 a value of its own.
func historyStatements(t require.TestingT) (all []*model.SQLStatement) {
	for _, text := range []string{
		"SELECT v FROM kv WHERE k = $1",
		"SELECT COUNT(*), SUM(v) FROM kv WHERE $1 = $1 OR v = $2",
		"SELECT k FROM kv WHERE v > 1000 AND $1 < $2 ORDER BY v DESC LIMIT 2",
		"SELECT v FROM kv WHERE k = $1 AND v < $2 FOR UPDATE",
		"UPDATE kv SET v = v + $2 WHERE k = $1 RETURNING v",
		"UPDATE kv SET v = $2 WHERE k >= $1",
		"UPDATE kv SET v = 3 * v WHERE v > $2 AND k <> $1",
		"INSERT INTO kv VALUES ($1, $2) ON CONFLICT DO NOTHING",
		"INSERT INTO kv VALUES ($1, $2) ON CONFLICT (k) DO UPDATE SET v = kv.v + excluded.v RETURNING v",
		"INSERT INTO kv VALUES ($1, $2)",
		"DELETE FROM kv WHERE k = $1 AND v <> $2 RETURNING v",
		"SELECT v FROM kv WHERE k = $1 AND NOT EXISTS (SELECT 1 FROM kv WHERE v > $2)",
	} {
		s, err := sqldoor.Parse(text)
		require.NoError(t, err)
		all = append(all, s)
	}
	return all
}

// historyOf is one transaction of a random history: what it said and what it was told.
type historyOf struct {
	name       int
	level      model.Isolation
	statements []*model.SQLStatement
	args       [][]model.SQLValue
	replies    []string
	t          *Transaction
	e          *Execution
	committed  bool
	over       bool
	accesses   []history.Access // if it committed
}

func newKV(t require.TestingT) *Relational {
	var schema []*model.SQLStatement
	s, err := sqldoor.Parse("CREATE TABLE kv (k BIGINT PRIMARY KEY, v BIGINT)")
	require.NoError(t, err)
	r, err := NewRelational(append(schema, s))
	require.NoError(t, err)
	insert, err := sqldoor.Parse("INSERT INTO kv VALUES (1, 1), (2, 2)")
	require.NoError(t, err)
	setup := r.Begin(model.ReadCommitted, false, 0)
	require.Nil(t, r.Execute(setup, insert, nil).Err)
	r.Commit(setup)
	return r
}

// drawHistory plays some transactions, interleaved at random, to their ends.
func drawHistory(t *rapid.T, level model.Isolation) (*Relational, []*historyOf) {
	r, statements := newKV(t), historyStatements(t)
	var all []*historyOf
	for i := range rapid.IntRange(2, 4).Draw(t, "transactions") {
		h := &historyOf{name: i, level: level}
		for j := range rapid.IntRange(1, 3).Draw(t, "statements") {
			h.statements = append(h.statements, rapid.SampledFrom(statements).Draw(t, "statement"))
			h.args = append(h.args, []model.SQLValue{
				{Kind: model.SQLInteger, Int: rapid.Int64Range(1, 3).Draw(t, "key")},
				{Kind: model.SQLInteger, Int: int64(1000*(i+1) + 100*j)}})
		}
		all = append(all, h)
	}
	for {
		can := slices.DeleteFunc(slices.Clone(all), func(h *historyOf) bool { return h.over || h.e != nil })
		if len(can) == 0 {
			require.False(t, slices.ContainsFunc(all, func(h *historyOf) bool { return !h.over }), "all wait for each other")
			return r, all
		}
		rapid.SampledFrom(can).Draw(t, "who").step(r)
		for settle(r, all) {
		}
	}
}

// settle tells who was woken, and ends deadlocks: who was woken may wait again, and close a circle. more says that there
// may be more to tell.
func settle(r *Relational, all []*historyOf) (more bool) {
	for _, e := range r.Finished() {
		i := slices.IndexFunc(all, func(h *historyOf) bool { return h.e == e })
		all[i].told(r, e)
		more = true
	}
	for _, h := range all {
		if h.e != nil && h.e.Waits != nil && r.Deadlocked(h.e) {
			h.deadlock(r, h.e)
			more = true
		}
	}
	return more
}

func (h *historyOf) deadlock(r *Relational, e *Execution) {
	r.Fail(e, failure(model.SQLDeadlock, "deadlock detected"))
	h.told(r, e)
}

func (h *historyOf) step(r *Relational) {
	switch {
	case h.t == nil:
		h.t = r.Begin(h.level, false, 0)
	case len(h.replies) == len(h.statements):
		if _, err := r.Prepare(h.t); err == nil {
			h.committed, h.accesses = true, r.Accesses(h.t)
			r.Commit(h.t)
		} else {
			r.Rollback(h.t)
		}
		h.over = true
	default:
		i := len(h.replies)
		e := r.Execute(h.t, h.statements[i], h.args[i])
		switch {
		case e.Waits == nil:
			h.told(r, e)
		case r.Deadlocked(e):
			h.deadlock(r, e)
		default:
			h.e = e
		}
	}
}

func (h *historyOf) told(r *Relational, e *Execution) {
	if h.e = nil; e.Err != nil {
		r.Rollback(h.t)
		h.over = true
		return
	}
	h.replies = append(h.replies, fmt.Sprint(e.Reply.Affected, e.Reply.Rows))
}

// Whatever random serializable transactions were told, they could have been told one after the other, and the tables are
// what they would be then.
func TestSerializableIsSomeSerialOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, all := drawHistory(t, model.Serializable)
		all = slices.DeleteFunc(all, func(h *historyOf) bool { return !h.committed })
		if !someOrder(t, all, nil, contents(r)) {
			t.Fatalf("no order explains %v", contents(r))
		}
	})
}

// someOrder tries the orders that begin with those given.
func someOrder(t *rapid.T, rest, order []*historyOf, after []string) bool {
	if len(rest) == 0 {
		return explains(t, order, after)
	}
	for i, h := range rest {
		if someOrder(t, slices.Delete(slices.Clone(rest), i, i+1), append(slices.Clone(order), h), after) {
			return true
		}
	}
	return false
}

func explains(t *rapid.T, order []*historyOf, after []string) bool {
	r := newKV(t)
	for _, h := range order {
		again := &historyOf{level: h.level, statements: h.statements, args: h.args}
		for !again.over {
			again.step(r)
		}
		if !slices.Equal(h.replies, again.replies) {
			return false
		}
	}
	return slices.Equal(sorted(contents(r)), sorted(after))
}

// sorted forgets the order of insertion, which differs with the order of the transactions.
func sorted(rows []string) []string { return slices.Sorted(slices.Values(rows)) }

// At read committed nobody sees what was not committed, but for what it wrote itself. Each transaction writes its own
// mark.
func TestReadCommittedSeesNothingUncommitted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newKV(t)
		write, err := sqldoor.Parse("UPDATE kv SET v = $1 WHERE k = $2")
		require.NoError(t, err)
		insert, err := sqldoor.Parse("INSERT INTO kv VALUES ($2, $1) ON CONFLICT (k) DO UPDATE SET v = excluded.v")
		require.NoError(t, err)
		read, err := sqldoor.Parse("SELECT v FROM kv WHERE $1 = $1 AND $2 = $2")
		require.NoError(t, err)
		good := map[int64]bool{1: true, 2: true}
		open := make([]*Transaction, 3)
		for mark := range rapid.Int64Range(5, 40).Draw(t, "steps") {
			i := rapid.IntRange(0, 2).Draw(t, "who")
			if open[i] == nil {
				open[i] = r.Begin(model.ReadCommitted, false, mark+10)
			}
			own := open[i].now
			switch what := rapid.IntRange(0, 4).Draw(t, "what"); what {
			case 3:
				good[own] = true
				r.Commit(open[i])
				open[i] = nil
			case 4:
				r.Rollback(open[i])
				open[i] = nil
			default:
				e := r.Execute(open[i], []*model.SQLStatement{write, insert, read}[what], []model.SQLValue{
					{Kind: model.SQLInteger, Int: own}, {Kind: model.SQLInteger, Int: rapid.Int64Range(1, 3).Draw(t, "key")}})
				if e.Waits != nil {
					r.Fail(e, cancelled())
				}
				if e.Err != nil {
					r.Rollback(open[i])
					open[i] = nil
					continue
				}
				for _, row := range e.Reply.Rows {
					require.True(t, good[row[0].Int] || row[0].Int == own, "%d was not committed", row[0].Int)
				}
			}
		}
	})
}
