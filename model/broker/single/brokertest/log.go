package brokertest

import (
	"errors"
	"fmt"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// hooksOfTheBroker are where a fault may fall besides a moment.
var hooksOfTheBroker = []string{
	"broker.produce/arrived", "broker.produce/applied", "broker.produce/replied", "broker.fetch/replied",
	"broker.disk.append/started", "broker.disk.append/done", "broker.disk.fsync/started", "broker.disk.fsync/done",
	"broker.join/arrived", "broker.join/applied", "broker.join/replied", "broker.sync/applied", "broker.sync/replied",
	"broker.commit/arrived", "broker.commit/applied", "broker.commit/replied", "group/generation",
}

func drawFaults(t *rapid.T, end sim.Time, clients int) []fault {
	one := rapid.Custom(func(t *rapid.T) fault {
		f := fault{
			Target: rapid.IntRange(0, clients).Draw(t, "target"),
			How:    rapid.IntRange(0, 2).Draw(t, "how"),
			For:    sim.Duration(rapid.IntRange(1, 9000).Draw(t, "for")) * sim.Millisecond,
		}
		if rapid.Bool().Draw(t, "timed") {
			f.At = sim.Time(rapid.Int64Range(0, int64(end)).Draw(t, "at"))
			return f
		}
		f.Hook = rapid.SampledFrom(hooksOfTheBroker).Draw(t, "hook")
		f.Hit = rapid.IntRange(1, 60).Draw(t, "hit")
		return f
	})
	return rapid.SliceOfN(one, 0, 8).Draw(t, "faults")
}

func drawFsync(t *rapid.T) rng.Dist {
	return rng.Uniform(int64(sim.Millisecond), int64(rapid.IntRange(1, 200).Draw(t, "fsync"))*int64(sim.Millisecond))
}

type place struct {
	partition int
	offset    int64
}

// logRun is what producers and readers saw of one log.
type logRun struct {
	*env
	offered map[string]int     // event to partition
	acked   map[string]place   // event
	seen    map[place]string   // event
	next    [partitions]int64  // where the reader is
	end     sim.Time           // producers stop here
	all     [partitions]string // events of each partition at the end, in order
}

// runLog lets two producers and a reader work through the faults, then reads everything.
func runLog(f Factory, seed uint64, fsync rng.Dist, faults []fault) *logRun {
	l := &logRun{env: newEnv(f, seed, sim.Second, fsync), offered: map[string]int{}, acked: map[string]place{}, seen: map[place]string{}, end: sim.Time(10 * sim.Second)}
	defer l.w.Close()
	a, b, reader := l.client("producer", l.produce), l.client("producer", l.produce), l.client("consumer", l.read)
	l.node.Boot()
	for _, n := range []*sim.Node{a, b, reader} {
		n.Boot()
	}
	l.plan(faults, l.end, a, b, reader)
	l.run(l.end.Add(30 * sim.Second))
	audit := l.client("audit", func(p *sim.Proc) {
		for i := range partitions {
			l.check(i, l.drainLog(p, i))
		}
	})
	audit.Boot()
	l.run(l.w.Now().Add(30 * sim.Second))
	if stop, ok := l.w.Stopped(); ok && stop.Kind != sim.StopAsked && stop.Kind != sim.StopDrained {
		l.failf("the world ended: %v %s", stop, stop.Detail)
	}
	return l
}

func (l *logRun) produce(p *sim.Proc) {
	for i := 0; l.w.Now() < l.end; i++ {
		coin := rng.Mix(l.w.Seed() + rng.Hash(p.Node().Name())*31 + uint64(i)*7919 + uint64(p.Node().Incarnation()))
		req := model.ProduceRequest{Topic: topicName, Partition: int(coin % partitions), Acks: 1}
		for k := range 1 + coin>>8%3 {
			event := fmt.Sprintf("%s-%d-%d-%d", p.Node().Name(), p.Node().Incarnation(), i, k)
			req.Messages = append(req.Messages, model.Message{Intent: model.Intent{Event: event, Key: event}})
			l.offered[event] = req.Partition
		}
		reply, err := l.ask(p, model.OpProduce, req, 500*sim.Millisecond)
		if err == nil {
			for k, m := range req.Messages {
				l.acked[m.Event] = place{req.Partition, reply.(model.ProduceReply).Base + int64(k)}
			}
		}
		p.Sleep(sim.Duration(coin>>16%200) * sim.Millisecond)
	}
}

// read is a consumer that remembers its place over its own restarts.
func (l *logRun) read(p *sim.Proc) {
	for l.w.Now() < l.end.Add(20*sim.Second) {
		req := model.FetchRequest{Topic: topicName, MaxRecords: 10, MaxWait: 300 * sim.Millisecond}
		for i, o := range l.next {
			req.From = append(req.From, model.PartitionOffset{Partition: i, Offset: o})
		}
		reply, err := l.ask(p, model.OpFetch, req, sim.Second)
		if errors.Is(err, model.ErrOffsetOutOfRange) {
			l.failf("out of range at %v: what was seen is gone", l.next)
		}
		if err != nil {
			p.Sleep(50 * sim.Millisecond)
			continue
		}
		for _, m := range reply.(model.FetchReply).Messages {
			if m.Topic != topicName || m.Offset != l.next[m.Partition] {
				l.failf("fetch gave %s %d/%d, wanted offset %d", m.Topic, m.Partition, m.Offset, l.next[m.Partition])
			}
			l.seen[place{m.Partition, m.Offset}] = m.Event
			l.next[m.Partition] = m.Offset + 1
		}
	}
}

// check compares a partition at the end with what was offered, acknowledged and seen.
func (l *logRun) check(partition int, ms []model.Message) {
	for i, m := range ms {
		l.all[partition] += m.Event + " "
		at := place{partition, int64(i)}
		if m.Partition != partition || m.Offset != int64(i) {
			l.failf("order: partition %d position %d holds %d/%d", partition, i, m.Partition, m.Offset)
		}
		if p, ok := l.offered[m.Event]; !ok || p != partition {
			l.failf("invented: %q at %v", m.Event, at)
		}
		if was, ok := l.seen[at]; ok && was != m.Event {
			l.failf("%v was seen as %s and is %s", at, was, m.Event)
		}
		if m.Stored == 0 || l.w.History.At(m.Stored).Event != m.Event || l.w.History.At(m.Stored).Offset != m.Offset {
			l.failf("%v: Stored %d is not its append", at, m.Stored)
		}
	}
	for event, at := range l.acked {
		if at.partition == partition && (at.offset >= int64(len(ms)) || ms[at.offset].Event != event) {
			l.failf("lost: %s was acknowledged at %v", event, at)
		}
	}
	if l.next[partition] > int64(len(ms)) {
		l.failf("partition %d was read up to %d and holds %d", partition, l.next[partition], len(ms))
	}
}

func logSurvives(f Factory) func(*rapid.T) {
	return func(t *rapid.T) {
		seed, fsync, faults := rapid.Uint64().Draw(t, "seed"), drawFsync(t), drawFaults(t, sim.Time(10*sim.Second), 3)
		one := runLog(f, seed, fsync, faults)
		require.Empty(t, one.bad, "%v", faults)
		two := runLog(f, seed, fsync, faults)
		require.Equal(t, one.w.Digest(), two.w.Digest(), "the same run twice")
		require.Equal(t, one.all, two.all)
	}
}
