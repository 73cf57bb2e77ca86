package isolation_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/checker/isolation"
)

// Each anomaly of Adya, Bailis and Cerone is ruled out by the levels from its row on, and by no weaker one.
func TestWhatLevelsRuleOut(t *testing.T) {
	for _, x := range []struct {
		level       isolation.Level
		rulesOut    []string
		letsThrough []string
		stronger    isolation.Level
	}{
		{isolation.ReadUncommitted, []string{"G0", "duplicate-elements"}, []string{"G1a", "G1c", "G2-item"}, isolation.ReadCommitted},
		{isolation.ReadCommitted, []string{"G0", "G1a", "G1b", "G1c"}, []string{"internal", "lost-update", "G-single"}, isolation.CursorStability},
		{isolation.CursorStability, []string{"lost-update"}, []string{"G-single", "internal"}, isolation.ReadAtomic},
		{isolation.ConsistentView, []string{"lost-update", "G-single"}, []string{"G-nonadjacent", "G2-item"}, isolation.RepeatableRead},
		{isolation.SnapshotIsolation, []string{"internal", "G-single", "G-nonadjacent"}, []string{"G2-item", "G-single-session"}, isolation.RepeatableRead},
		{isolation.RepeatableRead, []string{"lost-update", "G-single", "G2-item"}, []string{"internal", "G-single-session"}, isolation.SnapshotIsolation},
		{isolation.Serializable, []string{"internal", "G2-item", "G-nonadjacent"}, []string{"G0-session", "G2-item-realtime"}, isolation.StrongSession},
		{isolation.StrongSessionSnapshot, []string{"G-single-session"}, []string{"G2-item", "G2-item-session", "G-single-realtime"}, isolation.Serializable},
		{isolation.StrongSession, []string{"G2-item-session", "G0-session"}, []string{"G0-realtime"}, isolation.StrongSnapshot},
		{isolation.StrongSnapshot, []string{"G-single-realtime", "G-single-session"}, []string{"G2-item-realtime", "G2-item"}, isolation.Serializable},
	} {
		for _, name := range x.rulesOut {
			require.True(t, x.level.Violates(name), "%s rules %s out", x.level, name)
		}
		for _, name := range x.letsThrough {
			require.False(t, x.level.Violates(name), "%s lets %s through", x.level, name)
		}
		require.False(t, x.level.Implies(x.stronger), "%s does not imply %s", x.level, x.stronger)
	}
	for _, a := range isolation.Anomalies() {
		require.True(t, isolation.StrictSerializable.Violates(a.Name), "the strongest level rules everything out: %s", a.Name)
		for _, l := range a.Not {
			for _, m := range a.Not {
				require.True(t, l == m || !l.Implies(m), "%s: %s follows from %s", a.Name, l, m)
			}
		}
	}
	require.False(t, isolation.StrictSerializable.Violates("no such anomaly"))
}

// Weaker levels come first, so that the first that holds no more is where a history falls short.
func TestLevelsAreInOrder(t *testing.T) {
	all := isolation.Levels()
	for i, l := range all {
		require.True(t, isolation.StrictSerializable.Implies(l))
		for _, later := range all[i+1:] {
			require.False(t, l.Implies(later), "%s comes before %s", l, later)
		}
	}
}

func TestBoundaryNamesTheWeakestLevelsFirst(t *testing.T) {
	not, also := isolation.Boundary([]string{"G-single"})
	require.Equal(t, []isolation.Level{isolation.ConsistentView, isolation.RepeatableRead}, not)
	require.Contains(t, also, isolation.SnapshotIsolation)
	require.Contains(t, also, isolation.StrictSerializable)
	not, also = isolation.Boundary([]string{"G-single", "G1a"})
	require.Equal(t, []isolation.Level{isolation.ReadCommitted}, not)
	require.Len(t, also, len(isolation.Levels())-2, "all but read uncommitted follow")
	not, also = isolation.Boundary(nil)
	require.Empty(t, not)
	require.Empty(t, also)
}

// Many reads and many unread appends of one key, and many transactions after many others, take linear space.
func TestGraphsOfManyAreLinear(t *testing.T) {
	const n = 2_000
	h := &isolation.History{Keys: []isolation.Key{{Writers: []int32{isolation.Nobody}, Unread: true}}}
	for i := range int32(n) { // each reads the empty list and appends: every one comes before every other
		h.Keys[0].Writers = append(h.Keys[0].Writers, i)
		h.Transactions = append(h.Transactions, isolation.Transaction{Session: isolation.NoSession, Call: int64(i), Return: int64(2*n + i),
			Ops: []isolation.Op{{Key: 0}, {Write: true, Key: 0, Version: i + 1}}})
	}
	for i := range int64(n) { // and as many come after all of them
		h.Transactions = append(h.Transactions, isolation.Transaction{Session: isolation.NoSession, Call: 4*n + i, Return: 6*n + i})
	}
	nodes, edges := isolation.GraphSize(h)
	require.Less(t, nodes, 8*n)
	require.Less(t, edges, 20*n)
	c := isolation.FindCycles(h, 1_000_000)
	require.Equal(t, int64(n), c.Linked)
	require.Len(t, c.Found, 1)
	require.Equal(t, isolation.G2Item, c.Found[0].Name)
	require.Len(t, c.Found[0].Steps, 2, "two that did not read each other")
	lost := isolation.LostUpdates(h)
	require.Equal(t, int64(1), lost.Count)
	of := isolation.Components(h)
	require.True(t, of[0] >= 0 && !slices.ContainsFunc(of[:n], func(c int32) bool { return c != of[0] }), "one component of all")
	require.Equal(t, int32(-1), of[n])
}
