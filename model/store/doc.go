// Package store holds the nodes that layers keep records on: dedup stores, where a consumer claims an effect before it
// calls for it, the lease service (lease.go), the records of
// completed stages (stages.go), and the outbox, whose node calls services itself (outbox.go). One kind per file.
//
// A dedup store runs on nodes of role dedup and answers three operations on records named by event and stage. A request is
// a model.Message whose Intent names the record and whose Payload is the token of one try; the reply's Payload is the
// result.
//
//	state       claim(t)               done(t)        release(t)
//	absent      granted → pending(t)   not-owner      not-owner
//	pending(t)  mine                   ok → done(t)   ok → absent
//	pending(u)  pending                not-owner      not-owner
//	done(t)     done                   ok             not-owner
//	done(u)     done                   not-owner      not-owner
//
// Each is idempotent for one token except release, whose repetition meets absent and answers not-owner.
//
// Without a window a record lives for ever: a repetition is recognised however late it comes, and the store grows with
// the number of events. With a window a record counts as absent when so much time has passed since its last change, by
// the wall clock of the store at the moment of asking: a repetition that comes later is granted again, and so is every
// one if that clock jumps ahead. The answer then says expired.
//
// It may import model, sim, sim/rng and sim/history; its siblings under model never import it.
//
// Invariants: an answer rests on durable state only, so no later stop can take it back; the operations of one record
// happen one at a time, in order of arrival.
//
// To add a kind: one file, one line in kinds.go; the suite in storetest runs over the table. What to read next:
// durable.go.
package store
