// Package downstream holds the services that stages call: one handler state machine per kind, on a node whose role
// is the service's name (payments on node payments-1).
//
// All kinds share what package file service.go does: an outage refuses at the door; a capacity admits as a leaky
// bucket; a keyed service time passes; then the effect becomes one record on the service's disk, and only when that
// record is durable do the fact "applied", the step "applied" and the reply follow. So a crash falls before the
// record (nothing happened), between record and reply (it happened, the caller does not know), or after.
//
// It may import model, sim, sim/rng and sim/history; its siblings under model never import it.
//
// Invariants:
//
//   - An answered effect is on the disk, whatever stops the node later.
//   - Each effect record has exactly one fact "applied". A record that a kill left in the page cache, before anyone
//     could state it, is made durable and stated by the next boot, before that boot answers anybody.
//   - The errors a service answers with are definite: it did not act.
//
// A database also speaks SQL. Relational is its engine: tables, locks and snapshots, without node or time; what it does
// is written down, session by session, in testdata/sql. sqlServer is the connections of a node to it.
//
// To add a kind: one file with its handler, one line in kinds.go; the suite in downstreamtest runs over the table.
// What to read next: service.go, notification.go (the simplest kind), payments_api.go, database.go, relational.go,
// sqlserver.go.
package downstream
