package downstream_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/internal/sqldoor"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/downstream"
	dt "github.com/twiceless/twiceless/model/downstream/downstreamtest"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// shop is a database with a table and nodes whose code talks SQL to it. A hop takes 1 ms, a statement 1 ms, a flush 5 ms.
type shop struct {
	*dt.Rig
	t require.TestingT
}

func newShop(t require.TestingT, seed uint64, cfg downstream.Config) *shop {
	k, _ := downstream.KindByName("database")
	cfg.Latency, cfg.Fsync = rng.Constant(int64(sim.Millisecond)), rng.Constant(int64(5*sim.Millisecond))
	cfg.Schema = []*model.SQLStatement{parse(t, "CREATE TABLE orders (id BIGINT PRIMARY KEY, state TEXT NOT NULL)")}
	return &shop{dt.NewRig(k, seed, cfg), t}
}

func parse(t require.TestingT, text string) *model.SQLStatement {
	s, err := sqldoor.Parse(text)
	require.NoError(t, err)
	return s
}

// node adds a node that runs fn from the start.
func (g *shop) node(fn func(*wire)) *sim.Node {
	n := g.World.Role("consumer", func(n *sim.Node) sim.Handler {
		n.Go("consumer", func(p *sim.Proc) { fn(&wire{g: g, p: p, name: "c1"}) })
		return sim.NoHandler()
	})
	g.World.At(0, sim.PhaseFault, n.Boot)
	return n
}

// wire is one connection, and an event that it speaks for.
type wire struct {
	g     *shop
	p     *sim.Proc
	name  string
	event string
	in    bool // a transaction
}

// ask sends one request; it waits a minute for the answer.
func (c *wire) ask(q model.SQLRequest) (model.SQLReply, error) {
	if c.in || q.Do == model.SQLBegin {
		q.Session = c.name
	}
	q.Connection = c.name
	w, name := c.g.World, dt.Service+"."+q.Op()
	body, _, err := c.p.Call(c.g.Node, w.Op(name), w.Act(c.event, "pay", name), q, 0, 10*sim.Hour)
	if err != nil {
		return model.SQLReply{}, err
	}
	return body.(model.SQLReply), nil
}

func (c *wire) begin() error {
	_, err := c.ask(model.SQLRequest{Do: model.SQLBegin})
	c.in = err == nil
	return err
}

func (c *wire) end(do model.SQLVerb) error {
	_, err := c.ask(model.SQLRequest{Do: do})
	c.in = false
	return err
}

// run is a statement; it returns how many rows it was about.
func (c *wire) run(text string, args ...int64) (int64, error) {
	q := model.SQLRequest{Statement: parse(c.g.t, text)}
	for _, a := range args {
		q.Args = append(q.Args, model.SQLValue{Kind: model.SQLInteger, Int: a})
	}
	reply, err := c.ask(q)
	return reply.Affected, err
}

// states reads the table.
func (c *wire) states() string {
	reply, err := c.ask(model.SQLRequest{Statement: parse(c.g.t, "SELECT id, state FROM orders ORDER BY id")})
	if err != nil {
		return err.Error()
	}
	out := ""
	for _, row := range reply.Rows {
		out += fmt.Sprintf("%d %s;", row[0].Int, row[1].Text)
	}
	return out
}

var errUndo = errors.New("the code thinks better of it")

func codeOf(err error) string {
	if e, ok := errors.AsType[*model.SQLError](err); ok {
		return e.Code
	}
	return fmt.Sprint(err)
}

