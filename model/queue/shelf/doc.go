// Package shelf is what one queue holds. It is pure: no node, no clock, no disk; whoever calls says what time it is, and
// replicas that make the same calls hold the same. Its callers are the nodes of packages quorum and servers.
//
// It may import model, model/queue and sim. A message is in one state at a time:
//
//	         Take                       Ack, Expired
//	ready ──────────► hidden ────────────────────────────► (out)
//	  ▲                 │ its time passes, Return, the end of its connection
//	  ├─────────────────┤
//	  │                 ├─► spent    its last delivery is over, and it stays
//	  │                 └─► skipped  a published defect
//	  └──────── (put)   ready, hidden ──► over ──► (out)   it exceeded the limit: whoever asks Over moves it
//
// Invariants, under any sequence of calls: a message is in exactly one state; of a group of a FIFO queue none is taken while
// one is hidden, but by the call that hid it, and the oldest goes first; a handle of an earlier receive never takes a message
// out but under LateAccepted; receives only grow. Take and Available cost the logarithm of the number of messages.
//
// To add a rule: a field of queue.Config, and one case where back, Take or Ack decides. What to read next: shelf.go, settle.go.
package shelf
