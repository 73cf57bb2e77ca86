package faults

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// TestEveryKindConforms: each kind of fault takes effect, is lifted, is deterministic, and changes nothing when off.
func TestEveryKindConforms(t *testing.T) {
	baseline := run(t, nil, false).w.Digest()
	for _, k := range history.FaultKinds() {
		t.Run(k.Name, func(t *testing.T) {
			off := run(t, Measuring{Kind: k.Name}.Plan(), true)
			require.Equal(t, baseline, off.w.Digest(), "a plan without faults changes nothing")
			for seed := uint64(1); seed <= 4; seed++ {
				m, err := Measure(k.Name, 1, seed, demoSpace())
				require.NoError(t, err)
				d := run(t, m.Plan(), true)
				requireHealed(t, d)
				require.Equal(t, len(m.Faults), d.in.Fired(), m.Lines())
				require.Equal(t, len(m.Faults) == 0, d.w.Digest() == baseline)
				require.Equal(t, d.w.Digest(), run(t, m.Plan(), true).w.Digest())
				for _, f := range d.facts(history.KindFaultBegan) {
					require.Equal(t, m.Lines()[0], f.Note)
					require.Equal(t, k.Verb, f.Op)
					require.GreaterOrEqual(t, f.Time, m.Faults[0].At)
					require.Equal(t, []int64{-1, -1}, []int64{f.Fence, f.Offset})
					if k.For > 0 {
						require.Equal(t, f.Time+k.For, f.Until)
					}
				}
			}
		})
	}
}

func TestKillAtAHook(t *testing.T) {
	d := play(t,
		"when payments.charge/applied{event=order-7} #1 kill $caller for 1s",
		"when payments.charge/applied{event=order-9,stage=charge} #1 power-loss $node for 2s",
		"when broker.disk.fsync/done{role=broker} #5 kill $node for 1s",
		"when payments.charge/applied{event=order-9,stage=other} #1 kill $caller for 1s",
		"when payments.charge/applied{event=order-8} #2 kill $caller for 1s",
		"when broker.disk.fsync/done{role=broker} #6 kill $caller for 1s",
		"when broker.fetch/arrived{role=consumer} #20 pause $caller for 1s",
		"at 50s lose-reply notifier",
	)
	requireHealed(t, d)
	began := d.facts(history.KindFaultBegan)
	var who []string
	for _, f := range began {
		who = append(who, f.Op+" "+f.Value)
	}
	require.Len(t, began, 5, who)
	var stopped []history.Fact
	for _, f := range d.facts(history.KindStopped) {
		require.Equal(t, history.KindFaultBegan, d.w.History.At(f.Cause).Kind)
		stopped = append(stopped, f)
	}
	require.Len(t, stopped, 3)
	var missed []string
	for _, f := range d.facts(history.KindFaultMissed) {
		missed = append(missed, f.Value)
	}
	require.Equal(t, []string{"$caller is nobody at this moment", "its hook had 0 hits of 1", "its hook had 1 hits of 2"}, missed)
}

