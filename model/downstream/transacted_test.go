package downstream_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/downstream"
	dt "github.com/twiceless/twiceless/model/downstream/downstreamtest"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// transactions are the facts of what was read and written: store, level, commit and accesses.
func transactions(g *dt.Rig) (told []string) {
	for _, f := range g.World.History.Facts {
		if f.Kind == history.KindTransacted {
			told = append(told, fmt.Sprintf("%s %s %d: %s", f.Resource, f.Op, f.Offset, f.Value))
		}
	}
	return told
}

// Each commit states the versions that its client brought along, what it reads itself and what it writes; so do several
// reads at once. One that was refused states nothing, and neither does a single read.
func TestADatabaseStatesItsTransactions(t *testing.T) {
	g := dt.NewRig(kind(t, "database"), 1, slowDatabase())
	defer g.World.Close()
	g.Task(func(ctx *model.Context) {
		s := &session{c: ctx, g: g}
		seen, err := s.txn(model.TxnRequest{Reads: []string{"a"}})
		require.NoError(t, err)
		_, err = s.txn(model.TxnRequest{Writes: []model.Write{{Key: "a"}, {Key: "b", Insert: true}, {Key: "a", Value: "again"}}, Level: model.Serializable, Versions: versions(seen)})
		require.NoError(t, err)
		_, err = s.txn(model.TxnRequest{Writes: []model.Write{{Key: "a"}}, Level: model.Serializable, Versions: versions(seen)})
		require.ErrorIs(t, err, model.ErrSerialize)
		_, err = s.txn(model.TxnRequest{Reads: []string{"b"}, Writes: []model.Write{{Key: "a"}}, Versions: versions(seen)})
		require.NoError(t, err)
		_, err = s.txn(model.TxnRequest{Reads: []string{"a", "c"}})
		require.NoError(t, err)
		require.NoError(t, dt.Call(ctx, dt.Message("order-1", 5)).Err)
	})
	g.Run()
	require.Equal(t, []string{
		"payments/rows serializable 1: r0:a w0>1:a w0>1:b",
		"payments/rows read-committed 2: r0:a r1:b w1>2:a",
		"payments/rows read-committed -1: r2:a r0:c",
		"payments/rows read-committed 3: w0>3:order-1/pay",
	}, transactions(g))
}

func TestADatabaseStatesTransactionsOfStatements(t *testing.T) {
	g := newShop(t, 1, downstream.Config{})
	defer g.World.Close()
	g.node(func(c *wire) {
		for _, text := range []string{"INSERT INTO orders VALUES (1, 'new')", "SELECT state FROM orders WHERE id = 1"} {
			_, err := c.ask(model.SQLRequest{Statement: parse(t, text)})
			require.NoError(t, err)
		}
		_, err := c.ask(model.SQLRequest{Do: model.SQLBegin, Level: model.Serializable})
		require.NoError(t, err)
		c.in = true
		for _, text := range []string{"SELECT state FROM orders WHERE id = 2", "UPDATE orders SET state = 'paid' WHERE id = 1"} {
			_, err = c.ask(model.SQLRequest{Statement: parse(t, text)})
			require.NoError(t, err)
		}
		_, err = c.ask(model.SQLRequest{Do: model.SQLCommit})
		require.NoError(t, err)
	})
	g.Run()
	require.Equal(t, []string{
		"payments/sql read-committed 2: w0>2:orders/1",
		"payments/sql serializable 3: r0:orders/2 r2:orders/1 w2>3:orders/1",
	}, transactions(g.Rig))
}

// A kill between the record and its flush keeps the database from stating the commit. The next boot does, once, before it
// answers anybody; the boot after that has nothing to state. Reads leave no record and have been stated.
func TestABootStatesWhatAKillKeptBack(t *testing.T) {
	g := dt.NewRig(kind(t, "database"), 1, slowDatabase())
	defer g.World.Close()
	g.Task(func(ctx *model.Context) {
		s := &session{c: ctx, g: g}
		_, err := s.txn(model.TxnRequest{Reads: []string{"a", "b"}}) // over at 3 ms
		require.NoError(t, err)
		_, err = s.txn(model.TxnRequest{Writes: []model.Write{{Key: "a"}}}) // on the disk at 5 ms, durable at 10 ms
		require.Error(t, err)
	})
	g.Schedule([]dt.Stop{{At: 7 * sim.Millisecond, Down: sim.Second}, {At: 3 * sim.Second, Down: sim.Second}})
	g.Run()
	require.Equal(t, []string{"payments/rows read-committed -1: r0:a r0:b", "payments/rows read-committed 1: w0>1:a"}, transactions(g))
}

// Of SQL transactions, too.
func TestABootStatesWhatAKillKeptBackOfStatements(t *testing.T) {
	g := newShop(t, 1, downstream.Config{})
	defer g.World.Close()
	g.node(func(c *wire) {
		_, err := c.ask(model.SQLRequest{Statement: parse(t, "INSERT INTO orders VALUES (1, 'new')")})
		require.Error(t, err)
	})
	g.Schedule([]dt.Stop{{At: 4 * sim.Millisecond, Down: sim.Second}, {At: 3 * sim.Second, Down: sim.Second}})
	g.Run()
	require.Equal(t, []string{"payments/sql read-committed 2: w0>2:orders/1"}, transactions(g.Rig))
}
