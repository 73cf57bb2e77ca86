package twiceless

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/loop"
	"github.com/twiceless/twiceless/loop/looptest"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker"
	"github.com/twiceless/twiceless/model/broker/coordinator"
	"github.com/twiceless/twiceless/model/broker/groups"
	"github.com/twiceless/twiceless/model/consumer"
	"github.com/twiceless/twiceless/model/controller"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// The client of a world passes the tests that the client of production passes: what a loop meets here it meets there.
func TestClientConformance(t *testing.T) {
	for _, c := range looptest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := openRig(t)
				defer r.end()
				c.Run(t, r)
			})
		})
	}
}

// rig is a world beside the goroutines of a case: a broker, and members of the group whose clients the case is given. A
// member joins with its first poll, so that those that are not used are not there.
type rig struct {
	t       *testing.T
	w       *sim.World
	cluster *broker.Cluster
	guest   *guest
	clients chan *client
	seeder  *client // of a member that never polls; the rig asks by it
	over    atomic.Bool
	ended   chan struct{}
}

const rigMembers = 5

func openRig(t *testing.T) *rig {
	r := &rig{t: t, clients: make(chan *client, rigMembers), ended: make(chan struct{})}
	h := &hosted{t: t, brought: &brought{payload: func(m Message) string { return m.Payload }}}
	h.loop = func(env *Env) func(context.Context) error {
		return func(ctx context.Context) error {
			r.clients <- env.m.client
			<-ctx.Done()
			return ctx.Err()
		}
	}
	r.guest = h.code("").Host().(*guest)
	r.w = sim.New(sim.Config{Seed: 1, Latency: rng.Constant(int64(sim.Millisecond)), Beside: r.guest})
	topics := []wire.Topic{{Name: looptest.Topic, Partitions: looptest.Partitions, Replicas: 1}}
	r.cluster = broker.New(broker.Config{Topics: topics, Groups: func(h coordinator.Host) coordinator.Coordinator {
		return groups.New(groups.Config{InitialRebalanceDelay: sim.Second}, h)
	}})
	control, node := r.w.Role(wire.Controller, controller.New(controller.Config{Topics: topics})), r.w.Role(wire.Broker, r.cluster.Boot)
	for _, n := range []*sim.Node{control, node} {
		n.Disk().Timing(rng.Constant(int64(100*sim.Microsecond)), rng.Constant(int64(2*sim.Millisecond)))
		n.Boot()
	}
	dir := &model.Directory{Emit: r.emit}
	r.guest.Enter(scenarios.Hall{World: r.w, Scenario: &scenarios.Scenario{Event: "event", Workload: scenarios.Workload{Topic: looptest.Topic}},
		Speak: func(p *sim.Proc) model.Ctx { return model.NewContext(p, dir) }})
	member := consumer.Java()
	member.Group, member.Topic, member.Bootstrap = looptest.Group, looptest.Topic, []*sim.Node{node}
	member.SessionTimeout, member.MaxPollInterval, member.RequestTimeout = 10*sim.Second, 30*sim.Second, 5*sim.Second
	member.AutoCommit, member.Reset = consumer.CommitsNothing, consumer.ResetEarliest
	for range rigMembers {
		r.w.Role("consumer", consumer.Start(member, dir, r.guest.runLoop)).Boot()
	}
	go r.run()
	r.seeder = <-r.clients
	return r
}

// run is the world. It lives until the case has ended.
func (r *rig) run() {
	defer close(r.ended)
	var tick func()
	tick = func() {
		if r.over.Load() {
			r.w.Stop("the case has ended")
			return
		}
		r.w.At(r.w.Now().Add(sim.Second), sim.PhaseFault, tick)
	}
	tick()
	stop := r.w.Run(sim.Time(24 * 3600 * sim.Second))
	if !r.over.Load() {
		r.t.Errorf("the world has ended before the case: %v %s", stop, stop.Detail)
	}
	r.guest.Leave()
	r.w.Close()
}

func (r *rig) end() {
	r.over.Store(true)
	<-r.ended
}

// emit is that of a world of scenarios, with the partition by the key's hash.
func (r *rig) emit(c *model.Context, topic string, m model.Message) error {
	return r.append(c.Process(), topic, int(rng.Below(rng.Hash(m.Key), looptest.Partitions)), m)
}

func (r *rig) append(p *sim.Proc, topic string, partition int, ms ...model.Message) error {
	for r.cluster.Leader(topic, partition) == nil {
		p.Sleep(100 * sim.Millisecond)
	}
	req := wire.ProduceRequest{Acks: wire.AcksAll, Timeout: sim.Second,
		Batches: []wire.ProduceBatch{{Topic: topic, Partition: partition, Sequence: -1, Messages: ms}}}
	reply, _, err := p.Call(r.cluster.Leader(topic, partition), r.w.Op("broker.produce"), sim.Action{}, req, 0, sim.Second)
	if err != nil {
		return err
	}
	return reply.(wire.ProduceReply).Results[0].Err
}

func (r *rig) NewClient(_ *testing.T, group, topic string) loop.Client {
	require.Equal(r.t, []string{looptest.Group, looptest.Topic}, []string{group, topic})
	return <-r.clients
}

func (r *rig) Seed(t *testing.T, topic string, partition int32, records ...loop.Record) {
	t.Helper()
	_, err := r.seeder.m.group.Ask(t.Context(), "seed", &seedAsk{r, topic, int(partition), records})
	require.NoError(t, err)
}

type seedAsk struct {
	rig       *rig
	topic     string
	partition int
	records   []loop.Record
}

func (q *seedAsk) do(c model.Ctx, _ *guest, _ *delivery) (any, error) { //nolint:unparam // asked demands it
	var ms []model.Message
	for _, r := range q.records {
		ms = append(ms, messageOf(r))
	}
	return nil, q.rig.append(c.Process(), q.topic, q.partition, ms...)
}

// Committed is read from the facts: the broker answers 0 for a position that it does not have.
func (r *rig) Committed(_ *testing.T, group, topic string, partition int32) int64 {
	position := int64(-1)
	for _, f := range r.w.History.Facts {
		if f.Kind == history.KindCommitted && f.Op == group && f.Resource == model.PartitionName(topic, int(partition)) {
			position = f.Offset
		}
	}
	return position
}
