package cost

import "github.com/twiceless/twiceless/sim"

// A transaction takes these requests, beside the batches themselves:
//
//	version 1                                           version 2
//	client → coordinator  add partitions, appended      –
//	leader → coordinator  is it added? (first batch)    leader → coordinator  add the partition, appended
//	client → coordinator  end, appended                 client → coordinator  end, appended
//	coordinator → leader  write the marker, appended    the same
//	coordinator           complete, appended            the same
//
// "Appended" is: known to all replicas. The client is answered when the end is appended; the marker comes after that. So the
// next transaction of the same producer finds the coordinator still at work with this one, is refused with
// CONCURRENT_TRANSACTIONS, and tries again after Backoff: in version 1 the client, in version 2 the leader.
//
// The application goes on handing over messages meanwhile; only the commit has it wait.

// txn are the times of the requests of a transaction.
type txn struct {
	ask       sim.Duration // from a client's request without records to the coordinator's having handled it
	logged    sim.Duration // an append to the coordinator's log, known to all its replicas
	marked    sim.Duration // the same for a marker at the data's leader
	refusals  int64        // of the first request of the next transaction, back to back
	opened    sim.Duration // from the begin until batches may leave the client
	joined    sim.Duration // what the first batch waits for at the leader
	ended     sim.Duration // from the last acknowledgement until the commit returns
	completed sim.Duration // from the append of the end until the coordinator is ready for the next
}

// coordinatorAppends: partition added, end, complete.
const coordinatorAppends = 3

// refusalLimit: a backoff of less than the coordinator's work is a matter of a few tries, or a profile is wrong.
const refusalLimit = 1_000_000

func (p *Profile) txn(f *Flow, s *steps) txn {
	backoff := p.Backoff.duration()
	t := txn{ask: p.Client.Time(1, 0, 0) + s.hop + s.ask}
	if p.TxnReplicas.N > 1 {
		t.logged = 2*s.hop + 2*s.ask
	}
	if f.Replicas > 1 {
		t.marked = 2*s.hop + 2*s.ask
	}
	t.ended = t.ask + t.logged + s.hop
	t.completed = s.hop + s.ask + t.marked + s.hop + s.ask + t.logged
	between := s.hop + s.ask // of a broker's question to the coordinator
	if f.Version == 1 {
		again := t.ask + s.hop + backoff
		t.refusals = tries(s.hop+t.ask, again, t.completed)
		t.opened = sim.Duration(t.refusals)*again + t.ask + t.logged + s.hop
		t.joined = between + s.hop
		return t
	}
	again := between + s.hop + backoff
	t.refusals = tries(s.hop+s.client+s.transfer+s.hop+between, again, t.completed)
	t.joined = sim.Duration(t.refusals)*again + between + t.logged + s.hop
	return t
}

// tries counts the refusals of what comes first at an instant, and again after each refusal, before ready.
func tries(first, again, ready sim.Duration) int64 {
	n := int64(0)
	for at := first; at < ready && n < refusalLimit; at += again {
		n++
	}
	return n
}

// transactions are sent one right after the other.
func (p *Profile) transactions(f *Flow, s *steps, e *Estimate) {
	t := p.txn(f, s)
	batches := int64((f.Transaction + f.Batch - 1) / f.Batch)
	acked := p.lastAck(f, s, &t, batches)
	e.Cycle = acked + t.ended
	e.PerSecond = perSecond(f.Transaction, e.Cycle)
	e.Limit = ByTransactions
	if work := sim.Duration(batches) * s.client; 2*work > e.Cycle {
		e.Limit = ByClient // the greater part of the time
	}
	e.Visible = e.Cycle + s.ask + t.marked + s.hop // the marker leaves with the answer of the commit and arrives when that does
	control := int64(1)                            // the end
	if f.Version == 1 {
		control += 1 + t.refusals
	}
	e.Requests = million * (batches + control) / int64(f.Transaction)
	e.Appends = million * (int64(f.Replicas)*(batches+1) + coordinatorAppends*p.TxnReplicas.N) / int64(f.Transaction)
}

// lastAck is from the begin of a transaction until the last of its batches is acknowledged. Either the client's work is what
// takes long, or what may be in flight from the moment on at which batches may leave.
func (p *Profile) lastAck(f *Flow, s *steps, t *txn, batches int64) sim.Duration {
	answered := s.answered(f.Acks)
	if batches == 1 {
		return max(s.client, t.opened) + t.joined + answered
	}
	if f.InFlight == 1 {
		return max(s.client, t.opened) + t.joined + answered + sim.Duration(batches-1)*(s.client+answered)
	}
	drain := max(s.transfer, s.broker, p.window(f, s, 0))
	sent := max(sim.Duration(batches)*s.client, max(s.client, t.opened)+t.joined+sim.Duration(batches-1)*drain)
	return sent + answered
}
