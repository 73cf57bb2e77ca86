package twiceless

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What functions change is told, with its place; constants in disguise, errors and locals of the same name are not.
func TestSurvivors(t *testing.T) {
	require.Equal(t, []string{"count (memory.go:14)", "once (memory.go:15)", "seen (memory.go:13)"}, survivors([]string{"testdata/survivors"}))
	require.Equal(t, []string{"log.Fatal (memory.go:35)"}, exits("testdata/survivors"))
	require.Empty(t, survivorsRemark([]string{"testdata/nothing"}))
	require.Contains(t, survivorsRemark([]string{"testdata/survivors"}), "seen (memory.go:13)")
}
