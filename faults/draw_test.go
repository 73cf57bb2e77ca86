package faults

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/sim/history"
)

func demoSpace() Space {
	return Space{
		ChaosBegin: 10 * second, ChaosEnd: 100 * second, Members: 3, Brokers: 3, Partitions: 6,
		Leader:         func(p int) string { return "$leader(orders/" + strconv.Itoa(p) + ")" },
		EffectServices: []string{"payments", "notifier"},
		Group:          "workers",
		AllNodes:       []string{"broker-1", "broker-2", "broker-3", "consumer-1", "consumer-2", "consumer-3"},
	}
}

func measure(t require.TestingT, kind string, base, seed uint64) Timed {
	m, err := Measure(kind, base, seed, demoSpace())
	require.NoError(t, err)
	require.Len(t, m.Faults, 1)
	return m.Faults[0]
}

func TestMeasureIsStratified(t *testing.T) {
	for _, k := range history.FaultKinds() {
		if k.Verb == "" || k.After > 0 { // the drain decides when
			continue
		}
		for base := uint64(0); base < 50; base++ {
			var deciles [10]int
			for i := uint64(0); i < 20; i++ {
				deciles[(measure(t, k.Name, base, base+i).At-10*second)/(9*second)]++
			}
			for d, hits := range deciles {
				require.InDelta(t, 2, hits, 1, "%s base %d decile %d of %v", k.Name, base, d, deciles)
			}
		}
	}
}

// TestMeasureCoversTargets: targets are as even as times, and both together.
func TestMeasureCoversTargets(t *testing.T) {
	for base := uint64(1); base < 20; base++ {
		targets, joint := map[string]int{}, map[string]int{}
		for i := uint64(0); i < 90; i++ {
			f := measure(t, "consumer-kill", base, base+i)
			targets[f.Targets[0]]++
			joint[f.Targets[0]+strconv.Itoa(int((f.At-10*second)/(30*second)))]++
		}
		require.Len(t, targets, 3)
		require.Len(t, joint, 9)
		for name, n := range targets {
			require.InDelta(t, 30, n, 2, name)
		}
		for name, n := range joint {
			require.InDelta(t, 10, n, 4, "%s base %d", name, base)
		}
	}
}

func TestMeasureDependsOnBaseKindAndNumberOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.Uint64Max(1<<63).Draw(t, "base")
		i := rapid.Uint64Max(1_000_000).Draw(t, "i")
		a, b := measure(t, "pause", base, base+i), measure(t, "pause", base, base+i)
		require.Equal(t, a, b, "a run can be drawn alone, in any order")
		require.GreaterOrEqual(t, a.At, 10*second)
		require.Less(t, a.At, 100*second)
		require.NotEqual(t, a.At, measure(t, "pause", base+1, base+1+i).At, "the base seed shifts the sequence")
		require.NotEqual(t, a.At, measure(t, "consumer-kill", base, base+i).At, "so does the kind")
		require.NotEqual(t, a.At, measure(t, "pause", base, base+i+1).At)
	})
}

// TestMeasureGolden: a change here changes what every recorded seed means.
func TestMeasureGolden(t *testing.T) {
	want := []string{
		"none",
		"at 52.60324283s kill consumer-2 for 1s",
		"at 1m36.285447537s kill $leader(orders/1) for 5s",
		"at 1m33.620151631s partition consumer-3 from broker for 20s",
		"at 1m18.546401553s pause consumer-1 for 1m",
		"at 57.072517007s skew broker-2 by 400ms until heal",
		"at 28.508923199s join consumer for 10s",
		"at 33.992705166s lose-reply payments",
		"at 10.591091745s refuse payments,notifier for 10m",
		"after drain 26h replay workers",
		"at 22.296965562s power-loss $leader(orders/4) for 5s",
		"at 1m13.621332884s drop-inbound consumer-2 from broker for 20s",
		"at 26.88047366s jump broker-1 by 1h until heal",
		"at 1m34.985723038s deploy consumer grace 5s",
		"at 38.774433524s kill dedup-1 for 30s",
		"at 56.607465183s kill $leader(dedup/0) for 1m",
	}
	var got []string
	for _, k := range history.FaultKinds() {
		m, err := Measure(k.Name, 1, 3, demoSpace())
		require.NoError(t, err)
		got = append(got, append(m.Lines(), k.Name)[0]) // none has no line
	}
	require.Equal(t, want, got)
}

