package store

import (
	"slices"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// The operations among replicas and their sentinel, besides those of a dedup store. They carry no intent.
const (
	OpPing      = "ping"      // asks a replica what it is
	OpPromote   = "promote"   // makes it the primary of an epoch
	OpReplicate = "replicate" // a primary tells a replica of changes
)

func replicaOps() []string {
	return []string{OpClaim, OpDone, OpPing, OpPromote, OpRelease, OpReplicate}
}

// replica is one node of a dedup store after Redis: the primary decides and answers from its own disk, and tells the
// others afterwards. What they had not been told when one of them is promoted is forgotten: a mark that was answered
// "ok" is gone, and the repetition that it would have recognised is granted.
//
//	            replicate of a later epoch        promote to a later epoch
//	primary     replica of that epoch; what it    –
//	            had and the sender lacks is gone
//	replica     replica of that epoch             primary of that epoch; its records are the epoch's beginning
//
// A node that was paused or cut off as primary stays one until the new primary reaches it: it goes on answering whoever
// still asks it, and its answers are lost with its records. Both transitions are on disk before they take effect, with
// the records of the new epoch in a file of its own. A replica refuses claims, dones and releases.
//
// Timeouts, all on the node's monotonic clock: changes are sent replicationLag after they were answered, and again
// resendAfter a failed try.
type replica struct {
	durable
	epoch   int64
	primary bool
	history []change // of this epoch, in order; what is in its file
	changed sim.Signal
}

// The lag is that of a replica in another zone under load; in a calm data centre it is a millisecond.
const (
	replicationLag = 500 * sim.Millisecond
	resendAfter    = sim.Second
	replicaTimeout = sim.Second
)

const termsFile = "terms"

// fileOf names the file of an epoch's records.
func fileOf(epoch int64) string {
	if epoch <= 1 {
		return file
	}
	return file + "@" + strconv.FormatInt(epoch, 10)
}

// lastTerm is the latest epoch that a node knows, and whether it is the primary of it. Without a word on its disk the
// first node of its role is the primary of epoch 1.
func lastTerm(n *sim.Node) (epoch int64, primary bool) {
	epoch, primary = 1, n.World().Nodes(n.Role())[0] == n
	for _, line := range n.Disk().Read(termsFile) {
		if in, ok := model.Open(line); ok {
			epoch, primary = in.Number(), in.Number() == 1
		}
	}
	return epoch, primary
}

// Primary is the node that was promoted last, or the first; also of a store of one node.
func Primary(nodes []*sim.Node) *sim.Node {
	n, latest := nodes[0], int64(0)
	for _, replica := range nodes {
		if epoch, primary := lastTerm(replica); primary && epoch > latest {
			n, latest = replica, epoch
		}
	}
	return n
}

func newReplica(cfg Config) func(*sim.Node) sim.Handler {
	return func(n *sim.Node) sim.Handler {
		s := &replica{durable: durable{cfg: cfg, records: map[name]change{}, queues: map[name][]*sim.Request{}}}
		n.Disk().Timing(cfg.Append, cfg.Fsync)
		s.epoch, s.primary = lastTerm(n)
		s.file, s.shut = fileOf(s.epoch), !s.primary
		s.wrote = func(c *change) {
			s.history = append(s.history, *c)
			s.changed.Broadcast()
		}
		s.open(n, s.file, s.load, s.enter)
		for _, peer := range n.World().Nodes(n.Role()) {
			if peer != n {
				n.Go("replicate", func(p *sim.Proc) { s.tell(p, peer) })
			}
		}
		return s
	}
}

func (s *replica) load() {
	s.durable.load()
	s.history = changes(s.n, s.file)
	s.changed.Broadcast()
}

// What the nodes say to each other.
type (
	pong struct {
		epoch   int64
		primary bool
	}
	promotion   struct{ epoch int64 }
	replication struct {
		epoch   int64
		from    int // how many changes of the epoch come before these
		changes []change
	}
	have struct { // what the replica has now
		epoch   int64
		changes int
	}
)

func (s *replica) enter(r *sim.Request) {
	switch strings.TrimPrefix(r.Op, Service+".") {
	case OpPing:
		r.Reply(pong{s.epoch, s.primary}, 0)
	case OpPromote:
		s.promote(r, r.Body.(promotion).epoch)
	case OpReplicate:
		s.follow(r, r.Body.(replication))
	default:
		if s.shut {
			r.Fail(model.ErrNotPrimary, 0)
			return
		}
		s.arrive(r)
	}
}

// promote makes this node the primary of a later epoch.
func (s *replica) promote(r *sim.Request, epoch int64) {
	if epoch <= s.epoch {
		r.Reply(pong{s.epoch, s.primary}, 0)
		return
	}
	s.begin(r, epoch, true, s.history, func() { r.Reply(pong{s.epoch, s.primary}, 0) })
}

// begin enters an epoch: its first records and the word of it are durable before then is called. Operations that are
// under way are void.
func (s *replica) begin(r *sim.Request, epoch int64, primary bool, records []change, then func()) {
	s.term++
	s.shut, s.primary, s.epoch, s.file = true, false, epoch, fileOf(epoch)
	term := s.term
	for i := range records {
		s.n.Append(s.file, records[i].encode(), sim.Action{}, nil)
	}
	s.n.Fsync(s.file, sim.Action{}, func() {
		flag := int64(0)
		if primary {
			flag = 1
		}
		s.n.Append(termsFile, model.Seal(model.AppendNumber(model.AppendNumber(nil, epoch), flag)), sim.Action{}, nil)
		if !r.Alive() {
			return
		}
		s.n.Fsync(termsFile, sim.Action{}, func() {
			if s.term != term {
				r.Fail(model.ErrNotPrimary, 0)
				return
			}
			clear(s.records)
			s.history = slices.Clone(records)
			for i := range records {
				s.set(records[i])
			}
			s.primary, s.shut = primary, !primary
			s.changed.Broadcast()
			then()
		})
	})
}

// follow takes what a primary tells. One of an earlier epoch learns from the answer that it is none any more; of a later
// epoch only the whole is taken.
func (s *replica) follow(r *sim.Request, m replication) {
	answer := func() { r.Reply(have{s.epoch, len(s.history)}, 0) }
	switch {
	case m.epoch > s.epoch && m.from == 0:
		s.begin(r, m.epoch, false, m.changes, answer)
		return
	case m.epoch != s.epoch || s.primary || m.from > len(s.history):
		answer()
		return
	}
	known := len(s.history) - m.from
	if known >= len(m.changes) {
		answer()
		return
	}
	fresh, term := m.changes[known:], s.term
	for i := range fresh {
		s.n.Append(s.file, fresh[i].encode(), sim.Action{}, nil)
	}
	s.history = append(s.history, fresh...)
	s.n.Fsync(s.file, sim.Action{}, func() {
		if s.term == term {
			for i := range fresh {
				s.set(fresh[i])
			}
		}
		answer()
	})
}

// tell keeps one peer up to date while this node is the primary, at some distance: that is what asynchronous means.
func (s *replica) tell(p *sim.Proc, peer *sim.Node) {
	told, term := -1, s.term // -1 = it is not known what the peer has
	for {
		if term != s.term {
			told, term = -1, s.term
		}
		if !s.ready || !s.primary || told == len(s.history) {
			p.Wait(&s.changed, -1)
			continue
		}
		p.Sleep(replicationLag)
		if !s.primary || term != s.term {
			continue
		}
		from := max(told, 0)
		m := replication{s.epoch, from, slices.Clone(s.history[from:])}
		reply, _, err := p.Call(peer, p.World().Op(Service+"."+OpReplicate), sim.Action{}, m, 0, replicaTimeout)
		if err != nil {
			p.Sleep(resendAfter)
			continue
		}
		switch h := reply.(have); {
		case h.epoch > s.epoch: // a later primary will come and say so; until then nobody is to rely on this one
			s.shut, s.primary = true, false
			s.term++
		case h.epoch == s.epoch:
			told = h.changes
		default:
			told = -1
		}
	}
}
