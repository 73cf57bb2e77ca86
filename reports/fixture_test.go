package reports

import (
	"fmt"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

const testHash = "c0ffee0000000001"

// taste is how often, and how hard, a fixture's fault hurts a stack: chance in percent, and the most it does.
type taste struct{ dup, dupMax, lost, lostMax, notify uint64 }

var testStacks = []string{"fire-and-forget", "at-most-once", "at-least-once", "dedup-durable", "key-event-stage"}

// tastes by stack, then by default fault column.
var tastes = map[string][9]taste{
	"fire-and-forget": {{lost: 95, lostMax: 20}, {lost: 90, lostMax: 90}, {lost: 60, lostMax: 44}, {lost: 80, lostMax: 12}, {}, {lost: 8, lostMax: 2}, {}, {lost: 100, lostMax: 360}, {dup: 100, dupMax: 360, notify: 100}},
	"at-most-once":    {{lost: 90, lostMax: 19}, {lost: 30, lostMax: 5}, {lost: 50, lostMax: 40}, {lost: 85, lostMax: 48}, {}, {lost: 10, lostMax: 3}, {}, {lost: 100, lostMax: 360}, {dup: 100, dupMax: 360, notify: 100}},
	"at-least-once":   {{dup: 95, dupMax: 48, notify: 60}, {dup: 8, dupMax: 6}, {dup: 60, dupMax: 55, notify: 70}, {dup: 100, dupMax: 62, notify: 90}, {}, {dup: 15, dupMax: 6, notify: 20}, {dup: 100, dupMax: 1}, {dup: 40, dupMax: 48, notify: 100}, {dup: 100, dupMax: 360, notify: 100}},
	"dedup-durable":   {{dup: 30, dupMax: 1, notify: 60}, {}, {dup: 10, dupMax: 1, notify: 70}, {dup: 20, dupMax: 1, notify: 90}, {}, {}, {dup: 100, dupMax: 1}, {dup: 25, dupMax: 1, notify: 100}, {notify: 100}},
	"key-event-stage": {{notify: 60}, {}, {notify: 70}, {notify: 90}, {}, {notify: 20}, {}, {notify: 100}, {dup: 100, dupMax: 360, notify: 100}},
}

func testFaults() []history.FaultKind {
	var kinds []history.FaultKind
	for _, k := range history.FaultKinds() {
		if k.Default || k.Name == Control {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// testExposed has a frequency for most columns, and for one kind that has no column.
func testExposed() Exposed {
	e := Exposed{Exposure: faults.Exposure{Name: "cloud-default"}, Parties: map[string]int64{}, Interval: 250_000_000, Load: 90_000_000_000}
	for _, line := range []struct {
		kind, rate string
		parties    int64
	}{
		{"consumer-kill", "1 per 30d per consumer", 3}, {"broker-kill", "1 per 180d per broker", 1}, {"partition", "1 per 90d per consumer", 3},
		{"pause", "1 per 60d per consumer", 3}, {"rebalance", "1 per 1d per system", 1}, {"reply-lost", "0 per 1d per service", 2},
		{"downstream-outage", "1 per 90d per system", 1}, {"power-loss", "1 per 1095d per broker", 1},
	} {
		rate, err := faults.ParseRate(line.rate)
		if err != nil {
			panic(err)
		}
		e.Lines = append(e.Lines, faults.Frequency{Kind: line.kind, Rate: rate, Source: "judgement", Why: "as an example"})
		e.Parties[line.kind] = line.parties
	}
	return e
}

// testInput is a made-up comparison: a function of nothing but its arguments.
func testInput(runs int) Input {
	in := Input{
		Scenario: "payments", ScenarioHash: testHash, Epoch: 1, BaseSeed: 1, RunsPerCell: runs, Exposed: testExposed(),
		Faults: testFaults(), Cases: map[[2]string]string{}, CellContracts: map[[2]string]string{},
		RunTwice: 45, Elapsed: "41 s", Command: "go run ./cmd/simulate",
		Load:       "load 4/s through 90 s of chaos, 3 consumers 33 % busy · drain limit 15m (longest timeout chain 5m)",
		NotifyNote: "a notifier without keys or queries stays at-least-once in every stack that retries",
	}
	for _, name := range testStacks {
		in.Stacks = append(in.Stacks, StackInfo{Name: name, Verdict: "pass", Promises: map[string]string{"loss": "pass"}})
		for col, k := range in.Faults {
			for i := range runs {
				in.Rows = append(in.Rows, testRow(name, k.Name, col-1, uint64(1+i)))
			}
		}
	}
	in.Stacks[4].Contract.Envelope = []history.Bound{{Dimension: history.ClockSkew, Max: 500_000_000}, {Dimension: history.PowerLoss, Max: 1}}
	for _, i := range []int{0, 1, 4} { // these say that nobody sets the group back
		in.CellContracts[[2]string{testStacks[i], "late-replay"}] = "outside"
	}
	in.Cases[[2]string{"at-least-once", "pause"}] = "cases/at-least-once.pause.9f31c2aa0b1d.case"
	in.Again = in.Command + " replay out/cases/at-least-once.pause.9f31c2aa0b1d.case"
	return in
}

func testRow(stack, fault string, col int, seed uint64) history.Row {
	draws := rng.NewStream(seed, stack+"/"+fault)
	r := history.Row{Scenario: testHash, Epoch: 1, Stack: stack, Fault: fault, Plan: history.Measuring, Seed: seed, Offered: 360, Accepted: 358, Recovery: -1, Calls: 740, Writes: 1100}
	r.Calm[30], r.Calm[31], r.Calm[40] = 200, 100, 3
	if col >= 0 {
		r.FaultsFired, r.Recovery = 1, int64(1_000_000_000+rng.Below(draws.Uint64(), 9_000_000_000))
		r.InFault[44] = 20
		if fault != "clock-skew" && rng.Below(draws.Uint64(), 100) < 90 {
			r.FaultsHit = 1
			hurt(&r, tastes[stack][col], &draws)
		}
	}
	var bad int64
	for _, n := range r.Buckets {
		bad += n
	}
	r.Buckets[history.Done] = r.Offered - bad
	r.Digest = fmt.Sprintf("%016x", draws.Uint64())
	return r
}

func hurt(r *history.Row, how taste, draws *rng.Stream) {
	roll := func(chance, most uint64) int64 {
		if rng.Below(draws.Uint64(), 100) >= chance || most == 0 {
			return 0
		}
		return 1 + int64(rng.Below(draws.Uint64(), most))
	}
	r.Excess[history.Critical] = roll(how.dup, how.dupMax)
	r.Buckets[history.Duplicated] = r.Excess[history.Critical]
	lost := roll(how.lost, how.lostMax)
	if r.Stack == "at-most-once" {
		r.Buckets[history.LostKnown] = lost / 3
	}
	r.Buckets[history.LostSilent] = min(lost, 290) - r.Buckets[history.LostKnown]
	r.Excess[history.Notify] = roll(how.notify, 5)
	if r.Stack == "dedup-durable" {
		r.Buckets[history.ParkedB] = roll(how.notify, 3)
		r.Parked, r.ParkedAfter = r.Buckets[history.ParkedB], r.Buckets[history.ParkedB]
	}
}
