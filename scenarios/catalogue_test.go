package scenarios

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestCatalogueFiles decodes every row: what a file names exists, and its plan can be carried out.
func TestCatalogueFiles(t *testing.T) {
	rows := Catalogue()
	require.Len(t, rows, len(CatalogueIDs()))
	seen := map[string]bool{}
	for _, f := range rows {
		require.False(t, seen[f.ID], "%s twice", f.ID)
		seen[f.ID] = true
		require.Contains(t, CatalogueIDs(), f.ID, "a row is named after its file")
		require.NotEmpty(t, f.Source, f.ID)
		require.NotEmpty(t, f.Tags(), f.ID)
	}
}

// TestVerifySaysNo takes a row that is reproduced and breaks each of its three halves in turn.
func TestVerifySaysNo(t *testing.T) {
	alone(t)
	row := func() *Failure {
		for _, f := range Catalogue() {
			if f.ID == "F-12" {
				return f
			}
		}
		t.Fatal("no F-12")
		return nil
	}
	verify := func(f *Failure) *Verified {
		v, err := f.Verify(3, &Memory{}, time.Minute)
		require.NoError(t, err)
		return v
	}
	v := verify(row())
	require.Equal(t, StatusReproduced, v.Status, v.Reason)
	require.Positive(t, v.Shows)
	require.NotNil(t, v.Case)
	require.Equal(t, "loss", v.Anomaly)

	tame := row()
	tame.Broken = tame.Mended
	v = verify(tame)
	require.Equal(t, StatusMissing, v.Status)
	require.Contains(t, v.Reason, "the defect shows the anomaly in 0 of 3 seeds")

	useless := row()
	useless.Mended = useless.Broken
	require.Contains(t, verify(useless).Reason, "the fix does not help in")

	unmet := row()
	unmet.Plan = append(unmet.Plan, "when payments.charge/applied{event=order-100000} #1 kill $caller for 1s")
	require.Contains(t, verify(unmet).Reason, "no run met every fault")

	noisy := row()
	noisy.Mended.Stacks, noisy.Anomaly = noisy.Broken.Stacks, []Symptom{{Property: "commit-ahead-of-effect"}}
	require.Contains(t, verify(noisy).Reason, "the fix does not help in")
	noisy.Mended, noisy.Broken = row().Mended, row().Broken
	require.Contains(t, verify(noisy).Reason, "the control is not clean")
}

// TestNaturalOrder: ids are sorted by their number.
func TestNaturalOrder(t *testing.T) {
	require.Less(t, naturally("F-9"), naturally("F-10"))
	require.Less(t, naturally("F-20a"), naturally("F-20b"))
	require.Less(t, naturally("F-20b"), naturally("F-21"))
}
