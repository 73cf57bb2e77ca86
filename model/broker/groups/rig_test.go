package groups_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/broker/coordinator"
	"github.com/twiceless/twiceless/model/broker/groups"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// partition is one partition of the offsets topic, and the broker that leads it. It appends in order, and what it has
// appended is replicated after a delay; it can refuse, give up on its followers, and lose the leadership.
type partition struct {
	n       *sim.Node
	cfg     groups.Config
	c       *groups.Coordinator
	host    *host
	log     []wire.Batch
	high    int // batches that are replicated
	sizes   map[string]int
	epoch   int32
	delay   sim.Duration // from append to high watermark
	hangs   bool         // followers do not fetch: nothing is replicated
	refuses error        // what an append is answered with, by turns later and at once; nil = it is taken
	refused int
}

// host is the leadership of the partition in one epoch.
type host struct {
	p       *partition
	epoch   int32
	over    bool
	waiting []awaited
}

// awaited is an append that waits for the high watermark.
type awaited struct {
	batch int // index + 1
	then  func(error)
}

var _ coordinator.Host = (*host)(nil)

func (h *host) Node() *sim.Node                           { return h.p.n }
func (h *host) Alive() bool                               { return !h.over && h.p.n.Up() }
func (h *host) Epoch() int32                              { return h.epoch }
func (h *host) Partitions(topic string) int               { return h.p.sizes[topic] }
func (h *host) Leader(string, int) *sim.Node              { return h.p.n }
func (h *host) OffsetsPartition(string) int               { return 7 }
func (h *host) ProducerID(then func(id int64, err error)) { then(0, wire.ErrNoCoordinator) }

func (h *host) Append(b wire.Batch, _ sim.Action, then func(error)) {
	if h.over {
		return
	}
	if h.p.refuses != nil {
		if err := h.p.refuses; h.p.refused%2 == 0 {
			h.p.n.After(sim.Millisecond, func() { then(err) })
		} else {
			then(err)
		}
		h.p.refused++
		return
	}
	h.p.append(b)
	h.waiting = append(h.waiting, awaited{len(h.p.log), then})
}

// append takes a batch, and schedules the moment at which it is replicated.
func (p *partition) append(b wire.Batch) {
	if n := len(p.log); n > 0 {
		b.Base = p.log[n-1].Next()
	}
	p.log = append(p.log, b)
	end := len(p.log)
	if !p.hangs {
		p.n.After(p.delay, func() { p.advance(end) })
	}
}

// advance moves the high watermark, as a broker may: it tells whoever appended, and then the markers that were passed, too.
func (p *partition) advance(to int) {
	was := p.high
	p.high = max(p.high, min(to, len(p.log)))
	for len(p.host.waiting) > 0 && p.host.waiting[0].batch <= p.high {
		then := p.host.waiting[0].then
		p.host.waiting = p.host.waiting[1:]
		then(nil)
	}
	for _, b := range p.log[was:p.high] {
		if b.Control != wire.Data {
			p.c.Marker(b)
		}
	}
}

// giveUp has the leader stop waiting for its followers: what was appended is answered with err, and stays in the log.
func (p *partition) giveUp(err error) {
	waiting := p.host.waiting
	p.host.waiting = nil
	for _, a := range waiting {
		a.then(err)
	}
}

// lead is a new leadership over what there is of the log: all of it, or what was replicated only.
func (p *partition) lead(losing bool) {
	if p.host != nil {
		p.host.over = true
		if p.epoch%2 == 0 { // the host may do either first
			p.giveUp(wire.ErrNotCoordinator)
		}
		p.c.Unload()
		p.giveUp(wire.ErrNotCoordinator)
	}
	if losing {
		p.log = p.log[:p.high:p.high]
	}
	p.high = len(p.log)
	p.epoch++
	p.host = &host{p: p, epoch: p.epoch}
	p.c = groups.New(p.cfg, p.host)
	p.c.Load(p.log)
}

// incarnation is the broker's half: it hands over.
type incarnation struct{ p *partition }

func (i *incarnation) Receive(_ *sim.Node, r *sim.Request) { i.p.c.Receive(r) }

// rig is a broker and its clients, who are in group workers. A hop takes 1 ms, replication 2 ms.
type rig struct {
	w       *sim.World
	p       *partition
	clients []*client
	told    func(c *client, op, text string, err error)
	open    int // requests that nobody has answered
}

