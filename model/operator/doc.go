// Package operator is a person at a terminal. One sets a consumer group back, with the steps of Kafka's reset tool
// (kafka-consumer-groups --reset-offsets --to-earliest --execute): the group must be inactive, so the members are stopped
// first; then the tool asks for the earliest retained offsets and commits them without being a member. Another publishes
// dead letters again, throttled, each to its original topic, and keeps a position in the dead letter topic.
//
// It may import model, sim and sim/history. Invariants: each step is a fact before it has consequences; the operator
// starts what they have stopped and nothing else. What to read next: replay.go, deadletters.go.
package operator
