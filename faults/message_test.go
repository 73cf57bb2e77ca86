package faults

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// charge notes when the charge of order-7 passed its steps, in a run of the plan.
func charge(t *testing.T, lines ...string) (d *demo, passed []string) {
	plan, err := ParseLines(lines)
	require.NoError(t, err)
	d = run(t, plan, true, func(d *demo) {
		for _, step := range history.RPCSteps() {
			d.w.Watch(history.RPCHook("payments.charge", step), func(h *sim.Hit) {
				if h.Event == "order-7" {
					passed = append(passed, step+" "+d.w.Now().String())
				}
			})
		}
	})
	requireHealed(t, d)
	return d, passed
}

// A message that is held goes on when its time has come, whoever has given it up meanwhile; a lost one does not. Each is one
// message: everything else of the run takes its usual way.
func TestMessagesAtAHook(t *testing.T) {
	const hook = "when payments.charge/%s{event=order-7} #1 %s"
	_, usual := charge(t)
	require.Len(t, usual, 5)
	at := func(step int, later sim.Duration) string {
		var name string
		var when string
		_, err := fmt.Sscan(usual[step], &name, &when)
		require.NoError(t, err)
		ns, err := parseTime(when)
		require.NoError(t, err)
		return name + " " + ns.Add(later).String()
	}
	for _, c := range []struct {
		name, step, fault string
		want              []string
		who               string
	}{
		{"a request is held and still awaited", "sent", "hold $message by 500ms", []string{at(0, 0), at(1, 500*sim.Millisecond), at(2, 500*sim.Millisecond), at(3, 500*sim.Millisecond), at(4, 500*sim.Millisecond)}, "consumer"},
		{"a request is held longer than anybody waits", "sent", "hold $message by 70s", []string{at(0, 0), at(1, 70*sim.Second), at(2, 70*sim.Second), at(3, 70*sim.Second)}, "consumer"},
		{"a reply is held", "replied", "hold $message by 500ms", []string{at(0, 0), at(1, 0), at(2, 0), at(3, 0), at(4, 500*sim.Millisecond)}, "payments"},
		{"a reply is held longer than anybody waits", "replied", "hold $message by 70s", []string{at(0, 0), at(1, 0), at(2, 0), at(3, 0)}, "payments"},
		{"a request is lost", "sent", "lose $message", []string{at(0, 0)}, "consumer"},
		{"a reply is lost", "replied", "lose $message", []string{at(0, 0), at(1, 0), at(2, 0), at(3, 0)}, "payments"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, passed := charge(t, fmt.Sprintf(hook, c.step, c.fault))
			require.Equal(t, c.want, passed)
			began, ended := d.facts(history.KindFaultBegan), d.facts(history.KindFaultEnded)
			require.Len(t, began, 1)
			require.Contains(t, began[0].Node, c.who)
			require.Equal(t, d.in.shots[0].f.By, ended[0].Time-began[0].Time, "a hold lasts until the message goes on")
			require.Empty(t, d.facts(history.KindFaultMissed))
		})
	}
}

func parseTime(s string) (sim.Time, error) {
	f, err := Parse("at " + s + " kill x-1 for 1s")
	return sim.Time(f.Trigger.At), err
}

// Two faults of one message: delays add up, and what is lost is neither held nor lost again.
func TestMessagesMeetFaultsTogether(t *testing.T) {
	const hook = "when payments.charge/sent{event=order-7} #1 "
	_, usual := charge(t)
	_, twice := charge(t, hook+"hold $message by 200ms", hook+"hold $message by 300ms")
	_, once := charge(t, hook+"hold $message by 500ms")
	require.Equal(t, once, twice)
	require.NotEqual(t, usual, once)
	d, lost := charge(t, hook+"lose $message", hook+"hold $message by 300ms", hook+"lose $message")
	require.Len(t, lost, 1)
	missed := d.facts(history.KindFaultMissed)
	require.Equal(t, []string{"the message is lost", "the message is lost already"}, []string{missed[0].Value, missed[1].Value})
}

// A held message keeps the heal waiting: what it does belongs to the run, not to what is judged after it.
func TestHealWaitsForWhatIsHeld(t *testing.T) {
	d := play(t, "when payments.charge/sent{event=order-7} #1 hold $message by 3m")
	require.Equal(t, d.facts(history.KindFaultBegan)[0].Until+1, d.heal)
	requireHealed(t, d)
}

// A slow link delays one way, in order, for as long as it lasts; slows of one link add up.
func TestSlow(t *testing.T) {
	late := func(from string, lines ...string) []string {
		plan, err := ParseLines(lines)
		require.NoError(t, err)
		var sent, arrived []sim.Time
		var order []string
		d := run(t, plan, true, func(d *demo) {
			for _, at := range []sim.Duration{9, 11, 14, 19, 21} {
				d.w.At(sim.Time(at*sim.Second), sim.PhaseTimer, func() {
					to := d.w.Node("broker-2")
					d.w.Node(from).Send(to, d.w.Op("broker.tell"), d.w.Act("note-"+at.String(), "s", "broker.tell"), "", 0)
				})
			}
			d.w.Watch("broker.tell/sent", func(*sim.Hit) { sent = append(sent, d.w.Now()) })
			d.w.Watch("broker.tell/arrived", func(h *sim.Hit) {
				arrived = append(arrived, d.w.Now())
				order = append(order, h.Event)
			})
		})
		requireHealed(t, d)
		require.IsIncreasing(t, append([]string{}, order[1:]...))
		var out []string
		for i := range sent {
			out = append(out, sim.Duration(arrived[i].Sub(sent[i])/sim.Second*sim.Second).String())
		}
		return out
	}
	const slow = "at 10s slow broker-2 from broker-1 by 4s for 10s"
	require.Equal(t, []string{"0s", "4s", "4s", "4s", "2s"}, late("broker-1", slow), "the last one waits behind the one before")
	require.Equal(t, []string{"0s", "0s", "0s", "0s", "0s"}, late("broker-3", slow))
	require.Equal(t, []string{"0s", "0s", "0s", "0s", "0s"}, late("broker-1", "at 10s slow broker-1 from broker-2 by 4s for 10s"), "the other way")
	require.Equal(t, []string{"0s", "4s", "10s", "5s", "3s"}, late("broker-1", slow, "at 12s slow broker from broker-1 by 6s for 3s"), "those add up, and order is kept")
	d := play(t, "at 10s slow broker-1 from broker-1 by 1s for 1s")
	require.Equal(t, "both sides are the same node", d.facts(history.KindFaultMissed)[0].Value)
}

