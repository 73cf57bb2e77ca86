// Package wire is the protocol between the clients of a replicated log, its brokers and their controller, after Kafka's.
// All are requests of the kernel's RPC; bodies are values that nobody changes once they are sent. Names are Kafka's.
//
// A broker answers service "broker" with the ops below; the controller answers "controller". An error of the protocol comes
// as the result of a partition or a group, beside others that went well, or as the error of the whole reply; see
// errors.go for which of them may have had an effect all the same.
//
// It imports sim and model. Next to read: batch.go (what a log is made of), produce.go, fetch.go, groups.go, transactions.go,
// metadata.go, control.go.
package wire
