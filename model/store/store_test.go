package store_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/store"
	"github.com/twiceless/twiceless/model/store/storetest"
)

func TestConformance(t *testing.T) {
	for _, k := range store.Kinds() {
		t.Run(k.Name, func(t *testing.T) { storetest.Run(t, k) })
	}
}

func TestTableIsSorted(t *testing.T) {
	var names []string
	for _, k := range store.Kinds() {
		names = append(names, k.Name)
		require.NotEmpty(t, k.Doc)
		_, ok := store.KindByName(k.Name)
		require.True(t, ok)
	}
	require.True(t, slices.IsSorted(names))
	_, ok := store.KindByName("memory")
	require.False(t, ok)
}
