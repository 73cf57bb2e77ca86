// Package loop is the interface between a team's own poll loop and the log that it reads.
//
// A loop that polls, handles and commits by itself is written against Client. Client has two implementations: one over the simulated brokers of this
// module, for tests that break the loop on purpose, and one over franz-go (module adapters/franz) for production. Package looptest holds the tests that
// both pass. The package needs nothing but the standard library.
//
// What a loop can rely on is what Kafka gives, no more: a record comes at least once as long as nothing is committed that was not handled, in order within
// its partition, and to one member of the group at a time, but for a member that was put out and has not noticed. See the example for a loop that loses
// nothing.
package loop
