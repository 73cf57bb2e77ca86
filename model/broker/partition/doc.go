// Package partition is the log of one replica of a partition, in memory: batches, the leader epochs in which they were
// written, what is known of the producers that wrote them, and their transactions. It knows no node, no disk and no time:
// a broker gives it what came, writes what it says to its disk, and asks it what to answer. Names are Kafka's.
//
// It imports sim (for times), model and model/wire.
//
// # What it keeps
//
// All that it knows of epochs, producers and transactions is a function of the batches that it holds, of the high
// watermark, and of what it has forgotten by age: a boot that reads the same records knows the same (Open), a follower
// that takes the same batches too. Four things are known beyond the records, on this replica and until a boot or a
// truncation: an epoch that began and has no record (BeginEpoch), producers whose records retention took (KAFKA-7190),
// what ExpireProducers has forgotten, and what a leader is asking the coordinators of transactions (Verify).
//
// Start ≤ last stable offset ≤ high watermark ≤ end. Batches are contiguous; nothing that was read ever changes. The
// entries of the epoch cache grow in epoch and offset, and if the leader was asked ByMatchedEpoch and fetches are fenced,
// so do the epochs of batches. What Check lets pass has, within one epoch of a producer, no gap and nothing twice, except
// for what the rules of Kafka let through: state that is gone accepts any sequence, and a batch that is older than the
// cache, split otherwise, or sent in another epoch is not known.
//
// Envelope: this holds whatever fails, as nothing here can fail; Invariants tells what does not. A defect (Config.Defects)
// breaks what its row in model.DefectTable says. Whether the replicas agree is the broker's business.
//
// # The files
//
// log.go: batches, watermarks, reading, truncation, retention. epochs.go: the leader epoch cache and the lookups by which
// followers cut (KIP-101, KIP-279, KIP-595). producers.go: sequences (KIP-98, KIP-360). transactions.go: markers, the last
// stable offset, aborted transactions (KIP-98, KIP-890). verification.go: what a leader asks before a transaction begins. encode.go: one record of a disk for each batch. invariants.go.
//
// To add a rule of the producer state: one case in Check, CheckTransaction, CheckVerified or CheckMarker if the leader judges, in noteData
// or noteMarker if the state follows, and a script in testdata. What is noted must need nothing but the batch.
//
// # Where it differs from Kafka
//
//   - There are no snapshots of producer state: it is rebuilt from all the records that there are. Kafka's snapshot of a
//     segment keeps the state of producers whose records are gone, and of each only the last batch. So here more
//     producers are unknown after a boot, and those that are known have all of their cache.
//   - There are no segments: retention takes single batches, and an epoch without a record is not on the disk.
//   - The last stable offset is a function of the high watermark. Kafka forgets that a marker was above it once it was
//     below, so that a follower whose watermark went back may, there, count as decided what here waits.
//   - A batch of a coordinator, without a sequence, is not in the cache of five.
//   - A follower takes all that its leader has, a record outside of its producer's open transaction too, which Kafka's
//     refuses.
//   - A marker of a transaction of version 2 is not held to an epoch above the producer's (KIP-1228): the request does
//     not tell the version.
//   - Nothing is compacted.
//
// # To read next
//
// testdata/*.txt, where each behaviour is told by example; then the broker, whose replicas these logs are.
package partition
