// Package client is what one client knows of a replicated cluster: which broker leads a partition, which coordinates a
// group or a transaction. Producers, consumers and operators on a node have one and share it.
//
// It is asynchronous: what was asked for comes as an event of the node; AwaitLeader and AwaitCoordinator are the same for
// processes. It may import sim, model and model/wire.
//
// Invariants, whatever happens to brokers and network:
//
//   - What is known of a partition never goes back to an older leader epoch, however late a broker's view is.
//   - At most one metadata request is under way, and between two of them passes the backoff.
//   - Each callback runs once, unless the node's incarnation ends before.
//   - An idle client sends nothing.
//
// A request goes to one broker after the other until one answers: the one that answered last comes first. After a round in
// which none did the asker hears of it, and the next round begins with the bootstrap brokers.
//
// Deviations from the Java client: metadata that has come of age is asked for anew at the next use and not by a timer, so
// a client that uses nothing hears of nothing; the broker to ask is the one that answered last, where Java takes the one
// with the fewest requests under way, which Avoid stands for; a connection that cannot be set up costs the request timeout
// and not the shorter one of connections; topics that are no longer used are not forgotten (metadata.max.idle).
//
// What to read next: cluster.go (leaders), coordinator.go, await.go.
package client