func TestOverlaps(t *testing.T) {
	for _, c := range []struct {
		name  string
		plan  []string
		story []string
	}{
		{"a target that is down", []string{"at 10s kill consumer-1 for 5s", "at 12s kill consumer-1 for 9s", "at 13s pause consumer-1 for 9s", "at 14s power-loss consumer-1,consumer-2 for 2s"}, []string{
			"10s fault-began consumer-1 kill", "10s stopped consumer-1 kill", "12s fault-missed kill: consumer-1 is down already", "13s fault-missed pause: consumer-1 is down already",
			"14s fault-began consumer-2 power-loss", "14s stopped consumer-2 power-loss",
			"15s booted consumer-1", "15s fault-ended consumer-1 kill", "16s booted consumer-2", "16s fault-ended consumer-2 power-loss"}},
		{"a pause within a pause", []string{"at 10s pause consumer-1 for 5s", "at 12s pause consumer-1 for 9s"}, []string{
			"10s fault-began consumer-1 pause", "12s fault-began consumer-1 pause", "15s fault-ended consumer-1 pause", "21s fault-ended consumer-1 pause"}},
		{"a kill within a pause", []string{"at 10s pause consumer-1 for 20s", "at 12s kill consumer-1 for 1s", "at 14s pause consumer-1 for 30s"}, []string{
			"10s fault-began consumer-1 pause", "12s fault-began consumer-1 kill", "12s stopped consumer-1 kill", "13s booted consumer-1", "13s fault-ended consumer-1 kill",
			"14s fault-began consumer-1 pause", "30s fault-ended consumer-1 pause", "44s fault-ended consumer-1 pause"}},
		{"a kill across the leave of a joined member", []string{"at 10s join consumer for 10s", "at 19s kill consumer-4 for 5s"}, []string{
			"10s booted consumer-4", "10s fault-began consumer-4 join", "19s fault-began consumer-4 kill", "19s stopped consumer-4 kill", "20s fault-ended consumer-4 join", "24s fault-ended consumer-4 kill"}},
		{"a kill within the grace", []string{"at 10s join consumer for 10s", "at 20.05s kill consumer-4 for 5s", "at 40s kill consumer-4 for 5s"}, []string{
			"10s booted consumer-4", "10s fault-began consumer-4 join", "20s fault-ended consumer-4 join", "20.05s fault-began consumer-4 kill", "20.05s stopped consumer-4 kill", "25.05s fault-ended consumer-4 kill",
			"40s fault-missed kill: consumer-4 is down already"}},
		{"until heal", []string{"at 10s skew consumer-1 by -2s until heal", "at 11s kill broker-1 until heal", "at 20s skew consumer-1 by 1s for 90s"}, []string{
			"10s fault-began consumer-1 skew", "11s fault-began broker-1 kill", "11s stopped broker-1 kill", "20s fault-began consumer-1 skew", "1m50s fault-ended consumer-1 skew",
			"1m50.000000001s fault-ended consumer-1 skew", "1m50.000000001s booted broker-1", "1m50.000000001s fault-ended broker-1 kill"}},
		{"nobody", []string{"at 1s kill consumer-9 for 1s", "at 1s kill worker for 1s", "at 1s kill $leader(payments/1) for 1s", "at 1s partition broker-1 from broker-1 for 1s", "at 1s join worker for 1s",
			"at 2s partition consumer-1 from worker for 1s", "at 990s kill consumer-1 for 1s"}, []string{
			"1s fault-missed kill: consumer-9 is nobody at this moment", "1s fault-missed kill: worker is nobody at this moment", "1s fault-missed kill: $leader(payments/1) is nobody at this moment",
			"1s fault-missed partition: both sides are the same node", "1s fault-missed join: nobody can join as worker", "2s fault-missed partition: worker is nobody at this moment"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := play(t, c.plan...)
			got := d.story()
			if c.name == "a kill within the grace" || c.name == "nobody" {
				got = got[:min(len(got), len(c.story))]
			}
			require.Equal(t, c.story, got)
			requireHealed(t, d)
		})
	}
}

func TestPartitionsCount(t *testing.T) {
	plan, err := ParseLines([]string{"at 10s partition consumer-1 from broker for 20s", "at 20s partition broker-1 from consumer for 20s"})
	require.NoError(t, err)
	var hears []bool
	d := run(t, plan, true, func(d *demo) {
		// the calls of consumer-1 to broker-1, as the broker hears them
		heard := false
		d.w.Watch("broker.fetch/arrived", func(h *sim.Hit) {
			heard = heard || h.Node.Name() == "broker-1" && h.Caller.Name() == "consumer-1"
		})
		for _, at := range []int64{10, 20, 30, 40, 60} {
			d.w.At(sim.Time(at*second), sim.PhaseDeliver, func() { hears = append(hears, heard); heard = false })
		}
	})
	require.Equal(t, []bool{true, false, false, false, true}, hears, "until 10 s, 20 s, 30 s, 40 s, 60 s")
	requireHealed(t, d)
	began := d.facts(history.KindFaultBegan)
	require.Equal(t, "consumer-1,broker-1,broker-2,broker-3", began[0].Value)
	require.Equal(t, "broker-1,consumer-1,consumer-2,consumer-3", began[1].Value)
}

