package scenarios

import (
	"cmp"
	"slices"
)

// SortedKeys returns the keys of m in ascending order: the only way in this package to walk a map.
func SortedKeys[M ~map[K]V, K cmp.Ordered, V any](m M) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
