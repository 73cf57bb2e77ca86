// Package native holds handlers that tests of package twiceless put under test: one that is right, and ones with each a
// bug.
package native

import (
	"runtime"
	"sync/atomic"

	"github.com/twiceless/twiceless"
	"github.com/twiceless/twiceless/sim"
)

// Charge carries a key made of event and stage: the card processor knows a repetition again.
func Charge(c twiceless.Ctx, m twiceless.Message) (twiceless.Message, error) {
	m.Amount = 40_00
	m.IdempotencyKey = m.Event + "/charge"
	return c.Call("payments", "charge", m)
}

// ChargeBlindly has no key: what is delivered again is charged again.
func ChargeBlindly(c twiceless.Ctx, m twiceless.Message) (twiceless.Message, error) {
	m.Amount = 40_00
	return c.Call("payments", "charge", m)
}

// ChargeTwice needs no fault to be wrong.
func ChargeTwice(c twiceless.Ctx, m twiceless.Message) (twiceless.Message, error) {
	if _, err := ChargeBlindly(c, m); err != nil {
		return m, err
	}
	return ChargeBlindly(c, m)
}

// ChargeOrPanic does not expect to be called again.
func ChargeOrPanic(c twiceless.Ctx, m twiceless.Message) (twiceless.Message, error) {
	reply, err := Charge(c, m)
	if err != nil {
		panic("no answer from payments: " + err.Error())
	}
	return reply, nil
}

// ChargeForEver does not take a kill for an answer.
func ChargeForEver(c twiceless.Ctx, m twiceless.Message) (reply twiceless.Message, err error) {
	for done := false; !done; {
		func() {
			defer func() { _ = recover() }()
			reply, err = Charge(c, m)
			done = true
		}()
	}
	return reply, err
}

// ChargeOrEnd ends its goroutine, as t.FailNow does.
func ChargeOrEnd(c twiceless.Ctx, m twiceless.Message) (twiceless.Message, error) {
	reply, err := Charge(c, m)
	if err != nil {
		runtime.Goexit()
	}
	return reply, nil
}

// ChargeAndSpin hangs when it is told no, until Stop. Its goroutine ends then, and with it a run that nobody waits for any more: one that went
// on would hang again at its next call.
func ChargeAndSpin(c twiceless.Ctx, m twiceless.Message) (twiceless.Message, error) {
	reply, err := Charge(c, m)
	Spinning.Add(1)
	defer Spinning.Add(-1)
	for err != nil {
		if Stop.Load() {
			runtime.Goexit()
		}
	}
	return reply, nil
}

// Stop ends what hangs; Spinning counts it.
var (
	Stop     atomic.Bool
	Spinning atomic.Int64
)

// ChargeNothing forgets to.
func ChargeNothing(_ twiceless.Ctx, m twiceless.Message) (twiceless.Message, error) {
	return m, nil
}

// ChargeSometimes remembers what no crash forgets, and what the next run still knows.
func ChargeSometimes() func(twiceless.Ctx, twiceless.Message) (twiceless.Message, error) {
	var handled atomic.Int64
	return func(c twiceless.Ctx, m twiceless.Message) (twiceless.Message, error) {
		c.Sleep(sim.Duration(handled.Add(1)) * sim.Millisecond)
		return Charge(c, m)
	}
}
