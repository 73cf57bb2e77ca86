package broker_test

import (
	"fmt"
	"testing"

	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// BenchmarkProduce is one record from a producer to its acknowledgement by three brokers, acks=all, and to a consumer's
// long poll: everything that happens in the world on the way.
func BenchmarkProduce(b *testing.B) {
	s := newSetup(plan{latency: rng.Constant(int64(500 * sim.Microsecond))})
	defer s.w.Close()
	s.boot()
	for !s.cluster.Serving() {
		s.w.Step()
	}
	left, sequence := b.N, int64(0)
	events := make([]string, 1000)
	for i := range events {
		events[i] = fmt.Sprintf("order-%d", i)
	}
	leader := s.cluster.Leader("orders", 0)
	var next func()
	next = func() {
		s.produce(0, leader, 0, wire.AcksAll, wire.ProducerID{ID: 1}, sequence, []string{events[sequence%1000]}, func(r wire.ProduceResult, err error) {
			if err != nil || r.Err != nil {
				b.Fatal(err, r.Err)
			}
			sequence++
			if left--; left > 0 {
				next()
			}
		})
	}
	b.ReportAllocs()
	before, _ := s.w.Executed()
	b.ResetTimer()
	next()
	for left > 0 {
		s.w.Step()
	}
	after, _ := s.w.Executed()
	b.ReportMetric(float64(after-before)/float64(b.N), "events/record")
}

// BenchmarkIdle is a simulated second of a cluster that nobody uses.
func BenchmarkIdle(b *testing.B) {
	s := newSetup(plan{latency: rng.Constant(int64(500 * sim.Microsecond))})
	defer s.w.Close()
	s.boot()
	s.run(5 * sim.Second)
	b.ResetTimer()
	before, _ := s.w.Executed()
	s.run(sim.Duration(b.N) * sim.Second)
	after, _ := s.w.Executed()
	b.ReportMetric(float64(after-before)/float64(b.N), "events/s")
}
