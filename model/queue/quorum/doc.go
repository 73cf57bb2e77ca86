// Package quorum is a queue whose nodes replicate by Raft: every change of what it holds is a command in the log, also a
// receive, so that the next leader knows who has what. It serves the profiles sqs-fifo, rabbitmq-quorum, jetstream and pubsub.
//
// It may import model, model/queue and below, sim. The leader alone answers clients, once it has applied all that was
// committed before it; others say who leads. A request is answered when its command is applied. A leader that is deposed
// leaves those who wait in doubt (queue.ErrUncertain). Time is in the commands, so that replicas agree on it; it never goes
// back, whatever the clocks of leaders say.
//
// # Invariants and fault envelope
//
// With SyncEvery 0: what was answered is never taken back, and replicas hold the same after the same command, under kills,
// power losses, pauses, partitions and lost or delayed messages of any nodes in any number; a majority that hears each other
// serves. With an interval (JetStream) the same, but that power losses may take back what was answered: see package raft.
// Messages of connections come back at the latest SessionTimeout after the last sign of life.
//
// # Timers
//
// All are on the leader's monotonic clock and background: the wait of a poll, the return of the next hidden message while
// somebody waits for one, the silence of a connection. DeadLetterRetry is on it, too, and is work that is not done.
//
// To add a command: a type in command.go with its record, a case in machine.apply, and who proposes it. What to read next:
// node.go, machine.go, apply.go, poll.go.
package quorum
