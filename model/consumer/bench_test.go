package consumer_test

import (
	"testing"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// BenchmarkDelivered is the cost of a record from the log to the loop, with the fact of its delivery, in polls of 500 that
// are committed. The brokers are the thin ones of this package.
func BenchmarkDelivered(b *testing.B) {
	for name, batch := range map[string]int{"batches-of-1": 1, "batches-of-20": 20} {
		b.Run(name, func(b *testing.B) {
			cl := newCluster(b, 4)
			cl.opts.MaxPollRecords = 500
			got := 0
			var batches [][]model.Message
			for range 4 {
				var ms []model.Message
				for range batch {
					ms = append(ms, model.Message{Intent: model.Intent{Event: "order", Key: "key"}, Payload: "payload"})
				}
				batches = append(batches, ms)
			}
			cl.member(func(c model.Ctx, in model.Consumer) {
				for {
					ms, ok := in.Poll(c, 0)
					if !ok {
						return
					}
					got += len(ms)
					_ = in.Commit(c, ms)
				}
			})
			cl.run(3 * sec)
			for i := 0; i < b.N; i += batch {
				cl.fill(i%4, batches[i%4])
			}
			b.ReportAllocs()
			b.ResetTimer()
			for at := 4 * sec; got < b.N; at += sec {
				cl.w.Run(sim.Time(at))
			}
		})
	}
}

// BenchmarkTrickle is the same for records that come one by one: each is a fetch, a poll and a commit.
func BenchmarkTrickle(b *testing.B) {
	cl := newCluster(b, 4)
	cl.member(working(0))
	cl.run(3 * sec)
	source := cl.w.Role("source", func(*sim.Node) sim.Handler { return sim.NoHandler() })
	source.Boot()
	ms := []model.Message{{Intent: model.Intent{Event: "order", Key: "key"}}}
	n := 0
	var next func()
	next = func() {
		cl.fill(n%4, ms)
		cl.unpark()
		if n++; n < b.N {
			source.AfterBackground(20*sim.Millisecond, next)
		}
	}
	source.AfterBackground(0, next)
	b.ReportAllocs()
	b.ResetTimer()
	cl.w.Run(cl.w.Now().Add(20*sim.Millisecond*sim.Duration(b.N) + sec))
}
