package reports

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

// A share is told with its n and its interval; a zero with its bound, which rests on the runs that met work.
func TestLikelihood(t *testing.T) {
	kill, _ := history.FaultKindByName("consumer-kill")
	replay, _ := history.FaultKindByName("late-replay")
	for want, l := range map[string]Likelihood{
		"72 of 300 runs with one fault (consumer kill at a random moment) show it, 24 % (95 %: 19 to 29 %)":               {kill, 72, 250, 300},
		"5 of 20 runs with one fault (consumer kill at a random moment) show it, 25 % (95 %: 8.7 to 49 %) · a first look": {kill, 5, 18, 20},
		"20 of 20 runs with one fault (late replay) show it, 100 % (95 %: 83 to 100 %) · a first look":                    {replay, 20, 20, 20},
		"0 of 300 runs with one fault (consumer kill at a random moment) show it (≤ 3.0 %)":                               {kill, 0, 100, 300},
		"": {kill, 0, 0, 0},
	} {
		require.Equal(t, want, l.String())
	}
}
