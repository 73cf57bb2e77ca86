package history_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

func TestAccessesAreReadBack(t *testing.T) {
	all := []history.Access{
		{Object: "orders/1", Version: 3},
		{Object: "orders/a b%20c:d>e", Version: 0},
		{Write: true, Object: "orders/1", Before: 3, Version: 7},
		{Write: true, Object: "orders/2", Before: 0, Version: 7},
	}
	text := history.Accesses(all)
	require.Equal(t, "r3:orders/1 r0:orders/a%20b%2520c:d>e w3>7:orders/1 w0>7:orders/2", text)
	back, err := history.ParseAccesses(text)
	require.NoError(t, err)
	require.Equal(t, all, back)
	back, err = history.ParseAccesses(history.Accesses(nil))
	require.NoError(t, err)
	require.Empty(t, back)
}

func TestWordsThatAreNoAccesses(t *testing.T) {
	for _, text := range []string{"x", "r:a", "rx:a", "r-1:a", "r1", "r1:", ":a", "w1:a", "w1>:a", "w>1:a", "w0>0:a", "w-1>1:a", "d1:a", "r1:a ", "r1:a  r2:b"} {
		_, err := history.ParseAccesses(text)
		require.Error(t, err, "%q", text)
	}
}
