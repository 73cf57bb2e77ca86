package orders

import (
	"testing"

	"github.com/twiceless/twiceless"
)

func TestNative(t *testing.T) {
	if testing.Short() {
		t.Skip("a search that goes on until it finds")
	}
	twiceless.Native(t, "../shop.yaml", twiceless.Stages{"charge": Charge}, twiceless.Expect(bug, "native.go:31"))
}
