package command

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A world with a planted bug breaks what the same world without it keeps; its case says so when it is replayed.
func TestRunWithAPlantedBug(t *testing.T) {
	t.Chdir(t.TempDir())
	args := []string{"run", "payments", "--stack", "at-least-once", "--faults", "downstream-outage"}
	clean := simulate(args...)
	require.Zero(t, clean.code, clean.out+clean.errors)
	require.NotContains(t, clean.out, "planted")

	broken := simulate(append(args, "--plant", "dead-letter-without-key")...)
	require.Equal(t, exitFinding, broken.code, broken.errors)
	for _, want := range []string{"planted   dead-letter-without-key", "verdict   broken: a component did not keep what it guarantees",
		"dead-letter//record-incomplete (guaranteed not to be: a component is broken)"} {
		require.Contains(t, broken.out, want)
	}
	cases, err := filepath.Glob("out/cases/*.case")
	require.NoError(t, err)
	require.Len(t, cases, 1)
	told := simulate("replay", cases[0])
	require.Equal(t, exitFinding, told.code, told.errors)
	require.Contains(t, told.out, "planted: this world was built with the bug dead-letter-without-key")

	unknown := simulate(append(args, "--plant", "dead-letter-without-keys")...)
	require.Equal(t, exitInput, unknown.code)
	require.Contains(t, unknown.errors, "did you mean dead-letter-without-key?")
	require.Contains(t, simulate("explain", "dead-letter-without-key").out, "dead-letter-without-key · planted bug")
}
