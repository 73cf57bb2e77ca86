package model_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
)

// The constants are the rows of the table, and the table is sorted: so a name and its switch are the same bug.
func TestPlantedBugsAreTheirRows(t *testing.T) {
	var names []string
	for _, k := range model.Bugs() {
		names = append(names, k.Name)
		require.NotEmpty(t, k.Doc)
		require.NotEmpty(t, k.Where)
	}
	require.True(t, slices.IsSorted(names))
	require.Len(t, names, int(model.UnfencedZombie)+1)
	for bug, name := range map[model.Bug]string{
		model.AttemptDerivedKey: "attempt-derived-key", model.CommitBeforeEffect: "commit-before-effect",
		model.CommitOfRevokedPartition: "commit-of-revoked-partition", model.DeadLetterWithoutKey: "dead-letter-without-key",
		model.EffectBeforeClaim: "effect-before-claim", model.FenceUnchecked: "fence-unchecked",
		model.InMemoryCheckpoint: "in-memory-checkpoint", model.LeaseWithoutToken: "lease-without-token",
		model.MarkBeforeEffect: "mark-before-effect", model.PageCacheLostOnKill: "page-cache-lost-on-kill",
		model.RetryChangesEventID: "retry-changes-event-id", model.TTLOnCallersClock: "ttl-on-callers-clock",
		model.UnfencedZombie: "unfenced-zombie",
	} {
		require.Equal(t, name, names[bug])
		set, err := model.PlantedBugs([]string{name})
		require.NoError(t, err)
		for other := range names {
			require.Equal(t, model.Bug(other) == bug, set.Has(model.Bug(other)))
		}
	}
}

func TestPlantedBugsRefuseEveryWrongName(t *testing.T) {
	set, err := model.PlantedBugs(nil)
	require.NoError(t, err)
	require.Zero(t, set)
	_, err = model.PlantedBugs([]string{"zombie", "fence-unchecked", "fence-unchecked", "x"})
	require.EqualError(t, err, `unknown planted bug "zombie"; planted bug fence-unchecked is there twice; unknown planted bug "x"`)
}
