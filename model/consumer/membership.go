package consumer

import (
	"errors"
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// membership is what the member knows of itself in its group. The share (owned) belongs to the poll loop alone; all else
// changes in events of the node, also while the loop works.
type membership struct {
	instance string
	id       string // "" = newcomer
	state    memberState
	round    int64 // generation that the group has told of last, or member epoch; none = the member is out
	attempt  int   // counts the requests to join or to sync: a late answer is nobody's
	asking   bool  // one is under way, or waits for its backoff
	failures int   // of them in a row
	finding  bool  // the coordinator is looked for

	rejoin    bool  // the loop is to prepare a join at its next poll
	lost      bool  // the share is not the member's any more: the loop is to give it up
	target    []int // what the group has given the member, and the loop has not taken over
	hasTarget bool
	counted   int // partitions that the leader of the group has assigned; 0 = it does not lead

	generation int64 // of the share
	owned      []*partition
	losing     bool                    // OnRevoke's function runs for a lost share
	revoking   []*partition            // it runs for these
	former     []model.PartitionOffset // where it left off, for the planted bug in-memory-checkpoint only
	untold     []wire.GroupOffset      // positions of what was revoked, for the planted bug commit-of-revoked-partition only

	interval sim.Duration // between heartbeats
	beating  bool         // the timer of the next one is armed
	inFlight bool         // one is under way
	lastBeat sim.Time     // when the last one was answered well
	beat     any          // the request, kept while it stays the same
	beatOf   int64        // its generation
}

// memberState is Kafka's MemberState.
type memberState uint8

const (
	unjoined memberState = iota
	preparing
	completing
	stable
)

// joining begins a rebalance, when the loop has prepared for it.
func (c *Consumer) joining() {
	c.rejoin = false
	if c.opts.Protocol == ServerSide {
		c.joinServer()
		return
	}
	c.state = preparing
	c.restart()
}

// restart sends the request that the state calls for, whatever was sent before.
func (c *Consumer) restart() {
	c.attempt++
	c.asking = false
	c.ask()
}

// ask sends it, unless one is under way.
func (c *Consumer) ask() {
	if c.ended || c.asking || c.state != preparing && c.state != completing {
		return
	}
	if c.cluster.Partitions(c.opts.Topic) == 0 { // a leader could not assign anything
		c.asking = true
		attempt := c.attempt
		c.cluster.Refresh(c.opts.Topic, func(error) { c.again(attempt) })
		return
	}
	to := c.coordinator()
	if to == nil {
		return
	}
	c.asking = true
	if c.state == preparing {
		c.sendJoin(to)
	} else {
		c.sendSync(to, nil)
	}
}

// again is ask for the attempt that has waited.
func (c *Consumer) again(attempt int) {
	if attempt == c.attempt {
		c.asking = false
		c.ask()
	}
}

// later is again after the backoff.
func (c *Consumer) later() {
	c.failures++
	attempt := c.attempt
	c.n.AfterBackground(c.wait(c.failures), func() { c.again(attempt) })
}

// coordinator is who coordinates the group. One that is not known is looked for, and what waits for it goes on then.
func (c *Consumer) coordinator() *sim.Node {
	to := c.cluster.Known(false, c.opts.Group)
	if to == nil && !c.finding {
		c.finding = true
		c.cluster.Coordinator(false, c.opts.Group, func(*sim.Node, error) {
			c.finding = false
			if c.ended {
				return
			}
			if c.opts.Protocol == ServerSide {
				c.beatServer()
			} else {
				c.ask()
			}
			if c.polling {
				c.pump()
			}
		})
	}
	return to
}

// lostCoordinator notes what an error says of the coordinator, and whether it says anything.
func (c *Consumer) lostCoordinator(err error) bool {
	if client.Unreachable(err) || errors.Is(err, wire.ErrNotCoordinator) || errors.Is(err, wire.ErrNoCoordinator) || errors.Is(err, wire.ErrRequestTimedOut) {
		c.cluster.ForgetCoordinator(false, c.opts.Group)
		return true
	}
	return false
}

func (c *Consumer) sendJoin(to *sim.Node) {
	req := wire.JoinRequest{Group: c.opts.Group, Member: c.id, Instance: c.instance, Client: c.n.Name(), Topics: []string{c.opts.Topic},
		SessionTimeout: c.opts.SessionTimeout, RebalanceTimeout: c.opts.MaxPollInterval}
	for _, name := range c.opts.Assignors {
		req.Protocols = append(req.Protocols, wire.Protocol{Name: name, Owned: c.holds(), Generation: c.claim()})
	}
	attempt := c.attempt
	// The barrier waits for the slowest member.
	within := max(c.opts.RequestTimeout, c.opts.MaxPollInterval+5*sim.Second)
	c.n.Call(to, c.ops.join, sim.Action{}, req, 0, within, func(reply any, _ int64, err error) {
		if attempt == c.attempt && !c.ended {
			c.joined(reply, err)
		}
	})
}

// holds is what the member has, and claim the generation in which it got that.
func (c *Consumer) holds() []wire.TopicPartition {
	var out []wire.TopicPartition
	for _, p := range c.owned {
		out = append(out, wire.TopicPartition{Topic: c.opts.Topic, Partition: p.id})
	}
	return out
}

func (c *Consumer) claim() int64 {
	if len(c.owned) == 0 {
		return wire.NoGeneration
	}
	return c.generation
}

// joined is the answer to a join: the barrier is complete, or the group does not take the member as it is.
func (c *Consumer) joined(reply any, err error) {
	var required wire.MemberIDRequired
	if errors.As(err, &required) { // KIP-394: an id is given, under which to join
		c.id = required.Member
		c.restart()
		return
	}
	if err != nil {
		c.refused(err)
		return
	}
	j := reply.(wire.JoinReply)
	c.id, c.failures = j.Member, 0
	c.round, c.state, c.counted = j.Generation, completing, 0
	c.lastBeat = c.n.Now()
	c.beats()
	if j.Leader != c.id {
		c.restart()
		return
	}
	c.attempt++
	if to := c.coordinator(); to != nil {
		c.sendSync(to, c.assign(&j))
		return
	}
	c.rejoins() // the assignment has nowhere to go
}

// rejoins asks for another round under the same id, without the loop: it has prepared.
func (c *Consumer) rejoins() {
	c.state = preparing
	c.restart()
}

// assign is the leader's work.
func (c *Consumer) assign(j *wire.JoinReply) []wire.MemberShare {
	assign := assignorOf(j.Protocol)
	if assign == nil {
		panic("consumer: the group has agreed on assignor " + j.Protocol)
	}
	c.counted = c.cluster.Partitions(c.opts.Topic)
	shares := assign(j.Members, c.cluster.Partitions, c.opts.Defects)
	if len(shares) == 0 {
		panic("consumer: the leader of a group without members")
	}
	return shares
}

func (c *Consumer) sendSync(to *sim.Node, shares []wire.MemberShare) {
	req := wire.SyncRequest{Group: c.opts.Group, Member: c.id, Instance: c.instance, Generation: c.round, Assignment: shares}
	attempt := c.attempt
	c.asking = true
	c.n.Call(to, c.ops.sync, sim.Action{}, req, 0, max(c.opts.RequestTimeout, c.opts.MaxPollInterval+5*sim.Second), func(reply any, _ int64, err error) {
		if attempt == c.attempt && !c.ended {
			c.synced(reply, err)
		}
	})
}

// synced is the answer to a sync: the member has its share, or there is another round.
func (c *Consumer) synced(reply any, err error) {
	switch {
	case err == nil:
		c.asking, c.failures, c.state = false, 0, stable
		c.given(reply.(wire.SyncReply).Partitions)
	case errors.Is(err, wire.ErrRebalance):
		c.rejoins() // with what it has, of which it has not heard in this round whether it keeps it
	case c.lostCoordinator(err) || errors.Is(err, wire.ErrCoordinatorLoading):
		c.state = preparing // what the leader has assigned may be gone with the coordinator
		c.later()
	default:
		c.refused(err)
	}
}

// given notes what the group has given the member, for the loop to take over.
func (c *Consumer) given(share []wire.TopicPartition) {
	c.enterGeneration(c.round)
	c.target, c.hasTarget = nil, true
	for _, tp := range share {
		if tp.Topic == c.opts.Topic {
			c.target = append(c.target, tp.Partition)
		}
	}
	c.rouse(false)
}

// refused is any other answer to a join or a sync.
func (c *Consumer) refused(err error) {
	switch {
	case errors.Is(err, wire.ErrUnknownMember), errors.Is(err, wire.ErrIllegalGeneration), errors.Is(err, wire.ErrFencedInstance), errors.Is(err, wire.ErrInconsistentProtocol):
		c.heard(err)
	default: // silence, no coordinator, one that loads, a rebalance: as it is, once more
		c.lostCoordinator(err)
		c.later()
	}
}

// heardAs is what a refusal says of the member, if it still is who asked: one that has come back since, static ones in the same
// generation, is another to the group.
func (c *Consumer) heardAs(id string, round int64, err error) {
	if id == c.id && round == c.round && !errors.Is(err, wire.ErrStaleMemberEpoch) {
		c.heard(err)
	}
}

// heard is what any refusal by the group tells the member about itself.
func (c *Consumer) heard(err error) {
	switch {
	case errors.Is(err, wire.ErrRebalance):
		if c.state == stable {
			c.rejoin = true
		}
	case errors.Is(err, wire.ErrIllegalGeneration), errors.Is(err, wire.ErrFencedMemberEpoch):
		c.expelled(c.id)
	case errors.Is(err, wire.ErrUnknownMember):
		c.expelled(c.anew())
	case errors.Is(err, wire.ErrFencedInstance), errors.Is(err, wire.ErrInconsistentProtocol):
		c.expelled("")
		c.fatal = true
		c.n.Record(history.Fact{Kind: history.KindGaveUp, Resource: c.opts.Group, Fence: c.generation, Offset: -1, Note: err.Error()})
	default:
		return
	}
	c.rouse(false)
}

// expelled is the end of the membership: whoever else was given the share may have it by now. The loop hears of it at its
// next poll, and works on until then.
func (c *Consumer) expelled(id string) {
	pending := c.rejoin
	c.id, c.round, c.state = id, wire.NoGeneration, unjoined
	c.attempt++
	c.asking = false
	c.target, c.hasTarget, c.counted = nil, false, 0
	c.rejoin = true
	if pending && c.opts.Defects.Has(model.LostFlagDropped) {
		return
	}
	c.lost = len(c.owned) > 0
}

// expire is the end of a loop that has not polled for the poll interval: the member leaves, and the loop is not told
// before its next poll.
func (c *Consumer) expire() {
	if c.state == unjoined {
		return
	}
	if to := c.cluster.Known(false, c.opts.Group); to != nil {
		if req, op := c.leaving(); req != nil {
			c.n.Call(to, op, sim.Action{}, req, 0, c.opts.RequestTimeout, func(any, int64, error) {})
		}
	}
	c.expelled(c.anew())
}

// anew is the id under which a member joins that the group does not know any more: that of a newcomer, but with server-side
// assignment members name themselves, once in their life.
func (c *Consumer) anew() string {
	if c.opts.Protocol == ServerSide {
		return c.id
	}
	return ""
}

// leaving is the request by which the member leaves; nil = it has nothing to leave, or is static and means to be back.
func (c *Consumer) leaving() (req any, op sim.Op) {
	switch {
	case c.id == "" || c.state == unjoined:
		return nil, op
	case c.opts.Protocol == ServerSide:
		return c.leavingServer(), c.ops.groupHeartbeat
	case c.instance != "":
		return nil, op
	}
	return wire.LeaveRequest{Group: c.opts.Group, Member: c.id}, c.ops.leave
}

// sayGoodbye leaves the group, if its coordinator is known, and waits for the answer: the loop has ended.
func (c *Consumer) sayGoodbye(p *sim.Proc) {
	req, op := c.leaving()
	c.attempt++
	c.state = unjoined
	to := c.cluster.Known(false, c.opts.Group)
	if req == nil || to == nil {
		return
	}
	_, _, _ = p.Call(to, op, sim.Action{}, req, 0, c.opts.RequestTimeout)
}

// beats arms the next heartbeat.
func (c *Consumer) beats() {
	if c.beating || c.ended {
		return
	}
	c.beating = true
	c.n.AfterBackground(c.interval, c.heartbeat)
}

// heartbeat keeps the session alive whatever the loop does. While a join is under way there is none: the coordinator
// waits for no sign of a member that it owes an answer.
func (c *Consumer) heartbeat() {
	c.beating = false
	if c.ended || c.state == unjoined {
		return
	}
	c.beats()
	if c.n.Stopping() {
		c.rouse(false)
	}
	if c.opts.ClientSession && c.state != preparing && c.n.Now().Sub(c.lastBeat) >= c.opts.SessionTimeout {
		c.expelled(c.anew())
		c.rouse(false)
		return
	}
	if c.opts.Protocol == ServerSide {
		c.beatServer()
		return
	}
	if c.state == preparing || c.inFlight {
		return
	}
	if c.counted != 0 && c.counted != c.cluster.Partitions(c.opts.Topic) && c.state == stable { // the topic has grown
		c.rejoin = true
		c.rouse(false)
	}
	if to := c.coordinator(); to != nil {
		c.sendHeartbeat(to)
	}
}

func (c *Consumer) sendHeartbeat(to *sim.Node) {
	if c.beat == nil || c.beatOf != c.round || c.beat.(wire.HeartbeatRequest).Member != c.id {
		c.beat, c.beatOf = wire.HeartbeatRequest{Group: c.opts.Group, Member: c.id, Instance: c.instance, Generation: c.round}, c.round
	}
	c.inFlight = true
	id, round := c.id, c.round
	c.n.Call(to, c.ops.heartbeat, sim.Action{}, c.beat, 0, c.opts.RequestTimeout, func(_ any, _ int64, err error) {
		c.inFlight = false
		switch {
		case c.ended:
		case err == nil, errors.Is(err, wire.ErrRebalance):
			c.lastBeat = c.n.Now()
		}
		if err != nil && !c.ended && !c.lostCoordinator(err) {
			c.heardAs(id, round, err)
		}
	})
}

// reconciled is called when the loop has taken over its share.
func (c *Consumer) reconciled(changed bool) {
	if c.opts.Protocol == ServerSide && changed {
		c.beatServer()
	}
}

// has says whether the member's target is what it has.
func (c *Consumer) has(target []int) bool {
	if len(target) != len(c.owned) {
		return false
	}
	return !slices.ContainsFunc(target, func(id int) bool { return c.partition(id) == nil })
}
