// Package queue is the protocol between the clients of a queue and its nodes, and what profiles of real queues do
// differently: Amazon SQS (standard and FIFO), a RabbitMQ quorum queue, a JetStream work queue, Google Pub/Sub.
//
// A queue hands a message out, hides it for a while, and takes it out when somebody acknowledges that receive; else it hands
// it out again. So it has no positions and nobody owns a part of it: see package client for what a poll loop written for a log
// can mean here.
//
// It imports sim, model and model/wire. Below it:
//
//	shelf     what one queue holds: hiding, handles, groups, limits, deduplication, retention. Pure
//	raft      a replicated log of commands
//	quorum    a queue whose every change is a command of such a log: sqs-fifo, rabbitmq-quorum, jetstream, pubsub
//	servers   a queue whose servers tell each other afterwards: sqs
//	client    a consumer that is a model.Consumer, and a sender for producing applications
//	service   puts a queue's nodes into a world; its testdata are scripts of every behaviour, to be read first
//
// # What is where it is
//
// Kept by all profiles, inside the fault envelope of its package: a message whose send was answered is handed out until it is
// acknowledged, has outlived its retention, or exceeds the limit of receives. What differs is in Config, a field a behaviour:
// whose handles count (Late), what the limit counts and where the message then goes (Limit, DeadLetters), groups,
// deduplication, connections, and how a change is stored (Weak, SyncEvery, KeepApplied).
//
// # Facts
//
// Appended (Offset: the position in the order of arrival; of sqs each server numbers what it took in itself, as a partition of
// its own), delivered (by the client; Fence: how often it has been received), settled (acked, expired, dead-lettered, dropped),
// parked (a queue of dead letters took it). A queue on a Raft log states replicated, truncated, elected and watermark besides,
// so that whoever judges logs judges it. At the end: held, queue or parked.
//
// # How to add a profile
//
// One function that returns its Config and one line in Kinds; the scripts and engine tests of package service run over the
// table. A behaviour that no field names is a new field, with the old behaviour as its zero value.
//
// # Known deviations
//
//   - RabbitMQ pushes deliveries to a subscribed consumer; here it receives them by a long poll, of at most the prefetch count.
//     An ack is answered: the resends of rabbit_fifo_client are the consumer's. A delivery that exceeds its acknowledgement
//     timeout comes back alone, and its channel stays open. A dead letter that nobody confirms leaves by a command of its own,
//     behind the one that made it one: where the leader dies between the two, the next one publishes it, perhaps again; Ra
//     loses it, or does the same. Classic and mirrored queues are not modelled.
//   - A JetStream leader delivers at once and proposes that to its consumer's group afterwards; here a delivery is committed
//     first, and a stream and its consumer are one group. What a node keeps that Raft has cut is kept in memory: a restart ends it.
//   - SQS: ReceiveRequestAttemptId and short polls of a subset of servers are not modelled; of a FIFO queue of dead letters the
//     groups are not. How the service stores is not published: package servers and the Raft of sqs-fifo are assumptions that
//     give what is documented.
//   - An extension sets any time; JetStream's begins AckWait anew, and SQS adds up to 12 hours at most.
//   - Pub/Sub is its delivery: ordering keys and subscriptions that share a topic are not modelled.
//   - A retention is noticed when somebody receives.
//
// What to read next: config.go, service/testdata, shelf.
package queue
