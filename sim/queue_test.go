package sim

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// oracle is the queue as anybody would write it first: a slice, sorted when asked.
type oracle struct{ items []item }

func (o *oracle) push(it item) {
	i := 0
	for i < len(o.items) && o.items[i].before(&it) {
		i++
	}
	o.items = slices.Insert(o.items, i, it)
}

func (o *oracle) remove(slot int32) bool {
	i := slices.IndexFunc(o.items, func(it item) bool { return it.slot == slot })
	if i < 0 {
		return false
	}
	o.items = slices.Delete(o.items, i, i+1)
	return true
}

// pair applies each operation to the queue and to the oracle, and compares what they say.
type pair struct {
	t   require.TestingT
	q   queue
	o   oracle
	seq uint64
}

func (p *pair) push(slot int32, at Time, r rank) {
	if slices.ContainsFunc(p.o.items, func(it item) bool { return it.slot == slot }) {
		return
	}
	p.seq++
	it := item{at: at, ord: order(r, 0, p.seq), slot: slot}
	p.q.push(it)
	p.o.push(it)
	p.check()
}

func (p *pair) pop(hole bool) {
	if len(p.o.items) == 0 {
		return
	}
	want := p.o.items[0]
	p.o.items = p.o.items[1:]
	if hole {
		require.Equal(p.t, want, p.q.take())
	} else {
		require.Equal(p.t, want, p.q.pop())
	}
	p.check()
}

func (p *pair) remove(slot int32) {
	require.Equal(p.t, p.o.remove(slot), p.q.remove(slot))
	p.check()
}

func (p *pair) check() {
	require.Equal(p.t, len(p.o.items), p.q.len(), "no tombstones")
	for i, it := range p.q.heap {
		if i == 0 && p.q.hole {
			continue
		}
		require.Equal(p.t, int32(i), p.q.position[it.slot])
		parent := (i - 1) / 4
		require.False(p.t, i > 0 && (parent > 0 || !p.q.hole) && it.before(&p.q.heap[parent]))
	}
}

func (p *pair) drain() {
	for len(p.o.items) > 0 {
		p.pop(false)
	}
	require.Zero(p.t, p.q.len())
}

func TestQueueAgainstSortedSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &pair{t: t}
		slot := rapid.Int32Range(0, 40)
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				p.push(slot.Draw(t, "slot"), Time(rapid.Int64Range(0, 20).Draw(t, "at")), rank(rapid.IntRange(0, 4).Draw(t, "rank")))
			},
			"pop":    func(*rapid.T) { p.pop(false) },
			"take":   func(*rapid.T) { p.pop(true) },
			"remove": func(t *rapid.T) { p.remove(slot.Draw(t, "slot")) },
		})
		p.drain()
	})
}

func FuzzQueue(f *testing.F) {
	f.Add([]byte{0, 5, 0, 4, 8, 3, 1, 0, 2, 8, 3, 0, 0, 9})
	f.Fuzz(func(t *testing.T, ops []byte) {
		p := &pair{t: t}
		for i := 0; i+1 < len(ops); i += 2 {
			slot, at := int32(ops[i]>>2), Time(ops[i+1])
			switch ops[i] & 3 {
			case 0:
				p.push(slot, at, rankOf(PhaseTimer))
			case 1:
				p.pop(false)
			case 2:
				p.remove(slot)
			case 3:
				p.pop(true)
			}
		}
		p.drain()
	})
}

func TestQueueRefusesASlotTwice(t *testing.T) {
	var q queue
	q.push(item{slot: 3})
	require.Panics(t, func() { q.push(item{slot: 3}) })
}

// The heap holds what is live: a million armed and cancelled timers leave nothing behind, neither in the heap nor
// in the slab.
func TestCancelledTimersLeaveAtOnce(t *testing.T) {
	w := New(Config{})
	defer w.Close()
	n := w.Role("n", func(*Node) Handler { return NoHandler() })
	n.Boot()
	for range 100_000 {
		keep := n.After(Second, func() {})
		h := n.After(Minute, func() {})
		require.True(t, w.Cancel(h))
		require.False(t, w.Cancel(h), "a handle outlives its event")
		require.True(t, w.Cancel(keep))
	}
	n.After(Second, func() {})
	require.Equal(t, 1, w.Pending())
	require.Equal(t, 1, w.Foreground())
	require.LessOrEqual(t, len(w.events), 2, "memory is bounded by what was live at once")
}

// A million calls and sleeps need the memory of what is in flight, not of what has been.
func TestMemoryIsBoundedByWhatIsLive(t *testing.T) {
	w := calling(3)
	defer w.Close()
	for range 100_000 {
		w.Step()
	}
	require.LessOrEqual(t, cap(w.queue.heap), 64)
	require.LessOrEqual(t, len(w.events), 16)
	require.LessOrEqual(t, len(w.packets), 16)
	require.Len(t, w.calls, 3, "call slots are used again")
}

func TestNoAllocationPerEvent(t *testing.T) {
	for _, c := range []struct {
		name string
		w    *World
	}{{"handler event", ticking(100)}, {"wake-up", sleeping(100)}, {"call with a timeout", calling(100)}, {"disk", flushing()}} {
		t.Run(c.name, func(t *testing.T) {
			defer c.w.Close()
			for range 20_000 {
				c.w.Step()
			}
			per := testing.AllocsPerRun(100, func() {
				for range 1000 {
					c.w.Step()
				}
			})
			require.LessOrEqual(t, per, 2.0, "in 1,000 events; the digests kept every 4,096 are a growing slice")
		})
	}
}

// flushing appends and fsyncs in a loop (and cuts its file, which would grow).
func flushing() *World {
	w := New(Config{Limits: Limits{Events: 1 << 62}})
	n := w.Role("n", func(*Node) Handler { return NoHandler() })
	n.Boot()
	var write, flush func()
	write = func() { n.Append("log", "x", Action{}, flush) }
	flush = func() {
		f := n.disk.file("log")
		f.records, f.durable = f.records[:0], 0
		n.Fsync("log", Action{}, write)
	}
	write()
	return w
}

// The price of an event, counted, which no noise disturbs: a timer or a sleep schedules itself and nothing more; a
// call with a timeout schedules three events (request, reply, timeout) and executes two, the third is cancelled.
func TestHeapOperationsPerEvent(t *testing.T) {
	for _, c := range []struct {
		name  string
		w     *World
		steps int
		seqs  uint64
	}{{"timer", ticking(10), 1, 1}, {"sleep", sleeping(10), 1, 1}, {"call", calling(10), 2, 3}} {
		t.Run(c.name, func(t *testing.T) {
			defer c.w.Close()
			for range 1000 {
				c.w.Step()
			}
			before, executed := c.w.seq, c.w.executed
			for range 1000 * c.steps {
				c.w.Step()
			}
			require.InDelta(t, 1000*c.seqs, c.w.seq-before, 10, "events scheduled")
			require.EqualValues(t, 1000*c.steps, c.w.executed-executed)
		})
	}
}