// client is what one client remembers between its requests. It believes what it is told.
type client struct {
	n          *sim.Node
	rig        *rig
	group      string
	instance   string
	patience   sim.Duration // rebalance timeout
	topics     []string
	protocols  []string
	id         string
	names      rune  // that it has given itself
	generation int64 // or member epoch
	owned      []wire.TopicPartition
	since      int64                 // generation of owned
	members    []wire.JoinedMember   // that it was told as the leader
	heard      string                // the last answer
	beating    bool                  // it sends heartbeats by itself
	next       string                // the request that comes next in the classic protocol
	busy       bool                  // it waits for an answer, and asks nothing else meanwhile
	wanted     []wire.TopicPartition // server-side: the last assignment
}

func newRig(cfg groups.Config, clients int) *rig {
	g := &rig{w: sim.New(sim.Config{Seed: 1, Latency: rng.Constant(int64(sim.Millisecond))}), told: func(*client, string, string, error) {}}
	p := &partition{cfg: cfg, sizes: map[string]int{"orders": 4, "refunds": 2}, delay: 2 * sim.Millisecond}
	g.p = p
	g.w.Role("broker", func(n *sim.Node) sim.Handler {
		p.n, p.host = n, nil // of its former self nothing is left but the log
		p.lead(false)
		return &incarnation{p}
	}).Boot()
	for range clients {
		c := &client{group: "workers", n: g.w.Role("consumer", func(*sim.Node) sim.Handler { return sim.NoHandler() }), rig: g, topics: []string{"orders"}, protocols: []string{"range"}, since: -1, patience: 30 * sim.Second}
		c.n.Boot()
		g.clients = append(g.clients, c)
	}
	return g
}

// run lets time pass and calls each after every event.
func (g *rig) run(d sim.Duration, each func()) {
	done := false
	g.w.At(g.w.Now().Add(d), sim.PhaseTimer, func() { done = true })
	for !done && g.w.Step() {
		each()
	}
	if stop, ok := g.w.Stopped(); ok {
		panic(fmt.Sprintf("the world ended: %v %s", stop, stop.Detail))
	}
}

// ask sends a request and has the client take in the answer when it comes.
func (c *client) ask(op string, body any) {
	c.rig.open++
	c.n.Go(op, func(p *sim.Proc) {
		reply, _, err := p.Call(c.rig.p.n, c.rig.w.Op(wire.Broker+"."+op), c.rig.w.Act("order-1", "", op), body, 0, sim.Hour)
		c.rig.open--
		c.hear(op, body, reply, err)
	})
}

func (c *client) hear(op string, body, reply any, err error) {
	text := "ok"
	switch r := reply.(type) {
	case wire.JoinReply:
		c.id, c.generation = r.Member, r.Generation
		text = fmt.Sprintf("%s in generation %d by %s, led by %s", r.Member, r.Generation, r.Protocol, r.Leader)
		if c.members = r.Members; len(r.Members) > 0 {
			text += " over " + membersText(r.Members)
		}
	case wire.SyncReply:
		c.owned, c.since = r.Partitions, c.generation
		text = partitionsText(r.Partitions)
	case wire.GroupHeartbeatReply:
		if r.Epoch > 0 {
			c.id, c.generation, c.owned = r.Member, r.Epoch, r.Assignment
		}
		text = fmt.Sprintf("%s in epoch %d, next in %v: %s", r.Member, r.Epoch, r.Interval, partitionsText(r.Assignment))
	case wire.OffsetsReply:
		text = ""
		for i, o := range r.Offsets {
			at := body.(wire.OffsetsRequest).Partitions[i]
			text += fmt.Sprintf("%s=%d ", partitionText(at), o.Offset)
			if o.Err != nil {
				text += "(" + o.Err.Error() + ") "
			}
		}
	case wire.CommitReply:
		for i, e := range r.Errs {
			if e != nil {
				text += fmt.Sprintf(", but %d: %v", i, e)
			}
		}
	}
	var required wire.MemberIDRequired
	if errors.As(err, &required) {
		c.id = required.Member
		text = "joins again as " + c.id
	}
	if c.lost(err) {
		c.id, c.generation, c.owned, c.since = "", 0, nil, -1
	}
	c.rig.told(c, op, strings.TrimSpace(text), err)
}

