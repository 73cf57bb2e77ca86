package raft_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/sim"
)

// Whatever stops, is cut off or stands still: one leader a term, logs that match, nothing committed lost. And when all is
// well again, everybody applies the same.
func TestPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := config()
		cfg.PreVote = rapid.Bool().Draw(t, "pre-vote")
		cfg.MaxEntries = rapid.SampledFrom([]int{1, 256}).Draw(t, "entries in a request")
		if rapid.Bool().Draw(t, "lost quorum") {
			cfg.LostQuorum = 10 * sec
		}
		g := newGroup(rapid.Uint64().Draw(t, "seed"), rapid.SampledFrom([]int{3, 5}).Draw(t, "size"), cfg)
		defer g.w.Close()
		for _, m := range g.members {
			m.n.Boot()
		}
		g.w.Observe(g.strike)
		proposed := 0
		for range rapid.IntRange(5, 25).Draw(t, "steps") {
			if rapid.IntRange(0, 2).Draw(t, "step") == 0 {
				if g.propose(string(rune('a' + proposed%26))) {
					proposed++
				}
			} else {
				g.upset(t)
			}
			g.runFor(t, sim.Duration(rapid.Int64Range(0, int64(6*sec)).Draw(t, "for")))
		}
		g.heal()
		g.runFor(t, sim.Minute)
		require.True(t, g.propose("end"), "a healthy group has a leader")
		g.runFor(t, 5*sec)
		for _, m := range g.members {
			require.Equal(t, g.agreed, m.applied, m.n.Name())
		}
		require.Contains(t, g.agreed, "end")
	})
}

// upset does something to one member, or will at a step of its disk.
func (g *group) upset(t *rapid.T) {
	m := g.members[rapid.IntRange(0, len(g.members)-1).Draw(t, "member")]
	other := g.members[rapid.IntRange(0, len(g.members)-1).Draw(t, "other")]
	if rapid.Bool().Draw(t, "at its disk") {
		m.strikeIn, m.strikeBy = rapid.IntRange(1, 12).Draw(t, "steps"), rapid.SampledFrom([]string{"kill", "power-loss"}).Draw(t, "what")
		return
	}
	switch what := rapid.SampledFrom([]string{"kill", "power-loss", "pause", "resume", "boot", "cut", "mend"}).Draw(t, "what"); {
	case what == "cut" && m != other:
		m.n.Cut(other.n)
	case what == "mend" && m != other:
		m.n.Mend(other.n)
	case what == "boot" && !m.n.Up():
		m.n.Boot()
	case !m.n.Up():
	case what == "kill":
		m.n.Kill(0)
	case what == "power-loss":
		m.n.PowerLoss(0)
	case what == "pause":
		m.n.Pause()
	case what == "resume":
		m.n.Resume()
	}
}

// strike ends a member in the middle of a write or an fsync. One that was killed is back at once, so that the next stop meets
// what its boot makes of a page cache.
func (g *group) strike(h *sim.Hit) {
	for _, m := range g.members {
		if m.n != h.Node || m.strikeIn == 0 || !strings.Contains(h.Hook, ".disk.") {
			continue
		}
		if m.strikeIn--; m.strikeIn > 0 {
			continue
		}
		if m.strikeBy == "power-loss" {
			m.n.PowerLoss(0)
			return
		}
		m.n.Kill(0)
		m.strikeIn, m.strikeBy = 3, "power-loss"
		g.w.At(g.w.Now(), sim.PhaseTimer, func() {
			if !m.n.Up() {
				m.n.Boot()
			}
		})
	}
}

func (g *group) heal() {
	for _, m := range g.members {
		m.strikeIn = 0
	}
	for _, m := range g.members {
		for _, other := range g.members {
			m.n.Mend(other.n)
		}
		if !m.n.Up() {
			m.n.Boot()
		}
		m.n.Resume()
	}
}

func (g *group) runFor(t require.TestingT, d sim.Duration) {
	done := false
	g.w.At(g.w.Now().Add(d), sim.PhaseTimer, func() { done = true })
	for !done && g.w.Step() {
		require.Empty(t, g.wrong(), "at %v", g.w.Now())
	}
	stop, over := g.w.Stopped()
	require.False(t, over, "%v %s", stop, stop.Detail)
}

// A group at rest is exactly periodic: a day of heartbeats passes by whole cycles.
func TestIdleTimePassesByCycles(t *testing.T) {
	g := newGroup(1, 3, config())
	defer g.w.Close()
	for _, m := range g.members {
		m.n.Boot()
	}
	g.runFor(t, 20*sec)
	from, _ := g.w.Executed()
	g.runFor(t, 10*sec)
	after, _ := g.w.Executed()
	require.EqualValues(t, 10*5, after-from-1, "per heartbeat one timer, and two requests with their replies")
	over := false
	g.w.Quiet(24*sim.Hour, func() { over = true })
	before, _ := g.w.Executed()
	for !over {
		require.True(t, g.w.Step())
	}
	spent, _ := g.w.Executed()
	require.Less(t, spent-before, int64(2000))
	g.runFor(t, 20*sec)
	require.Len(t, g.leaders, 1, "and nobody has noticed")
}
