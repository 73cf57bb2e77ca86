// Package producer is the publishing client of a replicated log, after Kafka's Java client and librdkafka, and the publishing application
// with its workload.
//
// A Client belongs to a node: an application, a consumer's handler, a relay, an engine with transactions. It is a state
// machine whose events are answers and timers; processes hand records over and wait if they like. A record's way:
//
//	hand-over ──► room and metadata? ──► batch of its partition ──► request to the leader ──► answer
//	                 max.block                linger, size              in-flight limit        retry, or the end
//	              └───────────────────────── delivery timeout ─────────────────────────────┘
//
// It may import sim, model, model/wire and model/client. Its invariants:
//
//   - Every record handed over is answered exactly once (accepted, refused, uncertain), unless the node dies first, and no
//     answer lies: what is refused was not written and will not be, what is accepted was said to be written. Envelope: any
//     behaviour of brokers and network, as long as brokers do not lie; with acks=0 success says nothing.
//   - With idempotence nothing is written twice or behind what was handed over later for its partition. The envelope is
//     that of the real clients, and narrower than their documentation: see TestIdempotence, and testdata/idempotence.txt
//     for where it ends.
//   - With one request in flight records are first written in order, whatever is tried again.
//   - The state of a transactional client changes in transactions.move only, along Kafka's machine.
//   - A client with nothing outstanding has no timer and sends nothing.
//
// To add a setting: a field of Settings with its default in each profile, a rule in Problems if it has one, and a script. To add
// an error of the coordinator: judge in steps.go.
//
// # Deviations
//
// Batches that are too large are refused and not split. A new connection is the request that goes over it: it takes no
// round trip of its own. What answers out of order on a connection, which a stream cannot do, waits for what is before it. The
// sender's thread is the events of one instant; it takes no time. Leaders in produce replies (KIP-951) and the backoff that
// is skipped for a new leader (KAFKA-15415) are left out, as is the log start offset in refusals of a sequence, so that
// UNKNOWN_PRODUCER_ID always costs an epoch. The number of a batch that expires in its first try is unresolved, too; Java notes that of
// batches only that were tried again, so that what comes behind one that has never arrived is refused until it expires in turn. If
// a number is lost while a transaction of version 1 is being aborted, the client asks for an epoch behind the end; Java comes to
// INITIALIZING then without asking, and is of no more use (read in 4.0). With acks=0 a connection that the broker's machine has closed goes on taking
// records until the metadata names another leader; Java keeps them back until there is a connection. librdkafka's
// idempotence is Java's here: the same rules for epochs, gaps and retries; its transactional calls wait for the transaction
// timeout where their callers would name one.
//
// What to read next: settings.go (what there is to set), client.go (what callers see), accumulator.go (queues and room),
// sender.go and results.go (requests and their answers), sequence.go (idempotence), transaction.go and steps.go,
// application.go, workload.go (what arrives). testdata/*.txt shows each behaviour. single.go is the client of the
// single broker.
package producer
