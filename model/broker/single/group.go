package broker

import (
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// State of a group.
type State uint8

// The states. A rebalance goes Stable, PreparingRebalance (the join barrier), CompletingRebalance (the sync
// barrier), Stable.
const (
	Empty               State = iota // no members; positions are kept
	PreparingRebalance               // waits until every member has joined again
	CompletingRebalance              // a new generation; waits for the leader's assignment
	Stable                           // every member may have its share
)

// stateTable names the states.
var stateTable = [...]string{"Empty", "PreparingRebalance", "CompletingRebalance", "Stable"}

// String is Kafka's name of the state.
func (s State) String() string { return stateTable[s] }

// group is the coordinator's state of one group. All its members read one topic.
type group struct {
	b          *Broker
	name       string
	topic      string
	state      State
	generation int64     // of the present membership; 0 = none
	issued     int64     // highest generation ever given out: never again, also after a crash
	members    []*member // in order of their first join; the first is the leader
	ids        int64     // members named by this incarnation
	barrier    sim.Handle
	gathering  bool // PreparingRebalance of a group that was empty: ends with the delay, not before
	assigned   bool // CompletingRebalance: the leader has handed in its assignment
	file       journal
	committed  []int64 // durable positions by partition
	positions  int64   // their sum
}

// newGroup is a group that nobody has ever joined.
func newGroup(b *Broker, name string, t *topic) *group {
	return &group{b: b, name: name, topic: t.name, committed: make([]int64, len(t.partitions)), file: journal{n: b.n, file: groupFile(name)}}
}

// bootGroup is the group as the disk tells it. A completed generation goes on with fresh sessions. If a newer
// one was issued and not completed, its members must join again; those who were in the older one are waited for.
func bootGroup(b *Broker, name, topic string) *group {
	t := b.topic(topic)
	if t == nil {
		panic("broker: group " + name + " reads topic " + topic + ", which is not configured")
	}
	g := newGroup(b, name, t)
	s := readGroup(b.n.Disk(), name, len(t.partitions))
	g.generation, g.issued, g.members, g.committed = s.completed, max(s.issued, s.completed), s.members, s.committed
	for _, c := range g.committed {
		g.positions += c
	}
	for _, m := range g.members {
		g.touch(m)
	}
	switch {
	case len(g.members) == 0:
	case g.issued > g.generation:
		g.state = PreparingRebalance
		g.armBarrier(g.patience(), g.joinDeadline)
	default:
		g.state = Stable
	}
	return g
}

// move is a transition: it must come from one of the states.
func (g *group) move(to State, from ...State) {
	if !slices.Contains(from, g.state) {
		panic(fmt.Sprintf("broker: group %s cannot go from %v to %v", g.name, g.state, to))
	}
	g.state = to
	g.b.n.Cancel(g.barrier)
	g.barrier = sim.Handle{}
	g.gathering, g.assigned = false, false
}

// becomeEmpty: the last member is gone.
func (g *group) becomeEmpty() {
	g.move(Empty, PreparingRebalance, CompletingRebalance, Stable)
	g.write(completedRecord(g.generation, nil), func() {})
}

// becomePreparing opens the join barrier. Whoever waits for an assignment is sent to join again.
func (g *group) becomePreparing() {
	wasEmpty := g.state == Empty
	g.move(PreparingRebalance, Empty, CompletingRebalance, Stable)
	if wasEmpty {
		g.gathering = true
		g.armBarrier(g.b.delay, g.joinDeadline)
		return
	}
	g.armBarrier(g.patience(), g.joinDeadline)
	for _, m := range slices.Clone(g.members) {
		if m.sync == nil {
			continue
		}
		r := m.sync
		m.sync = nil
		g.touch(m)
		if r.Fail(model.ErrRebalance, 0); !g.b.alive() {
			return
		}
	}
}

// becomeCompleting closes the join barrier: a new generation, told to the members once its number is durable.
func (g *group) becomeCompleting() {
	g.move(CompletingRebalance, PreparingRebalance)
	g.issued++
	g.generation = g.issued
	for _, m := range g.members {
		m.share = nil
	}
	generation := g.generation
	g.write(issuedRecord(generation), func() {
		if g.state == CompletingRebalance && g.generation == generation {
			g.announce()
		}
	})
}

// becomeStable ends the sync barrier: the assignment is durable and every member that waits gets its share.
func (g *group) becomeStable() {
	g.move(Stable, CompletingRebalance)
	for _, m := range slices.Clone(g.members) {
		if m.sync == nil {
			continue
		}
		r := m.sync
		m.sync = nil
		g.touch(m)
		if r.Applied(); !g.b.alive() {
			return
		}
		if r.Reply(model.SyncReply{Partitions: m.share}, 0); !g.b.alive() {
			return
		}
	}
}

// write appends to the group's file; then runs when that is durable.
func (g *group) write(record string, then func()) {
	g.b.n.Append(g.file.file, record, sim.Action{}, nil)
	if g.b.alive() {
		g.file.durable(sim.Action{}, func(int) { then() })
	}
}

// armBarrier sets the one timer of a barrier, on the broker's monotonic clock.
func (g *group) armBarrier(d sim.Duration, end func()) {
	g.b.n.Cancel(g.barrier)
	g.barrier = g.b.n.AfterBackground(d, end)
}

// patience is how long a barrier waits: as long as the most patient member asks for.
func (g *group) patience() (d sim.Duration) {
	for _, m := range g.members {
		d = max(d, m.rebalance)
	}
	return d
}

func (g *group) member(id string) *member {
	for _, m := range g.members {
		if m.id == id {
			return m
		}
	}
	return nil
}

// leads says whether m is the leader.
func (g *group) leads(m *member) bool { return g.members[0] == m }
