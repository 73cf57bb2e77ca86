package brokertest

import (
	"fmt"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/single"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// Factory makes the factory of a broker's node: what is under test.
type Factory func(broker.Config) func(*sim.Node) sim.Handler

const (
	topicName  = "orders"
	groupName  = "workers"
	partitions = 4
)

// env is one world with a broker. Processes report what they saw wrong here: a test must not be ended from
// inside a process.
type env struct {
	w    *sim.World
	node *sim.Node
	bad  []string
}

// newEnv makes a world with a broker whose disk takes the given times.
func newEnv(f Factory, seed uint64, delay sim.Duration, fsync rng.Dist) *env {
	w := sim.New(sim.Config{Seed: seed, Latency: rng.Uniform(int64(200*sim.Microsecond), int64(2*sim.Millisecond))})
	e := &env{w: w, node: w.Role("broker", f(broker.Config{Topics: []broker.Topic{{Name: topicName, Partitions: partitions}}, RebalanceDelay: delay}))}
	e.node.Disk().Timing(rng.Uniform(int64(20*sim.Microsecond), int64(200*sim.Microsecond)), fsync)
	return e
}

func (e *env) failf(format string, args ...any) {
	if len(e.bad) < 20 {
		e.bad = append(e.bad, fmt.Sprintf("%v: ", e.w.Now())+fmt.Sprintf(format, args...))
	}
}

// ask is one request of a process.
func (e *env) ask(p *sim.Proc, op string, body any, timeout sim.Duration) (any, error) {
	name := model.BrokerService + "." + op
	reply, _, err := p.Call(e.node, e.w.Op(name), e.w.Act(p.Node().Name(), "", name), body, 0, timeout)
	return reply, err
}

// client adds a node with one process.
func (e *env) client(role string, fn func(*sim.Proc)) *sim.Node {
	return e.w.Role(role, func(n *sim.Node) sim.Handler {
		n.Go("main", fn)
		return sim.NoHandler()
	})
}

// run goes on until the time has come.
func (e *env) run(until sim.Time) {
	done := false
	e.w.At(until, sim.PhaseTimer, func() { done = true })
	for !done {
		if _, stopped := e.w.Stopped(); stopped || !e.w.Step() {
			return
		}
	}
}

// fault stops a node at a time, or at the n-th passage through a hook.
type fault struct {
	Target int // 0 = the broker, others are clients
	How    int // 0 kill, 1 power loss, 2 pause
	At     sim.Time
	Hook   string // "" = timed
	Hit    int
	For    sim.Duration
}

func (f fault) String() string {
	how := [...]string{"kill", "power-loss", "pause"}[f.How]
	if f.Hook != "" {
		return fmt.Sprintf("when %s #%d %s %d for %v", f.Hook, f.Hit, how, f.Target, f.For)
	}
	return fmt.Sprintf("at %v %s %d for %v", f.At, how, f.Target, f.For)
}

// plan arms faults. Nothing is stopped after the end.
func (e *env) plan(faults []fault, end sim.Time, clients ...*sim.Node) {
	for _, f := range faults {
		n := e.node
		if f.Target > 0 {
			n = clients[(f.Target-1)%len(clients)]
		}
		if f.Hook == "" {
			e.w.At(f.At, sim.PhaseFault, func() { e.stop(n, f) })
			continue
		}
		hits := 0
		e.w.Watch(f.Hook, func(*sim.Hit) {
			if hits++; hits == f.Hit && e.w.Now() < end {
				e.stop(n, f)
			}
		})
	}
}

func (e *env) stop(n *sim.Node, f fault) {
	if !n.Up() || n.Paused() {
		return
	}
	again := func() {
		if !n.Up() {
			n.Boot()
		}
	}
	switch f.How {
	case 0:
		n.Kill(0)
	case 1:
		n.PowerLoss(0)
	case 2:
		n.Pause()
		again = n.Resume
	}
	e.w.At(e.w.Now().Add(f.For), sim.PhaseFault, again)
}

// drainLog reads a partition to its end.
func (e *env) drainLog(p *sim.Proc, partition int) []model.Message {
	var all []model.Message
	for {
		reply, err := e.ask(p, model.OpFetch, model.FetchRequest{Topic: topicName, MaxRecords: 50, MaxWait: 100 * sim.Millisecond,
			From: []model.PartitionOffset{{Partition: partition, Offset: int64(len(all))}}}, sim.Second)
		if err != nil {
			e.failf("reading %d from %d: %v", partition, len(all), err)
			return all
		}
		ms := reply.(model.FetchReply).Messages
		if len(ms) == 0 {
			return all
		}
		all = append(all, ms...)
	}
}
