package checker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/checkertest"
	"github.com/twiceless/twiceless/sim/history"
)

// A record whose place another one has taken is gone: the place is judged once.
func TestTornPlacesOnce(t *testing.T) {
	s := checkertest.New().Links("consume-produce", "orders", "bills").Foreign("orders/0", 0)
	d := s.Many(1)[0].Deliver("consumer-1")
	d.Forward("bills/0", 0)
	d.Commit()
	require.Equal(t, int64(1), checker.CheckAll(s.History()).Exercised[history.PropConsumeProduceTear])
}
