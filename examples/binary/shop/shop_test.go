package shop

import (
	"testing"

	"github.com/twiceless/twiceless"
)

// The same stage under go test: with a key that the card processor keeps, the second call is recognised.
func TestChargeOnce(t *testing.T) {
	twiceless.Native(t, "payments", twiceless.Stages{"charge": Charge}, twiceless.Stack("permanent-key"), twiceless.Budget{Plans: 20})
}
