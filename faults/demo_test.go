package faults

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

const (
	demoChaosEnd = sim.Time(100 * sim.Second)
	demoWorkEnd  = sim.Time(280 * sim.Second)
	demoHorizon  = sim.Time(1000 * sim.Second)
)

// demo is a tiny world with all that faults may touch: three consumers that ask a broker and charge and notify for
// one intent after the other, and the controls over them.
type demo struct {
	w       *sim.World
	in      *Injector
	refused map[string]bool
	lost    map[string][]func()
	onHeal  []func()
	heal    int64
	left    []*sim.Node
	next    int
	log     []string // what the controls were asked
}

type answer struct {
	d       *demo
	service string
}

var errRefusing = errors.New("service refuses")

func (a *answer) Receive(n *sim.Node, r *sim.Request) {
	if a.d.refused[a.service] {
		r.Fail(errRefusing, 0)
		return
	}
	n.Append("log", "x", r.Action, nil)
	n.Fsync("log", r.Action, func() {
		r.Applied()
		r.Reply("ok", 0)
	})
}

func newDemo() *demo {
	d := &demo{w: sim.New(sim.Config{Seed: 1, Latency: rng.Constant(int64(sim.Millisecond))}), refused: map[string]bool{}, lost: map[string][]func(){}}
	for _, role := range []string{RoleBroker, RoleBroker, RoleBroker, "payments", "notifier", RoleDedup} {
		d.w.Role(role, func(*sim.Node) sim.Handler { return &answer{d: d, service: role} }).Boot()
	}
	for range 3 {
		d.consumer().Boot()
	}
	for _, s := range []string{"payments", "notifier"} {
		op := map[string]string{"payments": "payments.charge", "notifier": "notifier.send"}[s]
		d.w.Watch(op+"/replied", func(h *sim.Hit) {
			if q := d.lost[s]; len(q) > 0 {
				d.lost[s] = q[1:]
				h.Drop = true
				q[0]()
			}
		})
	}
	return d
}

func (d *demo) consumer() *sim.Node {
	return d.w.Role(RoleConsumer, func(n *sim.Node) sim.Handler {
		n.Reached("group/assigned", sim.Action{})
		n.Go("main", func(p *sim.Proc) {
			for d.w.Now() < demoWorkEnd && !n.Stopping() {
				d.work(p)
				p.Sleep(sim.Second)
			}
		})
		return sim.NoHandler()
	})
}

// work handles one intent; its calls fail as they like.
func (d *demo) work(p *sim.Proc) {
	const timeout = sim.Second
	d.next++
	event := "order-" + strconv.Itoa(d.next)
	w := d.w
	_, _, _ = p.Call(d.Leader("orders", (d.next+d.next/3)%6), w.Op("broker.fetch"), sim.Action{}, "", 0, timeout)
	_, _, _ = p.Call(w.Node("payments-1"), w.Op("payments.charge"), w.Act(event, "charge", "payments.charge"), "", 0, timeout)
	_, _, _ = p.Call(w.Node("notifier-1"), w.Op("notifier.send"), w.Act(event, "notify", "notifier.send"), "", 0, timeout)
}

func (d *demo) Nodes(role string) []*sim.Node {
	if role == "" {
		return nil
	}
	return d.w.Nodes(role)
}
func (d *demo) Node(name string) *sim.Node { return d.w.Node(name) }
func (d *demo) Leader(topic string, partition int) *sim.Node {
	if topic == RoleDedup {
		return d.w.Node("dedup-1")
	}
	if topic != "orders" {
		return nil
	}
	return d.w.Nodes(RoleBroker)[partition%3]
}
func (d *demo) Join(role string) *sim.Node {
	if role != RoleConsumer {
		return nil
	}
	n := d.consumer()
	n.Boot()
	return n
}
func (d *demo) Leave(n *sim.Node, cause int64) {
	d.left = append(d.left, n)
	n.AskStop(cause)
	d.w.At(d.w.Now().Add(2*sim.Second), sim.PhaseFault, func() {
		if n.Up() {
			n.Kill(cause)
		}
	})
}
func (d *demo) Refuse(service string, on bool) {
	d.refused[service] = on
	d.log = append(d.log, service+" "+strconv.FormatBool(on))
}
func (d *demo) LoseReply(service string, lost func()) {
	d.lost[service] = append(d.lost[service], lost)
}
func (d *demo) Members(group string) []*sim.Node {
	if group != "workers" {
		return nil
	}
	return d.w.Nodes(RoleConsumer)
}