// TestDropInbound: what one side sends vanishes, what the other sends arrives; in which direction is the line's choice.
func TestDropInbound(t *testing.T) {
	for _, c := range []struct {
		name           string
		plan           []string
		asked, answers []bool // until 10 s, 20 s, 30 s, 40 s, 60 s: the broker heard a call, the consumer an answer
	}{
		{"the consumer is deaf", []string{"at 10s drop-inbound consumer-1 from broker for 20s"}, []bool{true, true, true, true, true}, []bool{true, false, false, true, true}},
		{"the broker is deaf", []string{"at 10s drop-inbound broker from consumer-1 for 20s"}, []bool{true, false, false, true, true}, []bool{true, false, false, true, true}},
		{"a partition that ends within it mends one way only", []string{"at 10s drop-inbound consumer-1 from broker for 20s", "at 10s partition consumer-1 from broker for 10s"},
			[]bool{true, false, true, true, true}, []bool{true, false, false, true, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, err := ParseLines(c.plan)
			require.NoError(t, err)
			var asked, answers []bool
			d := run(t, plan, true, func(d *demo) {
				var heard, answered bool
				d.w.Watch("broker.fetch/arrived", func(h *sim.Hit) { heard = heard || h.Caller.Name() == "consumer-1" })
				d.w.Watch("broker.fetch/received", func(h *sim.Hit) { answered = answered || h.Node.Name() == "consumer-1" })
				for _, at := range []int64{10, 20, 30, 40, 60} {
					d.w.At(sim.Time(at*second), sim.PhaseDeliver, func() {
						asked, answers = append(asked, heard), append(answers, answered)
						heard, answered = false, false
					})
				}
			})
			require.Equal(t, c.asked, asked)
			require.Equal(t, c.answers, answers)
			requireHealed(t, d)
		})
	}
}

// TestJump: the wall clock steps there and back, by itself and on top of a skew; the monotonic clock shows nothing.
func TestJump(t *testing.T) {
	off := func(by sim.Duration) func(d *demo) bool {
		return func(d *demo) bool {
			n := d.w.Node("consumer-1")
			require.Equal(t, d.w.Now(), n.Now(), "the monotonic clock")
			return n.Wall().Sub(d.w.Now()) == by
		}
	}
	require.Equal(t, []string{"10-16"}, sample(t, off(sim.Hour), "at 10s jump consumer-1 by 1h for 6s"))
	require.Equal(t, []string{"12-16"}, sample(t, off(-sim.Hour-sim.Second), "at 10s jump consumer-1 by -1h for 6s", "at 12s skew consumer-1 by -1s for 9s"))
	require.Equal(t, []string{"16-21"}, sample(t, off(-sim.Second), "at 10s jump consumer-1 by -1h for 6s", "at 12s skew consumer-1 by -1s for 9s"), "the skew outlasts the step back")
}

// sample asks something once a second, from 0 s to 59 s, and returns the seconds at which it held, as runs.
func sample(t *testing.T, holds func(d *demo) bool, lines ...string) (out []string) {
	plan, err := ParseLines(lines)
	require.NoError(t, err)
	from := int64(-1)
	d := run(t, plan, true, func(d *demo) {
		for s := range int64(60) {
			d.w.At(sim.Time(s*second), sim.PhaseTimer, func() {
				switch is := holds(d); {
				case is && from < 0:
					from = s
				case !is && from >= 0:
					out = append(out, strconv.FormatInt(from, 10)+"-"+strconv.FormatInt(s, 10))
					from = -1
				}
			})
		}
	})
	requireHealed(t, d)
	return out
}

func TestStatesWhileItLasts(t *testing.T) {
	paused := func(d *demo) bool { return d.w.Node("consumer-1").Paused() }
	require.Equal(t, []string{"10-21"}, sample(t, paused, "at 10s pause consumer-1 for 5s", "at 12s pause consumer-1 for 9s"))
	require.Equal(t, []string{"10-12", "14-44"}, sample(t, paused, "at 10s pause consumer-1 for 20s", "at 12s kill consumer-1 for 1s", "at 14s pause consumer-1 for 30s"))
	down := func(d *demo) bool { return !d.w.Node("consumer-2").Up() }
	require.Equal(t, []string{"10-15"}, sample(t, down, "at 10s kill consumer for 5s"))
	skewed := func(d *demo) bool {
		n := d.w.Node("consumer-1")
		return n.Wall()-d.w.Now() == sim.Time(-sim.Second)
	}
	require.Equal(t, []string{"10-12", "14-16"}, sample(t, skewed, "at 10s skew consumer-1 by -1s for 6s", "at 12s skew consumer-1 by 3s for 2s"))
	refused := func(d *demo) bool { return d.refused["payments"] }
	require.Equal(t, []string{"10-25"}, sample(t, refused, "at 10s refuse payments for 10s", "at 15s refuse payments for 10s"))
}

func TestRefusalsCount(t *testing.T) {
	d := play(t, "at 10s refuse payments,notifier for 10s", "at 15s refuse payments for 10s")
	require.Equal(t, []string{"payments true", "notifier true", "notifier false", "payments false"}, d.log)
	requireHealed(t, d)
	began := d.facts(history.KindFaultBegan)
	require.Equal(t, []string{"payments,notifier", "payments-1,notifier-1", "payments-1"}, []string{began[0].Resource, began[0].Value, began[0].Node})
}

