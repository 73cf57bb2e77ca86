// Package broker is one broker node: a partitioned log and the coordinator of consumer groups, after Kafka's
// classic (eager) protocol. Its requests and replies are in package model (wire.go).
//
// # What it guarantees
//
// Delivery: a record acknowledged with acks=1 survives kills and power losses of the broker, any number of them,
// and is at the offset that the reply names. Consumers see only what is durable (below the high watermark), so what
// one consumer has seen, every later one sees at the same offset. A commit that was acknowledged survives likewise.
// A record with acks=0, or one whose request was not answered, may be there or not; a retry makes a second record.
//
// Ordering: within a partition, by offset. Produce requests of one connection are appended in the order in which
// they were sent. Between partitions there is no order.
//
// Groups: a generation is issued once and never again, also after a crash: its number is durable before any member
// hears it. Commits of another generation are refused, so a zombie cannot move positions. Positions are last writer
// wins inside a generation, but no commit becomes visible after a newer generation is known. A group without members
// takes the commit of who is no member, backwards too: an operator's, or that of a simple consumer, who keeps a position
// and never joins.
//
// # Fault envelope
//
// It must survive, with these guarantees: kill, power loss, pause and graceful stop of the broker at every event
// (also inside its own hooks, also during recovery), loss, delay and reset of any message, drift of its monotonic clock,
// and kills, pauses and zombies of clients. It does not survive the loss of its disk: there is one replica. While it is
// down nothing is served. Wall clocks are not read.
//
// # Timers
//
// All are on the broker's monotonic clock and background. Session: restarted by heartbeat, join, sync and commit;
// while a member's join or sync is parked here its session covers the wait too (session timeout plus the longest
// rebalance timeout of the group). Join barrier: the longest rebalance timeout; a member that has not joined again
// keeps its session timer and may be evicted before. Sync barrier: as long again; whoever has not synced is dropped.
// A fetch has one timer, cancelled by data. No member waits for ever: every parked request ends by one of these.
//
// # Facts
//
// Appended is recorded when the record is handed to the page cache, because the record carries the fact's id
// (Message.Stored). A node that dies in that very hook, or loses power before the fsync, leaves an appended fact
// without a record; it was never acknowledged and the offset is used again. Likewise a commit in the page cache
// survives a kill without a committed fact: its client learns of a reset, which is indeterminate.
//
// # Deviations from Kafka
//
//   - acks=1 waits for an fsync of this one broker (shared by all that waits), where Kafka answers from the page
//     cache; there are no replicas, acks=all, transactions or idempotent producers.
//   - The first join of an empty group waits RebalanceDelay once; Kafka extends the delay with each further join.
//   - A newcomer gets its id with its first join (before KIP-394): a join that its client gave up on leaves a member
//     behind that must time out. No static members, no cooperative rebalance, no KIP-848.
//   - All members of a group read the same topic. The number of partitions is in the join reply.
//   - The number of a generation is written to the disk before it is told, and a broker that restarts between
//     that and the assignment comes back in PreparingRebalance; Kafka can issue that number again.
//   - The leader is the member that joined first of those present.
//   - A commit beyond the end of the log is refused. Positions asked for are answered behind the commits that
//     are on their way to the disk. Group records are never compacted, topics have no retention: the
//     earliest offset is always 0.
//   - After a boot nothing is served until everything on the disk is durable.
//
// # To read next
//
// model/wire.go, then log.go, group.go (the states and their transitions), rebalance.go, and testdata/*.txt, where
// the group protocol is told by example. To write another broker, see package brokertest: it must pass Conformance.
package broker
