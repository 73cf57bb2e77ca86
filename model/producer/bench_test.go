package producer_test

import (
	"testing"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/model/producer"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// prompt is a broker that takes everything and costs next to nothing.
type prompt struct{ stored []int64 }

func (b *prompt) Receive(_ *sim.Node, r *sim.Request) {
	switch req := r.Body.(type) {
	case wire.ProduceRequest:
		results := make([]wire.ProduceResult, len(req.Batches))
		for i := range results {
			results[i].Stored = b.stored[:len(req.Batches[i].Messages)]
		}
		r.Reply(wire.ProduceReply{Results: results}, 0)
	case wire.MetadataRequest:
		told := wire.TopicMetadata{Name: "orders"}
		for range 4 {
			told.Partitions = append(told.Partitions, wire.PartitionMetadata{Leader: "broker-1"})
		}
		r.Reply(wire.MetadataReply{Topics: []wire.TopicMetadata{told}}, 0)
	case wire.InitProducerRequest:
		r.Reply(wire.InitProducerReply{Producer: wire.ProducerID{ID: 1}}, 0)
	}
}

// BenchmarkSend hands over one record a millisecond or a hundred, to four partitions. The time includes the kernel's and
// that of a broker that does nothing.
func BenchmarkSend(b *testing.B) {
	for _, c := range []struct {
		name  string
		every sim.Duration
		cfg   producer.Settings
	}{
		{"alone", sim.Millisecond, producer.Java()},
		{"batched", 10 * sim.Microsecond, producer.Java()},
		{"librdkafka", 10 * sim.Microsecond, producer.Librdkafka()},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			w := sim.New(sim.Config{Seed: 1, Latency: rng.Constant(int64(sim.Millisecond)), Limits: sim.Limits{Events: 1 << 40}, History: &history.History{}})
			defer w.Close()
			broker := w.Role("broker", func(*sim.Node) sim.Handler { return &prompt{make([]int64, 100_000)} })
			broker.Boot()
			done := 0
			n := w.Role("producer", func(n *sim.Node) sim.Handler {
				p := producer.Attach(n, c.cfg, client.New(n, client.Config{Bootstrap: []*sim.Node{broker}}))
				left := b.N
				var send func()
				send = func() {
					m := model.Message{Intent: model.Intent{Event: "order", Key: keys[left%len(keys)]}, Payload: "order"}
					p.Enqueue("orders", m, func(producer.Result) { done++ })
					if left--; left > 0 {
						n.After(c.every, send)
					}
				}
				n.After(0, send)
				return &idle{true}
			})
			n.Boot()
			b.ResetTimer()
			w.Run(sim.Time(1 << 62))
			if done != b.N {
				b.Fatalf("%d of %d answered", done, b.N)
			}
			events, _ := w.Executed()
			b.ReportMetric(float64(events)/float64(b.N), "events/op")
		})
	}
}

var keys = []string{"anna", "bert", "carl", "dora", "emil", "fred", "gert", "hans"}
