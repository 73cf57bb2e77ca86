package sqldoor

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// A text is parsed once; errors are not kept, and the number of texts is bounded.
func TestCache(t *testing.T) {
	c := &Cache{}
	first, _, err := c.parse("SELECT id FROM orders WHERE id = $1")
	require.NoError(t, err)
	again, _, err := c.parse("SELECT id FROM orders WHERE id = $1")
	require.NoError(t, err)
	require.Same(t, first[0].statement, again[0].statement)
	_, _, err = c.parse("SELECT FROM WHERE")
	require.Error(t, err)
	require.Len(t, c.texts, 1)
	for i := range 2 * maxCached {
		_, _, err := c.parse(fmt.Sprintf("SELECT id FROM orders WHERE id = '%d'", i))
		require.NoError(t, err)
	}
	require.Len(t, c.texts, maxCached)
	none, _, err := (*Cache)(nil).parse("SELECT 1")
	require.NoError(t, err)
	require.Len(t, none, 1)
}