func TestMeasureErrors(t *testing.T) {
	sc := demoSpace()
	for kind, want := range map[string]string{"consumer-kil": "did you mean consumer-kill?", "earthquake": "unknown fault kind"} {
		_, err := Measure(kind, 1, 1, sc)
		require.ErrorContains(t, err, want)
	}
	_, err := Measure("pause", 5, 4, sc)
	require.ErrorContains(t, err, "before the base seed")
	for _, kind := range []string{"pause", "broker-kill", "clock-skew", "rebalance", "reply-lost", "downstream-outage", "partition", "partition-one-way", "clock-jump", "deploy", "late-replay"} {
		_, err = Measure(kind, 1, 1, Space{ChaosEnd: second})
		require.ErrorContains(t, err, "needs a", kind)
		_, err = Measure(kind, 1, 1, Space{})
		require.ErrorContains(t, err, "is empty", kind)
	}
	_, err = Measure("none", 1, 1, Space{})
	require.NoError(t, err, "the control needs nothing")
	sc.Leader, sc.Partitions = nil, 0
	m, err := Measure("broker-kill", 1, 1, sc)
	require.NoError(t, err)
	require.Regexp(t, `kill broker-[123] for 5s$`, m.Lines()[0])
}

func TestHunt(t *testing.T) {
	hits := []ObservedHit{
		{Hook: "group/revoked", Role: "consumer", NodeRole: "consumer", Nth: 1, Background: true},
		{Hook: "payments.charge/applied", Event: "order-1", Stage: "charge", Role: "consumer", NodeRole: "payments", Nth: 2, ByRPC: true},
		{Hook: "broker.disk.fsync/done", Event: "order-1", Role: "broker", NodeRole: "broker", Nth: 1},
	}
	counts, verbsSeen, bound, timed, drained := map[int]int{}, map[string]int{}, map[string]int{}, 0, 0
	for seed := uint64(0); seed < 400; seed++ {
		h, err := Hunt(seed, demoSpace(), nil, hits)
		require.NoError(t, err)
		again, err := Hunt(seed, demoSpace(), nil, hits)
		require.NoError(t, err)
		require.Equal(t, h, again)
		counts[len(h.Faults)]++
		for _, f := range h.Faults {
			require.NoError(t, f.Validate())
			verbsSeen[f.Verb]++
			bound[f.Targets[0]]++
			switch {
			case f.Trigger.Drained:
				drained++
			case f.Trigger.Timed():
				timed++
			default:
				require.NotEmpty(t, f.Trigger.Event)
			}
		}
	}
	require.Len(t, counts, 3, "one to three faults")
	for _, k := range history.FaultKinds() {
		require.True(t, k.Verb == "" || verbsSeen[k.Verb] > 0, k.Verb)
	}
	require.Positive(t, bound["$caller"])
	require.Positive(t, bound["$node"])
	require.Positive(t, drained)
	total := counts[1] + 2*counts[2] + 3*counts[3] - drained // what comes after the drain meets no hook
	require.InDelta(t, total/4, timed, float64(total)/10)

	h, err := Hunt(7, demoSpace(), []string{"pause"}, nil)
	require.NoError(t, err)
	for _, f := range h.Faults {
		require.Equal(t, "pause", f.Verb)
		require.True(t, f.Trigger.Timed())
	}
	_, err = Hunt(7, demoSpace(), []string{"none"}, nil)
	require.ErrorContains(t, err, "no fault kind to hunt with")
	_, err = Hunt(7, demoSpace(), []string{"paus"}, nil)
	require.ErrorContains(t, err, "did you mean pause?")
}

// TestHuntGolden: a change here changes what every recorded seed of a hunt means.
func TestHuntGolden(t *testing.T) {
	hits := []ObservedHit{
		{Hook: "payments.charge/applied", Event: "order-1", Stage: "charge", Role: "consumer", NodeRole: "payments", Nth: 2, ByRPC: true},
		{Hook: "broker.disk.fsync/done", Event: "order-2", Role: "broker", NodeRole: "broker", Nth: 1},
	}
	var got []string
	for seed := uint64(1); seed < 4; seed++ {
		h, err := Hunt(seed, demoSpace(), []string{"none", "consumer-kill", "broker-kill", "clock-skew"}, hits)
		require.NoError(t, err)
		got = append(got, strings.Join(h.Lines(), "\n"))
	}
	require.Equal(t, []string{
		"when payments.charge/applied{event=order-1,stage=charge} #2 kill $caller for 1s",
		"at 14.185433363s kill $leader(orders/0) for 2.5s\n" +
			"when broker.disk.fsync/done{event=order-2} #1 kill $node for 10s\n" +
			"at 38.135615807s kill $leader(orders/3) for 2.5s",
		"when payments.charge/applied{event=order-1,stage=charge} #2 kill $caller for 2s\n" +
			"when payments.charge/applied{event=order-1,stage=charge} #2 skew consumer-2 by 800ms until heal\n" +
			"when payments.charge/applied{event=order-1,stage=charge} #2 skew broker-2 by 400ms until heal",
	}, got)
}
