package downstream_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/downstream"
	dt "github.com/twiceless/twiceless/model/downstream/downstreamtest"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
	"pgregory.net/rapid"
)

// session is a client of the database's general op.
type session struct {
	c *model.Context
	g *dt.Rig
}

func (s *session) txn(t model.TxnRequest) ([]model.Row, error) {
	p, w := s.c.Process(), s.g.World
	name := dt.Service + "." + model.OpTxn
	body, _, err := p.Call(s.g.Node, w.Op(name), w.Act("txn", "", name), t, 0, 100*sim.Millisecond)
	if err != nil {
		return nil, err
	}
	return body.(model.TxnReply).Rows, nil
}

// versions are what a later round of the transaction hands in.
func versions(rows []model.Row) []model.Version {
	out := make([]model.Version, len(rows))
	for i, r := range rows {
		out[i] = model.Version{Key: r.Key, Version: r.Version}
	}
	return out
}

func slowDatabase() downstream.Config {
	return downstream.Config{Latency: rng.Constant(int64(sim.Millisecond)), Fsync: rng.Constant(int64(5 * sim.Millisecond))}
}

// Two sessions read the stock, think, and write it back. What the second committer meets is the isolation level.
func TestReadThinkWrite(t *testing.T) {
	for _, c := range []struct {
		name   string
		level  model.Isolation
		start  []model.Write // rows before
		insert bool          // the write back is an insert under a unique constraint
		errs   []error
		stock  string
	}{
		{"read committed loses an update", model.ReadCommitted, []model.Write{{Key: "stock", Value: "10"}}, false, []error{nil, nil}, "by 1"},
		{"serializable: the first committer wins", model.Serializable, []model.Write{{Key: "stock", Value: "10"}}, false, []error{nil, model.ErrSerialize}, "by 0"},
		{"read committed: select, then insert, races", model.ReadCommitted, nil, false, []error{nil, nil}, "by 1"},
		{"serializable: absence is a version too", model.Serializable, nil, false, []error{nil, model.ErrSerialize}, "by 0"},
		{"a unique constraint decides at any level", model.ReadCommitted, nil, true, []error{nil, model.ErrUnique}, "by 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := dt.NewRig(kind(t, "database"), 1, slowDatabase())
			defer g.World.Close()
			errs := make([]error, 2)
			for i := range errs {
				g.Task(func(ctx *model.Context) {
					s := &session{c: ctx, g: g}
					if i == 0 && c.start != nil {
						_, err := s.txn(model.TxnRequest{Writes: c.start})
						require.NoError(t, err)
					}
					ctx.Sleep(sim.Second + sim.Duration(i)*sim.Millisecond - sim.Duration(ctx.Now())) // the first commits first
					rows, err := s.txn(model.TxnRequest{Reads: []string{"stock"}, Level: c.level})
					require.NoError(t, err)
					write := model.Write{Key: "stock", Value: "by " + string(rune('0'+i)), Insert: c.insert}
					_, errs[i] = s.txn(model.TxnRequest{Writes: []model.Write{write}, Level: c.level, Versions: versions(rows)})
				})
			}
			var final []model.Row
			g.Task(func(ctx *model.Context) {
				ctx.Sleep(sim.Minute)
				final, _ = (&session{c: ctx, g: g}).txn(model.TxnRequest{Reads: []string{"stock"}})
			})
			g.Run()
			require.Equal(t, c.errs, errs)
			require.Equal(t, c.stock, final[0].Value)
		})
	}
}

// A reader never sees a commit that is still being flushed, and sees all of it afterwards.
func TestNoDirtyRead(t *testing.T) {
	g := dt.NewRig(kind(t, "database"), 1, slowDatabase())
	defer g.World.Close()
	g.Task(func(ctx *model.Context) {
		_, err := (&session{c: ctx, g: g}).txn(model.TxnRequest{Writes: []model.Write{{Key: "a", Value: "1"}, {Key: "b", Value: "1"}}})
		require.NoError(t, err)
	})
	seen := map[string]int{}
	g.Task(func(ctx *model.Context) {
		for range 10 {
			rows, err := (&session{c: ctx, g: g}).txn(model.TxnRequest{Reads: []string{"a", "b"}})
			require.NoError(t, err)
			seen[rows[0].Value+rows[1].Value]++
		}
	})
	g.Run()
	require.Len(t, seen, 2)
	require.Positive(t, seen[""])
	require.Positive(t, seen["11"])
}

func TestInsertTwiceInOneTransaction(t *testing.T) {
	g := dt.NewRig(kind(t, "database"), 1, slowDatabase())
	defer g.World.Close()
	var err error
	g.Task(func(ctx *model.Context) {
		one := model.Write{Key: "a", Value: "1", Insert: true}
		_, err = (&session{c: ctx, g: g}).txn(model.TxnRequest{Writes: []model.Write{one, one}})
	})
	g.Run()
	require.ErrorIs(t, err, model.ErrUnique)
}

// A read stage gets the row of the business key and applies nothing.
func TestReadStage(t *testing.T) {
	g := dt.NewRig(kind(t, "database"), 1, slowDatabase())
	defer g.World.Close()
	var got model.Message
	g.Task(func(ctx *model.Context) {
		m := dt.Message("order-1", 5)
		_, err := (&session{c: ctx, g: g}).txn(model.TxnRequest{Writes: []model.Write{{Key: m.Key, Value: "silver"}}})
		require.NoError(t, err)
		got, err = ctx.With(m.Intent).Call(dt.Service, "lookup", m)
		require.NoError(t, err)
	})
	g.Run()
	require.Equal(t, "silver", got.Payload)
	_, total := g.Applied("")
	require.Zero(t, total)
}

// Increments by serializable sessions that repeat what certainly failed: the counter never exceeds what may have been
// committed and never falls below what was answered, whatever stops the database.
func TestCounterUnderStops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := dt.NewRig(kind(t, "database"), rapid.Uint64().Draw(t, "seed"), slowDatabase())
		defer g.World.Close()
		g.Schedule(dt.DrawStops(t))
		acked, unknown := 0, 0
		for range 4 {
			g.Task(func(ctx *model.Context) {
				s := &session{c: ctx, g: g}
				for range 6 {
					switch err := increment(s); {
					case err == nil:
						acked++
					case !model.Definite(err):
						unknown++
					}
				}
			})
		}
		value := -1
		g.Task(func(ctx *model.Context) {
			ctx.Sleep(sim.Minute)
			rows, err := (&session{c: ctx, g: g}).txn(model.TxnRequest{Reads: []string{"n"}})
			require.NoError(t, err)
			value = len(rows[0].Value)
		})
		g.Run()
		require.GreaterOrEqual(t, value, acked)
		require.LessOrEqual(t, value, acked+unknown)
	})
}

// increment is one transaction of two rounds; the counter is the length of the row.
func increment(s *session) error {
	rows, err := s.txn(model.TxnRequest{Reads: []string{"n"}, Level: model.Serializable})
	if err != nil {
		return model.ErrUnavailable // a read changes nothing
	}
	_, err = s.txn(model.TxnRequest{Writes: []model.Write{{Key: "n", Value: rows[0].Value + "+"}}, Level: model.Serializable, Versions: versions(rows)})
	return err
}