// The caller of a commit that a kill meets knows nothing; the row is there exactly if the commit was written.
func TestKillAtEachStepOfACommit(t *testing.T) {
	for _, c := range []struct {
		hook  string
		power bool
		row   string
	}{
		{hook: "payments.commit/arrived", row: ""},
		{hook: "payments.disk.append/started", row: ""},
		{hook: "payments.disk.append/done", row: "1 new;"},
		{hook: "payments.disk.fsync/done", row: "1 new;"},
		{hook: "payments.commit/applied", row: "1 new;"},
		{hook: "payments.commit/replied", row: "1 new;"},
		{hook: "payments.disk.append/started", power: true, row: ""},
		{hook: "payments.disk.fsync/done", power: true, row: "1 new;"},
		{hook: "payments.commit/replied", power: true, row: "1 new;"},
	} {
		t.Run(fmt.Sprint(c.hook, c.power), func(t *testing.T) {
			g := newShop(t, 1, downstream.Config{})
			defer g.World.Close()
			stopped := false
			g.World.Watch(c.hook, func(*sim.Hit) {
				if !stopped {
					stopped = true
					g.Stop(dt.Stop{Down: sim.Second, Power: c.power})
				}
			})
			g.Task(func(ctx *model.Context) {
				w := &wire{g: g, p: ctx.Process(), name: "c1", event: "order-1"}
				require.NoError(t, w.begin())
				_, err := w.run("INSERT INTO orders VALUES (1, 'new')")
				require.NoError(t, err)
				if !c.power {
					require.ErrorIs(t, w.end(model.SQLCommit), sim.ErrReset)
					ctx.Sleep(2 * sim.Second)
					require.Equal(t, c.row, w.states())
				} else {
					_ = w.end(model.SQLCommit)
				}
			})
			if c.power {
				g.node(func(w *wire) { w.p.Sleep(sim.Minute); require.Equal(t, c.row, w.states()) })
			}
			g.Run()
			require.True(t, stopped)
			facts, _ := g.Applied("order-1")
			require.Equal(t, c.row != "", facts == 1)
			require.Equal(t, facts, g.OnDisk("order-1"))
		})
	}
}

// Whatever stops the database: what was committed is there, all of a transaction or nothing, each with one fact.
func TestTransactionsUnderStops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newShop(t, rapid.Uint64().Draw(t, "seed"), downstream.Config{})
		defer g.World.Close()
		g.Schedule(dt.DrawStops(t))
		acked := map[int64]bool{}
		for i := range int64(3) {
			g.node(func(w *wire) {
				for j := range int64(5) {
					id := 100*i + 10*j
					w.event = fmt.Sprint("order-", id)
					err := w.begin()
					for part := range int64(2) {
						if err == nil {
							_, err = w.run("INSERT INTO orders VALUES ($1, 'new') ON CONFLICT DO NOTHING", id+part)
						}
					}
					if err == nil && w.end(model.SQLCommit) == nil {
						acked[id] = true
					}
					w.name += "'" // a new connection
					w.in = false
				}
			})
		}
		var rows [][]model.SQLValue
		g.node(func(w *wire) {
			w.p.Sleep(11 * sim.Hour)
			reply, err := w.ask(model.SQLRequest{Statement: parse(t, "SELECT id FROM orders")})
			require.NoError(t, err)
			rows = reply.Rows
		})
		g.Node.Boot()
		g.World.Run(sim.Time(12 * sim.Hour))
		there := map[int64]int{}
		for _, row := range rows {
			there[row[0].Int/10*10]++
		}
		for i := range int64(3) {
			for j := range int64(5) {
				id := 100*i + 10*j
				facts, _ := g.Applied(fmt.Sprint("order-", id))
				require.Contains(t, []int{0, 2}, there[id], "all or nothing")
				require.Equal(t, there[id]/2, facts)
				require.True(t, there[id] == 2 || !acked[id])
			}
		}
	})
}

// What becomes of an open transaction whose client is no more: when another gets the row that it has locked.
func TestClientIsGone(t *testing.T) {
	for _, c := range []struct {
		name string
		idle sim.Duration
		gone func(g *shop, n *sim.Node)
		free sim.Duration // when the row is free
	}{
		{"killed: its machine says so", 0, func(_ *shop, n *sim.Node) { n.Kill(0) }, sim.Second + sim.Millisecond},
		{"power loss: keepalive, 2 h and nine probes", 0, func(_ *shop, n *sim.Node) { n.PowerLoss(0) }, 10*sim.Millisecond + 2*sim.Hour + 9*75*sim.Second},
		{"power loss, and back: the next probe is told", 0, func(g *shop, n *sim.Node) {
			n.PowerLoss(0)
			g.World.At(sim.Time(sim.Minute), sim.PhaseFault, n.Boot)
		}, 10*sim.Millisecond + 2*sim.Hour},
		{"partition", 0, func(g *shop, n *sim.Node) { n.Cut(g.Node); g.Node.Cut(n); n.Kill(0) }, 10*sim.Millisecond + 2*sim.Hour + 9*75*sim.Second},
		{"a limit for idle transactions", sim.Minute, func(_ *shop, n *sim.Node) { n.PowerLoss(0) }, 10*sim.Millisecond + sim.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newShop(t, 1, downstream.Config{IdleInTransaction: c.idle})
			defer g.World.Close()
			first := true
			holder := g.node(func(w *wire) {
				if first {
					first = false
					require.NoError(t, w.begin())
					_, err := w.run("INSERT INTO orders VALUES (1, 'mine')")
					require.NoError(t, err)
				}
				w.p.Sleep(12 * sim.Hour)
			})
			g.World.At(sim.Time(sim.Second), sim.PhaseFault, func() { c.gone(g, holder) })
			var got sim.Time
			g.node(func(w *wire) {
				w.p.Sleep(500 * sim.Millisecond)
				n, err := w.run("INSERT INTO orders VALUES (1, 'yours')")
				require.NoError(t, err)
				require.Equal(t, int64(1), n)
				got = g.World.Now()
			})
			g.Node.Boot()
			g.World.Run(sim.Time(13 * sim.Hour))
			require.InDelta(t, int64(c.free), int64(got), float64(20*sim.Millisecond))
		})
	}
}

