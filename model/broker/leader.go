package broker

import (
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// follower is what a leader knows of another replica, by its fetches in this epoch.
type follower struct {
	id          int32
	end         int64    // what it asked for last, so it has all before; -1 = it has not fetched in this epoch
	leaderEnd   int64    // end of the leader's log at its last fetch
	fetched     sim.Time // its last fetch; monotonic clock
	caughtUp    sim.Time // when it last had all that the leader had at some moment
	brokerEpoch int64    // session of its last fetch; -1 = none
}

// observe takes what a fetch says. A follower that asks for the end of the log has caught up; one that asks for what was
// the end at its last fetch had caught up then.
func (f *follower) observe(offset, leaderEnd int64, brokerEpoch int64, now sim.Time) {
	switch {
	case offset >= leaderEnd:
		f.caughtUp = now
	case offset >= f.leaderEnd:
		f.caughtUp = max(f.caughtUp, f.fetched)
	}
	f.end, f.leaderEnd, f.fetched, f.brokerEpoch = offset, leaderEnd, now, brokerEpoch
}

// keepsUp says whether a follower has all, or had all not longer ago than replicas may lag.
func (f *follower) keepsUp(end int64, now sim.Time, lag sim.Duration) bool {
	return f.end == end || now.Sub(f.caughtUp) <= lag
}

func (rep *replica) follower(id int32) *follower {
	for i := range rep.followers {
		if rep.followers[i].id == id {
			return &rep.followers[i]
		}
	}
	return nil
}

// minISR is min.insync.replicas as it holds for this partition.
func (rep *replica) minISR() int { return rep.topic.cfg.MinISR(len(rep.state.Replicas)) }

// advance moves the high watermark to the least end of all that count: the in-sync set, together with the one that is wished
// for, because the controller may have granted the wish already; and followers that have caught up and may join, because
// they could be in sync by the time this is known. Below the minimum it stands still, so that those who left the set
// since keep all that is committed (KIP-966).
func (rep *replica) advance() {
	if len(rep.state.ISR) < rep.minISR() && !rep.b.cfg.LooseHighWatermark {
		return
	}
	high, now := rep.log.End(), rep.b.n.Now()
	for i := range rep.followers {
		f := &rep.followers[i]
		if f.end < high && (rep.counts(f.id) || f.keepsUp(rep.log.End(), now, rep.b.cfg.ReplicaLag) && rep.b.eligible(f.id, f.brokerEpoch)) {
			high = f.end
		}
	}
	if high <= rep.log.High() {
		return
	}
	rep.raise(high)
}

// counts says whether a replica is in the in-sync set, or may be by now.
func (rep *replica) counts(id int32) bool {
	return contains(rep.state.ISR, id) || rep.alter != nil && contains(rep.alter.isr, id)
}

// raise moves a leader's high watermark and tells whoever waits for it.
func (rep *replica) raise(high int64) {
	if rep.role != leading || high <= rep.log.High() {
		panic("broker: the high watermark of " + rep.name + " is not raised")
	}
	was := rep.log.SetHigh(high)
	rep.b.checkpoints.changed(rep.b)
	if rep.exposed() {
		rep.stateHigh()
	}
	rep.release(high)
	rep.wakeConsumers(was)
	if rep.host != nil {
		rep.host.committed()
	}
	rep.retain()
}

// exposed says whether the high watermark is at least that of the leaders before: it is once it has come to where this
// leadership began (KIP-207).
func (rep *replica) exposed() bool { return rep.log.High() >= rep.began }

// stateHigh states the watermarks for readers.
func (rep *replica) stateHigh() {
	if rep.topic.internal {
		return
	}
	high, stable := rep.log.High(), rep.log.LastStable()
	if high > rep.told[0] {
		rep.b.c.witness.watermark(rep, "high", high)
		rep.told[0] = high
	}
	if stable > rep.told[1] && (stable != high || rep.told[1] >= 0) {
		rep.b.c.witness.watermark(rep, "stable", stable)
		rep.told[1] = stable
	}
}

// waiter waits for the high watermark to pass an offset: a batch of a produce request, or what a coordinator appended.
type waiter struct {
	upTo int64
	p    *producing // nil = then
	i    int
	then func(error)
}

func (w *waiter) decide(err error) {
	if w.p != nil {
		w.p.decided(w.i, err)
		return
	}
	w.then(err)
}

// await adds a waiter, in order of the offsets: a duplicate may wait for less than those before it.
func (rep *replica) await(w waiter) {
	if rep.role != leading {
		panic("broker: waiting at " + rep.name + ", which does not lead")
	}
	if w.upTo <= rep.log.High() {
		w.decide(rep.verdict())
		return
	}
	i := len(rep.waits)
	for i > 0 && rep.waits[i-1].upTo > w.upTo {
		i--
	}
	rep.waits = append(rep.waits, w)
	copy(rep.waits[i+1:], rep.waits[i:])
	rep.waits[i] = w
}

// verdict of a batch that the high watermark has passed: it is on all that are in sync, which may be too few by now.
func (rep *replica) verdict() error {
	if len(rep.state.ISR) < rep.minISR() {
		return wire.ErrNotEnoughAfter
	}
	return nil
}

// release decides what the high watermark has passed.
func (rep *replica) release(high int64) {
	k := 0
	for k < len(rep.waits) && rep.waits[k].upTo <= high {
		k++
	}
	if k == 0 {
		return
	}
	var few [8]waiter // so that those who are told may wait again
	done := append(few[:0], rep.waits[:k]...)
	rep.waits = append(rep.waits[:0], rep.waits[k:]...)
	err := rep.verdict()
	for i := range done {
		done[i].decide(err)
	}
}

// written is what follows an append on the leader, when it is in the page cache: followers get it, and a leader that is
// alone in sync commits it.
func (rep *replica) written() {
	if rep.role != leading {
		return
	}
	for i := range rep.followers {
		if q := rep.b.polls[rep.followers[i].id-1]; q != nil {
			rep.b.answerReplica(q)
		}
	}
	rep.advance()
}
