package native

import (
	"os"
	"testing"

	"github.com/twiceless/twiceless"
)

// TestCharge is done by tests of package twiceless, in a process of its own: CHARGE says which handler is tested.
func TestCharge(t *testing.T) {
	handlers := map[string]func(twiceless.Ctx, twiceless.StageMessage) (twiceless.StageMessage, error){"": Charge, "blindly": ChargeBlindly}
	twiceless.Native(t, "payments", twiceless.Stages{"charge": handlers[os.Getenv("CHARGE")]})
}
