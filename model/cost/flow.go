package cost

import "github.com/twiceless/twiceless/sim"

// Acks is what a producer awaits for a batch.
type Acks uint8

// AcksNone: nothing, success is the hand-over to the socket. AcksLeader: the leader's append. AcksAll: the append of every
// replica, known to the leader.
const (
	AcksNone Acks = iota
	AcksLeader
	AcksAll
)

// Flow is how one producer that always has a message ready sends to one partition.
type Flow struct {
	Payload  int // bytes of each message
	Batch    int // messages of each batch
	Replicas int // at least 1, the leader
	Acks     Acks

	// InFlight is how many batches may wait for their acknowledgement. 1: the next batch is begun when the one before is answered.
	// More: batches are made ready meanwhile (max.in.flight.requests.per.connection). Without acknowledgements it is not read.
	InFlight int

	// Transaction is how many messages one transaction has, 0 = there are none. Transactions come one right after the other; acks is
	// AcksAll and there are acknowledgements to await. A last batch that is not full counts as full.
	Transaction int

	// Version of the protocol of transactions: 1 = partitions are added by the client, and the leader asks the coordinator
	// whether they are (Kafka 3.6); 2 = by the leader with the first batch (KIP-890).
	Version int
}

const million = 1_000_000

// Limit is what keeps a flow from being faster.
type Limit string

// The limits.
const (
	ByClient       Limit = "client"
	ByLink         Limit = "link"
	ByBroker       Limit = "broker"
	ByRoundTrip    Limit = "round trip"
	ByTransactions Limit = "transaction"
)

// Estimate is what a flow comes to in the steady state.
type Estimate struct {
	PerSecond int64 // messages, rounded down
	Limit     Limit // the first in the order above of those that are reached
	Bytes     int   // of one produce request, headers of packets excepted
	Share     int64 // parts per million of Bytes that are payload
	Requests  int64 // that a client sends, per million messages
	Appends   int64 // to logs of brokers, each replica's and those of markers and coordinator included, per million messages

	// Cycle is the time from one batch to the next, or from one transaction to the next.
	Cycle sim.Duration

	// Visible is the time from the moment at which a client takes the first message of a batch (of a transaction) until a consumer
	// that waits for it has it, with nothing queued before it. A consumer reads below the high watermark, and if there are transactions
	// below the last stable offset.
	Visible sim.Duration
}

// steps are the times of one batch on its way.
type steps struct {
	client, transfer, broker sim.Duration
	copies                   sim.Duration // link of the leader: one copy for each follower
	hop                      sim.Duration
	replicate                sim.Duration // from the leader's append until it knows that all replicas have the batch
	ask                      sim.Duration // a broker's work for a request without records
}

// Estimate says what a flow comes to. A flow that makes no sense panics: it is no input of a user.
func (p *Profile) Estimate(f Flow) Estimate {
	f.check()
	f.Batch = f.inOneBatch()
	s := p.steps(&f)
	e := Estimate{Bytes: p.Format.Wire(f.Batch, f.Payload)}
	e.Share = int64(f.Batch*f.Payload) * million / int64(e.Bytes)
	if f.Transaction > 0 {
		p.transactions(&f, &s, &e)
		return e
	}
	e.Cycle, e.Limit = p.period(&f, &s)
	e.PerSecond = perSecond(f.Batch, e.Cycle)
	e.Requests, e.Appends = million/int64(f.Batch), million*int64(f.Replicas)/int64(f.Batch)
	e.Visible = s.toLeader() + s.replicate + s.hop + s.transfer
	return e
}

func (f *Flow) check() {
	switch {
	case f.Payload < 0 || f.Batch < 1 || f.Replicas < 1:
		panic("cost: a flow without batches or replicas")
	case f.Acks != AcksNone && f.InFlight < 1:
		panic("cost: acknowledgements are awaited, and nothing may be in flight")
	case f.Transaction < 0 || f.Transaction > 0 && (f.Acks != AcksAll || f.Version != 1 && f.Version != 2):
		panic("cost: a transaction awaits all replicas, in version 1 or 2")
	}
}

// inOneBatch: a transaction ends its last batch.
func (f *Flow) inOneBatch() int {
	if f.Transaction > 0 {
		return min(f.Batch, f.Transaction)
	}
	return f.Batch
}

func (p *Profile) steps(f *Flow) steps {
	bytes := p.Format.Wire(f.Batch, f.Payload)
	s := steps{
		client: p.Client.Time(1, f.Batch, bytes), transfer: p.transfer(bytes), broker: p.Broker.Time(1, f.Batch, bytes),
		hop: p.OneWay.duration(), ask: p.Broker.Time(1, 0, 0),
	}
	if f.Replicas > 1 {
		s.copies = sim.Duration(f.Replicas-1) * s.transfer
		s.replicate = s.copies + 2*s.hop + s.broker + s.ask // the follower's next fetch tells
	}
	return s
}

// transfer is how long a link is occupied.
func (p *Profile) transfer(bytes int) sim.Duration {
	if p.Bandwidth.N == 0 {
		return 0
	}
	return sim.Duration(int64(bytes) * int64(sim.Second) / p.Bandwidth.N)
}

// toLeader is from the client's taking the first message until the leader has appended the batch.
func (s *steps) toLeader() sim.Duration { return s.client + s.transfer + s.hop + s.broker }

// answered is from the end of the client's work on a batch until it has the acknowledgement.
func (s *steps) answered(acks Acks) sim.Duration {
	d := s.transfer + s.hop + s.broker + s.hop
	if acks == AcksAll {
		d += s.replicate
	}
	return d
}

// period is the time from one batch to the next. Followers must keep up, whether they are awaited or not: else their lag would
// grow for ever, and that is no steady state.
func (p *Profile) period(f *Flow, s *steps) (sim.Duration, Limit) {
	period, limit := s.client, ByClient
	for _, other := range []struct {
		d     sim.Duration
		limit Limit
	}{{max(s.transfer, s.copies), ByLink}, {s.broker, ByBroker}, {p.window(f, s, s.client), ByRoundTrip}} {
		if other.d > period {
			period, limit = other.d, other.limit
		}
	}
	return period, limit
}

// window is the period at which the limit of what may be in flight is reached, for a client that needs so long for a batch;
// 0 = there is no limit.
func (p *Profile) window(f *Flow, s *steps, client sim.Duration) sim.Duration {
	switch {
	case f.Acks == AcksNone:
		return 0
	case f.InFlight == 1:
		return client + s.answered(f.Acks)
	case f.Acks == AcksAll && f.Replicas > 1:
		return p.overlapping(f, s, client)
	}
	return s.answered(f.Acks) / sim.Duration(f.InFlight)
}

func perSecond(messages int, in sim.Duration) int64 {
	return int64(messages) * int64(sim.Second) / int64(max(in, 1))
}
