package consumer

import (
	"cmp"
	"errors"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
)

// Commit moves the group's positions past these messages, one past the highest of each partition, and waits. The group
// refuses a generation that is not its present one: a zombie cannot move positions. As commitSync does, it asks again while
// no coordinator answers, up to CommitTimeout; what the group answers is final. A caller who gives up (ctx.Err) ends that: a
// try that came after its next commit would set the positions back.
func (c *Consumer) Commit(ctx model.Ctx, ms []model.Message) error {
	p, last := ctx.Process(), &ms[len(ms)-1]
	began := c.n.Now()
	for {
		generation := c.generation
		offsets := c.behind(ms)
		c.open(p, offsets, last.Event, last.Cause)
		err := c.push(p, ctx, last.Event, offsets, c.opts.CommitTimeout)
		if errors.Is(err, wire.ErrRebalance) {
			c.owes(offsets)
		}
		// The group has gone on and the member has not heard of it: it does with its next heartbeat (KIP-848).
		if !errors.Is(err, wire.ErrStaleMemberEpoch) || c.round < 0 || c.n.Now().Sub(began) >= c.opts.CommitTimeout {
			return err
		}
		if generation == c.generation {
			p.Sleep(c.opts.Backoff)
		}
	}
}

// owes notes a commit that came in the middle of a rebalance. A real loop tries it again after its next poll (as frameworks
// do: it is what the exception's text asks for), and here that poll may wait for long. So the client does.
func (c *Consumer) owes(offsets []wire.GroupOffset) {
	for _, o := range offsets {
		if p := c.partition(o.Partition); p != nil {
			p.owed = max(p.owed, o.Offset)
		}
	}
}

// repay commits what is owed of the partitions that the member still has, once, as soon as it is in a generation again.
func (c *Consumer) repay(p *sim.Proc) bool {
	if c.rejoin || c.mayCommit() != nil || c.opts.Protocol == Classic && c.state != stable {
		return false
	}
	var offsets []wire.GroupOffset
	var event string
	var cause int64
	for _, q := range c.owned {
		if q.owed == 0 {
			continue
		}
		offsets = append(offsets, wire.GroupOffset{Topic: c.opts.Topic, Partition: q.id, Offset: q.owed, Epoch: q.epochBefore(q.owed)})
		q.owed, cause, event = 0, q.last, q.lastEvent
	}
	if len(offsets) == 0 {
		return false
	}
	c.open(p, offsets, event, cause)
	_ = c.push(p, nil, event, offsets, c.opts.CommitTimeout)
	return true
}

// behind are the positions one past the highest of each partition.
func (c *Consumer) behind(ms []model.Message) []wire.GroupOffset {
	var offsets []wire.GroupOffset
next:
	for i := range ms {
		m := &ms[i]
		for k := range offsets {
			if offsets[k].Partition == m.Partition {
				offsets[k].Offset = max(offsets[k].Offset, m.Offset+1)
				continue next
			}
		}
		offsets = append(offsets, wire.GroupOffset{Topic: c.opts.Topic, Partition: m.Partition, Offset: m.Offset + 1, Epoch: -1})
	}
	for k := range offsets {
		if p := c.partition(offsets[k].Partition); p != nil {
			offsets[k].Epoch = p.epochBefore(offsets[k].Offset)
		}
	}
	return offsets
}

// open states that the member asks for these positions.
func (c *Consumer) open(p *sim.Proc, offsets []wire.GroupOffset, event string, cause int64) {
	site := ""
	if p != nil && c.n.World().Sites() {
		site = p.Site()
	}
	for i := range offsets {
		o := &offsets[i]
		o.Fact = c.n.Record(history.Fact{Kind: history.KindCommitting, Event: event, Resource: model.PartitionName(o.Topic, o.Partition),
			Offset: o.Offset, Op: c.opts.Group, Fence: c.generation, Cause: cause, Site: site})
	}
}

// request is a commit under the generation in which the member has its share.
func (c *Consumer) request(offsets []wire.GroupOffset) wire.CommitRequest {
	return wire.CommitRequest{Group: c.opts.Group, Member: c.id, Instance: c.instance, Generation: c.generation, Offsets: offsets}
}

// mayCommit says whether a commit has a chance; a Java client does not send one that has none.
func (c *Consumer) mayCommit() error {
	switch {
	case c.opts.CommitWhileJoining && c.generation >= 0:
		return nil
	case c.id == "":
		return wire.ErrUnknownMember
	case c.round < 0:
		return wire.ErrIllegalGeneration
	case c.opts.Protocol == Classic && c.state != stable:
		return wire.ErrRebalance
	}
	return nil
}

