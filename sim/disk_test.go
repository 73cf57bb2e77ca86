package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/sim"
)

// store is a node with one file, and what anybody may say of its records without looking into the disk.
type store struct {
	t       require.TestingT
	w       *sim.World
	n       *sim.Node
	next    int
	records []record
	expire  sim.Duration
}

type record struct {
	text    string
	at      sim.Time
	durable bool
}

func newStore(t require.TestingT, seed uint64, expire sim.Duration) *store {
	s := &store{t: t, w: sim.New(sim.Config{Seed: seed}), expire: expire}
	s.n = s.w.Role("n", func(*sim.Node) sim.Handler { return sim.NoHandler() })
	s.n.Disk().Timing(constant(0), constant(5*ms))
	s.n.Disk().Writeback(expire)
	s.n.Boot()
	return s
}

func (s *store) append() {
	s.next++
	text := fmt.Sprintf("record %d", s.next)
	s.records = append(s.records, record{text: text, at: s.w.Now()})
	s.n.Append("log", text, sim.Action{}, nil)
}

// fsync makes durable what the file holds now, when it is done, as far as it is still there then.
func (s *store) fsync() {
	held := s.texts()
	s.n.Fsync("log", sim.Action{}, func() {
		for i := range s.records {
			if slices.Contains(held, s.records[i].text) {
				s.records[i].durable = true
			}
		}
	})
}

func (s *store) truncate(keep int) {
	s.n.Truncate("log", keep)
	s.records = s.records[:min(keep, len(s.records))]
}

func (s *store) discard(first int) {
	s.n.Discard("log", first)
	s.records = slices.Clone(s.records[first:])
}

func (s *store) pass(d sim.Duration) {
	end := s.w.Now().Add(d)
	s.w.At(end, sim.PhaseTimer, func() {}) // a world in which nothing happens does not get there
	s.w.Run(end)
}

func (s *store) texts() []string {
	out := []string{}
	for _, r := range s.records {
		out = append(out, r.text)
	}
	return out
}

// certain counts the records that no power loss may take.
func (s *store) certain() (n int) {
	for i, r := range s.records {
		if r.durable || s.expire > 0 && r.at.Add(s.expire) <= s.w.Now() {
			n = i + 1
		}
	}
	return n
}

// losePower takes the power away and brings it back: some of what is not certain may survive, in order.
func (s *store) losePower() (lost int) {
	before, certain := s.texts(), s.certain()
	s.n.PowerLoss(0)
	s.n.Boot()
	after := s.n.Disk().Read("log")
	require.GreaterOrEqual(s.t, len(after), certain)
	require.Equal(s.t, before[:len(after)], append([]string{}, after...))
	s.records = s.records[:len(after)]
	for i := range s.records {
		s.records[i].durable = true
	}
	return len(before) - len(after)
}

// Whatever is written, cut, discarded and synced in whatever order: a file reads as what was written last, a kill takes
// nothing, a power loss takes only what was neither synced nor written back, and what a reader holds never changes.
func TestDiskHoldsWhatItPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStore(t, rapid.Uint64().Draw(t, "seed"), rapid.SampledFrom([]sim.Duration{0, 30 * sim.Second}).Draw(t, "writeback"))
		defer s.w.Close()
		var held, copied []string
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"append", "append", "append", "fsync", "truncate", "discard", "pass", "pass", "read", "kill", "power-loss"}).Draw(t, "step") {
			case "append":
				s.append()
			case "fsync":
				s.fsync()
			case "truncate":
				s.truncate(rapid.IntRange(0, len(s.records)+1).Draw(t, "keep"))
			case "discard":
				s.discard(rapid.IntRange(0, len(s.records)).Draw(t, "first"))
			case "pass":
				s.pass(rapid.SampledFrom([]sim.Duration{ms, 5 * ms, 31 * sim.Second}).Draw(t, "time"))
			case "read":
				held = s.n.Disk().Read("log")
				copied = slices.Clone(held)
			case "kill":
				s.n.Kill(0)
				s.n.Boot()
			default:
				s.losePower()
			}
			require.Equal(t, s.texts(), append([]string{}, s.n.Disk().Read("log")...))
			require.Equal(t, copied, held)
		}
	})
}

// An fsync that is under way when the file is cut says nothing of what is written behind the cut, and one that is under way
// when the front goes says as much as before of the rest.
func TestFsyncAcrossACut(t *testing.T) {
	lost := 0
	for seed := range uint64(50) {
		s := newStore(t, seed, 0)
		for range 3 {
			s.append()
		}
		s.fsync()
		s.truncate(1)
		s.append()
		s.append()
		s.pass(sim.Second)
		require.Equal(t, 1, s.certain())
		lost += s.losePower()
		s.w.Close()
	}
	require.Greater(t, lost, 20, "what was written behind the cut can be lost")
	lost = 0
	for seed := range uint64(50) {
		s := newStore(t, seed, 0)
		s.append()
		s.append()
		s.fsync()
		s.append()
		s.discard(1)
		s.pass(sim.Second)
		require.Equal(t, 1, s.certain())
		lost += s.losePower()
		s.w.Close()
	}
	require.Greater(t, lost, 20, "what was written after the fsync began can be lost")
}

// The operating system writes back by itself what is old enough, in the order in which it was written, and nothing else.
func TestWriteback(t *testing.T) {
	lost := map[int]int{}
	for seed := range uint64(100) {
		s := newStore(t, seed, 30*sim.Second)
		s.append()
		s.append()
		s.discard(1)
		s.pass(20 * sim.Second)
		s.append()
		s.append()
		s.pass(10 * sim.Second)
		require.Equal(t, 1, s.certain())
		lost[s.losePower()]++
		s.w.Close()
	}
	require.Len(t, lost, 3, "none, one or both of the young ones: %v", lost)
	s := newStore(t, 1, 0)
	defer s.w.Close()
	s.append()
	require.Panics(t, func() { s.n.Disk().Writeback(sim.Second) }, "nobody knows how old that is")
}

func TestDiskAssertsWhatItIsAsked(t *testing.T) {
	s := newStore(t, 1, 0)
	defer s.w.Close()
	s.n.Truncate("nothing", 3)
	s.n.Discard("nothing", 0)
	s.append()
	require.Panics(t, func() { s.n.Truncate("log", -1) })
	require.Panics(t, func() { s.n.Discard("log", -1) })
	require.Panics(t, func() { s.n.Discard("log", 2) })
	require.Panics(t, func() { s.n.Discard("nothing", 1) })
	s.n.Kill(0)
	require.Panics(t, func() { s.n.Truncate("log", 0) })
	require.Panics(t, func() { s.n.Discard("log", 1) })
	require.Equal(t, []string{"record 1"}, s.n.Disk().Read("log"))
}
