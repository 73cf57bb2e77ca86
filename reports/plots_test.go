package reports

import (
	"bytes"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPlotsAreDeterministic writes into $PLOTS_DIR when it is set, for people to look at.
func TestPlotsAreDeterministic(t *testing.T) {
	runs := 20
	if n, err := strconv.Atoi(os.Getenv("PLOTS_RUNS")); err == nil {
		runs = n
	}
	dir := os.Getenv("PLOTS_DIR")
	if dir == "" {
		dir = t.TempDir()
	}
	names, err := WritePlots(dir, testInput(runs))
	require.NoError(t, err)
	require.Len(t, names, len(Plots())*len(PlotFormats()))
	for _, p := range Plots() {
		for _, format := range PlotFormats() {
			written, err := os.ReadFile(dir + "/" + p.Name + "." + format)
			require.NoError(t, err)
			var again bytes.Buffer
			require.NoError(t, WritePlot(&again, testInput(runs), p.Name, format))
			require.Equal(t, written, again.Bytes(), "%s.%s", p.Name, format)
		}
	}
}