// A client that is killed while its statement waits for a lock: the statement has been sent, and commits by itself.
func TestStatementOutlivesItsClient(t *testing.T) {
	g := newShop(t, 1, downstream.Config{})
	defer g.World.Close()
	g.node(func(w *wire) {
		require.NoError(t, w.begin())
		_, err := w.run("INSERT INTO orders VALUES (1, 'first')")
		require.NoError(t, err)
		w.p.Sleep(sim.Minute)
		require.NoError(t, w.end(model.SQLRollback))
	})
	alone := g.node(func(w *wire) { w.p.Sleep(sim.Second); _, _ = w.run("INSERT INTO orders VALUES (1, 'alone')") })
	inside := g.node(func(w *wire) {
		require.NoError(t, w.begin())
		w.p.Sleep(2 * sim.Second)
		_, _ = w.run("UPDATE orders SET state = 'never'")
		_, _ = w.run("INSERT INTO orders VALUES (2, 'never')")
		_, _ = w.run("INSERT INTO orders VALUES (1, 'never') ON CONFLICT DO NOTHING")
	})
	g.World.At(sim.Time(10*sim.Second), sim.PhaseFault, func() { alone.Kill(0); inside.Kill(0) })
	seen := ""
	g.node(func(w *wire) { w.p.Sleep(2 * sim.Minute); seen = w.states() })
	g.Node.Boot()
	g.World.Run(sim.Time(sim.Hour))
	require.Equal(t, "1 alone;", seen)
}

// Two serializable transactions that each read what the other writes, and commit at the same moment: the check of the
// second comes after the commit of the first, which takes a flush.
func TestCommitsAreCheckedOneAfterTheOther(t *testing.T) {
	g := newShop(t, 1, downstream.Config{})
	defer g.World.Close()
	codes := map[string]int{}
	for i := range int64(2) {
		g.node(func(w *wire) {
			_, err := w.ask(model.SQLRequest{Do: model.SQLBegin, Level: model.Serializable})
			require.NoError(t, err)
			w.in = true
			_, err = w.run("SELECT state FROM orders WHERE id = $1", 1-i)
			require.NoError(t, err)
			_, err = w.run("INSERT INTO orders VALUES ($1, 'new')", i)
			require.NoError(t, err)
			codes[codeOf(w.end(model.SQLCommit))]++
		})
	}
	g.Node.Boot()
	g.World.Run(sim.Time(sim.Hour))
	require.Equal(t, map[string]int{"<nil>": 1, model.SQLSerialization: 1}, codes)
}

// What a connection is told besides results.
func TestConnection(t *testing.T) {
	g := newShop(t, 1, downstream.Config{})
	defer g.World.Close()
	g.node(func(w *wire) {
		require.NoError(t, w.begin())
		require.Equal(t, model.SQLActiveTransaction, codeOf(w.begin()))
		w.in = true
		_, err := w.run("INSERT INTO orders VALUES (1, NULL)")
		require.Equal(t, model.SQLNotNullViolation, codeOf(err))
		_, err = w.run("SELECT 1")
		require.Equal(t, model.SQLFailedTransaction, codeOf(err))
		require.Equal(t, model.SQLFailedTransaction, codeOf(w.end(model.SQLCommit)))
		require.NoError(t, w.begin())
		g.Stop(dt.Stop{Down: sim.Second})
		w.p.Sleep(2 * sim.Second)
		_, err = w.run("INSERT INTO orders VALUES (1, 'new')")
		require.Equal(t, model.SQLConnectionGone, codeOf(err), "it must not commit by itself")
		w.in = false
		require.Empty(t, w.states())

		// closed: what is open is rolled back
		require.NoError(t, w.begin())
		_, err = w.run("INSERT INTO orders VALUES (1, 'new')")
		require.NoError(t, err)
		require.NoError(t, w.end(model.SQLClose), "in is false only from here on")
		require.Empty(t, w.states())
	})
	g.Node.Boot()
	require.Equal(t, sim.StopDrained, g.World.Run(sim.Time(sim.Hour)).Kind)
}

