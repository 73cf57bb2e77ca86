// Package faults holds the plans of a run, their text, how they are drawn, and the injector that carries them out.
//
// There are two types of plan. A Measuring plan answers "how much?": its triggers are times only, drawn without
// looking at what a stack does. A Hunting plan answers "is there a story?": its triggers may be hooks. Rates and
// costs come from measuring plans alone, so nothing here turns one type into the other.
//
// # Text of a fault
//
//	at 12.5s kill consumer-2 for 1s
//	when payments.charge/applied{event=order-117} #1 kill $caller for 1s
//	when group/revoked{role=consumer} #2 pause $node for 1m
//	at 10s partition consumer-2 from broker for 20s
//	at 10s drop-inbound consumer-2 from broker for 20s
//	at 10s drop-inbound broker from consumer-2 for 20s
//	at 10s skew consumer-2 by -400ms until heal
//	at 10s jump payments-1 by 1h until heal
//	at 10s deploy consumer grace 5s pause 10s
//	at 10s join consumer for 10s
//	at 10s lose-reply payments
//	at 10s refuse payments,notifier for 10m
//	when broker.produce/sent{event=order-5} #1 hold $message by 70s
//	when payments.charge/replied{event=order-5} #1 lose $message
//	at 12s slow broker-2 from broker-1 by 40s for 1m
//	at 12s lossy producer from broker by 10% for 1m
//	at 3s power-loss $leader(orders/3) for 5s
//	after drain 26h replay workers
//
// A target is a node (role-n, counted from 1), a role (all of its nodes), or one that is bound when the trigger
// fires: $caller and $node of the hook, $leader(topic/partition). Targets of refuse and lose-reply are services,
// that of join is a role, that of replay a group, that of hold and lose the message at the hook. "after drain" counts from the end of the first drain. All other times are int64 nanoseconds since the start of the world.
//
// # Invariants
//
//   - Parse(f.String()) is f for every valid fault.
//   - The i-th point of a measuring plan depends on the base seed, the kind and i only, never on how many runs
//     there are.
//   - Every fault of a plan leaves exactly one of fault-began and fault-missed in the history once the injector
//     is finished, and each fault-began at most one fault-ended.
//   - An empty plan changes no event, no draw and no fact of a world.
//
// To add a verb: one file with its apply and lift, one line in kinds.go. What to read next: plan.go, kinds.go,
// injector.go.
package faults
