// Package client is a queue as its clients see it: a consumer that a poll loop of package model/stack runs on unchanged, and a
// sender for producing applications.
//
// It may import model, model/queue, sim and sim/history. What the consumer interface means over a queue:
//
//	Poll      receive: a long poll, at most Config.Batch messages
//	Commit    acknowledge exactly these messages; of others nothing is said
//	OnRevoke  before the consumer leaves: nobody takes a share away
//	OnAssign, Seek, Steering.Skip    nothing: there are no shares and positions
//	Leave     close the connection; where there is none, messages come back when their time has passed
//
// So commit-before, commit-after and auto-commit run on it. Engines that keep positions elsewhere (sink transactions), and
// fences by generation, need a log.
//
// Invariants: every message of a reply is delivered once, with its facts, or the consumer has died; every message that is
// handed to a sender is answered once, as accepted, refused or uncertain, unless the producer dies first; accepted means that
// the queue said so, refused that it certainly does not have the message. A client stays with a node as long as that answers,
// and follows its word who leads. Every request ends: by its timeout, on the client's monotonic clock.
//
// Deviations: a receive that brings no answer ends an AMQP connection; a consumer has one receive under way; what an earlier
// poll returned and nobody acknowledged is no longer extended. What to read next: consumer.go, sender.go.
package client