// A trigger that is moved to a hit without a message leaves a fault of a message where it is.
func TestAnchorsOfMessages(t *testing.T) {
	f, err := Parse("when payments.charge/sent{event=order-7} #1 hold $message by 1s")
	require.NoError(t, err)
	at := func(step string) ObservedHit {
		return ObservedHit{Hook: "payments.charge/" + step, Event: "order-9", Role: "consumer", NodeRole: "payments", Nth: 1, ByRPC: true}
	}
	require.Equal(t, f, Place(f, at("applied"), ""))
	require.False(t, f.Involves(at("applied")))
	moved := Anchor(f, at("replied"))
	require.Equal(t, "when payments.charge/replied{event=order-9} #1 hold $message by 1s", moved.String())
	require.True(t, f.Involves(at("replied")))
	require.Equal(t, history.HuntFault, KindOf([]Fault{f}))
	m, err := ParseMeasuring("x", []string{"at 10s slow broker-1 from broker-2 by 4s for 10s"})
	require.NoError(t, err)
	require.Equal(t, "at 10s slow broker-1 from broker-2 by 9s for 10s", m.Sized(history.Delay, 9*second).Lines()[0])
}

// Faults of many brokers at once: a list, a role, and one broker against its own role.
func TestSeveralBrokers(t *testing.T) {
	t.Run("partition of one from all", func(t *testing.T) {
		d := play(t, "at 10s partition broker-3 from broker for 30s")
		began := d.facts(history.KindFaultBegan)[0]
		require.Equal(t, "broker-3,broker-1,broker-2", began.Value)
		require.Len(t, d.in.cuts, 4, "two links, both ways")
		requireHealed(t, d)
	})
	t.Run("partition of lists", func(t *testing.T) {
		d := play(t, "at 10s partition broker-1,broker-2 from broker-3,payments-1 until heal")
		require.Len(t, d.in.cuts, 8)
		requireHealed(t, d)
	})
	t.Run("pause", func(t *testing.T) {
		paused := func(d *demo) bool { return d.w.Node("broker-1").Paused() && d.w.Node("broker-3").Paused() }
		require.Equal(t, []string{"10-15"}, sample(t, paused, "at 10s pause broker-1,broker-3 for 5s"))
	})
	t.Run("power loss of all, and of one that is down", func(t *testing.T) {
		dark := func(d *demo) bool { return !d.w.Node("broker-1").Up() && !d.w.Node("broker-2").Up() }
		require.Equal(t, []string{"10-15"}, sample(t, dark, "at 10s power-loss broker for 5s"))
		require.Equal(t, []string{"10-15"}, sample(t, dark, "at 9s kill broker-2 for 6s", "at 10s power-loss broker-1,broker-2 for 5s"))
	})
}

// A lossy link delays messages and loses none of them; when it is good again, so are they. The worst of several faults
// counts.
func TestLossy(t *testing.T) {
	trips := func(lines ...string) (in, out []sim.Duration) {
		plan, err := ParseLines(lines)
		require.NoError(t, err)
		sent := map[string]sim.Time{}
		d := run(t, plan, true, func(d *demo) {
			d.w.Watch("payments.charge/sent", func(h *sim.Hit) { sent[h.Event] = d.w.Now() })
			d.w.Watch("payments.charge/arrived", func(h *sim.Hit) {
				began := sent[h.Event]
				took := d.w.Now().Sub(began)
				if began >= sim.Time(20*sim.Second) && began < sim.Time(80*sim.Second) {
					in = append(in, took)
				} else {
					out = append(out, took)
				}
			})
		})
		requireHealed(t, d)
		for _, l := range d.in.bad {
			require.Empty(t, l.rates)
		}
		require.Len(t, sent, len(in)+len(out), "every request arrives")
		return in, out
	}
	late := func(took []sim.Duration) (n int) {
		for _, d := range took {
			if d > 100*sim.Millisecond {
				n++
			}
		}
		return n
	}
	const bad = "at 20s lossy consumer from payments by 20% for 1m"
	in, out := trips(bad)
	require.InDelta(t, len(in)/5, late(in), float64(len(in))/8)
	require.LessOrEqual(t, late(out), 3, "what was under way when it ended")
	worse, _ := trips(bad, "at 20s lossy consumer from payments by 50% for 1m", "at 30s lossy payments from consumer by 1% for 1m")
	require.Greater(t, late(worse), 2*late(in))
	other, _ := trips("at 20s lossy consumer from broker by 60% for 1m")
	require.Zero(t, late(other))
}
