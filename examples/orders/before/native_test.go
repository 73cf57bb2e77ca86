package orders

import (
	"testing"

	"github.com/twiceless/twiceless"
)

func TestNative(t *testing.T) {
	twiceless.Native(t, "../shop.yaml", twiceless.Stages{"charge": Charge}, twiceless.Expect(bug, "native.go:31"))
}
