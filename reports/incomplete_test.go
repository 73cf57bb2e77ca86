package reports

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Half of a split comparison does not pass for the whole: the least tested cell says how far the figures carry.
func TestIncomplete(t *testing.T) {
	in := testInput(20)
	text, decisive := in.runsText()
	require.Equal(t, "20 runs a cell", text)
	require.False(t, decisive)

	in.Rows = in.Rows[:len(in.Rows)/2]
	text, _ = in.runsText()
	require.Regexp(t, `^incomplete: only \d+ of 20 runs a cell in some cells$`, text)
}
