package transactions

import (
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// init gives a producer its identity, and takes it away from whoever had it. One that has no transactional id needs no
// coordinator: any broker serves it.
func (c *Coordinator) init(r *sim.Request, req *wire.InitProducerRequest) {
	if req.Timeout <= 0 || req.Timeout > c.cfg.MaxTimeout {
		r.Fail(wire.ErrInvalidTimeout, 0)
		return
	}
	c.park(r)
	if t := c.ids[req.Transaction]; t != nil {
		c.identify(r, req, t)
		return
	}
	c.host.ProducerID(func(id int64, err error) { c.found(r, req, id, err) })
}

// found makes a transactional id known. Of two requests that came meanwhile the first makes it.
func (c *Coordinator) found(r *sim.Request, req *wire.InitProducerRequest, id int64, err error) {
	if !c.live() {
		return
	}
	if err != nil {
		c.refuse(r, wire.ErrCoordinatorLoading)
		return
	}
	t := c.ids[req.Transaction]
	if t == nil {
		t = c.add(req.Transaction, metadata{
			producer: wire.ProducerID{ID: id, Epoch: noEpoch + c.cfg.FirstEpoch}, lastEpoch: noEpoch, timeout: req.Timeout, began: never, updated: c.host.Node().Wall(),
		})
		c.arm()
	}
	c.identify(r, req, t)
}

// identify decides by the state of the id (TransactionCoordinator.prepareInitProducerIdTransit). One that is decided has the
// completion under way.
func (c *Coordinator) identify(r *sim.Request, req *wire.InitProducerRequest, t *transaction) {
	switch {
	case t.moving:
		c.refuse(r, wire.ErrConcurrentTxn)
	case !t.mayExpect(req.Expected):
		c.refuse(r, wire.ErrProducerFenced)
	case t.state == Ongoing:
		c.takeOver(r, t)
	case exhausted(t.producer.Epoch) && (req.Expected == wire.ProducerID{} || req.Expected.Epoch == t.producer.Epoch):
		c.rotate(r, req, t)
	default:
		c.bump(r, req, t)
	}
}

// mayExpect says whether the identity that a client believes to have can be continued: that of the id, or the one before
// its last rotation. The zero value expects nothing; an id whose identity was never given out refuses nobody.
func (t *transaction) mayExpect(expected wire.ProducerID) bool {
	return expected == wire.ProducerID{} || t.producer.Epoch == noEpoch || expected.ID == t.producer.ID ||
		expected.ID == t.previous && exhausted(expected.Epoch)
}

// takeOver aborts what the former producer has left, and has the new one ask again: it then gets an epoch behind the one
// that the abort has used.
func (c *Coordinator) takeOver(r *sim.Request, t *transaction) {
	c.fence(t, r.Action, func(err error) {
		if err == nil {
			err = wire.ErrConcurrentTxn
		}
		c.refuse(r, err)
	})
}

// rotate goes over to another producer id: the present one has no epoch left that a client may have.
func (c *Coordinator) rotate(r *sim.Request, req *wire.InitProducerRequest, t *transaction) {
	c.newID(t, Empty, 0, func(id int64, err error) {
		if err != nil {
			c.refuse(r, err)
			return
		}
		next := t.initial(req.Timeout)
		next.producer, next.lastEpoch = wire.ProducerID{ID: id}, noEpoch
		if req.Expected != (wire.ProducerID{}) {
			next.lastEpoch = t.producer.Epoch
		}
		c.give(r, t, next)
	})
}

// newID takes a producer id for a transition of t, which nobody may overtake meanwhile.
func (c *Coordinator) newID(t *transaction, to State, version int, then func(id int64, err error)) {
	t.prepare(to, version)
	c.host.ProducerID(func(id int64, err error) {
		if !c.live() {
			return
		}
		t.settle()
		if err != nil {
			err = wire.ErrCoordinatorLoading
		}
		then(id, err)
	})
}

// bump gives the next epoch out, or the present one again to a client whose former request had succeeded: nobody else can
// have come between, for then lastEpoch were none.
func (c *Coordinator) bump(r *sim.Request, req *wire.InitProducerRequest, t *transaction) {
	next := t.initial(req.Timeout)
	switch none := (wire.ProducerID{}); {
	case req.Expected == none:
		next.producer.Epoch, next.lastEpoch = t.producer.Epoch+1, noEpoch
	case t.producer.Epoch == noEpoch || req.Expected.Epoch == t.producer.Epoch:
		next.producer.Epoch, next.lastEpoch = t.producer.Epoch+1, t.producer.Epoch
	case req.Expected.Epoch != t.lastEpoch:
		c.refuse(r, wire.ErrProducerFenced)
		return
	}
	c.give(r, t, next)
}

// initial is the value of an id that begins anew.
func (t *transaction) initial(timeout sim.Duration) metadata {
	next := t.to(Empty)
	next.timeout, next.began = timeout, never
	return next
}

// give writes the identity and answers with it.
func (c *Coordinator) give(r *sim.Request, t *transaction, next metadata) {
	t.prepare(Empty, next.version)
	t.write(next, r.Action, func(err error) {
		if err != nil {
			c.refuse(r, err)
			return
		}
		fact := t.record("init", r.Fact, "")
		c.reply(r, wire.InitProducerReply{Producer: t.producer}, fact)
	})
}
