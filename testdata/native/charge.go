// Package native holds handlers that tests of package twiceless put under test: one that is right, and ones with each a
// bug.
package native

import "github.com/twiceless/twiceless"

// Charge carries a key made of event and stage: the card processor knows a repetition again.
func Charge(c twiceless.Ctx, m twiceless.StageMessage) (twiceless.StageMessage, error) {
	m.Amount = 40_00
	m.IdempotencyKey = m.Event + "/charge"
	return c.Call("payments", "charge", m)
}

// ChargeBlindly has no key: what is delivered again is charged again.
func ChargeBlindly(c twiceless.Ctx, m twiceless.StageMessage) (twiceless.StageMessage, error) {
	m.Amount = 40_00
	return c.Call("payments", "charge", m)
}

// ChargeTwice needs no fault to be wrong.
func ChargeTwice(c twiceless.Ctx, m twiceless.StageMessage) (twiceless.StageMessage, error) {
	if _, err := ChargeBlindly(c, m); err != nil {
		return m, err
	}
	return ChargeBlindly(c, m)
}

// ChargeOrPanic does not expect to be called again.
func ChargeOrPanic(c twiceless.Ctx, m twiceless.StageMessage) (twiceless.StageMessage, error) {
	reply, err := Charge(c, m)
	if err != nil {
		panic("no answer from payments: " + err.Error())
	}
	return reply, nil
}

// ChargeForEver does not take no for an answer, nor a kill.
func ChargeForEver(c twiceless.Ctx, m twiceless.StageMessage) (reply twiceless.StageMessage, err error) {
	for done := false; !done; {
		func() {
			defer func() { _ = recover() }()
			reply, err = Charge(c, m)
			done = err == nil
		}()
	}
	return reply, nil
}

// ChargeAndSpin hangs when it is told no.
func ChargeAndSpin(c twiceless.Ctx, m twiceless.StageMessage) (twiceless.StageMessage, error) {
	reply, err := Charge(c, m)
	for err != nil {
		err = keep(err)
	}
	return reply, nil
}

//go:noinline
func keep(err error) error { return err }

// ChargeNothing forgets to.
func ChargeNothing(_ twiceless.Ctx, m twiceless.StageMessage) (twiceless.StageMessage, error) {
	return m, nil
}

var handled int

// ChargeSometimes remembers what no crash forgets, and what the next run still knows.
func ChargeSometimes(c twiceless.Ctx, m twiceless.StageMessage) (twiceless.StageMessage, error) {
	if handled++; handled%7 == 0 {
		m.Headers = "the seventh"
		if _, err := c.Call("customers", "enrich", m); err != nil {
			return m, err
		}
	}
	return Charge(c, m)
}