func TestLoseReply(t *testing.T) {
	d := play(t, "at 10s lose-reply payments", "at 10s lose-reply payments", "when payments.charge/replied{event=order-50} #1 lose-reply payments",
		"when payments.charge/applied{event=order-60} #1 lose-reply notifier", "at 350s lose-reply warehouse")
	require.Len(t, d.facts(history.KindFaultBegan), 4)
	for _, f := range d.facts(history.KindFaultBegan) {
		require.Zero(t, f.Until)
	}
	missed := d.facts(history.KindFaultMissed)
	require.Len(t, missed, 1)
	require.Equal(t, "warehouse", missed[0].Resource)
	require.Contains(t, missed[0].Value, "no such reply")
}

func TestTwoLoseOneReplyEach(t *testing.T) {
	line := "when payments.charge/replied{event=order-50} #1 lose-reply payments"
	plan, err := ParseLines([]string{line, line})
	require.NoError(t, err)
	replied, received := 0, 0
	d := run(t, plan, true, func(d *demo) {
		d.w.Watch("payments.charge/replied", func(*sim.Hit) { replied++ })
		d.w.Watch("payments.charge/received", func(*sim.Hit) { received++ })
	})
	require.Equal(t, 2, d.in.Fired())
	require.Equal(t, replied-2, received, "the second loses another reply than the first")
}

func TestARoleKeyCountsHitsWithoutAnEvent(t *testing.T) {
	d := play(t, "when payments.charge/applied{role=consumer} #1 kill $caller for 1s", "when group/assigned{role=consumer} #1 kill $node for 1s",
		"at 10s kill consumer-1 for 1s", "when group/assigned{role=consumer} #1 pause $caller for 1s")
	require.Equal(t, 2, d.in.Fired(), "consumer-1 comes back, is assigned, and is killed again")
	require.Equal(t, "its hook had 0 hits of 1", d.facts(history.KindFaultMissed)[1].Value)
	requireHealed(t, d)
}

// TestPartitionLosesReplies: links are cut both ways, so a reply that was about to leave is lost too.
func TestPartitionLosesReplies(t *testing.T) {
	plan, err := ParseLines([]string{"when broker.fetch/replied{role=consumer} #10 partition $caller from broker for 20s", "at 50s partition consumer from consumer for 1s"})
	require.NoError(t, err)
	replied, received := 0, 0
	d := run(t, plan, true, func(d *demo) {
		d.w.Watch("broker.fetch/replied", func(*sim.Hit) { replied++ })
		d.w.Watch("broker.fetch/received", func(*sim.Hit) { received++ })
	})
	require.Equal(t, replied-1, received)
	require.Len(t, d.in.cuts, 2*(3+3), "each way of a pair is one, whichever side names it first")
	requireHealed(t, d)
}

func TestSomeoneElseBootsAndKills(t *testing.T) {
	plan, err := ParseLines([]string{"at 10s kill consumer-1 for 5s", "at 20s kill consumer-2 for 5s", "at 990s kill consumer-1 for 1s"})
	require.NoError(t, err)
	d := newDemo()
	defer d.w.Close()
	d.in = Inject(d.w, plan, d)
	d.w.At(sim.Time(12*second), sim.PhaseFault, func() { d.w.Node("consumer-1").Boot() })
	d.w.At(sim.Time(22*second), sim.PhaseFault, func() { d.w.Node("consumer-2").Boot() })
	d.w.At(sim.Time(23*second), sim.PhaseFault, func() { d.w.Node("consumer-2").Kill(0) })
	d.w.Run(sim.Time(30 * second))
	d.in.Finish()
	d.in.Finish()
	require.True(t, d.w.Node("consumer-1").Up())
	require.False(t, d.w.Node("consumer-2").Up(), "that is not the incarnation which the fault killed")
	missed := d.facts(history.KindFaultMissed)
	require.Len(t, missed, 1)
	require.Equal(t, []string{"the run was over before its time", "at 16m30s kill consumer-1 for 1s"}, []string{missed[0].Value, missed[0].Note})
}

