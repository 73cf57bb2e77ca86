// Package raft replicates a log of commands among the nodes of a group: Ongaro and Ousterhout's Raft (USENIX ATC 2014), with
// the pre-vote of Ongaro's thesis (2014, 9.6) where asked for. A replicated queue is its only user; it knows nothing of queues.
//
// It may import model, sim and sim/rng. A member is a state machine on a node that hands its requests to Receive:
//
//	follower ──no word of a leader for the election timeout──► candidate ──votes of a majority──► leader
//	    ▲────────────a request of a later term, or of this term's leader────────────┘               │
//	    ▲──────────a later term, or nothing heard from a majority for LostQuorum────────────────────┘
//
// # Invariants
//
// Those of the paper (figure 3): at most one leader in a term; a leader appends only; logs that agree on an entry's term
// agree on all before it; what is committed is in the logs of all later leaders; no two members apply different commands at
// one index. They hold under any kills, power losses, pauses, partitions, losses and delays of messages and drifts of
// clocks, of any number of members, if SyncEvery is 0. A member that is written to disk only every so often has voted for
// what it may lose: then they hold under all of these but power losses, and under these as long as what a member lost had
// been committed without it. That is the published failure of NATS (jepsen.io/analyses/nats-2.12.1): see the scripts
// sync-interval.txt and sync-always.txt. Progress needs a majority that hears each other.
//
// # Timers
//
// All are background and on the node's monotonic clock: heartbeat, election timeout (drawn once a term, so that idle time
// draws nothing), silence of followers, sync interval. A group of n at rest costs 2(n−1)+1 events per heartbeat period.
//
// # Known deviations
//
//   - The log is never cut at its front and there are no snapshots: a boot reads all that a run has written. Real systems
//     discard what is acknowledged; a run is short enough to keep it.
//   - The group's members never change.
//   - A follower's request is answered when the log is stable, and a leader has one request under way to each follower.
//
// What to read next: raft.go (roles, commit), election.go, replicate.go, disk.go, and testdata.
package raft
