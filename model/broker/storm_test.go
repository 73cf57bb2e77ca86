package broker_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/model/broker"
	"github.com/twiceless/twiceless/model/broker/partition"
	"github.com/twiceless/twiceless/model/controller"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// TestStorm has brokers and the controller fail at random while two idempotent producers write with acks=all, and asserts
// after every event what must hold in the envelope: any number of kills, pauses, cuts, late messages and graceful stops at once; or
// one power loss at a time, beside which others are paused, cut off and stop in good order, but none is killed before all are in sync again. More is beyond
// min ISR - 1 unclean stops: then the last known leader leads, which may be the one that lost something.
//
// TWICELESS_FULL=1 plays many more seeds.
func TestStorm(t *testing.T) {
	seeds := uint64(4)
	if os.Getenv("TWICELESS_FULL") != "" {
		seeds = 300
	}
	exercised := int64(0)
	for seed := range seeds {
		for _, mode := range []struct {
			name string
			p    plan
		}{
			{"today", plan{}},
			{"power-loss", plan{}},
			{"without-elr", plan{controller: controller.Config{WithoutELR: true}}},
			{"matched-epoch", plan{broker: broker.Config{UnfencedFetch: true}}},
			{"busy", plan{broker: broker.Config{Handlers: 2, Work: func(requests, records, _ int) sim.Duration {
				return sim.Duration(5*requests+records) * sim.Millisecond
			}}}},
		} {
			st := newStorm(t, fmt.Sprintf("%s/%d", mode.name, seed), seed, mode.p)
			st.lossy = mode.name == "power-loss"
			st.play()
			exercised += st.exercised
		}
	}
	require.Greater(t, exercised, 400*int64(seeds))
}

// TestOlderKafkas has the settings of before meet the same and worse: records may be lost and logs part, but whatever happens is a
// fact, and replicas that can still follow end with one log.
func TestOlderKafkas(t *testing.T) {
	seeds := uint64(2)
	if os.Getenv("TWICELESS_FULL") != "" {
		seeds = 200
	}
	older := controller.Config{WithoutELR: true, WithoutBrokerEpochs: true, QuickRestart: true}
	lost := 0
	for seed := range seeds {
		for k, cfg := range []broker.Config{
			{Truncation: partition.ToHighWatermark, LooseHighWatermark: true, EarlyOffsets: true, WithoutBrokerEpochs: true, EarlyListener: true},
			{Truncation: partition.ByEpoch, LooseHighWatermark: true, WithoutBrokerEpochs: true},
			{UnfencedFetch: true, LooseHighWatermark: true, EarlyOffsets: true},
		} {
			st := newStorm(t, fmt.Sprintf("older/%d/%d", k, seed), seed, plan{broker: cfg, controller: older, unclean: true})
			st.lenient = true
			st.play()
			lost += st.lost
		}
	}
	require.Positive(t, lost, "nothing that was acknowledged was ever lost: then the faults are too weak to show anything")
}

// storm is one world of it.
type storm struct {
	*setup
	t     *testing.T
	name  string
	draws rng.Draws
	lossy bool // power losses
	// lenient: nothing is asserted but that the run goes on, and what was lost is counted
	lenient bool
	lost    int

	exercised int64      // acknowledged records that the judges looked at
	truth     [][]record // by partition: what was exposed to readers
	seen      [3][stormPartitions]seenReplica
	epochs    map[at]string // who led
	acked     []ack
	busy      map[*sim.Node]bool // a fault holds it
	next      []int64            // sequence of each producer and partition
	until     sim.Time
}

type record struct {
	event string
	epoch int32
}

type seenReplica struct {
	incarnation, epoch int32
	high, end          int64
	leads              bool
}

// at is a partition in one epoch.
type at struct {
	partition int
	epoch     int32
}

type ack struct {
	partition int
	offset    int64
	event     string
}

const stormPartitions = 2

func newStorm(t *testing.T, name string, seed uint64, p plan) *storm {
	p.seed = seed
	p.latency = rng.Lognormal(int64(500*sim.Microsecond), int64(20*sim.Millisecond))
	p.topics = []wire.Topic{{Name: "orders", Partitions: stormPartitions, MinInSync: 2, Unclean: p.unclean}}
	st := &storm{setup: newSetup(p), t: t, name: name, epochs: map[at]string{}, busy: map[*sim.Node]bool{}}
	st.draws = rng.Key{Seed: seed, Purpose: rng.Background, Action: 77}.Source()
	st.truth, st.next = make([][]record, stormPartitions), make([]int64, 2*stormPartitions)
	for _, n := range st.brokers {
		n.Drift(int64(st.below(40_000))-20_000, int64(st.below(40_000))-20_000)
		n.Disk().Timing(rng.Constant(int64(50*sim.Microsecond)), rng.Constant(int64(2*sim.Millisecond)))
	}
	return st
}