// An outage refuses statements, and cannot refuse that a connection is closed. A server with more to do than it can turns
// away who is new, and lets go on who has a transaction.
func TestOutageAndOverload(t *testing.T) {
	outage := false
	g := newShop(t, 1, downstream.Config{CapacityPerSecond: 1, Refusing: func() bool { return outage }})
	defer g.World.Close()
	g.node(func(w *wire) {
		require.NoError(t, w.begin())
		_, err := w.run("INSERT INTO orders VALUES (1, 'new')")
		require.NoError(t, err)
		for range 40 {
			w.p.Go("crowd", func(p *sim.Proc) { _ = (&wire{g: g, p: p, name: "c2"}).states() })
		}
		w.p.Sleep(10 * sim.Millisecond)
		_, err = (&wire{g: g, p: w.p, name: "c3"}).run("SELECT 1")
		require.ErrorIs(t, err, model.ErrOverloaded)
		_, err = w.run("INSERT INTO orders VALUES (2, 'new')")
		require.NoError(t, err)
		outage = true
		require.ErrorIs(t, w.end(model.SQLCommit), model.ErrUnavailable)
		w.in = true
		require.NoError(t, w.end(model.SQLClose))
		outage = false
		n, err := w.run("INSERT INTO orders VALUES (1, 'again')")
		require.NoError(t, err, "nothing is locked")
		require.Equal(t, int64(1), n)
	})
	g.Node.Boot()
	require.Equal(t, sim.StopDrained, g.World.Run(sim.Time(sim.Hour)).Kind)
}

// Two transactions that wait for each other: whose wait lasts a second while the circle is closed looks, and is refused.
func TestDeadlockIsFoundAfterASecond(t *testing.T) {
	g := newShop(t, 1, downstream.Config{})
	defer g.World.Close()
	var told []string
	for i := range int64(2) {
		g.node(func(w *wire) {
			require.NoError(t, w.begin())
			_, err := w.run("INSERT INTO orders VALUES ($1, 'mine')", i)
			require.NoError(t, err)
			w.p.Sleep(100*sim.Millisecond + sim.Duration(i)*300*sim.Millisecond)
			before := g.World.Now()
			_, err = w.run("INSERT INTO orders VALUES ($1, 'yours') ON CONFLICT DO NOTHING", 1-i)
			told = append(told, fmt.Sprint(i, " ", codeOf(err), " after ", g.World.Now().Sub(before)))
			_ = w.end(model.SQLRollback)
		})
	}
	g.Node.Boot()
	g.World.Run(sim.Time(sim.Hour))
	require.Equal(t, []string{"0 40P01 after 1.003s", "1 <nil> after 703ms"}, told, "the first to wait is the first to look")
}

// A driver gives a statement up: it ends, and with it the wait; without that it stays in line.
func TestCancel(t *testing.T) {
	g := newShop(t, 1, downstream.Config{})
	defer g.World.Close()
	g.node(func(w *wire) {
		require.NoError(t, w.begin())
		_, err := w.run("INSERT INTO orders VALUES (1, 'first')")
		require.NoError(t, err)
		w.p.Sleep(sim.Minute)
		require.NoError(t, w.end(model.SQLCommit))
	})
	errs := map[string]string{}
	for _, name := range []string{"alone", "inside", "in work"} {
		n := g.node(func(w *wire) {
			w.p.Sleep(sim.Second)
			w.name = name
			if name == "inside" {
				require.NoError(t, w.begin())
			}
			w.p.Go("impatient", func(p *sim.Proc) {
				if name != "in work" { // its statement waits
					p.Sleep(sim.Second)
				}
				other := &wire{g: g, p: p, name: name, in: w.in}
				_, err := other.ask(model.SQLRequest{Do: model.SQLCancel})
				require.NoError(t, err)
			})
			_, err := w.run("INSERT INTO orders VALUES (1, 'second')")
			errs[name] = codeOf(err)
			require.Less(t, g.World.Now(), sim.Time(3*sim.Second))
			if name == "in work" {
				require.Less(t, g.World.Now(), sim.Time(1010*sim.Millisecond))
			}
		})
		require.NotNil(t, n)
	}
	g.Node.Boot()
	g.World.Run(sim.Time(sim.Hour))
	require.Equal(t, map[string]string{"alone": model.SQLQueryCanceled, "inside": model.SQLQueryCanceled, "in work": model.SQLQueryCanceled}, errs)
}

