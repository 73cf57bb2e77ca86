// Package sim is the kernel: time, order, randomness, processes, nodes, network, clocks, disks, hooks and the
// trace of one run. It knows no broker, no consumer and no strategy.
//
// # The ordering contract
//
// At any moment one goroutine runs in a world. Events are executed in the order (time, phase, tie, sequence):
//
//	phase 0  faults and changes of the run's phase
//	phase 1  deliveries and disk completions
//	phase 2  timers and wake-ups
//
// Tie is 0 unless a search sets it; sequence is the order of scheduling, so the order is total and no two events
// ever compare equal. What a pause held back goes first in its phase when the pause ends: it was due before.
// Time is int64 nanoseconds since the start of the world.
//
// # Two ways to write a component
//
// Handlers are state machines: a message, a timer or a disk completion runs one function to its end, atomically.
// Replies are sent from the completion of the write they stand for, so every point where a node can crash is an
// event. Processes are straight-line code that awaits (Sleep, Call, Wait); each await is a place where the node
// can crash, and a kill unwinds the process by a panic from its current await.
//
// # Invariants
//
//   - The same seed and the same program give the same digest: nothing here reads a clock, the environment, an
//     address or the order of a map.
//   - A cancelled timer leaves the queue at once, and so does everything that waits for an incarnation when that
//     ends: the heap holds what is live and nothing else.
//   - Code stops where its node is stopped, at its own hook or at its await; see Hit.
//   - No event allocates: packets, disk operations and answered requests are used again.
//   - A link that loses packets loses no message: it carries them by stream connections (stream.go), and they come late.
//   - What survives a stop of a node is what is on its disk: a boot must return an instance never seen before.
//   - Facts are recorded through the node or process that knows them; a dead process records nothing.
//
// It imports the standard library, sim/rng and sim/history. What to read next: world.go (the run loop), event.go
// (what is scheduled), proc.go (processes and kills), rpc.go (the five steps), call.go (calls of handlers), disk.go, lockstep.go (why two runs
// differ), quiet.go (idle time by whole cycles); steps_test.go and stops_test.go show who knows what after which fault.
package sim