func (st *storm) below(n int) int { return int(rng.Below(st.draws.Uint64(), uint64(n))) }

func (st *storm) play() {
	defer st.w.Close()
	st.boot()
	st.until = sim.Time(60 * sim.Second)
	for c := range 2 {
		for p := range stormPartitions {
			st.send(c, p)
		}
	}
	st.noise(0)
	st.mines()
	st.late()
	st.w.At(sim.Time(3*sim.Second), sim.PhaseFault, st.fault)
	st.watch(sim.Time(60 * sim.Second))
	st.watch(sim.Time(130 * sim.Second)) // all heal, all is delivered
	st.ending()
}

// watch runs and asserts after every event.
func (st *storm) watch(until sim.Time) {
	for st.w.Now() < until && st.w.Step() {
		if !st.lenient {
			st.assertAll()
		}
	}
	if stop, ok := st.w.Stopped(); ok {
		st.t.Fatalf("%s: the world ended: %v %s", st.name, stop, stop.Detail)
	}
}

// send has a producer write one event after the other to one partition, each until it is acknowledged.
func (st *storm) send(client, p int) {
	n := st.clients[client]
	k := &st.next[client*stormPartitions+p]
	if st.w.Now() > st.until {
		return
	}
	event := fmt.Sprintf("e%d-%d-%d", client, p, *k)
	again := func(d sim.Duration) { n.After(d, func() { st.send(client, p) }) }
	to := st.cluster.Leader("orders", p)
	if to == nil {
		again(200 * sim.Millisecond)
		return
	}
	if st.below(8) == 0 {
		to = st.brokers[st.below(len(st.brokers))]
	}
	pid := wire.ProducerID{ID: int64(100 + client)}
	st.produce(client, to, p, wire.AcksAll, pid, *k, []string{event}, func(r wire.ProduceResult, err error) {
		if err != nil || r.Err != nil {
			if !st.lenient && st.leads(to, p) { // who has been deposed and does not know knows too little
				require.NotErrorIs(st.t, r.Err, wire.ErrOutOfOrderSequence, st.name)
			}
			again(100 * sim.Millisecond)
			return
		}
		require.GreaterOrEqual(st.t, r.Base, int64(0))
		st.acked = append(st.acked, ack{p, r.Base, event})
		n.Record(history.Fact{Kind: history.KindAccepted, Event: event, Cause: r.Stored[0], Fence: -1, Offset: -1})
		*k++
		again(sim.Duration(st.below(30)) * sim.Millisecond)
	})
}

// noise has whoever takes himself for a leader append with acks=1: records that may be lost, and are cut off by others.
func (st *storm) noise(k int) {
	if st.w.Now() > st.until {
		return
	}
	to, p := st.brokers[st.below(len(st.brokers))], st.below(stormPartitions)
	st.produce(0, to, p, wire.AcksLeader, wire.ProducerID{}, -1, noiseBatch(k), func(wire.ProduceResult, error) {})
	st.w.At(st.w.Now().Add(sim.Duration(20+st.below(100))*sim.Millisecond), sim.PhaseTimer, func() { st.noise(k + 1) })
}

// mines kill brokers and the controller in the middle of what they do: before a record is written, behind it, before a reply.
func (st *storm) mines() {
	if st.lossy {
		return
	}
	for _, hook := range []string{"broker.disk.append/started", "broker.disk.append/done", "broker.produce/applied", "broker.produce/replied", "broker.replica-fetch/sent",
		"broker.replica-fetch/replied", "controller.alter-partition/arrived", "controller.alter-partition/replied", "controller.disk.fsync/started", "controller.disk.fsync/done"} {
		st.w.Watch(hook, func(h *sim.Hit) {
			often := 2000
			if h.Node == st.controller {
				often = 30
			}
			if st.w.Now() > st.until || st.busy[h.Node] || st.below(often) != 0 {
				return
			}
			n := h.Node
			n.Kill(0)
			st.busy[n] = true
			st.w.At(st.w.Now().Add(sim.Duration(1+st.below(12000))*sim.Millisecond), sim.PhaseFault, func() {
				st.busy[n] = false
				n.Boot()
			})
		})
	}
}

// late holds messages back: what is sent later overtakes them, and they arrive whether or not their sender still waits, or lives.
func (st *storm) late() {
	for _, op := range []string{"controller.register", "controller.broker-heartbeat", "controller.fetch-image", "controller.alter-partition", "broker.replica-fetch", "broker.produce"} {
		for _, step := range []string{"/sent", "/replied"} {
			often := 500
			if op == "controller.register" {
				often = 15
			}
			st.w.Watch(op+step, func(h *sim.Hit) {
				if st.w.Now() < st.until && st.below(often) == 0 {
					h.Delay += sim.Duration(st.below(20000)) * sim.Millisecond
				}
			})
		}
	}
}

