package groups

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Config of the group coordinators of a broker. The zero value is what Kafka 4 does by default; a duration of 0 means the
// default that is stated. All durations but OffsetsRetention are on the broker's monotonic clock.
type Config struct {
	InitialRebalanceDelay sim.Duration // group.initial.rebalance.delay.ms: how long the first join of an empty group waits for others; 3 s, negative = not at all
	CommitTimeout         sim.Duration // offsets.commit.timeout.ms: how long a request waits until its record is replicated; 5 s
	OffsetsRetention      sim.Duration // offsets.retention.minutes, on the broker's wall clock; 7 d (1 d before 2.0, KIP-186)
	RetentionCheck        sim.Duration // offsets.retention.check.interval.ms: positions expire at multiples of it from the load on; 10 min
	SessionTimeout        sim.Duration // group.consumer.session.timeout.ms: of members of a server-side group; 45 s (KIP-848)
	HeartbeatInterval     sim.Duration // group.consumer.heartbeat.interval.ms: what those are told; 5 s (KIP-848)

	// ExpireActive has a position expire when OffsetsRetention has passed since its commit, whether or not the group has
	// members: before 2.1 (KIP-211).
	ExpireActive bool

	// AnonymousJoin takes a dynamic newcomer in by its first join, so that one that its client gave up on leaves a member
	// behind that must time out: before 2.2 (KIP-394).
	AnonymousJoin bool

	// Verify asks the transaction's coordinator whether a partition of the offsets topic is in the transaction, before
	// positions are appended to it (KIP-890 part 1, 3.6 and later); then is called once, in an event of the node or
	// before Verify returns. nil = nobody asks.
	Verify func(req *wire.TxnCommitRequest, partition int, then func(error))

	Defects model.Defects
	Planted model.Planted
}

func (c Config) filled() Config {
	for _, d := range [...]struct {
		of       *sim.Duration
		standard sim.Duration
	}{
		{&c.InitialRebalanceDelay, 3 * sim.Second}, {&c.CommitTimeout, 5 * sim.Second}, {&c.OffsetsRetention, 7 * 24 * sim.Hour},
		{&c.RetentionCheck, 10 * sim.Minute}, {&c.SessionTimeout, 45 * sim.Second}, {&c.HeartbeatInterval, 5 * sim.Second},
	} {
		if *d.of == 0 {
			*d.of = d.standard
		}
	}
	c.InitialRebalanceDelay = max(c.InitialRebalanceDelay, 0)
	return c
}

// newcomerPatience is how long a newcomer's join may be parked before it is taken for dead: it has no session yet.
const newcomerPatience = 5 * sim.Minute
