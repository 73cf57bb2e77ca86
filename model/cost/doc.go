// Package cost says how long the parts of a replicated log are busy and how many bytes they move: a client for each request
// and record, a broker for each request, record and byte, a link for each byte, a transaction for its requests and log
// writes. It answers two questions: what a batch size, an acknowledgement or a transaction costs (Estimate), and for how
// long a broker of a world is busy with what it was given (BrokerCost).
//
// It imports sim, and knows no broker: brokers take the function in their configuration, the composition root gives
// them that of a Profile. All figures are integers: nanoseconds, bytes, picoseconds a byte.
//
// # What a figure rests on
//
// A Profile is a row of Profiles, and every figure of it carries its Evidence: Stated (read in a source and used as it is),
// Calibrated (fitted, so that the model returns a published result: it then supports nothing) or Assumed (a judgement, with
// what bounds it). What Estimate returns is a prediction, except at the points that a profile was fitted to.
// docs/costs.md holds the tables, with published results beside predictions that were not fitted to them.
//
// # Invariants
//
//   - More bytes, replicas or acknowledgements never make a flow faster, and transactions never do.
//   - A broker is never slower than the client that a profile was fitted to: the published figure would have been the
//     broker's otherwise, and the fit wrong.
//
// Envelope: steady state without a fault. What a retry, an election or a lossy link costs comes out of the models that have
// them; they only take from here how long work takes.
//
// # Adding
//
// A profile: a row in Profiles, in order of the name; each figure with its evidence. A record format: a row in Formats. A
// way to send: a case in flow.go, and the same in the rig of the tests, whose nodes do what the formula says they do.
//
// # Where it differs from the real systems
//
//   - In worlds brokers alone are busy: neither clients nor links take the time that a profile has for them.
//   - One producer, one partition, one leader. More of them share nothing but links, and that is not computed.
//   - The time of a record does not depend on its size: the one series that separates batches from records (NetDB 2011) has
//     200-byte messages alone. Links and brokers do count bytes.
//   - Times are constant: no tail, no garbage collection, no flush. A figure for the 99th percentile is not to be had here.
//   - The page cache takes every write; nothing waits for a disk.
//   - Neither compression nor encryption; links carry no TCP/IP headers unless Format.Framed is asked.
//
// Next to read: profile.go, format.go, flow.go, overlap.go, transaction.go; the nodes in rig_test.go; ADR 12.
package cost
