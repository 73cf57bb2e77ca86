// Package servers is a queue on several servers that tell each other afterwards: an SQS standard queue, which gives up a
// little of what quorum keeps for being there whenever one server is.
//
// It may import model, model/queue and below, sim. Each server numbers what it does (a message taken in, hidden, taken out)
// and gossips that to every other one, durably on both sides, in order. The first of those that a server believes to be there
// answers clients. Who was not heard for Config.Away is believed to be gone; who comes back after a stop serves when it has
// had as long to hear what it missed. A send is answered when two servers have the message, a delete when one has it out.
//
// # Invariants and fault envelope
//
// Under kills, power losses, pauses, partitions and lost or delayed messages of any servers in any number: a message whose send
// was answered is on the disks of two servers until it is taken out, and is handed out again until then; all servers come to
// hold the same when they hear each other. Not promised, as documented for SQS: a message may be handed out by two servers at
// a time, or after it was deleted, where one of them has not heard of the other's act: they were cut off from each other, or
// the one that was told died before it could tell. Nothing here is a coin: see service/testdata/sqs-again-after-delete.txt.
//
// # Timers
//
// All are on the server's monotonic clock and background: a gossip to each other server every Config.Heartbeat, Away, the
// wait of a poll, the return of the next hidden message while somebody waits.
//
// Deviations: how SQS does it is not published; this is the least machinery that has the documented behaviour. A server keeps
// all that it ever did in memory and on disk.
//
// To add an act: a kind in op.go and its case in learn. What to read next: server.go, gossip.go, serve.go.
package servers