// lost says whether an answer tells the client that it holds nothing any more.
func (*client) lost(err error) bool {
	return errors.Is(err, wire.ErrUnknownMember) || errors.Is(err, wire.ErrFencedMemberEpoch) || errors.Is(err, wire.ErrFencedInstance) || errors.Is(err, wire.ErrUnreleasedInstance)
}

func (c *client) join() {
	req := wire.JoinRequest{Group: c.group, Member: c.id, Instance: c.instance, Client: c.n.Name(), Topics: c.topics, SessionTimeout: 6 * sim.Second, RebalanceTimeout: c.patience}
	for _, name := range c.protocols {
		p := wire.Protocol{Name: name, Generation: wire.NoGeneration}
		if strings.HasPrefix(name, "cooperative") {
			p.Owned, p.Generation = c.owned, c.since
		}
		req.Protocols = append(req.Protocols, p)
	}
	c.ask(wire.OpJoin, req)
}

func (c *client) sync(shares []wire.MemberShare) {
	c.ask(wire.OpSync, wire.SyncRequest{Group: c.group, Member: c.id, Instance: c.instance, Generation: c.generation, Assignment: shares})
}

func (c *client) heartbeat() {
	c.ask(wire.OpHeartbeat, wire.HeartbeatRequest{Group: c.group, Member: c.id, Instance: c.instance, Generation: c.generation})
}

// report is the heartbeat of a member of a server-side group. It names itself.
func (c *client) report(epoch int64, owned []wire.TopicPartition) {
	if c.id == "" {
		c.names++
		c.id = fmt.Sprintf("%s-%c", c.n.Name(), 'a'+c.names-1)
	}
	c.ask(wire.OpGroupHeartbeat, wire.GroupHeartbeatRequest{Group: c.group, Member: c.id, Instance: c.instance, Client: c.n.Name(), Epoch: epoch,
		RebalanceTimeout: c.patience, Topics: c.topics, Owned: owned})
}

func (c *client) commit(generation int64, offsets []wire.GroupOffset) {
	if generation == 0 { // it has never been told one
		generation = wire.NoGeneration
	}
	for i := range offsets {
		o := &offsets[i]
		o.Fact = c.n.Record(history.Fact{Kind: history.KindCommitting, Resource: model.PartitionName(o.Topic, o.Partition), Offset: o.Offset, Op: c.group, Fence: generation})
	}
	c.ask(wire.OpCommit, wire.CommitRequest{Group: c.group, Member: c.id, Instance: c.instance, Generation: generation, Offsets: offsets})
}

// named is the node with that name's client; nil = there is none.
func (g *rig) named(name string) *client {
	i := slices.IndexFunc(g.clients, func(c *client) bool { return c.n.Name() == name })
	if i < 0 {
		return nil
	}
	return g.clients[i]
}

func membersText(list []wire.JoinedMember) string {
	var texts []string
	for _, m := range list {
		text := m.Member
		if m.Instance != "" {
			text += " (" + m.Instance + ")"
		}
		if len(m.Owned) > 0 {
			text += fmt.Sprintf(" with %s of generation %d", partitionsText(m.Owned), m.Generation)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

func partitionText(p wire.TopicPartition) string { return model.PartitionName(p.Topic, p.Partition) }

func partitionsText(list []wire.TopicPartition) string {
	if len(list) == 0 {
		return "nothing"
	}
	var texts []string
	for _, p := range list {
		texts = append(texts, partitionText(p))
	}
	return strings.Join(texts, " ")
}

// factText is a fact of the coordinator; "" = of somebody else.
func factText(f *history.Fact) string {
	switch f.Kind {
	case history.KindGeneration:
		text := fmt.Sprintf("generation %d of %s: %s", f.Fence, f.Resource, f.Note)
		if f.Value != "" {
			text += " (" + f.Value + ")"
		}
		return text
	case history.KindEvicted:
		return fmt.Sprintf("evicted %s from %s: %s", f.Value, f.Resource, f.Note)
	case history.KindCommitted:
		text := fmt.Sprintf("committed %s up to %d by generation %d", f.Resource, f.Offset, f.Fence)
		if f.Value != "" {
			text += " of producer " + f.Value
		} else if f.Cause == 0 {
			text += ", request not known"
		}
		return text
	}
	return ""
}
