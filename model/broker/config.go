package broker

import (
	"github.com/twiceless/twiceless/model/broker/coordinator"
	"github.com/twiceless/twiceless/model/broker/partition"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Config of the brokers of a cluster: all have the same. The zero value of a field is the default of Kafka 4. Times are of
// the broker's monotonic clock.
type Config struct {
	// Topics as the controller has them, which says which partitions there are; here they say how a log is kept.
	Topics                 []wire.Topic
	OffsetsPartitions      int
	TransactionsPartitions int

	Session       sim.Duration // broker.session.timeout.ms, as the controller has it: what is asked of the controller is given up after half of it; 0 = 9 s
	Heartbeat     sim.Duration // broker.heartbeat.interval.ms, to the controller; 0 = 2 s
	ImageWait     sim.Duration // how long a poll for metadata parks at the controller; 0 = 2 s
	ControlRetry  sim.Duration // until the controller is asked again after an error, and between beats while stopping; 0 = 500 ms
	FetchWait     sim.Duration // replica.fetch.wait.max.ms: how long a follower's fetch parks at its leader; 0 = 500 ms
	FetchBackoff  sim.Duration // replica.fetch.backoff.ms: until a fetch that failed is tried again; 0 = 1 s
	FetchTimeout  sim.Duration // after which a follower asks again; 0 = 5 s, for a cut swallows what TCP would send again (replica.socket.timeout.ms is 30 s)
	FetchRecords  int          // in place of replica.fetch.max.bytes: records of one partition in one reply; 0 = 1000
	ReplicaLag    sim.Duration // replica.lag.time.max.ms, looked at every half of it; 0 = 30 s
	Checkpoint    sim.Duration // replica.high.watermark.checkpoint.interval.ms; 0 = 5 s
	RetentionScan sim.Duration // log.retention.check.interval.ms; 0 = 5 min
	Writeback     sim.Duration // how long the operating system keeps what is not fsynced; 0 = 30 s, < 0 = for ever
	AppendTimeout sim.Duration // how long a coordinator's append waits for followers (offsets.commit.timeout.ms); 0 = 5 s

	ProducerExpiry sim.Duration // producer.id.expiration.ms, by wall clocks; 0 = 24 h
	ProducerScan   sim.Duration // producer.id.expiration.check.interval.ms: expired ones are forgotten at multiples of it; 0 = 10 min

	// Truncation is how a follower finds where its log parts from its new leader's. Today's is ByMatchedEpoch.
	Truncation partition.Truncation

	// UnfencedFetch is Kafka before 2.1 (KIP-320): followers and consumers fetch without saying which leader they take the
	// broker for, and a follower asks for its truncation point in a request of its own.
	UnfencedFetch bool

	// LooseHighWatermark is Kafka before 3.7 (KAFKA-15583): the high watermark moves although fewer than min.insync.replicas
	// are in sync.
	LooseHighWatermark bool

	// WithoutBrokerEpochs is Kafka before 3.5: a leader heeds a follower's fetch of whatever session (KIP-841, KIP-903).
	WithoutBrokerEpochs bool

	// EarlyOffsets is Kafka before 2.2 (KIP-207): a new leader answers for its end with a high watermark that may be behind
	// the one before it.
	EarlyOffsets bool

	// WithoutVerification is Kafka before 3.6 (KIP-890): a leader takes a transactional record without asking the coordinator
	// whether the transaction is open (transaction.partition.verification.enable).
	WithoutVerification bool

	// EarlyListener is Kafka with ZooKeeper: a broker answers clients before it knows the topics, that there are none.
	EarlyListener bool

	// Work is for how long a broker is busy with each request before it does what it asks for, and a follower with what it
	// fetched; nil = no time. Handlers is num.io.threads; 0 = 8.
	Work     Work
	Handlers int

	// Log is how logs judge batches. Its Defects are those of the broker too.
	Log partition.Config

	// Groups and Transactions make the coordinator of a partition of the internal topics; nil = ErrNoCoordinator.
	Groups, Transactions Factory

	// PerBroker, if it is set, is called at each boot of a broker and makes both, for coordinators that share something on
	// their broker, which must not outlive its incarnation.
	PerBroker func(n *sim.Node) (groups, transactions Factory)
}

// Factory makes the coordinator of a partition whose leadership begins.
type Factory func(coordinator.Host) coordinator.Coordinator

func (c Config) filled() Config {
	c.Topics = wire.WithInternal(c.Topics, c.OffsetsPartitions, c.TransactionsPartitions)
	for _, d := range []struct {
		field *sim.Duration
		value sim.Duration
	}{
		{&c.Session, 9 * sim.Second}, {&c.Heartbeat, 2 * sim.Second}, {&c.ImageWait, 2 * sim.Second}, {&c.ControlRetry, 500 * sim.Millisecond},
		{&c.FetchWait, 500 * sim.Millisecond}, {&c.FetchBackoff, sim.Second}, {&c.FetchTimeout, 5 * sim.Second},
		{&c.ReplicaLag, 30 * sim.Second}, {&c.Checkpoint, 5 * sim.Second}, {&c.RetentionScan, 5 * sim.Minute}, {&c.Writeback, 30 * sim.Second},
		{&c.AppendTimeout, 5 * sim.Second}, {&c.ProducerExpiry, 24 * sim.Hour}, {&c.ProducerScan, 10 * sim.Minute},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if c.Truncation != partition.ByMatchedEpoch {
		c.UnfencedFetch = true // these are older
	}
	if c.FetchRecords == 0 {
		c.FetchRecords = 1000
	}
	if c.Handlers == 0 {
		c.Handlers = 8
	}
	return c
}

func (c *Config) topic(name string) *wire.Topic {
	for i := range c.Topics {
		if c.Topics[i].Name == name {
			return &c.Topics[i]
		}
	}
	panic("broker: the controller knows a topic that the brokers were not told of: " + name)
}

// controlTimeout is how long a broker waits for the controller beyond what it parks there.
func (c *Config) controlTimeout() sim.Duration { return c.Session / 2 }
