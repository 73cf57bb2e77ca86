// Package groups is the coordinator of consumer groups on one partition of the offsets topic, after Kafka's: the
// classic protocol (join and sync barriers, static members), server-side assignment (KIP-848), and the groups'
// positions, plain and transactional.
//
// It imports sim, model, model/wire and model/broker/coordinator. Requests and replies are in model/wire/groups.go and
// transactions.go; the broker makes a Coordinator for each partition of the topic that it leads and hands it the
// requests.
//
// # What it guarantees
//
// A generation whose assignment was handed out is never issued again, not by another coordinator either: the assignment
// is replicated before anybody is told a share. Until then a generation is known to this coordinator alone. One
// generation has one membership, but that a static member may go on as its own next incarnation. A group that is
// forgotten, having neither members nor positions, begins anew.
//
// A commit takes effect when the high watermark has passed it, in the order of the log, and no plain commit of a
// generation once a later one is complete; that of a transaction when its commit marker comes, however late. The last
// commit in the log wins; a transaction's lies where it was appended, not where its marker is. A position whose commit
// was answered survives all but the loss of the partition's log.
//
// Of a server-side group no partition is held by two members that are in it: a partition is given out when its last
// holder has said that it has given it up, or was put out of the group. Nobody is told anything that is not replicated.
//
// Whatever is parked ends: at a barrier, with a session, by CommitTimeout, or with the coordinator.
//
// # Fault envelope
//
// These hold under the loss, delay and reset of any message, kills and power losses of brokers at every event, moves of
// the leadership, an in-sync set that is too small before or after an append, drift of monotonic clocks, and zombies,
// as long as the partition keeps what its high watermark has passed. After an unclean election or the loss of too many
// page caches positions go back and generations come again. Wall clocks decide only about expiry. That no partition has
// two holders does not cover a member that was put out and does not know it, nor one of whose former heartbeats comes
// late, after others: it may say that something is not held which is by now.
//
// # Timers
//
// On the broker's monotonic clock. Background: sessions (restarted by heartbeat and commit; that of a member that waits
// at a barrier does not count, that of a newcomer is 5 minutes until its first answer), ids that were promised (one
// session), join barrier (the longest rebalance timeout; of a group that was empty InitialRebalanceDelay, again for as
// long whenever somebody has come meanwhile, together at most the rebalance timeout), sync barrier (the rebalance
// timeout, from the generation until everybody has asked for its share), revocation (the member's rebalance timeout),
// expiry. In the name of the request: CommitTimeout. Idle work is the answering of heartbeats; it keeps no counts and
// notes no times.
//
// # Facts
//
// generation, when the rebalance is complete: the sync barrier is past and the assignment replicated, or every member
// of a server-side group has reached the group's epoch. Empty generations are not stated. evicted, whenever a member is
// dropped that did not leave. committed, when the commit takes effect; of a transaction at its marker, with the
// producer's id as its Value. A coordinator that is loaded cannot know whether the former one lived to state what had
// come true: it states the complete generation again (Value loaded) and each position, of which it names the request
// only if no later generation has completed since. The fence of a server-side group is the member's epoch.
//
// # What it asks of its host
//
// The partition's log takes nothing but this coordinator's appends and markers. A refusal (nothing was written) comes
// before any later append is replicated. Callbacks come in the order of appends; whether before or after those markers
// that the same step of the high watermark passes does not matter.
//
// # What to read next
//
// coordinator.go (what others call), group.go (the states of the classic protocol), join.go and sync.go (its barriers),
// server.go and reconcile.go (KIP-848), position.go and transaction.go, load.go, write.go (what an append comes to);
// testdata/*.txt, where each behaviour is told by example. To add a request: its case in Receive, a check like those of
// mayCommit, and a script.
//
// # Deviations from Kafka
//
//   - The number of a generation is on no log before its assignment is, as in Kafka: a coordinator that moves between
//     the barriers issues it again. Members of the first one were told no share under it, but may commit, while the
//     next rebalance gathers, what they had before.
//   - A group is one record, also a server-side one, whose changes are so written together; Kafka has a record for
//     each member. The offsets topic is not compacted here.
//   - A commit of which nobody can say whether it stays (leadership lost, in-sync set shrunk after the append, time
//     out) is answered REQUEST_TIMED_OUT; Kafka says NOT_COORDINATOR or COORDINATOR_NOT_AVAILABLE for some of these.
//     Clients act alike on all three; only the first does not claim that nothing has happened. It takes effect here
//     when the log settles it; before 4.0 Kafka's cache did not learn of it before the next load.
//   - A change of a server-side group that the log refuses stays in memory and is written with the next heartbeat;
//     Kafka rolls it back. Nobody is told of it before it is written, in either.
//   - OffsetFetch with require_stable is answered UNSTABLE_OFFSET_COMMIT for plain commits on their way, too, as
//     before 4.0, when it came to wait for them. Of a server-side group it is not checked against the member's epoch.
//   - A leader that comes back as a static member is told that its former self leads, as before KIP-814, so it does
//     not see a change of partitions until the next rebalance.
//   - Of equally many votes for an assignor the first member's liking decides.
//   - The target of a server-side group is made at the heartbeat that needs it, by one assignor (uniform, in its
//     effect). Regular expressions, client-side assignors, and a group whose members speak both protocols are left
//     out; an empty group changes its protocol, and its epochs go on where its generations ended. Commits are checked
//     as before KIP-1251.
//   - Bounds of session timeouts and of the size of groups, rack awareness, static members' leave reasons and the
//     operators' requests (describe, delete, list) are left out.
//   - A scan for expired positions is armed for the moment at which one may find something. A wall clock that is set
//     forward meanwhile is noticed then, not at the next 10 minutes.
package groups
