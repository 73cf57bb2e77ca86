package fidelity

import (
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// settings of one measurement: a producer with librdkafka's ways of late 2019 (1.2, 1.3) against one partition on each of
// three brokers.
type settings struct {
	loss    rng.Ratio // of packets, each way of each link
	acks    int       // 0 or 1
	batch   int       // batch.num.messages
	timeout sim.Duration
	retries int

	delay   sim.Duration // one way
	every   sim.Duration // between two messages of the generator
	linger  sim.Duration
	streams sim.Streams
}

// What a request takes on the wire: the frame and header of a Produce request of version 7 with a client id of 7 letters and
// a topic of 32, the header of a record batch, and each record of 53 bytes.
const (
	requestBytes = 21 + 60 + 61
	recordBytes  = 61
	replyBytes   = 78
)

type batch struct{ ids []int32 }

func (b *batch) WireSize() int { return requestBytes + recordBytes*len(b.ids) }

type small int

func (s small) WireSize() int { return int(s) }

// message is one that the producer holds.
type message struct {
	id    int32
	at    sim.Time
	tries int
}

// rig is one run: what was offered when, and how often it arrived.
type rig struct {
	settings
	w       *sim.World
	offered []sim.Time
	arrived []uint8
	threads []*thread
	cuts    int
}

// thread is librdkafka's thread of one broker with its partition.
type thread struct {
	r       *rig
	n       *sim.Node
	broker  *sim.Node
	op, api sim.Op

	queue    []message
	inFlight []*request
	up       bool
	epoch    int      // of the connection
	scanned  sim.Time // when it last looked for what is late
	waking   sim.Handle
	wakeAt   sim.Time

	reconnectAt sim.Time // not before
	backoff     sim.Duration
}

// request is a Produce request without its answer.
type request struct {
	messages []message
	deadline sim.Time
}

const (
	scanEvery       = sim.Second // of timeouts, of messages and of requests
	idleTick        = sim.Second // socket.blocking.max.ms: an idle thread without answers to wait for wakes this often
	reconnectFirst  = 100 * sim.Millisecond
	reconnectMost   = 10 * sim.Second
	leastPatience   = 100 * sim.Millisecond // of a request whose first message is late already
	versionPatience = 10 * sim.Second
)

func newRig(s settings, seed uint64) *rig {
	r := &rig{settings: s}
	r.w = sim.New(sim.Config{Seed: seed, Latency: rng.Constant(int64(s.delay)), Streams: s.streams, Limits: sim.Limits{Events: 1 << 40}})
	var brokers []*sim.Node
	for range 3 {
		brokers = append(brokers, r.w.Role("broker", func(*sim.Node) sim.Handler { return &broker{r} }))
	}
	r.w.Role("producer", func(n *sim.Node) sim.Handler {
		for i, b := range brokers {
			t := &thread{r: r, n: n, broker: b, op: r.w.Op("broker.produce"), api: r.w.Op("broker.versions"), up: true, backoff: reconnectFirst}
			r.threads = append(r.threads, t)
			n.After(sim.Duration(i+1)*scanEvery/3, t.scan)
		}
		n.After(0, func() { r.generate(n) })
		return sim.NoHandler()
	}).Boot()
	p := r.w.Node("producer-1")
	for _, b := range brokers {
		b.Boot()
		p.Streamed(b, true)
		p.Lossy(b, s.loss)
		b.Lossy(p, s.loss)
	}
	return r
}

type broker struct{ r *rig }

func (b *broker) Receive(_ *sim.Node, q *sim.Request) {
	if batch, ok := q.Body.(*batch); ok {
		for _, id := range batch.ids {
			b.r.arrived[id]++
		}
	}
	q.Reply(small(replyBytes), 0)
}

// generate is the application: it polls and produces in a loop, and that is its pace. The partitioner is random.
func (r *rig) generate(n *sim.Node) {
	id := int32(len(r.offered))
	r.offered = append(r.offered, r.w.Now())
	r.arrived = append(r.arrived, 0)
	t := r.threads[rng.Below(r.w.Draw(rng.Target, r.w.Act("", "", "partition"), 0), 3)]
	t.queue = append(t.queue, message{id: id, at: r.w.Now()})
	if len(t.queue) == 1 || r.acks > 0 && len(t.queue) == r.batch {
		t.wake()
	}
	n.After(r.every, func() { r.generate(n) })
}

// wake has the thread serve its queue: when the linger is over, or when a batch is full. Without answers that wake it, it
// wakes by its tick.
func (t *thread) wake() {
	switch {
	case !t.up:
	case t.r.acks == 0:
		t.wakeIn(idleTick)
	case len(t.queue) >= t.r.batch:
		t.wakeIn(0)
	default:
		t.wakeIn(t.r.linger)
	}
}

func (t *thread) wakeIn(d sim.Duration) {
	at := t.n.Now().Add(d)
	if t.waking != (sim.Handle{}) {
		if t.wakeAt <= at {
			return
		}
		t.n.Cancel(t.waking)
	}
	t.wakeAt = at
	t.waking = t.n.After(d, func() { t.waking = sim.Handle{}; t.serve() })
}

// serve makes requests while the socket takes them. A thread that has slept looks for what is late first.
func (t *thread) serve() {
	if t.n.Now() >= t.scanned.Add(scanEvery) {
		t.giveUp()
	}
	for t.up && len(t.queue) > 0 {
		k := min(len(t.queue), t.r.batch)
		if ready := t.queue[0].at.Add(t.r.linger); k < t.r.batch && t.n.Now() < ready {
			t.wake()
			return
		}
		if t.n.Room(t.broker) < requestBytes+recordBytes*k {
			t.n.OnRoom(t.broker, t.serve)
			return
		}
		t.send(k)
	}
}

func (t *thread) send(k int) {
	b := &batch{}
	for _, m := range t.queue[:k] {
		b.ids = append(b.ids, m.id)
	}
	if t.r.acks == 0 {
		t.n.Send(t.broker, t.op, sim.Action{}, b, 0)
		t.queue = t.queue[k:]
		return
	}
	q := &request{messages: append([]message(nil), t.queue[:k]...)}
	t.queue = t.queue[k:]
	q.deadline = max(q.messages[0].at.Add(t.r.timeout), t.n.Now().Add(leastPatience))
	t.inFlight = append(t.inFlight, q)
	epoch := t.epoch
	t.n.Call(t.broker, t.op, sim.Action{}, b, 0, sim.Hour, func(_ any, _ int64, err error) {
		if err != nil || epoch != t.epoch {
			return
		}
		for i, x := range t.inFlight {
			if x == q {
				t.inFlight = append(t.inFlight[:i], t.inFlight[i+1:]...)
				break
			}
		}
	})
}

// scan looks for what is late, once a second, unless the thread sleeps.
func (t *thread) scan() {
	t.n.After(scanEvery, t.scan)
	asleep := t.r.acks == 0 && t.waking != (sim.Handle{})
	if !asleep && t.n.Now() >= t.scanned.Add(scanEvery) {
		t.giveUp()
	}
}

// giveUp gives up what is late: messages that wait, and requests; one request that is late ends its connection.
func (t *thread) giveUp() {
	now := t.n.Now()
	t.scanned = now
	late := false
	for _, q := range t.inFlight {
		late = late || q.deadline <= now
	}
	if late {
		t.disconnect()
	}
	kept := t.queue[:0]
	for _, m := range t.queue {
		if m.at.Add(t.r.timeout) > now {
			kept = append(kept, m)
		}
	}
	t.queue = kept
}

// disconnect closes the connection. What was in flight goes back to the head of the queue, if it may be tried again.
func (t *thread) disconnect() {
	t.r.cuts++
	t.up = false
	t.epoch++
	t.n.Disconnect(t.broker)
	var again []message
	for _, q := range t.inFlight {
		for _, m := range q.messages {
			if m.tries++; m.tries <= t.r.retries {
				again = append(again, m)
			}
		}
	}
	t.inFlight = nil
	t.queue = append(again, t.queue...)
	t.reconnect()
}

// reconnect waits for the backoff, which counts from the attempt before, and asks for the broker's versions first.
func (t *thread) reconnect() {
	wait := max(0, t.reconnectAt.Sub(t.n.Now()))
	t.n.After(wait, func() {
		now := t.n.Now()
		if t.reconnectAt.Add(reconnectMost) < now {
			t.backoff = reconnectFirst
		}
		spread := sim.Duration(rng.Below(t.r.w.Draw(rng.Jitter, t.r.w.Act("", "", t.broker.Name()), 0), uint64(t.backoff*3/4)))
		t.reconnectAt = now.Add(min(t.backoff*3/4+spread, reconnectMost))
		t.backoff = min(2*t.backoff, reconnectMost)
		t.n.Call(t.broker, t.api, sim.Action{}, small(50), 0, versionPatience, func(_ any, _ int64, err error) {
			if err != nil {
				t.n.Disconnect(t.broker)
				t.reconnect()
				return
			}
			t.up = true
			t.serve()
		})
	})
}

// result is what was measured of the messages offered in a window of time.
type result struct{ loss, dup float64 }

func (s settings) measure(seed uint64, from, to sim.Time) result {
	r := newRig(s, seed)
	defer r.w.Close()
	r.w.Run(to.Add(s.timeout + 30*sim.Second))
	var offered, lost, twice float64
	for i, at := range r.offered {
		if at < from || at >= to {
			continue
		}
		offered++
		switch r.arrived[i] {
		case 0:
			lost++
		case 1:
		default:
			twice++
		}
	}
	return result{loss: lost / offered, dup: twice / offered}
}