func noiseBatch(k int) []string {
	batch := []string{fmt.Sprintf("noise-%d", k)}
	for i := range k % 3 {
		batch = append(batch, fmt.Sprintf("noise-%d-%d", k, i))
	}
	return batch
}

// isolate cuts a node off from all others but the clients.
func (st *storm) isolate(n *sim.Node, off bool) {
	for _, other := range append([]*sim.Node{st.controller}, st.brokers...) {
		switch {
		case other == n:
		case off:
			n.Cut(other)
			other.Cut(n)
		default:
			n.Mend(other)
			other.Mend(n)
		}
	}
}

// leads says whether the controller takes a node for the leader too.
func (st *storm) leads(n *sim.Node, p int) bool {
	c := controller.Of(st.controller)
	v, ok := broker.Look(n, "orders", p)
	if c == nil || !ok {
		return false
	}
	s, _ := c.State("orders", p)
	return v.Leads && v.Epoch == s.LeaderEpoch
}

// fault begins one fault and plans its end and the next one.
func (st *storm) fault() {
	if st.w.Now() > st.until {
		return
	}
	next := sim.Duration(st.below(4000)) * sim.Millisecond
	st.w.At(st.w.Now().Add(next), sim.PhaseFault, st.fault)
	n := st.brokers[st.below(len(st.brokers))]
	if st.below(6) == 0 {
		n = st.controller
	}
	other := st.brokers[st.below(len(st.brokers))]
	if st.busy[n] || st.busy[other] || !n.Up() {
		return
	}
	lasts := sim.Duration(1+st.below(18000)) * sim.Millisecond
	end := func(fn func()) {
		st.busy[n] = true
		st.w.At(st.w.Now().Add(lasts), sim.PhaseFault, func() {
			st.busy[n] = false
			fn()
		})
	}
	boot := func() {
		if !n.Up() {
			n.Boot()
		}
	}
	kind := st.below(8)
	if st.lossy && n != st.controller && kind < 2 {
		kind = 6
	}
	switch kind {
	case 0, 1:
		n.Kill(0)
		end(boot)
	case 2:
		n.Pause()
		end(n.Resume)
	case 3:
		if n == other {
			return
		}
		n.Cut(other)
		other.Cut(n)
		end(func() { n.Mend(other); other.Mend(n) })
	case 4:
		if n == other {
			return
		}
		n.Cut(other)
		end(func() { n.Mend(other) })
	case 5:
		if _, knows := broker.Look(n, "orders", 0); st.lossy && n != st.controller && !knows {
			return // who does not know of his session cannot say that it ended well, and counts as another unclean stop
		}
		if n != st.controller {
			n.AskStop(0)
		}
		end(func() { st.stopped(n) })
	case 7:
		st.isolate(n, true)
		end(func() { st.isolate(n, false) })
	case 6:
		if !st.lenient && (!st.lossy || n != st.controller && !st.whole()) {
			return
		}
		n.PowerLoss(0)
		end(boot)
	}
}

// stopped is the end of the grace of one who was asked to stop: he is killed, or where that would be too much given more time; and boots.
func (st *storm) stopped(n *sim.Node) {
	if st.lossy && n.Up() && n.Stopping() && n != st.controller {
		st.busy[n] = true
		st.w.At(st.w.Now().Add(sim.Second), sim.PhaseFault, func() {
			st.busy[n] = false
			st.stopped(n)
		})
		return
	}
	if n.Up() && n.Stopping() {
		n.Kill(0)
	}
	if !n.Up() {
		n.Boot()
	}
}

// whole says whether all replicas are in sync and nobody has lost power since he was.
func (st *storm) whole() bool {
	c := controller.Of(st.controller)
	for p := range stormPartitions {
		if c == nil {
			return false
		}
		s, ok := c.State("orders", p)
		if !ok || len(s.ISR) < len(st.brokers) {
			return false
		}
		for _, n := range st.brokers {
			if v, ok := broker.Look(n, "orders", p); !ok || !v.Leads && !v.Follows {
				return false
			}
		}
	}
	return true
}

// assertAll asserts what must hold after every event.
func (st *storm) assertAll() {
	for i, n := range st.brokers {
		for p := range stormPartitions {
			v, ok := broker.Look(n, "orders", p)
			if !ok {
				continue
			}
			was, now := st.seen[i][p], seenReplica{n.Incarnation(), v.Epoch, v.Log.High(), v.Log.End(), v.Leads}
			if was != now {
				st.seen[i][p] = now
				st.assertReplica(n, p, v, was)
			}
		}
	}
}

