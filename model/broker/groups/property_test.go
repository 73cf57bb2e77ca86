package groups_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model/broker/groups"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// judge looks at the facts after every event, and at what the coordinator may never believe.
type judge struct {
	t       *rapid.T
	g       *rig
	seen    int
	loading bool // the facts are those of a coordinator that is loaded: it states again

	stated    int64            // last generation that was completed
	committed map[string]int64 // of a partition, "" = of all: the highest generation under which a plain commit took effect here
	epochs    bool             // generations are those of members, and only those who hold a partition commit in it
	zombies   map[string]bool  // nodes that were evicted and have not heard of it
	members   map[int64]string // of a generation
}

func newJudge(t *rapid.T, g *rig) *judge {
	return &judge{t: t, g: g, zombies: map[string]bool{}, members: map[int64]string{}, committed: map[string]int64{}}
}

func (j *judge) look() {
	for ; j.seen < j.g.w.History.Len(); j.seen++ {
		f := j.g.w.History.At(int64(j.seen) + 1)
		switch f.Kind {
		case history.KindGeneration:
			j.generation(f)
		case history.KindEvicted:
			j.zombies[f.Value] = true
		case history.KindCommitted:
			if !j.loading && f.Value == "" && f.Fence >= 0 {
				where := ""
				if j.epochs {
					where = f.Resource
				}
				require.GreaterOrEqual(j.t, f.Fence, j.stated, "a commit of an older generation than the last that was completed")
				require.GreaterOrEqual(j.t, f.Fence, j.committed[where], "a commit of an older generation after one of a newer")
				j.committed[where] = f.Fence
			}
		}
	}
	require.Empty(j.t, j.g.p.c.TwoOwners())
	if j.g.p.c.State("workers") == groups.Dead { // deleted with all that was known of it: numbers begin anew, as in Kafka
		j.stated, j.committed, j.members = 0, map[string]int64{}, map[int64]string{}
	}
}

// generation: a completed one is never completed again, by nobody; it has one membership.
func (j *judge) generation(f *history.Fact) {
	if j.loading {
		require.GreaterOrEqual(j.t, f.Fence, j.stated, "a generation was completed and is forgotten")
	} else {
		require.Greater(j.t, f.Fence, j.stated, "a generation was completed twice")
	}
	j.stated = f.Fence
	if members, ok := j.members[f.Fence]; ok {
		require.Equal(j.t, members, f.Note, "generation %d", f.Fence)
	}
	j.members[f.Fence] = f.Note
}

func (j *judge) run(d sim.Duration) { j.g.run(d, j.look) }

// move has another broker lead the partition.
func (j *judge) move(losing bool) {
	j.loading = true
	j.committed = map[string]int64{} // a generation that was told, and never completed, is forgotten
	j.g.p.lead(losing)
	j.look()
	j.loading = false
}

// chaos is what befalls the partition: true = the coordinator may know more than the log, or less.
func (j *judge) chaos(kind int) bool {
	p := j.g.p
	defer j.look()
	switch kind {
	case 0:
		j.move(false)
	case 1:
		j.move(true)
	case 2:
		p.hangs = true
	case 3:
		p.hangs, p.refuses = false, nil
		p.advance(len(p.log))
	case 4:
		p.refuses = wire.ErrNotEnoughReplicas
		return true
	case 5:
		p.giveUp(wire.ErrNotEnoughAfter)
		return true
	}
	return false
}

// What may befall the partition, and how often that is a step: first what chaos knows, then markers of either sort.
const (
	markers = 6
	nothing = 8
)

var chances = append(slices.Repeat([]int{nothing}, 36), 0, 1, 2, 3, 3, 4, 5, markers, markers, markers+1)

// settle ends all faults and everybody's patience: nothing that was parked is parked any more, and no write is in doubt but those
// that the log gave up on and that nothing was written behind.
func (j *judge) settle(doubt bool) {
	j.chaos(3)
	j.run(20 * sim.Minute)
	require.Zero(j.t, j.g.open, "requests that nobody has answered")
	if !doubt {
		require.Zero(j.t, j.g.p.c.Unsettled())
	}
}

// rebuilt is what a coordinator knows that loads the log.
func (j *judge) rebuilt() string {
	other := newRig(j.g.p.cfg, 0)
	defer other.w.Close()
	other.p.log, other.p.sizes = j.g.p.log, j.g.p.sizes
	for range j.g.w.History.Len() { // facts that records name
		other.w.History.Record(history.Fact{Kind: history.KindPhase})
	}
	other.p.lead(false)
	return other.p.c.Dump()
}

