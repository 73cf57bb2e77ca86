// Package consumer is a member of a consumer group: the client of the group protocol as a poll loop sees it.
//
// A member has two processes, as the Java client has two threads. The poll loop (an engine of package
// model/stack runs in it) fetches, handles and commits. The heartbeat keeps the session alive while the loop
// works, and takes the member out of the group when the loop has not polled for max_poll_interval. A paused node
// stops both; it wakes up still believing that it owns its partitions, and keeps executing what it holds in
// memory: a zombie is told only by a party that fences.
//
// It may import model, sim and sim/history. Invariants: a position is never committed under a generation that the
// member does not believe in; between revocation and assignment nothing is delivered.
//
// Deviations: eager range assignment only; commits are synchronous; fetches are not pipelined.
// What to read next: member.go, then model/stack/commitafter.go.
package consumer
