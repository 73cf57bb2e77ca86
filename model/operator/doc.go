// Package operator is a person at a terminal who sets a consumer group back, with the steps of Kafka's reset tool
// (kafka-consumer-groups --reset-offsets --to-earliest --execute): the group must be inactive, so the members are stopped
// first; then the tool asks for the earliest retained offsets and commits them without being a member.
//
// It may import model, sim and sim/history. Invariants: each step is a fact before it has consequences; the operator
// starts what they have stopped and nothing else. What to read next: replay.go.
package operator
