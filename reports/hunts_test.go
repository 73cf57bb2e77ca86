package reports

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A hunt tells what it broke and how many runs the rest withstood; of runs that aim no share is told.
func TestHuntsAreTold(t *testing.T) {
	in := testInput(1)
	require.Empty(t, in.huntsText())
	require.Empty(t, newTable(in).hunts())

	in.HuntsPerStack = 20
	for i := range in.Stacks {
		in.Stacks[i].HuntRuns = 20
	}
	in.Stacks[1].HuntBreaches, in.Stacks[4].HuntOutside = 3, 2
	require.Contains(t, strings.Join(newTable(in).header(), " · "), "20 hunting runs a stack")
	require.Equal(t, in.Stacks[1].Name+" broke a promise in 3 of 20 runs · 4 stacks broke no promise in 80 runs of up to 3 faults, "+
		"most at hook points (2 of these outside an envelope)", newTable(in).hunts())

	in.Stacks[2].HuntRuns = 6 // a part of a comparison that was split
	require.Equal(t, "incomplete: only 6 of 20 hunting runs a stack in some", in.huntsText())
}
