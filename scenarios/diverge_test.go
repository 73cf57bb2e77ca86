package scenarios

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Two runs of one case agree event by event; a plan that cannot be read is an error, not a divergence.
func TestDiverge(t *testing.T) {
	sc := payments(t)
	c, err := MeasuringCase(sc, "at-least-once", "consumer-kill", 1, 7)
	require.NoError(t, err)
	at, ok, err := Diverge(c)
	require.NoError(t, err)
	require.False(t, ok, at.String())

	c.Intent.Plan = []string{"at 20s burn consumer-1"}
	_, _, err = Diverge(c)
	require.Error(t, err)
}
