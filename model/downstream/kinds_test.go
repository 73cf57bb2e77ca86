package downstream_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/model/downstream"
	"github.com/twiceless/twiceless/model/downstream/downstreamtest"
)

func TestConformance(t *testing.T) {
	for _, k := range downstream.Kinds() {
		if k.Volatile {
			continue // there is no effect to apply
		}
		t.Run(k.Name, func(t *testing.T) { downstreamtest.Run(t, k) })
	}
}

func TestTableIsSorted(t *testing.T) {
	var names []string
	for _, k := range downstream.Kinds() {
		names = append(names, k.Name)
		require.NotEmpty(t, k.Doc)
		got, ok := downstream.KindByName(k.Name)
		require.True(t, ok)
		require.Equal(t, k.Doc, got.Doc)
	}
	require.True(t, slices.IsSorted(names))
	_, ok := downstream.KindByName("telepathy")
	require.False(t, ok)
}