// Which facts a transaction leaves, by what its statements did.
func TestFactsOfTransactions(t *testing.T) {
	stages := []downstream.SQLStage{{Name: "record", Op: "insert-orders", Class: history.State}, {Name: "ship", Op: "update-orders", Class: history.Critical}}
	for _, c := range []struct {
		name   string
		stages []downstream.SQLStage
		texts  []string
		want   []string
	}{
		{"an insert", stages, []string{"INSERT INTO orders VALUES (1, 'new')"}, []string{"applied order-1 record state insert-orders"}},
		{"two stages at once", stages, []string{"INSERT INTO orders VALUES (1, 'new')", "UPDATE orders SET state = 'shipped' WHERE id = 9"},
			[]string{"applied order-1 record state insert-orders", "applied order-1 ship critical update-orders"}},
		{"two rows are one application", stages, []string{"INSERT INTO orders VALUES (1, 'new')", "INSERT INTO orders VALUES (2, 'new')"},
			[]string{"applied order-1 record state insert-orders"}},
		{"an update to what it is already", stages, []string{"UPDATE orders SET state = 'old' WHERE id = 9"}, nil},
		{"there and back", stages, []string{"UPDATE orders SET state = 'x' WHERE id = 9", "UPDATE orders SET state = 'old' WHERE id = 9"}, nil},
		{"a statement of no stage beside one of a stage", stages, []string{"DELETE FROM orders WHERE id = 9", "INSERT INTO orders VALUES (1, 'new')"},
			[]string{"applied order-1 record state insert-orders"}},
		{"no statement of a stage: the first", stages, []string{"DELETE FROM orders WHERE id = 9"}, []string{"applied order-1 record state delete-orders"}},
		{"or the one that the caller acts for", []downstream.SQLStage{{Name: "record", Op: "x"}, {Name: "pay", Op: "y", Class: history.Critical}},
			[]string{"DELETE FROM orders WHERE id = 9"}, []string{"applied order-1 pay critical delete-orders"}},
		{"nothing is known of stages", nil, []string{"DELETE FROM orders WHERE id = 9"}, []string{"applied order-1 pay  delete-orders"}},
		{"a repetition is recognised", stages, []string{"INSERT INTO orders VALUES (9, 'new') ON CONFLICT DO NOTHING"}, []string{"suppressed order-1 record  insert-orders"}},
		{"by an error too", stages, []string{"INSERT INTO orders VALUES (9, 'new')"}, []string{"suppressed order-1 record  insert-orders"}},
		{"recognised, and something else done", stages, []string{"INSERT INTO orders VALUES (9, 'new') ON CONFLICT DO NOTHING", "UPDATE orders SET state = 'again' WHERE id = 9"},
			[]string{"applied order-1 ship critical update-orders"}},
		{"recognised, and something else undone", stages, []string{"UPDATE orders SET state = 'again' WHERE id = 9", "INSERT INTO orders VALUES (9, 'new') ON CONFLICT DO NOTHING", "undo"}, nil},
		{"only read", stages, []string{"SELECT * FROM orders FOR UPDATE"}, nil},
	} {
		for _, auto := range []bool{false, true} {
			if auto && len(c.texts) > 1 {
				continue
			}
			t.Run(fmt.Sprint(c.name, " ", auto), func(t *testing.T) {
				g := newShop(t, 1, downstream.Config{SQLStages: c.stages})
				defer g.World.Close()
				g.node(func(w *wire) {
					_, err := w.run("INSERT INTO orders VALUES (9, 'old')")
					require.NoError(t, err)
					w.event = "order-1"
					if !auto {
						require.NoError(t, w.begin())
					}
					for _, text := range c.texts {
						if text == "undo" {
							err = errUndo
							break
						}
						_, err = w.run(text)
					}
					switch {
					case auto:
					case err != nil:
						require.NoError(t, w.end(model.SQLRollback))
					default:
						require.NoError(t, w.end(model.SQLCommit))
					}
				})
				g.Node.Boot()
				g.World.Run(sim.Time(sim.Hour))
				var got []string
				for _, f := range g.World.History.Facts {
					if f.Kind == history.KindApplied || f.Kind == history.KindSuppressed {
						require.Equal(t, f.Kind == history.KindApplied, f.Changed)
						got = append(got, fmt.Sprint(f.Kind, " ", f.Event, " ", f.Stage, " ", f.Class, " ", f.Op))
					}
				}
				require.Equal(t, c.want, got)
			})
		}
	}
}
