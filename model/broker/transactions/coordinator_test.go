package transactions_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/broker/transactions"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// The table of Kafka's TransactionMetadata: a row for each state that is entered, a column for each that is left.
func TestTransitions(t *testing.T) {
	rows := map[transactions.State]string{
		transactions.Empty:             "x...xx..",
		transactions.Ongoing:           "xx..xx..",
		transactions.PrepareCommit:     ".x......",
		transactions.PrepareAbort:      "2x..22.x", // 2 = from version 2 on
		transactions.CompleteCommit:    "..x.....",
		transactions.CompleteAbort:     "...x....",
		transactions.Dead:              "x...xx..",
		transactions.PrepareEpochFence: ".x......",
	}
	require.Len(t, rows, 8)
	for to, row := range rows {
		for from, may := range row {
			before := transactions.State(from)
			require.Equal(t, may == 'x', to.Follows(before, 1), "version 1: %v to %v", before, to)
			require.Equal(t, may != '.', to.Follows(before, 2), "version 2: %v to %v", before, to)
		}
	}
}

// start moves the partition to a broker and waits until that has heard of it.
func (r *rig) start(t *testing.T, n *sim.Node) {
	r.lead(n)
	for r.coordinator() == nil && r.step(t) {
	}
}

// call asks the coordinator for something and returns what came back.
func (r *rig) call(t *testing.T, from *sim.Node, op string, body any, fact int64) (reply any, err error) {
	done := false
	from.Go("call", func(p *sim.Proc) {
		reply, _, err = p.Call(r.leader, r.w.Op("broker."+op), sim.Action{}, body, fact, sim.Minute)
		done = true
	})
	for !done && r.step(t) {
	}
	require.True(t, done)
	return reply, err
}

func (r *rig) producer() *sim.Node {
	n := r.w.Role("producer", func(*sim.Node) sim.Handler { return sim.NoHandler() })
	n.Boot()
	return n
}

// A broker that does not lead the log says so.
func TestNotTheCoordinator(t *testing.T) {
	r := newRig(transactions.Config{})
	defer r.w.Close()
	r.start(t, r.brokers[0])
	client := r.producer()
	init := wire.InitProducerRequest{Transaction: "payments", Timeout: sim.Second}
	r.leader = r.brokers[1]
	_, err := r.call(t, client, wire.OpInitProducer, init, 0)
	require.ErrorIs(t, err, wire.ErrNotCoordinator)

	r.epoch, r.leader = 1, r.brokers[0] // the leadership is another, and the coordinator not yet told
	_, err = r.call(t, client, wire.OpInitProducer, init, 0)
	require.ErrorIs(t, err, wire.ErrNotCoordinator)
}

// A deletion may be all that is left of an id, and a marker is no record.
func TestLoadDeletion(t *testing.T) {
	r := newRig(transactions.Config{})
	defer r.w.Close()
	marker := record("a fact")
	marker.Control = wire.AbortMarker
	r.log = []wire.Batch{record(""), marker}
	r.start(t, r.brokers[0])
	require.Empty(t, r.coordinator().Views())
}

// What is stated of a decision leads back to its beginning: the fact that the client names, or that its first request for
// partitions rests on, whoever decides, and by whichever coordinator.
func TestDecisionsNameTheirBeginning(t *testing.T) {
	r := newRig(transactions.Config{})
	defer r.w.Close()
	r.start(t, r.brokers[0])
	client := r.producer()
	began := func() int64 {
		return client.Record(history.Fact{Kind: history.KindTransaction, Op: "began", Resource: "1", Value: "payments"})
	}
	reply, err := r.call(t, client, wire.OpInitProducer, wire.InitProducerRequest{Transaction: "payments", Timeout: 5 * sim.Second}, began())
	require.NoError(t, err)
	id := reply.(wire.InitProducerReply).Producer
	add := wire.AddPartitionsRequest{Transaction: "payments", Producer: id, Partitions: []wire.TopicPartition{{Topic: "orders"}}}

	_, err = r.call(t, client, wire.OpAddPartitions, add, 0)
	require.NoError(t, err)
	named := began()
	reply, err = r.call(t, client, wire.OpEndTxn, wire.EndTxnRequest{Transaction: "payments", TxnVersion: 2, Producer: id, Commit: true, Began: named}, 0)
	require.NoError(t, err)
	require.Equal(t, []int64{named}, r.causes("commit"))

	r.settle(t)
	add.Producer = reply.(wire.EndTxnReply).Producer
	rested := began()
	_, err = r.call(t, client, wire.OpAddPartitions, add, rested)
	require.NoError(t, err)
	r.start(t, r.brokers[1])
	r.settle(t)
	require.Equal(t, []int64{rested}, r.causes("abort"))
}

