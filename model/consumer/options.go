package consumer

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
	"github.com/twiceless/twiceless/sim"
)

// Loop is what an engine runs in each member.
type Loop func(model.Ctx, model.Consumer)

// GroupProtocol says who assigns partitions (group.protocol).
type GroupProtocol uint8

// Classic has the group's leader, a member, assign them. ServerSide has the coordinator do it (KIP-848).
const (
	Classic GroupProtocol = iota
	ServerSide
)

// ResetPolicy is where a member begins that finds no committed position, or one that the log does not hold
// (auto.offset.reset).
type ResetPolicy uint8

// ResetLatest skips what is there, ResetEarliest reads all of it, ResetNone reads nothing: the application is told.
const (
	ResetLatest ResetPolicy = iota
	ResetEarliest
	ResetNone
)

// AutoCommit says what the client commits by itself (enable.auto.commit).
type AutoCommit uint8

// CommitsNothing leaves it to the loop. CommitsPolled is the Java client: inside a poll, when the interval has passed, and before it joins
// or leaves, it commits the positions behind what earlier polls have returned. CommitsStored is librdkafka
// (enable.auto.offset.store): a position is stored when its record is handed over, and a timer commits what is stored,
// whatever the loop does meanwhile.
const (
	CommitsNothing AutoCommit = iota
	CommitsPolled
	CommitsStored
)

// Options of a member, by the names of Kafka's configuration. Durations are on the member's monotonic clock but
// SessionTimeout and FetchMaxWait, which it asks a broker for, on the broker's. Take a profile and change what differs.
type Options struct {
	Group, Topic string
	Bootstrap    []*sim.Node // brokers to begin with
	Protocol     GroupProtocol
	Assignors    []string // partition.assignment.strategy, in order of preference: range, round-robin, cooperative-sticky
	Static       bool     // the member has a group.instance.id: group/node
	Restart      sim.Duration

	SessionTimeout  sim.Duration // session.timeout.ms
	Heartbeat       sim.Duration // heartbeat.interval.ms; with ServerSide the coordinator says
	MaxPollInterval sim.Duration // max.poll.interval.ms; also the rebalance timeout
	MaxPollRecords  int          // max.poll.records
	FetchMaxWait    sim.Duration // fetch.max.wait.ms
	FetchRecords    int          // of one fetch: what max.partition.fetch.bytes comes to, in records
	Prefetch        int          // queued.min.messages of librdkafka: a partition is fetched, also while the loop works, as long as it has fewer buffered; 0 = as Java: inside polls, if it has none
	RequestTimeout  sim.Duration // request.timeout.ms
	CommitTimeout   sim.Duration // default.api.timeout.ms: of a commit with its retries
	Backoff         sim.Duration // retry.backoff.ms: after a failure, doubled with each further one
	BackoffMax      sim.Duration // retry.backoff.max.ms
	MetadataMaxAge  sim.Duration // metadata.max.age.ms

	Isolation          wire.Isolation
	RequireStable      bool // positions of open transactions are waited for (KIP-447)
	Reset              ResetPolicy
	AutoCommit         AutoCommit
	AutoCommitInterval sim.Duration // auto.commit.interval.ms

	// CommitWhileJoining sends commits while the member takes part in a rebalance, and when it is out of the group;
	// otherwise they fail in the client, as in Java.
	CommitWhileJoining bool

	// ClientSession has the member give its share up as lost when no heartbeat was answered for SessionTimeout on its own
	// clock, as librdkafka does; a Java member keeps it until a coordinator tells.
	ClientSession bool

	Planted model.Planted
	Defects model.Defects
}

// Java is the Java client from 3.0 on with its defaults. With two assignors of different protocols the members are eager:
// range wins.
func Java() Options {
	return Options{
		Assignors:      []string{Range, CooperativeSticky},
		SessionTimeout: 45 * sim.Second, Heartbeat: 3 * sim.Second, MaxPollInterval: 300 * sim.Second, MaxPollRecords: 500,
		FetchMaxWait: 500 * sim.Millisecond, FetchRecords: 1000,
		RequestTimeout: 30 * sim.Second, CommitTimeout: 60 * sim.Second, Backoff: 100 * sim.Millisecond, BackoffMax: sim.Second,
		MetadataMaxAge: 5 * sim.Minute,
		Isolation:      wire.ReadUncommitted, RequireStable: true, Reset: ResetLatest,
		AutoCommit: CommitsPolled, AutoCommitInterval: 5 * sim.Second,
	}
}

// JavaBefore3 is the Java client before 3.0: the session is shorter (KIP-735).
func JavaBefore3() Options {
	o := Java()
	o.Assignors = []string{Range}
	o.SessionTimeout = 10 * sim.Second
	return o
}

// Librdkafka is the client of C, Python, Go and .NET, with the defaults of its CONFIGURATION.md. It hands over one record at
// a time; a loop that takes more asks for a batch.
func Librdkafka() Options {
	o := Java()
	o.Assignors = []string{Range, RoundRobin}
	o.MaxPollRecords, o.Prefetch = 1, 100_000
	o.Isolation, o.RequireStable = wire.ReadCommitted, true
	o.AutoCommit = CommitsStored
	o.CommitWhileJoining, o.ClientSession = true, true
	o.BackoffMax = sim.Second
	return o
}

// cooperative says that the member keeps what stays. A classic member is cooperative only if all its assignors are (KIP-429).
func (o *Options) cooperative() bool {
	if o.Protocol == ServerSide {
		return true
	}
	for _, a := range o.Assignors {
		if a != CooperativeSticky {
			return false
		}
	}
	return true
}

// check panics on options that no client would start with: a bug of whoever made them.
func (o *Options) check() {
	switch {
	case o.Group == "" || o.Topic == "" || len(o.Bootstrap) == 0:
		panic("consumer: a member needs a group, a topic and brokers")
	case o.Protocol == Classic && len(o.Assignors) == 0:
		panic("consumer: a member needs an assignor")
	case o.MaxPollRecords <= 0 || o.FetchRecords <= 0:
		panic("consumer: a poll or a fetch of no records")
	case o.FetchMaxWait <= 0 || o.Heartbeat <= 0 || o.Backoff <= 0 || o.MaxPollInterval <= 0 || o.AutoCommit != CommitsNothing && o.AutoCommitInterval <= 0:
		panic("consumer: a wait of nothing: it would spin")
	}
	for _, a := range o.Assignors {
		if assignorOf(a) == nil {
			panic("consumer: no assignor " + a)
		}
	}
}