// push sends a commit until it is answered. Ctx is nil for one that the client makes by itself: it holds up no stop.
func (c *Consumer) push(p *sim.Proc, ctx model.Ctx, event string, offsets []wire.GroupOffset, within sim.Duration) error {
	deadline := c.n.Now().Add(within)
	req := c.request(offsets)
	err := c.mayCommit()
	refused := offsets
	var uncertain error // a try that may have moved the positions: no later refusal takes that back
	for failures := 0; err == nil; {
		var to *sim.Node
		if to, err = c.cluster.AwaitCoordinator(p, false, c.opts.Group, deadline.Sub(c.n.Now())); err != nil {
			break
		}
		var reply any
		reply, _, err = p.Call(to, c.ops.commit, c.action(event), req, offsets[len(offsets)-1].Fact, min(c.opts.RequestTimeout, max(deadline.Sub(c.n.Now()), 0)))
		if err = outcome(reply, err); err == nil {
			c.moved(offsets)
			return nil
		}
		refused = failed(reply, offsets)
		if !wire.Definite(err) {
			uncertain = err
		}
		failures++
		if !c.askAgain(err) || c.n.Now().Add(c.wait(failures)) >= deadline {
			break
		}
		p.Sleep(c.wait(failures))
		if ctx != nil && ctx.Err() != nil || ctx == nil && c.n.Stopping() {
			break
		}
		err = nil
	}
	c.heardAs(req.Member, req.Generation, err)
	err = cmp.Or(uncertain, err)
	c.unmoved(req.Generation, refused, err)
	return err
}

// askAgain says whether the error is none of the group's, so that the same commit may go through yet.
func (c *Consumer) askAgain(err error) bool { return c.lostCoordinator(err) || wire.Retriable(err) }

func (c *Consumer) action(event string) sim.Action {
	if event == "" {
		return sim.Action{}
	}
	return c.n.World().Act(event, "", wire.OpCommit)
}

// outcome is the worst that became of a commit's positions.
func outcome(reply any, err error) error {
	if err != nil {
		return err
	}
	for _, e := range reply.(wire.CommitReply).Errs {
		if e != nil {
			return e
		}
	}
	return nil
}

// failed are the positions that a reply refuses; without a reply all of them.
func failed(reply any, offsets []wire.GroupOffset) []wire.GroupOffset {
	r, ok := reply.(wire.CommitReply)
	if !ok {
		return offsets
	}
	var out []wire.GroupOffset
	for i, e := range r.Errs {
		if e != nil {
			out = append(out, offsets[i])
		}
	}
	return out
}

func (c *Consumer) moved(offsets []wire.GroupOffset) {
	for i := range offsets {
		if p := c.partition(offsets[i].Partition); p != nil {
			p.sent, p.owed = offsets[i].Offset, 0
		}
	}
}

// unmoved states that the positions have not moved, or may not have.
func (c *Consumer) unmoved(generation int64, offsets []wire.GroupOffset, err error) {
	how := history.Failed
	if !wire.Definite(err) {
		how = history.Indeterminate
	}
	for i := range offsets {
		o := &offsets[i]
		if p := c.partition(o.Partition); p != nil {
			p.sent = -1
		}
		c.n.Record(history.Fact{Kind: history.KindCommitFailed, Resource: model.PartitionName(o.Topic, o.Partition), Offset: o.Offset,
			Op: c.opts.Group, Fence: generation, Cause: o.Fact, Outcome: how, Note: err.Error()})
	}
}

// TxnCommit is what the member knows of a request that moves its positions past these messages with a transaction: the
// producer fills in itself. The group refuses it if the member or its generation is not the group's (KIP-447). The
// positions in memory do not move with it, nor back when the transaction is aborted: whoever wants to read again what was
// aborted seeks.
func (c *Consumer) TxnCommit(ctx model.Ctx, ms []model.Message) wire.TxnCommitRequest {
	last := &ms[len(ms)-1]
	offsets := c.behind(ms)
	c.open(ctx.Process(), offsets, last.Event, last.Cause)
	return wire.TxnCommitRequest{Group: c.opts.Group, Member: c.id, Instance: c.instance, Generation: c.generation, Offsets: offsets}
}

// TxnCommitFailed tells the member what became of such a request that was not answered well.
func (c *Consumer) TxnCommitFailed(req wire.TxnCommitRequest, err error) {
	c.heardAs(req.Member, req.Generation, err)
	c.unmoved(req.Generation, req.Offsets, err)
}
