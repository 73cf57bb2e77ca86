// Package consumer is a member of a consumer group: the client as a poll loop sees it, modelled on Kafka's.
//
// # What it is
//
// A member has one process, the poll loop, in which an engine of package model/stack runs. All else are events of its
// node: fetches that park at brokers, heartbeats, joins, commits by a timer. So the session lives while the loop works;
// what the group wants of the application (giving partitions up and taking them over, with the callbacks) waits for its
// next poll; and a loop that does not poll for max.poll.interval is taken out of the group without being told. A
// paused node stops it all: it wakes up still believing that it owns its partitions, and works on what it has in
// memory, until a party that fences tells it.
//
//	Poll ──► attend   lost? give up all ─ share given? reconcile ─ rebalance? prepare and join ─ positions known? announce
//	     ──► collect  hand over what was fetched, without markers and what was aborted; the positions move
//	     ──► pump     ask for positions, places in the log, validation, records
//	     ──► wait     for an answer that changes something
//
// Options are Kafka's, and the profiles Java, JavaBefore3 and Librdkafka their defaults. Group protocols: classic and
// eager (range, round-robin), cooperative (sticky, KIP-429), static members (KIP-345), server-side assignment (KIP-848).
//
// # Invariants
//
// Within an envelope of any kills, power losses, pauses, partitions and graceful stops of members and brokers, and moves of
// leaders and coordinators, that lose no acknowledged record:
//
//   - A record is handed over only of a partition that the member believes it owns, in the order of offsets, without
//     a gap but for markers and what is aborted, from the position of the assignment on, unless somebody seeks.
//   - No position is committed that lies behind what was handed over, and none under a generation that the member has not
//     been told.
//   - In one generation one member believes that it owns a partition (the defects below aside).
//   - Idle members are memoryless and exactly periodic; at each broker at most one fetch is parked.
//
// A position goes back only by Seek, by a reset, and to where the log of a new leader parts from what was read (KIP-320).
//
// # How to add
//
// An assignor: a case of assignorOf. A client profile: a function beside Java. A published defect: a row of
// model.DefectTable and one if beside the rule that it breaks. A behaviour of the protocol: a text in testdata.
//
// # Deviations
//
// One topic per member. Poll waits until there are records, where a real loop comes round every few milliseconds: the
// poll interval does not run meanwhile, and a commit that came in the middle of a rebalance is tried again by the client when
// that is over, and one that a server-side group refuses for its epoch under the next one, where Java's commitSync fails.
// What fails is tried again after a backoff without jitter, and what fails in one event shares it. Positions that have not moved are not auto-committed again. A reset or a leaderless partition delays
// only its own partition's first record, and the others of the same share by one try. Regular-expression
// subscriptions, rack awareness, fetches from followers, fetch.min.bytes above 1, quotas and pauses of partitions that
// outlive a rebalance are not modelled, nor is the log-truncation exception: with no reset policy the application is
// told by a fact, gave-up, and the partition is left unread. A static member of a server-side group whose place is not free
// yet asks again, where a Java client fails and is started again by whoever supervises it. A member that is fenced is made anew
// in the same incarnation of its node: layers that keep something in the memory of the process have it still.
//
// It may import sim, model, model/wire and model/client. What to read next: options.go, consumer.go (the loop), ownership.go (what
// a loop is asked to do), membership.go and server.go (the protocols), positions.go, fetcher.go, records.go, commits.go; and
// testdata, which shows each behaviour step by step.
package consumer
