package broker

import (
	"errors"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// alteration is a wish for another in-sync set that is under way. While its fate is unknown the high watermark heeds both
// sets.
type alteration struct{ isr []int32 }

// maybeExpand asks for a follower to join: it has come to the high watermark and to where this leadership began, in this
// epoch, and the image knows its session. To the high watermark alone would not do: a new leader's may be behind that of
// the leader before, and the follower might lack what was committed then.
func (rep *replica) maybeExpand(f *follower) {
	if rep.alter != nil || contains(rep.state.ISR, f.id) || f.end < rep.log.High() || f.end < rep.began || !rep.b.eligible(f.id, f.brokerEpoch) {
		return
	}
	rep.wish(append(append([]int32(nil), rep.state.ISR...), f.id))
}

// scanISR looks every half of the time that replicas may lag who lags longer, as long as the broker leads anything.
func (b *Broker) scanISR() {
	if b.scanning {
		return
	}
	b.scanning = true
	period := b.cfg.ReplicaLag / 2
	b.n.AfterBackground(period-sim.Duration(b.n.Now())%period, func() {
		b.scanning = false
		b.each((*replica).maybeShrink)
		if b.leading > 0 {
			b.scanISR()
		}
	})
}

// maybeShrink asks for those to leave who lag.
func (rep *replica) maybeShrink() {
	if rep.role != leading || rep.alter != nil {
		return
	}
	now := rep.b.n.Now()
	lags := func(id int32) bool {
		f := rep.follower(id)
		return f != nil && !f.keepsUp(rep.log.End(), now, rep.b.cfg.ReplicaLag)
	}
	left := 0
	for _, id := range rep.state.ISR {
		if lags(id) {
			left++
		}
	}
	if left == 0 {
		return
	}
	var isr []int32
	for _, id := range rep.state.ISR {
		if !lags(id) {
			isr = append(isr, id)
		}
	}
	rep.wish(isr)
}

// wish asks the controller for another in-sync set.
func (rep *replica) wish(isr []int32) {
	if rep.role != leading || rep.alter != nil {
		panic("broker: a second wish for " + rep.name)
	}
	a := &alteration{isr: isr}
	rep.alter = a
	rep.ask(a)
}

func (rep *replica) ask(a *alteration) {
	b := rep.b
	req := wire.AlterPartitionRequest{Broker: b.id, BrokerEpoch: b.epoch, Topic: rep.topic.cfg.Name, Partition: rep.index,
		LeaderEpoch: rep.epoch, PartitionEpoch: rep.state.PartitionEpoch}
	for _, id := range a.isr {
		m := wire.InSync{Broker: id, Epoch: -1}
		if f := rep.follower(id); f != nil && !b.cfg.WithoutBrokerEpochs {
			m.Epoch = f.brokerEpoch
		}
		req.ISR = append(req.ISR, m)
	}
	b.n.Call(b.controller, b.op.alter, sim.Action{}, req, 0, b.cfg.controlTimeout(), func(reply any, _ int64, err error) {
		if rep.alter == a {
			rep.altered(a, reply, err)
		}
	})
}

// altered takes the answer to the present wish. Where nobody can say whether it was granted, it is asked again. A refusal because the state is
// another by now leaves it pending until the image says which; nothing is known that is not in it.
func (rep *replica) altered(a *alteration, reply any, err error) {
	switch {
	case err == nil:
		rep.become(reply.(wire.AlterPartitionReply).State)
		if rep.alter == a {
			rep.alter = nil // it was so already
		}
	case errors.Is(err, wire.ErrIneligibleReplica):
		rep.alter = nil
		rep.advance()
	case errors.Is(err, sim.ErrTimeout), errors.Is(err, sim.ErrReset), errors.Is(err, sim.ErrRefused):
		rep.b.n.AfterBackground(rep.b.cfg.ControlRetry, func() {
			if rep.alter == a {
				rep.ask(a)
			}
		})
	}
}
