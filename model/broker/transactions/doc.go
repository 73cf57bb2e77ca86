// Package transactions is the coordinator of transactions: it gives producers with a transactional id their identity, knows
// which partitions a transaction has, decides its end and has the leaders of those partitions write that into their logs.
// Its protocol and names are Kafka's (KIP-98, KIP-360, KIP-447, KIP-890). It imports sim, model, model/wire and
// model/broker/coordinator, and no sibling.
//
// # What it keeps
//
// One Coordinator is the state of one partition of __transaction_state, on the leader of that partition, for as long as it
// leads in one epoch. Every state but a transition under way is in the log, as the last record of its transactional id; a
// coordinator that takes the partition over goes on from there. Markers is what the coordinators of one broker share.
//
// # Invariants
//
// Only the transitions of State.follows take place. While one is under way (Kafka's pendingState) nothing else changes an
// id, and whoever asks hears ErrConcurrentTxn: that is from a decision until every partition has its marker too.
//
// An epoch of a producer id never goes back within one coordinator, nor along its log. What a producer was given is never
// given to another.
//
// A decision is never taken back: whoever is told of a commit, client or leader, is told of no abort of that transaction. This
// holds as long as the log keeps what it has acknowledged. A decision of whose append nobody can say (a timeout, an in-sync
// set that shrank) is no decision here and may be one of the next coordinator; the client must ask again until it is told.
//
// A transaction that is decided is marked in all its partitions in the end, and one that is not is aborted by its timeout,
// if the log of the coordinator and the leaders of the partitions come back and stay. Markers are written at least once: a leader
// whose answer is lost is asked again.
//
// # Fault envelope
//
// These hold through kills, power losses, pauses and moves of the coordinator at every event, loss, delay and repetition of
// any message to and from it, and leaders of partitions that are gone for any time. They do not hold with
// Config.Defects. In version 1 all transactions of an epoch look alike: what comes late of one can end or join the
// next one (KAFKA-14402, KAFKA-17754), and in version 2 it cannot.
//
// # Clocks
//
// The beginning of a transaction and the last change of an id are times of the wall clock of the coordinator's node, because
// the log hands them on to another node; a clock that is wrong aborts too early or too late by that much. Scans, the
// backoff and the timeout of requests run on the node's monotonic clock. The client's clock is never looked at.
//
// # Facts
//
// A transaction fact is stated when the log has it: init with the identity that is given out; commit or abort with the epoch
// that the markers bear, whose cause is the fact that the client named as the beginning, or that its first request for
// partitions rests on. From version 2 on that is at once the epoch of the next transaction. A coordinator that takes a
// decision over states it once more, noted "taken over": nobody can tell whether the one before lived to do so.
//
// # To add a defect
//
// One row in model.DefectTable, one if beside the rule that it breaks, and a script in testdata that shows what comes of it.
//
// # Deviations from Kafka
//
//   - Markers that a leader refuses, or that have no leader, wait for Config.Backoff; Kafka's channel tries these at once,
//     again and again, and waits only where a connection was lost.
//   - A marker whose answer is an error that Kafka does not expect there ends Kafka's thread; here it is sent again.
//   - Two requests that make an id known at the same time take two producer ids; the second is told of concurrent transactions.
//   - A verification of several partitions is answered for all of them at once. Kafka answers for each.
//   - KIP-939 (two-phase commit, transactions without a timeout) is not modelled.
//   - Where a version of Kafka failed with an exception, the answer is ErrUnknownServer or, in another thread, none.
//   - The retry of a bump to the last epoch gets the answer of before. Kafka fails there.
//   - An id that is about to expire is asked for in the meantime as any other with a transition under way.
//
// # To read next
//
// state.go (the machine), transaction.go (a transition in two steps), init.go, add.go, end.go (the requests), markers.go (what
// follows a decision), expiry.go; and testdata/*.txt, where each behaviour is told by example.
package transactions
