// Package service puts a queue's nodes into a world: Add, and what a run asks of the queue then, how much is left and what is
// held at the end.
//
// It may import model, all below model/queue, and sim. Invariant: what it says of the queue comes from nodes that are up, or
// from disks; it knows nothing of its own but what Lag said last.
//
// Its testdata are scripts, one for each behaviour of each profile, and its tests run engines of package model/stack over
// every profile. To add a profile see package queue. What to read next: testdata/sqs-visibility.txt and its neighbours.
package service