// classicMember does what a member of a classic group may do: mostly what comes next in the protocol, and else anything.
func (j *judge) classicMember(c *client, action int, offset int64) {
	free := !c.busy && c.id != ""
	switch action {
	case 0, 1, 2, 3, 4, 5, 6, 7:
		switch {
		case c.busy:
		case c.next == wire.OpSync:
			c.busy = true
			c.sync(roundRobin(c.members))
		case c.next == wire.OpHeartbeat:
			c.heartbeat()
		default:
			c.busy = true
			c.join()
		}
	case 8, 9, 10:
		if c.id != "" {
			c.commit(c.generation, []wire.GroupOffset{{Topic: "orders", Offset: offset, Epoch: -1}})
		}
	case 11, 12:
		c.txnCommit(c.id, c.generation, offset%2+1, []wire.GroupOffset{{Topic: "orders", Partition: int(offset % 3), Offset: offset, Epoch: -1}})
	case 13:
		c.heartbeat()
	case 14:
		if free && c.instance == "" {
			c.ask(wire.OpLeave, wire.LeaveRequest{Group: c.group, Member: c.id})
		}
	case 15:
		if free {
			c.restart()
		}
	case 16:
		if free {
			c.busy = true
			c.join()
		}
	}
}

// proceeds is how a member of a classic group takes an answer.
func (c *client) proceeds(op string, err error) {
	if op == wire.OpJoin || op == wire.OpSync {
		c.busy = false
	}
	switch {
	case c.id == "", errors.Is(err, wire.ErrRebalance), errors.Is(err, wire.ErrIllegalGeneration), err != nil && (op == wire.OpJoin || op == wire.OpSync):
		c.next = wire.OpJoin
	case op == wire.OpJoin:
		c.next = wire.OpSync
	case op == wire.OpSync:
		c.next = wire.OpHeartbeat
	}
}

func (c *client) restart() {
	c.id, c.generation, c.owned, c.since, c.members, c.next = "", 0, nil, -1, nil, ""
}

// roundRobin is an assignment by the leader.
func roundRobin(members []wire.JoinedMember) (out []wire.MemberShare) {
	for _, m := range members {
		out = append(out, wire.MemberShare{Member: m.Member})
	}
	for p := range 4 {
		if len(out) > 0 {
			m := &out[p%len(out)]
			m.Partitions = append(m.Partitions, wire.TopicPartition{Topic: "orders", Partition: p})
		}
	}
	return out
}

// Over all that members do and that befalls the partition: see judge; and everybody is answered, and where the log took
// all, what a coordinator finds that loads it is what this one knows.
func TestClassicGroups(t *testing.T) {
	compared, met := 0, map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		g := newRig(groups.Config{AnonymousJoin: rapid.Bool().Draw(t, "anonymous")}, 3)
		defer g.w.Close()
		j := newJudge(t, g)
		for i, c := range g.clients {
			if rapid.Bool().Draw(t, "static") {
				c.instance = string(rune('a' + i))
			}
			c.protocols = []string{"cooperative-sticky"}
		}
		g.told = func(c *client, op, _ string, err error) { c.proceeds(op, err) }
		doubt, refusals := false, rapid.Bool().Draw(t, "refusals")
		for range 150 {
			if kind := rapid.SampledFrom(chances).Draw(t, "chaos"); kind < markers {
				if kind <= 3 || refusals {
					doubt = j.chaos(kind) || doubt
				}
			} else if kind < nothing {
				g.p.append(wire.Batch{Control: wire.Control(kind - markers + 1), Producer: wire.ProducerID{ID: rapid.Int64Range(1, 3).Draw(t, "producer")}})
			} else {
				c := g.clients[rapid.IntRange(0, 2).Draw(t, "client")]
				j.classicMember(c, rapid.IntRange(0, 16).Draw(t, "action"), rapid.Int64Range(0, 99).Draw(t, "offset"))
			}
			j.run(rapid.SampledFrom([]sim.Duration{0, sim.Millisecond, 5 * sim.Millisecond, 5 * sim.Millisecond, 5 * sim.Millisecond, 100 * sim.Millisecond, 100 * sim.Millisecond, sim.Second, 3500 * sim.Millisecond, 31 * sim.Second}).Draw(t, "pause"))
		}
		j.chaos(3)
		j.run(10 * sim.Millisecond)
		if state := g.p.c.State("workers"); !doubt && (state == groups.Stable || state == groups.Empty) {
			compared++
			require.Equal(t, g.p.c.Dump(), j.rebuilt())
		}
		j.settle(doubt)
		for _, f := range g.w.History.Facts {
			kind := f.Kind.String()
			if f.Kind == history.KindCommitted && f.Value != "" {
				kind += " by a transaction"
			}
			met[kind]++
		}
	})
	require.Positive(t, compared, "no run came to an end at which the group could be compared")
	for _, kind := range []string{"generation", "committed", "committed by a transaction", "evicted"} {
		require.Positive(t, met[kind], "no run met %s", kind)
	}
}