func (st *storm) assertReplica(n *sim.Node, p int, v broker.View, was seenReplica) {
	require.LessOrEqual(st.t, v.Log.High(), v.Log.End(), st.name)
	if !v.Leads {
		return
	}
	here := at{p, v.Epoch}
	if st.epochs[here] == "" {
		st.epochs[here] = n.Name()
	}
	require.Equal(st.t, st.epochs[here], n.Name(), "%s: one leader per epoch", st.name)
	if was.incarnation == n.Incarnation() && was.leads && was.epoch == v.Epoch {
		require.GreaterOrEqual(st.t, v.Log.High(), was.high, "%s: a leader's high watermark never goes back", st.name)
		require.GreaterOrEqual(st.t, v.Log.End(), was.end, "%s: a leader appends only", st.name)
	} else if v.Epoch >= st.newest(p) { // not in an epoch that ended before it began
		st.assertPrefix(n, p, v, 0, int64(len(st.truth[p])), "leader completeness")
	}
	if v.Exposed {
		st.assertPrefix(n, p, v, min(was.high, int64(len(st.truth[p]))), v.Log.High(), "what was exposed stays")
	}
}

// assertPrefix compares a stretch of a log with what was exposed, and exposes what was not yet.
func (st *storm) assertPrefix(n *sim.Node, p int, v broker.View, from, below int64, what string) {
	require.GreaterOrEqual(st.t, v.Log.End(), below, "%s: %s: %s at %v", st.name, what, n.Name(), st.w.Now())
	for _, b := range v.Log.Read(min(from, below), 0, v.Log.End()) {
		for i := range b.Messages {
			offset, r := b.Base+int64(i), record{b.Messages[i].Event, b.LeaderEpoch}
			switch {
			case offset >= below:
				return
			case offset == int64(len(st.truth[p])):
				st.truth[p] = append(st.truth[p], r)
			case st.truth[p][offset] != r:
				st.t.Fatalf("%s: %s: %s at %v, offset %d: %v was %v", st.name, what, n.Name(), st.w.Now(), offset, r, st.truth[p][offset])
			}
		}
	}
}

func (st *storm) newest(p int) (epoch int32) {
	for _, n := range st.brokers {
		if v, ok := broker.Look(n, "orders", p); ok && v.Leads {
			epoch = max(epoch, v.Epoch)
		}
	}
	return epoch
}

// ending asserts what must hold when all is healed: every partition is led and everybody in sync; everything acknowledged is there,
// once and in order; and the judges agree.
func (st *storm) ending() {
	require.True(st.t, st.cluster.Serving(), st.name)
	if st.lenient {
		st.countLost()
		return
	}
	for _, s := range controller.States(st.controller) {
		require.Len(st.t, s.ISR, len(st.brokers), "%s: %s/%d, led by %d", st.name, s.Topic, s.Partition, s.Leader)
	}
	for _, a := range st.acked {
		require.Less(st.t, a.offset, int64(len(st.truth[a.partition])), "%s: %s was acknowledged", st.name, a.event)
		require.Equal(st.t, a.event, st.truth[a.partition][a.offset].event, st.name)
	}
	for p := range stormPartitions {
		var logs []string
		for _, n := range st.brokers {
			v, ok := broker.Look(n, "orders", p)
			require.True(st.t, ok, "%s: %s", st.name, n.Name())
			logs = append(logs, contents(v.Log))
		}
		require.Equal(st.t, logs[0], logs[1], st.name)
		require.Equal(st.t, logs[0], logs[2], st.name)
		events := strings.Fields(logs[0])
		once := map[string]bool{}
		for _, e := range events {
			require.False(st.t, once[e], "%s: %s twice", st.name, e)
			once[e] = true
		}
	}
	verdicts := checker.CheckAll(st.w.History)
	for _, f := range verdicts.Findings {
		switch f.Property {
		case history.PropDurability, history.PropLogRegress, history.PropSequence:
			st.t.Fatalf("%s: %s: %s", st.name, f.Property, f.Detail)
		default:
		}
	}
	st.exercised = verdicts.Exercised[history.PropDurability]
	require.Positive(st.t, verdicts.Exercised[history.PropLogRegress], st.name)
}

// countLost counts what was acknowledged and is not where it was in the log of whoever leads.
func (st *storm) countLost() {
	for _, a := range st.acked {
		held := false
		if leader := st.cluster.Leader("orders", a.partition); leader != nil {
			v, _ := broker.Look(leader, "orders", a.partition)
			held = strings.Contains(contents(v.Log), a.event+" ")
		}
		if !held {
			st.lost++
		}
	}
}

func contents(l *partition.Log) string {
	var out strings.Builder
	for _, b := range l.Batches() {
		for i := range b.Messages {
			fmt.Fprintf(&out, "%s ", b.Messages[i].Event)
		}
	}
	return out.String()
}
