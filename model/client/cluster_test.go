package client_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model/client"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// liar tells any view of one partition, or nothing, or an error.
type liar struct {
	next func() (wire.PartitionMetadata, string)
}

func (l *liar) Receive(_ *sim.Node, r *sim.Request) {
	p, how := l.next()
	told := wire.TopicMetadata{Name: "orders", Partitions: []wire.PartitionMetadata{p}}
	switch how {
	case "silent":
		return
	case "unknown":
		told = wire.TopicMetadata{Name: "orders", Err: wire.ErrUnknownTopic}
	}
	r.Reply(wire.MetadataReply{Brokers: []string{"broker-1", "broker-2"}, Topics: []wire.TopicMetadata{told}}, 0)
}

// Whatever brokers tell, and however late they are: as long as the topic is known its leader's epoch never goes back, who asked is
// answered once, and between two rounds passes the backoff.
func TestWhatIsKnownNeverGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := sim.New(sim.Config{Seed: rapid.Uint64().Draw(t, "seed"), Latency: rng.Uniform(int64(sim.Millisecond), int64(50*sim.Millisecond))})
		defer w.Close()
		next := func() (wire.PartitionMetadata, string) {
			p := wire.PartitionMetadata{Leader: rapid.SampledFrom([]string{"", "broker-1", "broker-2"}).Draw(t, "leader"), Epoch: int32(rapid.IntRange(0, 9).Draw(t, "epoch"))}
			return p, rapid.SampledFrom([]string{"", "", "", "silent", "unknown"}).Draw(t, "how")
		}
		var brokers []*sim.Node
		for range 2 {
			n := w.Role("broker", func(*sim.Node) sim.Handler { return &liar{next} })
			n.Boot()
			brokers = append(brokers, n)
		}
		var c *client.Cluster
		n := w.Role("client", func(n *sim.Node) sim.Handler {
			c = client.New(n, client.Config{Bootstrap: brokers, RequestTimeout: sim.Second})
			c.OnMissing(func(string) {})
			return sim.NoHandler()
		})
		n.Boot()
		var rounds []sim.Time
		w.Watch("broker.metadata/sent", func(*sim.Hit) { rounds = append(rounds, w.Now()) })
		asked, answered, last := 0, 0, int32(-1)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				asked++
				c.Refresh("orders", func(error) { answered++ })
			case 1:
				c.Stale("orders")
			case 2:
				c.Avoid(brokers[0])
			}
			_, epoch := c.Leader("orders", 0)
			if c.Partitions("orders") == 0 {
				last = -1
			}
			require.GreaterOrEqual(t, epoch, last)
			last = epoch
			end := w.Now().Add(sim.Duration(rapid.Int64Range(0, int64(500*sim.Millisecond)).Draw(t, "pass")))
			w.At(end, sim.PhaseTimer, func() {})
			w.Run(end)
		}
		require.Equal(t, sim.StopDrained, w.Run(sim.Time(sim.Hour)).Kind)
		require.Equal(t, asked, answered)
		for i := 2; i < len(rounds); i++ { // a round has at most two requests
			require.GreaterOrEqual(t, rounds[i].Sub(rounds[i-2]), 80*sim.Millisecond)
		}
	})
}
