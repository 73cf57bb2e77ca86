package groups

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// State of a group.
type State uint8

// The states. A rebalance of the classic protocol goes Stable, PreparingRebalance (the join barrier),
// CompletingRebalance (the sync barrier), Stable. A server-side group (KIP-848) is Assigning until a target has been computed for
// its epoch, then Reconciling until every member has reached it.
const (
	Dead                State = iota // there is none
	Empty                            // no members; positions are kept
	PreparingRebalance               // waits until every member has joined again
	CompletingRebalance              // a new generation; waits for the leader's assignment
	Stable                           // every member has its share, or may ask for it
	Assigning
	Reconciling
)

// stateTable names the states.
var stateTable = [...]string{"Dead", "Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Assigning", "Reconciling"}

// String is Kafka's name of the state.
func (s State) String() string { return stateTable[s] }

// group is one group. Its members speak the classic protocol unless it has a server half.
type group struct {
	c          *Coordinator
	name       string
	state      State     // of a classic group; created as Empty
	classic    bool      // it has had members of the classic protocol: positions expire from emptied on, not from their commit
	generation int64     // of a server-side group: the group epoch
	protocol   string    // the assignor of this generation
	leader     string    // member id
	members    []*member // in the order in which they came; the first is the next leader
	promised   []promise // ids given to newcomers that have not joined with them
	emptied    sim.Time  // wall clock: when the last member went

	barrier   sim.Handle   // join barrier, then sync barrier
	gathering bool         // the join barrier of a group that was empty: it ends with its delay, not before
	latecomer bool         // somebody has joined during the present delay
	patience  sim.Duration // how much longer gathering may be extended
	assigned  bool         // CompletingRebalance: the leader has handed in its assignment

	server *server // nil = classic

	positions []position      // sorted by topic and partition
	pending   []pendingOffset // of open transactions, in the order of the log
}

// move is a transition of a classic group: it must come from one of the states.
func (g *group) move(to State, from ...State) {
	if !slices.Contains(from, g.state) {
		panic(fmt.Sprintf("groups: %s cannot go from %v to %v", g.name, g.state, to))
	}
	g.state = to
	g.c.n.Cancel(g.barrier)
	g.barrier = sim.Handle{}
	g.gathering, g.latecomer, g.assigned = false, false, false
}

// becomePreparing opens the join barrier. Whoever waits for an assignment is sent to join again.
func (g *group) becomePreparing() {
	was := g.state
	g.move(PreparingRebalance, Empty, CompletingRebalance, Stable)
	if was == Empty {
		g.classic, g.gathering = true, true
		g.patience = max(g.rebalanceTimeout()-g.c.cfg.InitialRebalanceDelay, 0)
		g.arm(g.c.cfg.InitialRebalanceDelay, g.gathered)
		return
	}
	g.arm(g.rebalanceTimeout(), g.becomeCompleting)
	if was == CompletingRebalance {
		g.failSyncs(wire.ErrRebalance)
	}
}

// gathered ends the delay of the first join, or extends it: Kafka hopes that who comes late is not the last one.
func (g *group) gathered() {
	if g.latecomer && g.patience > 0 {
		d := min(g.c.cfg.InitialRebalanceDelay, g.patience)
		g.latecomer = false
		g.patience -= d
		g.arm(d, g.gathered)
		return
	}
	g.becomeCompleting()
}

// becomeCompleting closes the join barrier: a new generation of those who have come. A static member that has not come
// stays, and keeps its share, until its session ends; if none but such are left, the barrier stays closed to no purpose and is
// set again. The number is not on any disk before the assignment is: see the package's deviations.
func (g *group) becomeCompleting() {
	if g.dropLate(); !g.c.alive() {
		return
	}
	if len(g.members) == 0 {
		g.becomeEmpty()
		return
	}
	if !g.electLeader() {
		g.arm(g.rebalanceTimeout(), g.becomeCompleting)
		return
	}
	g.move(CompletingRebalance, PreparingRebalance)
	g.generation++
	g.protocol = g.elected()
	for _, m := range g.members {
		m.share, m.synced, m.fresh = nil, false, false
	}
	g.arm(g.rebalanceTimeout(), g.syncDeadline)
	for _, m := range slices.Clone(g.members) {
		if g.welcome(m); !g.c.alive() {
			return
		}
	}
}

// becomeEmpty: the last member is gone. That is a generation of its own, as in Kafka.
func (g *group) becomeEmpty() {
	g.move(Empty, PreparingRebalance)
	g.generation++
	g.protocol, g.leader = "", ""
	g.emptied = g.c.n.Wall()
	g.c.expectExpiry()
	g.store(func(error) {}, func(error) {}) // if it is not written, the next coordinator finds the members and waits for their sessions
}

// becomeStable ends the sync barrier: the assignment is replicated and every member that waits gets its share. From here on
// the rebalance is complete; every commit of an earlier generation was appended before the assignment and has taken
// effect, or never will.
func (g *group) becomeStable() {
	barrier := g.barrier // goes on until everyone has asked for its share
	g.barrier = sim.Handle{}
	g.move(Stable, CompletingRebalance)
	g.barrier = barrier
	fact := g.completed("")
	g.c.expectExpiryOfUnsubscribed(g)
	if g.c.n.Reached("group/generation", sim.Action{}); !g.c.alive() {
		return
	}
	g.allSynced()
	for _, m := range slices.Clone(g.members) {
		if m.sync == nil {
			continue
		}
		r := m.sync
		m.sync = nil
		g.touch(m)
		if r.Applied(); !g.c.alive() {
			return
		}
		if r.Reply(wire.SyncReply{Partitions: m.share}, fact); !g.c.alive() {
			return
		}
	}
}

// completed records that the group has completed a rebalance.
func (g *group) completed(note string) int64 {
	var clients []string
	for _, m := range g.members {
		clients = append(clients, m.client)
	}
	if g.server != nil {
		for _, m := range g.server.members {
			clients = append(clients, m.client)
		}
	}
	return g.c.n.Record(history.Fact{Kind: history.KindGeneration, Resource: g.name, Fence: g.generation, Offset: -1, Value: note, Note: strings.Join(clients, ",")})
}

// store writes the group to the log.
func (g *group) store(done, told func(error)) {
	g.c.append(wire.Batch{Sequence: -1, Messages: []model.Message{message(groupKey(g.name), g.encode())}}, sim.Action{}, &write{done: done, told: told})
}

// arm sets the one timer of a barrier, on the broker's monotonic clock.
func (g *group) arm(d sim.Duration, end func()) {
	g.c.n.Cancel(g.barrier)
	g.barrier = g.c.n.AfterBackground(d, end)
}

// rebalanceTimeout is how long a barrier waits: as long as the most patient member asks for.
func (g *group) rebalanceTimeout() (d sim.Duration) {
	for _, m := range g.members {
		d = max(d, m.rebalance)
	}
	return d
}

// unload cancels what runs and adds what is parked.
func (g *group) unload(parked []*sim.Request) []*sim.Request {
	n := g.c.n
	n.Cancel(g.barrier)
	for i := range g.promised {
		n.Cancel(g.promised[i].timer)
	}
	for _, m := range g.members {
		n.Cancel(m.timer)
		for _, r := range [...]*sim.Request{m.join, m.sync} {
			if r != nil {
				parked = append(parked, r)
			}
		}
		m.join, m.sync = nil, nil
	}
	if g.server != nil {
		parked = g.server.unload(n, parked)
	}
	return parked
}

// inhabited says whether the group has members of either protocol.
func (g *group) inhabited() bool {
	return g.state != Empty || g.server != nil && len(g.server.members) > 0
}
