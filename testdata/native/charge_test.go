package native

import (
	"testing"
	"time"

	"github.com/twiceless/twiceless"
)

func charge(fn func(twiceless.Ctx, twiceless.StageMessage) (twiceless.StageMessage, error)) twiceless.Stages {
	return twiceless.Stages{"charge": fn}
}

func TestCharge(t *testing.T)          { twiceless.Native(t, "payments", charge(Charge)) }
func TestChargeBlindly(t *testing.T)   { twiceless.Native(t, "payments", charge(ChargeBlindly)) }
func TestChargeTwice(t *testing.T)     { twiceless.Native(t, "payments", charge(ChargeTwice)) }
func TestChargeOrPanic(t *testing.T)   { twiceless.Native(t, "payments", charge(ChargeOrPanic)) }
func TestChargeForEver(t *testing.T)   { twiceless.Native(t, "payments", charge(ChargeForEver)) }
func TestChargeNothing(t *testing.T)   { twiceless.Native(t, "payments", charge(ChargeNothing)) }
func TestChargeSometimes(t *testing.T) { twiceless.Native(t, "payments", charge(ChargeSometimes)) }

func TestChargeAndSpin(t *testing.T) {
	twiceless.Native(t, "payments", charge(ChargeAndSpin), twiceless.Patience(200*time.Millisecond))
}

func TestChargeAndFail(t *testing.T) {
	twiceless.Native(t, "payments", twiceless.Stages{"charge": func(c twiceless.Ctx, m twiceless.StageMessage) (twiceless.StageMessage, error) {
		reply, err := Charge(c, m)
		if err != nil {
			t.FailNow()
		}
		return reply, nil
	}})
}
