package franz_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/twiceless/twiceless/adapters/franz"
	"github.com/twiceless/twiceless/loop"
	"github.com/twiceless/twiceless/loop/looptest"
)

// TestClient runs the suite against a broker in the process, over a network in memory and in virtual time: the minutes that a group needs to put a member
// out pass at once. What kgo tells its callbacks, and when, differs between the ways to balance a group.
func TestClient(t *testing.T) {
	for _, balance := range []struct {
		name string
		opts []kgo.Opt
	}{
		{"cooperative", []kgo.Opt{kgo.Balancers(kgo.CooperativeStickyBalancer())}},
		{"eager", []kgo.Opt{kgo.Balancers(kgo.RangeBalancer())}},
		{"by the broker", []kgo.Opt{kgo.Balancers(kgo.RangeBalancer()), kgo.ServerSideBalancer()}},
	} {
		for _, c := range looptest.Cases() {
			t.Run(balance.name+"/"+c.Name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { c.Run(t, newBroker(t, balance.opts...)) })
			})
		}
	}
}

// A broker is a cluster of one in the memory of the test.
type broker struct {
	network *kfake.VirtualNetwork
	cluster *kfake.Cluster
	admin   *kgo.Client
	opts    []kgo.Opt // of every client of the loop
}

func newBroker(t *testing.T, opts ...kgo.Opt) *broker {
	t.Helper()
	network := &kfake.VirtualNetwork{}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(network.Listen), kfake.SeedTopics(looptest.Partitions, looptest.Topic),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	b := &broker{network: network, cluster: cluster, opts: opts}
	b.admin, err = kgo.NewClient(append(b.seeds(), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.admin.Close)
	return b
}

func (b *broker) seeds() []kgo.Opt {
	return []kgo.Opt{kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.Dialer(b.network.DialContext)}
}

func (b *broker) NewClient(t *testing.T, group, topic string) loop.Client {
	t.Helper()
	opts := slices.Concat(b.seeds(), b.opts, []kgo.Opt{kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic)})
	c, err := franz.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) }) // a case that fails leaves it open, and a bubble does not end before its goroutines
	return c
}

func (b *broker) Seed(t *testing.T, topic string, partition int32, records ...loop.Record) {
	t.Helper()
	for _, r := range records {
		k := &kgo.Record{Topic: topic, Partition: partition, Key: r.Key, Value: r.Value}
		for _, h := range r.Headers {
			k.Headers = append(k.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
		if err := b.admin.ProduceSync(t.Context(), k).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func (b *broker) Committed(t *testing.T, group, topic string, partition int32) int64 {
	t.Helper()
	info := b.cluster.GroupInfo(group)
	if info == nil {
		return -1
	}
	if at, ok := info.Commits[topic][partition]; ok {
		return at.Offset
	}
	return -1
}
