// Package broker is one broker of a replicated log, after Kafka's: replicas that lead or follow, the in-sync sets and high
// watermarks that leaders keep, what producers and consumers ask of them, and the place where coordinators live. Its
// requests and replies are in package wire; what brokers say to each other is here (ReplicaFetchRequest). Below it lie its
// siblings: partition, the log of one replica in memory, which this package writes to disks; coordinator, the contract with
// groups and transactions.
//
// It imports sim, model, model/wire, and of its siblings partition and coordinator. The controller it knows by messages.
//
// # What it guarantees
//
// Replication. A follower has a prefix of what its leader had in the same epoch, byte by byte. The high watermark of a
// leader never goes back within its epoch, and covers only what all members of its in-sync set have, and of one that
// may have been granted already. What readers were shown below it stays, at its offset.
//
// Producing. acks=all is answered with success when the high watermark has passed the records and enough replicas are in
// sync; then a new leader has them. acks=1 when they are in the leader's page cache: another leader may lack them.
// Errors that come after the append say so (wire.Definite). A batch of an idempotent producer is appended once.
//
// Coordinators. All that a coordinator was told is written is below the high watermark, and the next coordinator
// loads it before it answers anything. Once a leadership is over its coordinator writes nothing.
//
// # Fault envelope
//
// With acks=all, min.insync.replicas=2 and three replicas: any number of kills, pauses, graceful stops and cuts, of brokers
// and of the controller, at every event; loss, delay and reset of any message; drift of any clock; power losses of the
// controller; and power losses of brokers as long as fewer than min.insync.replicas replicas of a partition have stopped
// uncleanly, counted until they are in sync again; one that is stopped in good order before it has heard of its session counts as
// such, too, because its disk cannot vouch for that session (KIP-966). Beyond that the last known leader leads, and what it lost is lost: the
// election says that it was unclean. Without eligible replicas (controller.Config.WithoutELR) no power loss of a
// sole in-sync replica is inside. Outside of it are all settings of before (Config), which is what they are for.
//
// # Timers
//
// All are on the broker's monotonic clock and background. Idle: one fetch per follower and leader, parked for half a second;
// a beat and a poll for metadata every two; a look at the in-sync sets every 15 s while the broker leads anything. Nothing
// else has a timer while it has nothing to do: checkpoints, retention, flushes and retries are armed by what they wait
// for, producers are looked at when one is asked about. Wall clocks stamp batches; retention and the expiry of producers
// compare with them.
//
// # Facts
//
// An appended fact is recorded before its record is written, which carries its id; a copy states the original as its cause.
// A boot that does not find on its disk what the replica had states a truncation there. An election is stated by the
// replica when it begins to lead, unless a later one was stated before. Watermarks are stated by a leader from where it has
// come to the end that it was elected with: what lies below was stated by others (see Config.EarlyOffsets). Of internal
// topics only elections and truncations are stated: what they hold is their coordinators'.
//
// # To add to it
//
// A request: an op of package wire, a case of Receive, a script in testdata. A behaviour of an older version: a field of
// Config, false today, heeded at one place, with a script beside the one that shows today's. A published defect: a row of
// model.DefectTable and one if beside the rule that it breaks.
//
// # Deviations from Kafka
//
//   - A log is one file of batches; segments, indexes and the leader epoch checkpoint are not modelled: epochs are read from
//     the batches. Retention takes whole batches, its scan runs on leaders, and followers do as their leader did. Logs are
//     never compacted.
//   - The limits of fetches count records and not bytes. There are no fetch sessions; a fetch names all its partitions, and
//     is answered with those that have something to say. Followers do not serve consumers.
//   - One fetcher per leader. A cut swallows messages which TCP would send again: hence the shorter Config.FetchTimeout.
//   - An error of acks=0 is dropped, where Kafka closes the connection.
//   - What a producer sends while its transaction is being verified waits in line; Kafka verifies each request by itself.
//   - A coordinator is loaded in no time, and only up to the high watermark; Kafka reads to the end of the log.
//   - Metadata is asked of the controller by a long poll of changes; Kafka's brokers replicate the controller's log.
//   - A broker that has not been unfenced refuses connections (but see Config.EarlyListener).
//   - Group and transaction partitions are found by a hash that is not Java's.
//
// To read next: broker.go, replica.go (what a replica may become), leader.go (the high watermark), isr.go, fetcher.go, and
// testdata/*.txt, where the protocol is told by example; storm_test.go has the invariants.
package broker
