package raft_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/internal/scripttest"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// TestScripts plays testdata/*.txt: see package scripttest.
func TestScripts(t *testing.T) { scripttest.Files(t, "testdata/*.txt", play) }

// script is a group that a text drives. A hop takes 1 ms, an append 100 µs, an fsync 2 ms. Heartbeats come every second,
// election timeouts lie between 4 and 9 s.
type script struct {
	*group
	t   *testing.T
	out strings.Builder
}

func play(t *testing.T, text string) string {
	s := &script{t: t}
	scripttest.Commands(text, &s.out, s.command)
	s.w.Close()
	return s.out.String()
}

func (s *script) say(format string, args ...any) {
	fmt.Fprintf(&s.out, "  %-11v %s\n", s.w.Now(), fmt.Sprintf(format, args...))
}

// command is one line:
//
//	group 5 [pre-vote] [sync 2m] [lost-quorum 10s] [seed 1]    makes the group, and starts it
//	run 10s                         lets time pass; tells leaders, commits and cuts
//	propose a b                     to whoever leads
//	propose-at n3 a                 to one that believes that it leads
//	kill, power-loss, pause, resume, boot n1 n2
//	cut n1,n2 n3,n4,n5              messages between two sides vanish
//	mend                            all links
//	logs                            tells every member's log, as far as it is committed | not
func (s *script) command(f []string) {
	each := func(do func(m *member)) {
		for _, name := range f[1:] {
			do(s.member(name))
		}
	}
	switch f[0] {
	case "group":
		s.make(f[1:])
	case "run":
		ns, err := rng.ParseDuration(f[1])
		require.NoError(s.t, err)
		s.run(sim.Duration(ns))
	case "propose":
		for _, c := range f[1:] {
			require.True(s.t, s.propose(c), "nobody leads")
		}
	case "propose-at":
		m := s.member(f[1])
		m.raft.Propose(f[2], f[2], sim.Action{})
	case "kill":
		each(func(m *member) { m.n.Kill(0) })
	case "power-loss":
		each(func(m *member) { m.n.PowerLoss(0) })
	case "pause":
		each(func(m *member) { m.n.Pause() })
	case "resume":
		each(func(m *member) { m.n.Resume() })
	case "boot":
		each(func(m *member) { m.n.Boot() })
	case "cut":
		s.cut(strings.Split(f[1], ","), strings.Split(f[2], ","), (*sim.Node).Cut)
	case "mend":
		for _, a := range s.members {
			for _, b := range s.members {
				a.n.Mend(b.n)
			}
		}
	case "logs":
		for _, m := range s.members {
			s.say("%s", m.log())
		}
	default:
		s.t.Fatalf("no command %v", f)
	}
}

func (s *script) make(f []string) {
	size, err := strconv.Atoi(f[0])
	require.NoError(s.t, err)
	cfg, seed := config(), 1
	for i := 1; i < len(f); i++ {
		switch f[i] {
		case "pre-vote":
			cfg.PreVote = true
		case "sync":
			i++
			ns, err := rng.ParseDuration(f[i])
			require.NoError(s.t, err)
			cfg.SyncEvery = sim.Duration(ns)
		case "lost-quorum":
			i++
			ns, err := rng.ParseDuration(f[i])
			require.NoError(s.t, err)
			cfg.LostQuorum = sim.Duration(ns)
		case "seed":
			i++
			seed, err = strconv.Atoi(f[i])
			require.NoError(s.t, err)
		default:
			s.t.Fatalf("no option %s", f[i])
		}
	}
	s.group = newGroup(uint64(seed), size, cfg)
	s.tell = func(text string) { s.say("%s", text) }
	for _, m := range s.members {
		m.n.Boot()
	}
}

func (s *script) member(name string) *member {
	i, err := strconv.Atoi(strings.TrimPrefix(name, "n"))
	require.NoError(s.t, err)
	return s.members[i-1]
}

func (s *script) cut(a, b []string, do func(from, to *sim.Node)) {
	for _, x := range a {
		for _, y := range b {
			do(s.member(x).n, s.member(y).n)
			do(s.member(y).n, s.member(x).n)
		}
	}
}

func (s *script) run(d sim.Duration) {
	done := false
	s.w.At(s.w.Now().Add(d), sim.PhaseTimer, func() { done = true })
	for !done && s.w.Step() {
		require.Empty(s.t, s.wrong(), "at %v", s.w.Now())
	}
	if stop, ok := s.w.Stopped(); ok {
		s.t.Fatalf("the world ended: %v %s", stop, stop.Detail)
	}
}
