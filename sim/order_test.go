package sim

import "fmt"

// The ordering contract, executed: events run by time, then phase, then tie, then in the order of scheduling,
// whatever the order in which they were scheduled.
func Example_orderingContract() {
	w := New(Config{Seed: 1})
	defer w.Close()
	at := func(t Time, p Phase, tie uint16, name string) {
		slot := w.alloc()
		w.events[slot].kind, w.events[slot].what = evFunc, func() { fmt.Println(w.Now(), name) }
		w.schedule(slot, t, p, tie)
	}
	at(Time(2*Second), PhaseFault, 0, "a later fault")
	at(Time(Second), PhaseTimer, 0, "timer")
	at(Time(Second), PhaseDeliver, 1, "delivery, tie 1")
	at(Time(Second), PhaseDeliver, 0, "delivery, scheduled first")
	at(Time(Second), PhaseDeliver, 0, "delivery, scheduled second")
	at(Time(Second), PhaseFault, 0, "fault")
	fmt.Println(w.Run(Time(Minute)))
	// Output:
	// 1s fault
	// 1s delivery, scheduled first
	// 1s delivery, scheduled second
	// 1s delivery, tie 1
	// 1s timer
	// 2s a later fault
	// drained
}