// settle runs until nothing is outstanding.
func (r *rig) settle(t *testing.T) {
	for r.coordinator().Outstanding() > 0 && r.step(t) {
	}
	require.Zero(t, r.coordinator().Outstanding())
}

// causes of the decisions of one kind.
func (r *rig) causes(op string) (out []int64) {
	for _, f := range r.w.History.Facts {
		if f.Kind == history.KindTransaction && f.Op == op {
			out = append(out, f.Cause)
		}
	}
	return out
}

// A day without transactions costs the coordinator one event an hour.
func TestIdle(t *testing.T) {
	r := newRig(transactions.Config{})
	defer r.w.Close()
	r.start(t, r.brokers[0])
	client := r.producer()
	reply, err := r.call(t, client, wire.OpInitProducer, wire.InitProducerRequest{Transaction: "payments", Timeout: sim.Minute}, 0)
	require.NoError(t, err)
	id := reply.(wire.InitProducerReply).Producer
	_, err = r.call(t, client, wire.OpAddPartitions, wire.AddPartitionsRequest{Transaction: "payments", Producer: id, Partitions: []wire.TopicPartition{{Topic: "orders"}}}, 0)
	require.NoError(t, err)
	r.settle(t)
	r.w.Run(r.w.Now().Add(sim.Minute))
	before, _ := r.w.Executed()
	r.w.Run(r.w.Now().Add(24 * sim.Hour))
	after, background := r.w.Executed()
	require.Equal(t, int64(24), after-before)
	require.NotZero(t, background)
	require.Zero(t, r.w.Foreground())
}

// A config without a meaning is a mistake of whoever makes the world.
func TestConfig(t *testing.T) {
	r := newRig(transactions.Config{Version: 3})
	defer r.w.Close()
	require.PanicsWithValue(t, "transactions: no version 3", func() { r.start(t, r.brokers[0]) })
}

// A request with an effect passes the hook at which that is durable, once; one without does not.
func TestApplied(t *testing.T) {
	r := newRig(transactions.Config{})
	defer r.w.Close()
	applied := 0
	for _, op := range []string{wire.OpInitProducer, wire.OpAddPartitions, wire.OpEndTxn} {
		r.w.Watch("broker."+op+"/applied", func(*sim.Hit) { applied++ })
	}
	r.start(t, r.brokers[0])
	client := r.producer()
	id := r.initialised(t, client, "payments")
	require.Equal(t, 1, applied)
	add := wire.AddPartitionsRequest{Transaction: "payments", Producer: id, Partitions: []wire.TopicPartition{{Topic: "orders"}}}
	for range 2 {
		_, err := r.call(t, client, wire.OpAddPartitions, add, 0)
		require.NoError(t, err)
	}
	require.Equal(t, 2, applied)
	end := wire.EndTxnRequest{Transaction: "payments", TxnVersion: 2, Producer: id, Commit: true}
	for range 2 {
		_, err := r.call(t, client, wire.OpEndTxn, end, 0)
		require.NoError(t, err)
		r.settle(t)
	}
	require.Equal(t, 3, applied)
}

func (r *rig) initialised(t *testing.T, client *sim.Node, name string) wire.ProducerID {
	reply, err := r.call(t, client, wire.OpInitProducer, wire.InitProducerRequest{Transaction: name, Timeout: sim.Minute}, 0)
	require.NoError(t, err)
	return reply.(wire.InitProducerReply).Producer
}

// Something is outstanding from the first request on until the last marker is written and the log knows.
func TestOutstanding(t *testing.T) {
	r := newRig(transactions.Config{})
	defer r.w.Close()
	r.start(t, r.brokers[0])
	client := r.producer()
	client.Go("init", func(p *sim.Proc) {
		_, _, _ = p.Call(r.leader, r.w.Op("broker.init-producer"), sim.Action{}, wire.InitProducerRequest{Transaction: "payments", Timeout: sim.Minute}, 0, sim.Minute)
	})
	r.w.Run(sim.Time(3 * sim.Millisecond))
	require.Equal(t, 1, r.coordinator().Outstanding(), "the identity is being written")
	r.settle(t)
	add := wire.AddPartitionsRequest{Transaction: "payments", Producer: wire.ProducerID{ID: 1}, Partitions: []wire.TopicPartition{{Topic: "orders"}}}
	_, err := r.call(t, client, wire.OpAddPartitions, add, 0)
	require.NoError(t, err)
	require.Equal(t, 1, r.coordinator().Outstanding(), "ongoing")
	_, err = r.call(t, client, wire.OpEndTxn, wire.EndTxnRequest{Transaction: "payments", TxnVersion: 2, Producer: wire.ProducerID{ID: 1}}, 0)
	require.NoError(t, err)
	require.Equal(t, 1, r.coordinator().Outstanding(), "decided")
	r.settle(t)
	require.Zero(t, r.brokers[0].Handler().(*broker).markers.Waiting())
}

