package orders

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The bug is one of order: what mends it is a move, and it is small.
func TestDiff(t *testing.T) {
	before, after := lines(t, "before/handler.go"), lines(t, "after/handler.go")
	common := longestCommon(before, after)
	changed := len(before) + len(after) - 2*common
	require.NotZero(t, changed)
	require.Less(t, changed, 10)
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return strings.Split(string(text), "\n")
}

// longestCommon is the length of the longest common subsequence: what diff keeps.
func longestCommon(a, b []string) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			above := row[j+1]
			if row[j+1] = max(above, row[j]); x == y {
				row[j+1] = diagonal + 1
			}
			diagonal = above
		}
	}
	return row[len(b)]
}
