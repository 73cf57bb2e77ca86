package sim

import (
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/twiceless/twiceless/sim/rng"
)

// The kernel's work per event, beside the least that such an event can cost: BenchmarkKernel measures a bare heap
// loop and a bare coroutine switch in the same run and reports the ratios. Targets: handler event ≤ 1.5 of the heap
// loop, wake-up ≤ 1.5 of switch + heap loop, RPC ≤ 2.5 of switch + 4 heap operations (two loops).

// spread are due times of a steady queue: one of 1,024 periods, so that heap paths vary.
func spread(i int) Duration { return Duration(1000 + i*7919%1024) }

// bareHeap is the queue alone: pop the least, push it again later.
func bareHeap(pending int) func() {
	var q queue
	seq := uint64(0)
	for i := range pending {
		seq++
		q.push(item{at: Time(spread(i)), ord: order(rankOf(PhaseTimer), 0, seq), slot: int32(i)})
	}
	i := 0
	return func() {
		it := q.pop()
		seq++
		i++
		it.at, it.ord = it.at+Time(spread(i)), order(rankOf(PhaseTimer), 0, seq)
		q.push(it)
	}
}

// bareSwitch is one resume of a coroutine that does nothing.
func bareSwitch() (next, stop func()) {
	n, stop := iter.Pull(func(yield func(struct{}) bool) {
		for yield(struct{}{}) {
		}
	})
	return func() { n() }, stop
}

// ticking is a world in which each of pending timers re-arms itself with a function made once.
func ticking(pending int) *World {
	w := New(Config{Limits: Limits{Events: 1 << 62}})
	n := w.Role("n", func(*Node) Handler { return NoHandler() })
	n.Boot()
	i := 0
	var tick func()
	tick = func() {
		i++
		n.AfterBackground(spread(i), tick)
	}
	for range pending {
		tick()
	}
	return w
}

// sleeping is a world of processes that sleep in a loop.
func sleeping(processes int) *World {
	w := New(Config{Limits: Limits{Events: 1 << 62}})
	n := w.Role("n", func(n *Node) Handler {
		i := 0
		for range processes {
			n.Go("sleeper", func(p *Proc) {
				for {
					i++
					p.Sleep(spread(i))
				}
			})
		}
		return NoHandler()
	})
	n.Boot()
	return w
}

type answerer struct{ body any }

func (a *answerer) Receive(_ *Node, r *Request) { r.Reply(a.body, 0) }

// calling is a world of pairs of nodes; in each pair one calls the other in a loop, with a timeout that the reply
// cancels.
func calling(pairs int) *World {
	w := New(Config{Limits: Limits{Events: 1 << 62}, Latency: rng.Constant(int64(Millisecond))})
	op := w.Op("server.echo")
	for range pairs {
		server := w.Role("server", func(*Node) Handler { return &answerer{body: "pong"} })
		client := w.Role("client", func(n *Node) Handler {
			var body any = "ping"
			n.Go("caller", func(p *Proc) {
				for {
					if _, _, err := p.Call(server, op, Action{}, body, 0, Second); err != nil {
						panic(err)
					}
				}
			})
			return NoHandler()
		})
		server.Boot()
		client.Boot()
	}
	return w
}

// stepper is one unit of work of a warm world: steps events.
func stepper(w *World, steps int) func() {
	unit := func() {
		for range steps {
			w.Step()
		}
	}
	for range 5_000 {
		unit()
	}
	return unit
}

func loop(b *testing.B, unit func()) {
	b.Helper()
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		unit()
	}
}

func BenchmarkHeap100(b *testing.B)    { loop(b, bareHeap(100)) }
func BenchmarkHeap10000(b *testing.B)  { loop(b, bareHeap(10_000)) }
func BenchmarkSwitch(b *testing.B)     { next, stop := bareSwitch(); defer stop(); loop(b, next) }
func BenchmarkEvent100(b *testing.B)   { inWorld(b, ticking(100), 1) }
func BenchmarkEvent10000(b *testing.B) { inWorld(b, ticking(10_000), 1) }
func BenchmarkWake100(b *testing.B)    { inWorld(b, sleeping(100), 1) }
func BenchmarkRPC100(b *testing.B)     { inWorld(b, calling(100), 2) }

func inWorld(b *testing.B, w *World, steps int) {
	defer w.Close()
	loop(b, stepper(w, steps))
}

// BenchmarkKernel measures kernel and bare work in turns, so that a noisy machine disturbs both alike, and reports
// the ratio of the best times.
func BenchmarkKernel(b *testing.B) {
	for _, pending := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("event-%d", pending), func(b *testing.B) {
			w := ticking(pending)
			defer w.Close()
			ratio(b, stepper(w, 1), bareHeap(pending))
		})
	}
	next, stop := bareSwitch()
	defer stop()
	b.Run("wake-100", func(b *testing.B) {
		w, heap := sleeping(100), bareHeap(100)
		defer w.Close()
		ratio(b, stepper(w, 1), func() { heap(); next() })
	})
	b.Run("rpc-100", func(b *testing.B) { // 100 calls in flight: 200 events pending, half of them timeouts
		w, heap := calling(100), bareHeap(200)
		defer w.Close()
		ratio(b, stepper(w, 2), func() { heap(); heap(); next() })
	})
}

// A block is short, so that of many some run undisturbed.
const block, blocks = 2_000, 300

func ratio(b *testing.B, kernel, bare func()) {
	best := func(unit func(), least time.Duration) time.Duration {
		start := time.Now()
		for range block {
			unit()
		}
		return min(least, time.Since(start))
	}
	k, r := time.Duration(1<<62), time.Duration(1<<62)
	for range blocks {
		k, r = best(kernel, k), best(bare, r)
	}
	for range b.N {
		kernel()
	}
	b.ReportMetric(float64(k)/block, "ns/kernel")
	b.ReportMetric(float64(r)/block, "ns/bare")
	b.ReportMetric(float64(k)/float64(r), "ratio")
}
