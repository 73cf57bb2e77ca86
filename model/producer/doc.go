// Package producer is the publishing application and its client of the log: open-loop arrivals, one connection
// and one request in flight per partition, batches of what has queued meanwhile.
//
// It may import model, sim, sim/rng and sim/history. Its invariants: every offered intent is answered to the
// application exactly once (accepted, refused or uncertain) unless the producer dies first; records of one
// partition are appended in the order of their intents by every first try.
//
// Deviation from real clients: the Java client and librdkafka keep up to five (or a million) batches in flight;
// this one keeps one per partition, so a retry cannot reorder.
//
// What to read next: workload.go (what arrives), client.go (what the client does about it).
package producer