func TestLastEndAndHeal(t *testing.T) {
	plan, err := ParseLines([]string{"at 10s pause consumer-1 for 5s", "at 12s kill consumer-9 for 1h", "when payments.charge/applied{event=order-200} #1 pause $caller for 3m",
		"when payments.charge/applied{event=order-600} #1 kill $caller for 3m"})
	require.NoError(t, err)
	var ends, active []int64
	d := run(t, plan, true, func(d *demo) {
		for _, at := range []int64{0, 11, 13, 99} {
			d.w.At(sim.Time(at*second), sim.PhaseTimer, func() {
				ends = append(ends, d.in.LastEnd()/second)
				active = append(active, int64(d.in.Active()))
			})
		}
	})
	hooked := d.facts(history.KindFaultBegan)[1]
	require.Equal(t, []int64{3612, 3612, 15, hooked.Until / second}, ends, "one that missed does not hold the heal back, one at a hook does once it fired")
	require.Equal(t, []int64{0, 1, 1, 1}, active)
	require.Equal(t, hooked.Until+1, d.heal)
	requireHealed(t, d)
	missed := d.facts(history.KindFaultMissed)
	require.Equal(t, "its trigger was reached after the heal had begun", missed[len(missed)-1].Value)
}

// A replay waits for the drain: it holds no heal back, those of one plan come in the order of their times, and each ends
// when the operator is done.
func TestReplay(t *testing.T) {
	d := play(t, "after drain 26h replay workers", "after drain 1h replay workers", "after drain 2h replay others", "at 20s kill consumer-1 for 1s")
	require.Equal(t, int64(demoChaosEnd), d.heal)
	require.Equal(t, []string{"replay workers", "replay workers"}, d.log)
	story := d.story()
	require.Len(t, story, 9)
	drained := sim.Duration(d.facts(history.KindFaultBegan)[1].Time) - sim.Hour
	require.InDelta(t, int64(demoWorkEnd), int64(drained), float64(10*second))
	at := func(after sim.Duration) string { return (drained + after).String() }
	require.Equal(t, []string{
		at(sim.Hour) + " fault-began consumer-1 replay",
		at(sim.Hour+sim.Minute) + " fault-ended consumer-1 replay",
		at(2*sim.Hour) + " fault-missed replay: there is no group others",
		at(26*sim.Hour) + " fault-began consumer-1 replay",
		at(26*sim.Hour+sim.Minute) + " fault-ended consumer-1 replay",
	}, story[4:])
	requireHealed(t, d)
}

func TestInjectRefusesAnInvalidPlan(t *testing.T) {
	d := newDemo()
	defer d.w.Close()
	require.Panics(t, func() { Inject(d.w, []Fault{{Verb: "maim"}}, d) })
}

// TestAnyPlanIsSafe: whatever coincides, nothing panics, all is lifted, and every fault leaves a fact.
func TestAnyPlanIsSafe(t *testing.T) {
	observer := newDemo()
	defer observer.w.Close()
	seen := Observe(observer.w)
	observer.w.Run(sim.Time(90 * sim.Second))
	require.NotEmpty(t, seen.Hits())
	rapid.Check(t, func(rt *rapid.T) {
		var plan []Fault
		for range rapid.IntRange(1, 4).Draw(rt, "plans") {
			h, err := Hunt(rapid.Uint64().Draw(rt, "seed"), demoSpace(), nil, seen.Hits())
			require.NoError(rt, err)
			plan = append(plan, h.Plan()...)
		}
		for i := range plan { // crowd them, and have them meet the member that joins
			if plan[i].Trigger.Timed() {
				plan[i].Trigger.At = rapid.Int64Range(10, 20).Draw(rt, "at") * second
			}
			if plan[i].Targets[0] == "consumer-3" {
				plan[i].Targets = []string{"consumer-4"}
			}
			if plan[i].For > 100*second {
				plan[i].For /= 10
			}
		}
		d := run(t, plan, true)
		requireHealed(t, d)
	})
}

func TestObserverCountsLikeTriggers(t *testing.T) {
	d := newDemo()
	defer d.w.Close()
	o := Observe(d.w)
	d.w.Run(sim.Time(20 * sim.Second))
	last := map[string]ObservedHit{}
	for _, h := range o.Hits() {
		if h.Hook == "payments.charge/applied" || h.Hook == "broker.fetch/arrived" {
			last[h.Hook] = h
		}
	}
	charge, fetch := last["payments.charge/applied"], last["broker.fetch/arrived"]
	require.Positive(t, charge.At)
	require.Equal(t, ObservedHit{Hook: "payments.charge/applied", Event: charge.Event, Stage: "charge", Role: "consumer", NodeRole: "payments",
		Node: "payments-1", Caller: charge.Caller, At: charge.At, Nth: 1, ByRPC: true}, charge)
	require.Regexp(t, `^consumer-\d$`, charge.Caller)
	d2 := play(t, "when broker.fetch/arrived{role=consumer} #"+strconv.Itoa(fetch.Nth)+" pause $caller for 1s")
	require.Equal(t, 1, d2.in.Fired())
	require.Less(t, d2.facts(history.KindFaultBegan)[0].Time, 20*second)
}
