package transactions

import (
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/coordinator"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Coordinator is the state of one partition of the topic of transactions, on its leader. New makes one.
type Coordinator struct {
	host    coordinator.Host
	cfg     Config
	markers *Markers
	ids     map[string]*transaction // by transactional id; looked up only
	order   []*transaction          // in the order in which they became known
	since   sim.Time                // when it came to be, on the node's monotonic clock: scans keep to whole intervals from there
	scan    sim.Handle              // for transactions whose timeout is over; armed while one is ongoing
	expiry  sim.Handle              // for ids that nobody uses; armed while there is one
	scans   bool
	expires bool
	parked  []*sim.Request // not answered yet
	appends int            // under way
}

var _ coordinator.Coordinator = (*Coordinator)(nil)

// New makes the coordinator of a partition whose leader the host is. Markers is that of the broker's incarnation, shared by
// all its coordinators of transactions. A config without a meaning panics.
func New(host coordinator.Host, markers *Markers, cfg Config) *Coordinator {
	cfg = cfg.filled()
	if cfg.Version < 1 || cfg.Version > 2 {
		panic(fmt.Sprintf("transactions: no version %d", cfg.Version))
	}
	return &Coordinator{host: host, cfg: cfg, markers: markers, ids: map[string]*transaction{}, since: host.Node().Now()}
}

// Load takes the state over from the log. What was decided goes on: its markers are sent again, to every partition, for
// nobody knows which of them have been written. What is ongoing goes on too, and its timeout keeps running.
func (c *Coordinator) Load(batches []wire.Batch) {
	for i := range batches {
		if batches[i].Control != wire.Data {
			continue
		}
		for k := range batches[i].Messages {
			c.replay(&batches[i].Messages[k])
		}
	}
	for _, t := range slices.Clone(c.order) {
		if t.state.deciding() && c.live() {
			c.resume(t)
		}
	}
	c.arm()
}

// replay takes one record over.
func (c *Coordinator) replay(m *model.Message) {
	t := c.ids[m.Key]
	switch {
	case m.Payload == "" && t != nil:
		c.forget(t)
	case m.Payload == "":
	case t == nil:
		c.add(m.Key, decode(m.Payload))
	default:
		t.metadata = decode(m.Payload)
	}
}

func (c *Coordinator) add(name string, m metadata) *transaction {
	t := &transaction{metadata: m, c: c, name: name}
	c.ids[name] = t
	c.order = append(c.order, t)
	return t
}

func (c *Coordinator) forget(t *transaction) {
	delete(c.ids, t.name)
	i := slices.Index(c.order, t)
	c.order = slices.Delete(c.order, i, i+1)
}

// Marker does nothing: no transaction has a partition of its own log.
func (c *Coordinator) Marker(wire.Batch) {}

// Receive handles one request of OpInitProducer, OpAddPartitions, OpAddOffsets or OpEndTxn.
func (c *Coordinator) Receive(r *sim.Request) {
	if !c.live() {
		r.Fail(wire.ErrNotCoordinator, 0)
		return
	}
	switch body := r.Body.(type) {
	case wire.InitProducerRequest:
		c.init(r, &body)
	case wire.AddPartitionsRequest:
		c.addPartitions(r, &body)
	case wire.AddOffsetsRequest:
		c.addOffsets(r, &body)
	case wire.EndTxnRequest:
		c.end(r, &body)
	default:
		panic("transactions: " + r.Op + " is not for a coordinator of transactions")
	}
}

// Unload ends the coordinator. Markers that are on their way arrive, and nobody waits for the answers.
func (c *Coordinator) Unload() {
	n := c.host.Node()
	n.Cancel(c.scan)
	n.Cancel(c.expiry)
	c.markers.drop(c)
	parked := c.parked
	c.parked = nil
	for _, r := range parked {
		r.Fail(wire.ErrNotCoordinator, 0)
	}
}

// Outstanding counts the ids with a transaction that is neither committed nor aborted in every partition, or with a
// transition under way: while it is not 0 something is still to come.
func (c *Coordinator) Outstanding() (n int) {
	for _, t := range c.order {
		if t.moving || !t.state.idle() {
			n++
		}
	}
	return n
}

// live says whether the coordinator may act.
func (c *Coordinator) live() bool { return c.host.Alive() }

// inMemory says whether a transaction that is ongoing is known to the memory of its coordinator only.
func (c *Coordinator) inMemory() bool { return c.cfg.Defects.Has(model.TransactionInMemory) }

// append writes one record to the partition; an empty payload deletes the key. Then learns what a client is told
// (TransactionStateManager.appendTransactionToLog).
func (c *Coordinator) append(key, payload string, act sim.Action, then func(error)) {
	c.appends++
	m := model.Message{Intent: model.Intent{Key: key}, Payload: payload}
	c.host.Append(wire.Batch{Sequence: -1, Messages: []model.Message{m}}, act, func(err error) {
		c.appends--
		if !c.live() {
			return // Unload answers
		}
		if err != nil { // whatever it is, the client asks again, and nothing tells it whether the first time had an effect
			err = wire.ErrNoCoordinator
		}
		then(err)
	})
}

// park keeps a request that is answered later.
func (c *Coordinator) park(r *sim.Request) { c.parked = append(c.parked, r) }

// refuse answers a parked request with an error.
func (c *Coordinator) refuse(r *sim.Request, err error) {
	c.unpark(r)
	r.Fail(err, 0)
}

// reply answers a parked request whose effect is in the log.
func (c *Coordinator) reply(r *sim.Request, body any, fact int64) {
	c.unpark(r)
	r.Applied()
	r.Reply(body, fact)
}

func (c *Coordinator) unpark(r *sim.Request) {
	i := slices.Index(c.parked, r)
	c.parked = slices.Delete(c.parked, i, i+1)
}