// Nothing of a coordinator that has ended goes on: no timer, no marker that waited behind another, behind a backoff or for an
// answer; and who waits for an answer gets one.
func TestUnload(t *testing.T) {
	r := newRig(transactions.Config{})
	defer r.w.Close()
	r.start(t, r.brokers[0])
	client := r.producer()
	r.silent[r.brokers[1]] = true
	r.takes[r.brokers[2]] = wire.ErrNotEnoughReplicas
	r.leads[wire.TopicPartition{Topic: "orders", Partition: 3}] = nil
	for i, name := range []string{"first", "second"} {
		id := r.initialised(t, client, name)
		ps := []wire.TopicPartition{{Topic: "orders", Partition: 1}, {Topic: "orders", Partition: 3 - i}}
		_, err := r.call(t, client, wire.OpAddPartitions, wire.AddPartitionsRequest{Transaction: name, Producer: id, Partitions: ps}, 0)
		require.NoError(t, err)
		_, err = r.call(t, client, wire.OpEndTxn, wire.EndTxnRequest{Transaction: name, TxnVersion: 2, Producer: id, Commit: true}, 0)
		require.NoError(t, err)
	}
	id := r.initialised(t, client, "third")
	_, err := r.call(t, client, wire.OpAddPartitions, wire.AddPartitionsRequest{Transaction: "third", Producer: id, Partitions: []wire.TopicPartition{{Topic: "orders"}}}, 0)
	require.NoError(t, err)
	parked := errors.New("no answer")
	client.Go("parked", func(p *sim.Proc) {
		_, _, parked = p.Call(r.brokers[0], r.w.Op("broker.end-txn"), sim.Action{}, wire.EndTxnRequest{Transaction: "third", TxnVersion: 2, Producer: id}, 0, sim.Minute)
	})
	r.w.Run(r.w.Now().Add(1500 * sim.Microsecond))

	r.lead(nil)
	at := r.w.Now()
	stop := r.w.Run(at.Add(sim.Hour))
	require.Equal(t, sim.StopDrained, stop.Kind)
	require.LessOrEqual(t, r.w.Now(), at.Add(31*sim.Second), "the timeout of the last request")
	require.ErrorIs(t, parked, wire.ErrNotCoordinator)
	require.Len(t, r.marks[wire.TopicPartition{Topic: "orders", Partition: 1}], 1)
	require.Zero(t, r.brokers[0].Handler().(*broker).markers.Waiting())
}

// The timers of a coordinator leave the queue with it.
func TestUnloadTimers(t *testing.T) {
	r := newRig(transactions.Config{})
	defer r.w.Close()
	r.start(t, r.brokers[0])
	client := r.producer()
	id := r.initialised(t, client, "payments")
	_, err := r.call(t, client, wire.OpAddPartitions, wire.AddPartitionsRequest{Transaction: "payments", Producer: id, Partitions: []wire.TopicPartition{{Topic: "orders"}}}, 0)
	require.NoError(t, err)
	require.Equal(t, 2, r.w.Pending(), "both scans")
	r.lead(nil)
	at := r.w.Now()
	stop := r.w.Run(at.Add(sim.Hour))
	require.Equal(t, sim.StopDrained, stop.Kind)
	require.Equal(t, at, r.w.Now())
}

// A leader's refusal that comes back when the coordinator has ended is nobody's.
func TestUnloadBeforeAnAnswer(t *testing.T) {
	r := newRig(transactions.Config{})
	defer r.w.Close()
	r.start(t, r.brokers[0])
	r.takes[r.brokers[0]] = wire.ErrNotEnoughReplicas
	client := r.producer()
	id := r.initialised(t, client, "payments")
	_, err := r.call(t, client, wire.OpAddPartitions, wire.AddPartitionsRequest{Transaction: "payments", Producer: id, Partitions: []wire.TopicPartition{{Topic: "orders"}}}, 0)
	require.NoError(t, err)
	_, err = r.call(t, client, wire.OpEndTxn, wire.EndTxnRequest{Transaction: "payments", TxnVersion: 2, Producer: id, Commit: true}, 0)
	require.NoError(t, err)
	r.lead(nil)
	at := r.w.Now()
	stop := r.w.Run(at.Add(sim.Hour))
	require.Equal(t, sim.StopDrained, stop.Kind)
	require.LessOrEqual(t, r.w.Now(), at.Add(sim.Millisecond), "the answer itself")
}
