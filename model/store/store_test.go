package store_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/model/store/storetest"
)

// Every kind that gives claims is a dedup store; the others have tests of their own.
func TestConformance(t *testing.T) {
	for _, k := range store.Kinds() {
		if slices.Contains(k.Gives, model.StoreClaim) {
			t.Run(k.Name, func(t *testing.T) { storetest.Run(t, k) })
		}
	}
}

func TestTableIsSorted(t *testing.T) {
	var names []string
	for _, k := range store.Kinds() {
		names = append(names, k.Name)
		require.NotEmpty(t, k.Doc)
		require.NotEmpty(t, k.Gives, "somebody needs it")
		require.NotEmpty(t, k.Ops)
		require.True(t, slices.IsSorted(k.Ops))
		_, ok := store.KindByName(k.Name)
		require.True(t, ok)
	}
	require.True(t, slices.IsSorted(names))
	_, ok := store.KindByName("memory")
	require.False(t, ok)
}