// Replay is over after a minute: what an operator does is not the injector's business.
func (d *demo) Replay(group string, cause int64, done func()) {
	d.log = append(d.log, "replay "+group)
	d.w.At(d.w.Now().Add(sim.Minute), sim.PhaseFault, done)
}
func (d *demo) Heal() int64      { return d.heal }
func (d *demo) OnHeal(fn func()) { d.onHeal = append(d.onHeal, fn) }

// tryHeal begins the heal once every stated end has passed.
func (d *demo) tryHeal() {
	if last := sim.Time(d.in.LastEnd()); last >= d.w.Now() {
		d.w.At(last+1, sim.PhaseFault, d.tryHeal)
		return
	}
	d.heal = int64(d.w.Now())
	for _, fn := range d.onHeal {
		fn()
	}
}

// run carries out a plan and ends the world. inject false leaves the injector out altogether.
func run(t testing.TB, plan []Fault, inject bool, before ...func(d *demo)) *demo {
	d := newDemo()
	defer d.w.Close()
	d.in = &Injector{}
	if inject {
		d.in = Inject(d.w, plan, d)
	}
	for _, fn := range before {
		fn(d)
	}
	d.w.At(demoChaosEnd, sim.PhaseFault, d.tryHeal)
	r := d.w.Run(demoHorizon)
	require.Equal(t, sim.StopDrained, r.Kind, r.Detail)
	d.afterDrain(t)
	if inject {
		d.in.Finish()
	}
	return d
}

// afterDrain carries out what comes then, one after the other.
func (d *demo) afterDrain(t testing.TB) {
	drained := d.w.Now()
	for after, carryOut, ok := d.in.AfterDrain(); ok; after, carryOut, ok = d.in.AfterDrain() {
		at := max(d.w.Now(), drained.Add(sim.Duration(after)))
		d.w.At(at, sim.PhaseFault, carryOut)
		require.Equal(t, sim.StopDrained, d.w.Run(at.Add(sim.Hour)).Kind)
	}
}

// play runs a plan given as text.
func play(t testing.TB, lines ...string) *demo {
	plan, err := ParseLines(lines)
	require.NoError(t, err)
	return run(t, plan, true)
}

func (d *demo) facts(kind history.Kind) (out []history.Fact) {
	for _, f := range d.w.History.Facts {
		if f.Kind == kind {
			out = append(out, f)
		}
	}
	return out
}

// story is what happened to faults and nodes: one line a fact, without the boots at the start.
func (d *demo) story() []string {
	var out []string
	for _, f := range d.w.History.Facts {
		if f.Time == 0 {
			continue
		}
		s := sim.Time(f.Time).String() + " " + f.Kind.String() + " " + f.Node
		switch f.Kind {
		case history.KindBooted:
		case history.KindStopped:
			s += " " + f.Note
		case history.KindFaultBegan:
			s += " " + f.Op
		case history.KindFaultEnded:
			s += " " + f.Op
		case history.KindFaultMissed:
			s += f.Op + ": " + f.Value
		default:
			continue
		}
		out = append(out, s)
	}
	return out
}

// requireHealed: nothing of any fault is left.
func requireHealed(t testing.TB, d *demo) {
	require.Zero(t, d.in.Active())
	require.Equal(t, len(d.facts(history.KindFaultBegan)), d.in.Fired())
	require.Len(t, d.facts(history.KindFaultEnded), d.in.Fired())
	require.Equal(t, d.in.Fired()+d.in.Missed(), len(d.in.shots))
	for _, n := range d.w.Nodes("") {
		require.Equal(t, !hasNode(d.left, n) && !hasNode(d.in.left, n), n.Up(), n.Name())
		require.False(t, n.Paused(), n.Name())
		require.Equal(t, d.w.Now(), n.Wall(), n.Name())
	}
	for _, s := range []string{"payments", "notifier"} {
		require.False(t, d.refused[s], s)
		require.Empty(t, d.lost[s], s)
	}
	for _, c := range d.in.cuts {
		require.Zero(t, c.count)
	}
	for _, f := range d.facts(history.KindFaultEnded) {
		began := d.w.History.At(f.Cause)
		require.Equal(t, history.KindFaultBegan, began.Kind)
		require.Equal(t, []string{began.Node, began.Note, began.Op, began.Value}, []string{f.Node, f.Note, f.Op, f.Value})
		require.NotEmpty(t, strings.Split(began.Value, ",")[0])
		require.True(t, strings.HasPrefix(began.Value, began.Node))
		if began.Until != 0 {
			require.Equal(t, began.Until, f.Time)
		}
	}
}
