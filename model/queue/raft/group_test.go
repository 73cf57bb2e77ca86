package raft_test

import (
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/model/queue/raft"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

const (
	ms  = sim.Millisecond
	sec = sim.Second
)

func config() raft.Config {
	return raft.Config{Vote: "node.request-vote", Entries: "node.append-entries", Heartbeat: sec, ElectionMin: 4 * sec, ElectionMax: 9 * sec}
}

// group is a world with a Raft group whose commands are texts. It watches what the paper promises.
type group struct {
	w       *sim.World
	members []*member
	tell    func(string)

	leaders map[int64]string // by term: who led it
	agreed  []string         // what was applied at each index, from 1, "" = a leader's first entry
	broken  []string
	lossy   bool // power losses may lose what counted: the promises do not hold
}

// member is one node and what its present incarnation has applied.
type member struct {
	g       *group
	n       *sim.Node
	raft    *raft.Raft
	applied []string

	strikeIn int // steps of its disk until it is stopped there; 0 = it is not
	strikeBy string
}

func newGroup(seed uint64, size int, cfg raft.Config) *group {
	g := &group{w: sim.New(sim.Config{Seed: seed, Latency: rng.Constant(int64(ms))}), tell: func(string) {}, leaders: map[int64]string{}}
	for range size {
		m := &member{g: g}
		m.n = g.w.Role("node", func(n *sim.Node) sim.Handler {
			m.applied = nil
			h := &instance{}
			h.m = m
			m.raft = raft.New(n, g.w.Nodes("node"), cfg, h)
			return h
		})
		m.n.Disk().Timing(rng.Constant(int64(100*sim.Microsecond)), rng.Constant(int64(2*ms)))
		g.members = append(g.members, m)
	}
	g.lossy = cfg.SyncEvery > 0
	return g
}

type instance struct{ m *member }

func (h *instance) Receive(_ *sim.Node, r *sim.Request) {
	if !h.m.raft.Receive(r) {
		panic("not a request of raft")
	}
}

func (h *instance) Decode(raw string) raft.Command { return raw }
func (h *instance) Appended(int64, *raft.Entry)    {}
func (h *instance) Deposed()                       { h.m.g.tell(h.m.n.Name() + " no longer leads") }
func (h *instance) Committed(i int64) {
	h.m.g.tell(fmt.Sprintf("%s commits up to %d", h.m.n.Name(), i))
}
func (h *instance) Cut(i int64, gone []raft.Entry, applied bool) {
	text := fmt.Sprintf("%s cuts its log from %d on: %s", h.m.n.Name(), i, texts(gone))
	if applied {
		text += " (applied)"
		h.m.applied = h.m.applied[:i-1]
		h.m.g.fail(text)
	}
	h.m.g.tell(text)
}

func (h *instance) Elected(term int64) {
	g := h.m.g
	g.tell(fmt.Sprintf("%s leads term %d", h.m.n.Name(), term))
	if by, twice := g.leaders[term]; twice {
		g.fail(fmt.Sprintf("term %d is led by %s and by %s", term, by, h.m.n.Name()))
	}
	g.leaders[term] = h.m.n.Name()
	for i, c := range g.agreed {
		if int64(i) >= h.m.raft.Last() || text(h.m.raft.Entry(int64(i)+1)) != c {
			g.fail(fmt.Sprintf("the leader of term %d lacks the committed entry %d", term, i+1))
			return
		}
	}
}

func (h *instance) Apply(index int64, e *raft.Entry) {
	g, c := h.m.g, text(e)
	h.m.applied = append(h.m.applied, c)
	switch {
	case index != int64(len(h.m.applied)):
		g.fail(fmt.Sprintf("%s applies entry %d as its %dth", h.m.n.Name(), index, len(h.m.applied)))
	case index == int64(len(g.agreed))+1:
		g.agreed = append(g.agreed, c)
	case index > int64(len(g.agreed)) || g.agreed[index-1] != c:
		g.fail(fmt.Sprintf("%s applies %q at %d", h.m.n.Name(), c, index))
	}
}

func text(e *raft.Entry) string {
	if e.Command == nil {
		return "-"
	}
	return e.Command.(string)
}

func texts(entries []raft.Entry) string {
	var out []string
	for i := range entries {
		out = append(out, text(&entries[i]))
	}
	return strings.Join(out, " ")
}

func (g *group) fail(what string) { g.broken = append(g.broken, what) }

// wrong is what has been broken that holds.
func (g *group) wrong() []string {
	if g.lossy {
		return nil
	}
	return append(g.broken, g.mismatches()...)
}

// mismatches compares all logs: two entries of one term at one index are the same, and so is all before them.
func (g *group) mismatches() (out []string) {
	for i, a := range g.members {
		for _, b := range g.members[:i] {
			if a.n.Up() && b.n.Up() && !matches(a.raft, b.raft) {
				out = append(out, fmt.Sprintf("the logs of %s and %s do not match", a.n.Name(), b.n.Name()))
			}
		}
	}
	return out
}

func matches(a, b *raft.Raft) bool {
	i := min(a.Last(), b.Last())
	for i > 0 && a.Entry(i).Term != b.Entry(i).Term {
		i--
	}
	for ; i > 0; i-- {
		if a.Entry(i).Term != b.Entry(i).Term || text(a.Entry(i)) != text(b.Entry(i)) {
			return false
		}
	}
	return true
}

// propose hands a command to a leader that runs; false if there is none.
func (g *group) propose(c string) bool {
	for _, m := range g.members {
		if m.n.Up() && !m.n.Paused() && m.raft.Leads() {
			m.n.After(0, func() { // a handler of the node, so that a stop inside unwinds it
				if m.raft.Leads() {
					m.raft.Propose(c, c, sim.Action{})
				}
			})
			return true
		}
	}
	return false
}

// log shows a member's log: what it knows to be committed, a bar, the rest.
func (m *member) log() string {
	if !m.n.Up() {
		return m.n.Name() + " is down"
	}
	var parts []string
	for i := int64(1); i <= m.raft.Last(); i++ {
		if i == m.raft.Commit()+1 {
			parts = append(parts, "|")
		}
		parts = append(parts, fmt.Sprintf("%d:%s", m.raft.Entry(i).Term, text(m.raft.Entry(i))))
	}
	return fmt.Sprintf("%s in term %d: %s", m.n.Name(), m.raft.Term(), strings.Join(parts, " "))
}