// serverMember is a member of a server-side group: one heartbeat at a time. It takes what it is told to hold at once, and gives
// up the rest when it comes to it.
func (j *judge) serverMember(c *client, action int, offset int64) {
	switch action {
	case 0, 1, 2, 3, 4:
		if !c.busy {
			c.busy = true
			c.report(c.generation, c.owned)
		}
	case 5, 6:
		c.owned = slices.DeleteFunc(c.owned, func(p wire.TopicPartition) bool { return !slices.Contains(c.wanted, p) })
	case 7:
		if len(c.owned) > 0 {
			p := c.owned[int(offset)%len(c.owned)]
			c.commit(c.generation, []wire.GroupOffset{{Topic: p.Topic, Partition: p.Partition, Offset: offset, Epoch: -1}})
		}
	case 8:
		if !c.busy && c.generation > 0 {
			c.busy, c.owned, c.wanted = true, nil, nil
			epoch := int64(-1)
			if c.instance != "" {
				epoch = -2
			}
			c.report(epoch, nil)
			c.generation = 0
		}
	case 9:
		if !c.busy {
			j.zombies[c.n.Name()] = false
			c.restart()
			c.wanted = nil
		}
	case 10:
		c.topics = []string{"orders"}
		if offset%2 == 0 {
			c.topics = []string{"orders", "refunds"}
		}
	}
}

// heard is how a member of a server-side group takes an answer. What it is told to hold it takes; what it is not it holds on to.
func (j *judge) heard(c *client, held []wire.TopicPartition, op string, err error) {
	if op != wire.OpGroupHeartbeat {
		if c.id == "" { // any answer may tell it that it is out
			j.zombies[c.n.Name()], c.wanted = false, nil
		}
		return
	}
	c.busy = false
	if err != nil || c.generation == 0 {
		if c.id == "" {
			j.zombies[c.n.Name()], c.wanted = false, nil
		} else {
			c.owned = held
		}
		return
	}
	c.wanted = c.owned
	c.owned = append([]wire.TopicPartition(nil), c.owned...)
	for _, p := range held {
		if !slices.Contains(c.owned, p) {
			c.owned = append(c.owned, p)
		}
	}
}

// exclusive: no two members hold a partition, but for those that were evicted and do not know.
func (j *judge) exclusive() {
	j.look()
	owner := map[wire.TopicPartition]string{}
	for _, c := range j.g.clients {
		if j.zombies[c.n.Name()] {
			continue
		}
		for _, p := range c.owned {
			require.Empty(j.t, owner[p], "%v is held by %s too", p, c.n.Name())
			owner[p] = c.n.Name()
		}
	}
}

// Over all that members do and that befalls the partition: see judge and exclusive; everybody is answered; and when all is
// well again and members send their heartbeats, each partition has an owner.
func TestServerSideGroups(t *testing.T) {
	converged := 0
	rapid.Check(t, func(t *rapid.T) {
		g := newRig(groups.Config{}, 3)
		defer g.w.Close()
		j := newJudge(t, g)
		j.epochs = true
		held := map[string][]wire.TopicPartition{}
		for i, c := range g.clients {
			if rapid.Bool().Draw(t, "static") {
				c.instance = string(rune('a' + i))
			}
		}
		g.told = func(c *client, op, _ string, err error) { j.heard(c, held[c.n.Name()], op, err) }
		each := func() {
			j.exclusive()
			for _, c := range g.clients {
				held[c.n.Name()] = c.owned
			}
		}
		act := func(c *client, action int, offset int64) {
			j.serverMember(c, action, offset)
			each()
		}
		for range 80 {
			if kind := rapid.SampledFrom(chances).Draw(t, "chaos"); kind < markers {
				j.chaos(kind)
			} else {
				act(g.clients[rapid.IntRange(0, 2).Draw(t, "client")], rapid.IntRange(0, 10).Draw(t, "action"), rapid.Int64Range(0, 99).Draw(t, "offset"))
			}
			g.run(rapid.SampledFrom([]sim.Duration{0, sim.Millisecond, 5 * sim.Millisecond, 100 * sim.Millisecond, 20 * sim.Second, 46 * sim.Second}).Draw(t, "pause"), each)
		}
		j.chaos(3)
		for range 12 { // everybody behaves
			for _, c := range g.clients {
				act(c, 5, 0)
				act(c, 0, 0)
				g.run(2*sim.Second, each)
			}
		}
		if g.p.c.State("workers") == groups.Stable {
			converged++
			var all []string
			for _, c := range g.clients {
				for _, p := range c.owned {
					if p.Topic == "orders" {
						all = append(all, partitionText(p))
					}
				}
			}
			slices.Sort(all)
			require.Equal(t, "orders/0 orders/1 orders/2 orders/3", strings.Join(all, " "))
			require.Equal(t, g.p.c.Dump(), j.rebuilt())
		}
		j.settle(true)
		require.Zero(t, g.p.c.Members("workers"))
	})
	require.Positive(t, converged)
}
