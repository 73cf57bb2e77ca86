package reports

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with testdata/name, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

func TestTableGolden(t *testing.T) {
	for _, format := range []string{"text", "markdown"} {
		var b bytes.Buffer
		require.NoError(t, WriteTable(&b, testInput(20), format))
		golden(t, "table."+format+".golden", b.Bytes())
	}
}

func TestDamageRoundsHalvesUp(t *testing.T) {
	for _, c := range []struct {
		sum  int64
		runs int
		want string
	}{{0, 20, "–"}, {7, 20, "0.4"}, {1, 20, "0.05"}, {1, 1000, "<0.01"}, {19, 200, "0.1"}, {19, 2, "9.5"}, {199, 20, "10"}, {359, 1, "359"}} {
		require.Equal(t, c.want, damage(c.sum, c.runs), "%d/%d", c.sum, c.runs)
	}
}

func TestBriefRoundsHalvesUp(t *testing.T) {
	for x, want := range map[float64]string{8.95: "9", 0.35: "0.35", 0.005: "0.005", 12.5: "13", 9.96: "10", 1.25: "1.3", 359: "359"} {
		require.Equal(t, want, brief(x))
	}
}
