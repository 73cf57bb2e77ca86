// Package controller is the node that decides who leads which partition of a replicated log and who is in sync, after
// Kafka's KRaft controller. Its requests and replies are in package wire (control.go).
//
// # What it guarantees
//
// What it has told anyone is on its disk: a registration, an election, another in-sync set. So after a kill or a power loss
// it tells the same. A leader epoch of a partition names one leader for ever; a partition epoch names one state. A leader is
// elected from the in-sync replicas, or from the eligible ones (KIP-966), and from no others unless the topic allows it or
// nobody but the last known leader is left; then the state says Unclean.
//
// A broker is served in sessions: registration gives an epoch, heartbeats keep the session, and its end fences the broker:
// it leads nothing and is in no in-sync set until it has caught up again. A request of an earlier session is refused.
//
// # Fault envelope
//
// It must survive, with these guarantees: kill, power loss and pause at every event, loss, delay and reset of any message,
// drift of its monotonic clock. While it is down nothing is elected; leaders and followers go on with what they know. It
// does not survive the loss of its disk.
//
// # Timers
//
// All are on the controller's monotonic clock and background: a session per broker, begun anew by each heartbeat and, for
// brokers that were not fenced, by the controller's own boot; the retry of unclean elections, while a partition waits for
// one; the preferred leader election, while one is due.
//
// # To change it
//
// A rule of elections is a step of builder.build (elect.go); a historical behaviour is a field of Config whose zero value
// is today's Kafka. Tests play scripts in package broker, where there are brokers to obey.
//
// # Deviations from Kafka
//
//   - The quorum of controllers is one node with a durable log, so there is no election among controllers.
//   - Topics are fixed at the start, but for AddPartitions; replicas are assigned round robin, and never reassigned.
//   - Of the KIP's two stages of recovery after all eligible replicas were lost only that of Kafka 4 is there: the last known
//     leader. It does not ask replicas for the ends of their logs.
//   - There is no recovery state of a leader that was elected uncleanly: its in-sync set may grow at once.
//   - The processes of a broker are numbered, so that a registration which comes late of an earlier one is known for what it is.
//     Kafka's have random ids: there it begins a session, and the process that is there is refused until somebody restarts it.
//
// To read next: elect.go (the rules), registry.go (sessions), alter.go (what leaders ask for).
package controller
