package operator

import (
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Replay is one replay of a group's topic from its beginning. Times are on the operator's monotonic clock.
type Replay struct {
	Group, Topic   string
	Members        func() []*sim.Node // of the group, those that are down too
	Cluster        client.Config      // how the operator finds the brokers
	Grace          sim.Duration       // a member that takes longer to stop is killed
	RequestTimeout sim.Duration       // of one request
	Pause          sim.Duration       // between two looks, and before a refused request is tried again
	Cause          int64              // fact behind it
	Done           func()             // the members are started again; nil = nothing
}

// New is the factory of the operator's node. The replay has no patience of its own: while the group is not inactive, or
// the broker does not answer, it tries again.
func New(r Replay) func(*sim.Node) sim.Handler {
	return func(n *sim.Node) sim.Handler {
		n.Go("replay", r.run)
		return sim.NoHandler()
	}
}

func (r *Replay) run(p *sim.Proc) {
	stopped := r.stop(p)
	r.reset(p, newAsking(p, r.Cluster, r.RequestTimeout, r.Pause))
	r.start(p, stopped)
	if r.Done != nil {
		r.Done()
	}
}

// stop asks the members that are up to stop, and waits until they have.
func (r *Replay) stop(p *sim.Proc) (stopped []*sim.Node) {
	for _, n := range r.Members() {
		if n.Up() {
			stopped = append(stopped, n)
		}
	}
	fact := r.acted(p, "stop", r.Group, -1, names(stopped))
	for _, n := range stopped {
		n.AskStop(fact)
	}
	for asked := p.Node().Now(); anyUp(stopped); {
		if p.Node().Now().Sub(asked) >= r.Grace {
			kill(stopped, fact)
			break
		}
		p.Sleep(r.Pause)
	}
	return stopped
}

// reset moves the group's positions to the earliest retained offsets. The coordinator refuses while the group has
// members: one that was killed is one until its session times out.
func (r *Replay) reset(p *sim.Proc, ask asking) {
	req := wire.CommitRequest{Group: r.Group, Generation: wire.NoGeneration}
	for i := range ask.partitions(p, r.Topic) {
		tp := wire.TopicPartition{Topic: r.Topic, Partition: i}
		req.Offsets = append(req.Offsets, wire.GroupOffset{Topic: r.Topic, Partition: i, Epoch: -1, Offset: ask.place(p, tp, wire.Earliest, r.Cause)})
	}
	for i := range req.Offsets {
		o := &req.Offsets[i]
		o.Fact = r.acted(p, "reset", model.PartitionName(r.Topic, o.Partition), o.Offset, r.Group)
	}
	ask.commit(p, req, r.Cause)
}

// start boots what stop has stopped.
func (r *Replay) start(p *sim.Proc, stopped []*sim.Node) {
	r.acted(p, "start", r.Group, -1, names(stopped))
	w := p.World()
	for _, n := range stopped {
		w.At(w.Now(), sim.PhaseFault, n.Boot) // from outside this process: a boot is the other node's own code
	}
}

// acted records a step before it has consequences.
func (r *Replay) acted(p *sim.Proc, op, resource string, offset int64, value string) int64 {
	return p.Record(history.Fact{Kind: history.KindOperated, Op: op, Resource: resource, Offset: offset, Value: value, Cause: r.Cause, Fence: -1})
}

func anyUp(nodes []*sim.Node) bool {
	for _, n := range nodes {
		if n.Up() {
			return true
		}
	}
	return false
}

func kill(nodes []*sim.Node, cause int64) {
	for _, n := range nodes {
		if n.Up() {
			n.Kill(cause)
		}
	}
}

func names(nodes []*sim.Node) string {
	list := make([]string, len(nodes))
	for i, n := range nodes {
		list[i] = n.Name()
	}
	return strings.Join(list, ",")
}
