package client

import (
	"errors"
	"strconv"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// Config of a cluster's client. Durations are on the node's monotonic clock; one that is 0 takes its default, that of the
// Java client.
type Config struct {
	Bootstrap      []*sim.Node  // brokers to begin with, at least one
	MetadataMaxAge sim.Duration // metadata.max.age.ms: older than this is refreshed at its next use; 0 = 5 min
	RequestTimeout sim.Duration // request.timeout.ms: of one metadata request to one broker; 0 = 30 s
	Backoff        sim.Duration // retry.backoff.ms: between two requests, doubled while nothing new comes of them; 0 = 100 ms
	BackoffMax     sim.Duration // retry.backoff.max.ms (KIP-580); 0 = 1 s
}

func (cfg Config) filled() Config {
	for _, d := range []struct {
		at       *sim.Duration
		standard sim.Duration
	}{
		{&cfg.MetadataMaxAge, 5 * sim.Minute},
		{&cfg.RequestTimeout, 30 * sim.Second},
		{&cfg.Backoff, 100 * sim.Millisecond},
		{&cfg.BackoffMax, sim.Second},
	} {
		if *d.at == 0 {
			*d.at = d.standard
		}
	}
	return cfg
}

// Cluster is the cluster as one client sees it: made in the boot of its node, it ends with the incarnation.
type Cluster struct {
	n       *sim.Node
	cfg     Config
	backoff Backoff

	brokers []*sim.Node // known ones
	first   int         // of them, to be asked first: the one that answered last

	topics  []*topic
	byName  map[string]*topic
	asking  bool     // a round of metadata requests is under way, or waits for its backoff
	asked   []*topic // what it asks for
	notYet  sim.Time // no metadata request before this
	tries   int      // rounds since one that brought something new
	missing []func(topic string)

	coordinators []*coordinator
}

// topic is what is known of one.
type topic struct {
	name       string
	partitions []partition // none = the topic is not known
	at         sim.Time    // when a broker told so
	stale      bool
	waiting    []func(error)
	wanted     bool // by the round under way or the next one
}

type partition struct {
	leader *sim.Node // nil = none at the moment
	epoch  int32
}

// New is the client of a node that has just booted.
func New(n *sim.Node, cfg Config) *Cluster {
	if len(cfg.Bootstrap) == 0 {
		panic("client: no bootstrap brokers")
	}
	c := &Cluster{n: n, cfg: cfg.filled(), byName: map[string]*topic{}, brokers: cfg.Bootstrap}
	c.backoff = NewBackoff(n, "metadata", c.cfg.Backoff, c.cfg.BackoffMax)
	c.first = int(rng.Below(rng.Hash(n.Name()), uint64(len(c.brokers))))
	return c
}

// Leader of a partition and its epoch, as known; nil = not known, or the partition has none. What is stale or of age is
// refreshed meanwhile.
func (c *Cluster) Leader(name string, part int) (*sim.Node, int32) {
	t := c.use(name)
	if part >= len(t.partitions) {
		return nil, -1
	}
	p := &t.partitions[part]
	return p.leader, p.epoch
}

// Partitions of a topic; 0 = the topic is not known.
func (c *Cluster) Partitions(name string) int { return len(c.use(name).partitions) }

// Stale notes that a broker has contradicted what is known of the topic (NOT_LEADER_OR_FOLLOWER, a connection that is
// gone): its next use refreshes it, after the backoff. What is known stays in use meanwhile.
func (c *Cluster) Stale(name string) { c.topic(name).stale = true }

// Avoid notes that a broker does not answer: metadata is asked for elsewhere first.
func (c *Cluster) Avoid(broker *sim.Node) {
	if c.brokers[c.first] == broker {
		c.first = (c.first + 1) % len(c.brokers)
	}
}

// OnMissing has fn called whenever a broker says that it does not know a topic that was known before.
func (c *Cluster) OnMissing(fn func(topic string)) { c.missing = append(c.missing, fn) }

// Refresh asks for the metadata of a topic; then runs, once, in a later event. Its error is wire.ErrUnknownTopic if a
// broker says so, or that of the last broker if none has answered. Without an error there may still be partitions without
// a leader. Asks of the same topic share a request. Asking again and again is no storm: between two requests passes the
// backoff.
func (c *Cluster) Refresh(name string, then func(error)) {
	t := c.topic(name)
	if then != nil {
		t.waiting = append(t.waiting, then)
	}
	if t.wanted {
		return
	}
	t.wanted = true
	if !c.asking {
		c.begin()
	}
}

// use is a topic that is about to be used.
func (c *Cluster) use(name string) *topic {
	t := c.topic(name)
	if len(t.partitions) == 0 || t.wanted {
		return t
	}
	if t.stale || c.n.Now().Sub(t.at) >= c.cfg.MetadataMaxAge {
		c.Refresh(name, nil)
	}
	return t
}

func (c *Cluster) topic(name string) *topic {
	if t := c.byName[name]; t != nil {
		return t
	}
	t := &topic{name: name}
	c.byName[name] = t
	c.topics = append(c.topics, t)
	return t
}

// begin waits for the backoff and asks.
func (c *Cluster) begin() {
	c.asking = true
	if wait := c.notYet.Sub(c.n.Now()); wait > 0 {
		c.n.After(wait, c.ask)
		return
	}
	c.ask()
}

// ask begins a round: for all the topics that are wanted by now.
func (c *Cluster) ask() {
	c.asked = nil // a request on the wire may hold the list of the round before
	var names []string
	for _, t := range c.topics {
		if t.wanted {
			c.asked = append(c.asked, t)
			names = append(names, t.name)
		}
	}
	req := wire.MetadataRequest{Topics: names}
	c.Any(wire.OpMetadata, req, func(reply any, err error) {
		if err != nil {
			c.fail(err)
			return
		}
		c.learn(reply.(wire.MetadataReply))
	})
}

// Any asks one broker after the other until one answers, if only with an error of its own: for what every broker can say.
// then runs, once, in a later event, with the answer or with the last broker's silence.
func (c *Cluster) Any(op string, req any, then func(reply any, err error)) {
	brokers := c.brokers
	c.anyFrom(op, req, brokers, c.first, len(brokers), then)
}

func (c *Cluster) anyFrom(op string, req any, brokers []*sim.Node, i, left int, then func(any, error)) {
	to := brokers[i]
	c.n.Call(to, c.n.World().Op(wire.Broker+"."+op), sim.Action{}, req, 0, c.cfg.RequestTimeout, func(reply any, _ int64, err error) {
		switch {
		case !Unreachable(err):
			c.answered(to)
			then(reply, err)
		case left > 1:
			c.Avoid(to)
			c.anyFrom(op, req, brokers, (i+1)%len(brokers), left-1, then)
		default:
			c.brokers = c.cfg.Bootstrap
			c.first %= len(c.brokers)
			then(nil, err)
		}
	})
}

// answered notes who is to be asked first the next time.
func (c *Cluster) answered(broker *sim.Node) {
	for i, b := range c.brokers {
		if b == broker {
			c.first = i
		}
	}
}

// Unreachable says whether the error is that of a connection: no broker has answered.
func Unreachable(err error) bool {
	return errors.Is(err, sim.ErrRefused) || errors.Is(err, sim.ErrReset) || errors.Is(err, sim.ErrTimeout)
}

// fail ends a round in which nobody has answered.
func (c *Cluster) fail(err error) {
	c.tries++
	for _, t := range c.asked {
		t.wanted = false
	}
	c.over(func(*topic) error { return err })
}

// learn ends a round with what a broker says.
func (c *Cluster) learn(reply wire.MetadataReply) {
	c.know(reply.Brokers)
	fresh := false
	errs := map[string]error{}
	for i := range reply.Topics {
		told := &reply.Topics[i]
		errs[told.Name] = told.Err
		fresh = c.topic(told.Name).learn(c, told) || fresh
	}
	c.tries++
	if fresh {
		c.tries = 0
	}
	for _, t := range c.asked {
		t.wanted = false
	}
	c.over(func(t *topic) error {
		err, told := errs[t.name]
		if !told {
			return wire.ErrUnknownTopic
		}
		return err
	})
}

// over notes when the next round may begin, and tells those who asked; what they ask then is the next round's.
func (c *Cluster) over(result func(*topic) error) {
	c.notYet = c.n.Now().Add(c.backoff.After(c.tries))
	c.asking = false
	for _, t := range c.asked {
		err := result(t)
		if errors.Is(err, wire.ErrUnknownTopic) {
			t.forget(c)
		}
		waiting := t.waiting
		t.waiting = nil
		for _, then := range waiting {
			then(err)
		}
	}
	c.askMore()
}

// askMore begins the round that asks made during the last one wait for.
func (c *Cluster) askMore() {
	for _, t := range c.topics {
		if t.wanted && !c.asking {
			c.begin()
		}
	}
}

// know takes over the list of brokers.
func (c *Cluster) know(names []string) {
	if len(names) == 0 {
		return
	}
	last := c.brokers[c.first]
	c.brokers, c.first = make([]*sim.Node, len(names)), 0
	for i, name := range names {
		c.brokers[i] = c.n.World().Node(name)
		if c.brokers[i] == nil {
			panic("client: metadata names " + name + ", which is no node")
		}
	}
	c.answered(last)
}

// learn takes over what is not older than what is known, and says whether anything has changed.
func (t *topic) learn(c *Cluster, told *wire.TopicMetadata) (fresh bool) {
	if told.Err != nil {
		return false
	}
	t.at, t.stale = c.n.Now(), false
	for len(t.partitions) < len(told.Partitions) { // partitions are added, never taken away
		t.partitions = append(t.partitions, partition{epoch: -1})
	}
	for i := range told.Partitions {
		p, new := &t.partitions[i], &told.Partitions[i]
		if new.Epoch < p.epoch {
			t.stale = true // the broker is behind
			continue
		}
		next := partition{c.n.World().Node(new.Leader), new.Epoch}
		fresh = fresh || next != *p
		*p = next
		t.stale = t.stale || p.leader == nil
	}
	return fresh
}

// forget drops what is known of a topic that a broker says does not exist.
func (t *topic) forget(c *Cluster) {
	if len(t.partitions) == 0 {
		return
	}
	t.partitions = nil
	for _, fn := range c.missing {
		fn(t.name)
	}
}

// Backoff is the exponential backoff of the clients (KIP-580): the first is Base, each further one twice the one before,
// at most Max, and each is up to a fifth longer or shorter. The zero value waits not at all.
type Backoff struct {
	Base, Max sim.Duration
	stream    rng.Stream
}

// NewBackoff draws its jitter from a stream of the node's incarnation and that name.
func NewBackoff(n *sim.Node, name string, base, max sim.Duration) Backoff {
	return Backoff{base, max, rng.NewStream(n.World().Seed(), "backoff/"+name+"/"+n.Name()+"/"+strconv.Itoa(int(n.Incarnation())))}
}

// After is the wait after so many tries in vain; 0 and 1 are the first.
func (b *Backoff) After(tries int) sim.Duration {
	return Spread(b.Base, b.Max, tries, b.stream.Uint64())
}

// Spread is the backoff for one draw.
func Spread(base, max sim.Duration, tries int, u uint64) sim.Duration {
	d := base
	for ; tries > 1 && d < max; tries-- {
		d *= 2
	}
	d = min(d, max)
	return sim.Duration(rng.Between(u, int64(d-d/5), int64(d+d/5)))
}
