package consumer

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
)

func joinedMembers(ids ...string) (members []wire.JoinedMember) {
	for _, id := range ids {
		members = append(members, wire.JoinedMember{Member: id, Topics: []string{"orders"}, Generation: wire.NoGeneration})
	}
	return members
}

func counting(n int) func(string) int { return func(string) int { return n } }

// sharesText is "a=[0 1] b=[2]".
func sharesText(shares []wire.MemberShare) string {
	text := ""
	for _, s := range shares {
		var ids []int
		for _, tp := range s.Partitions {
			ids = append(ids, tp.Partition)
		}
		text += fmt.Sprintf(" %s=%v", s.Member, ids)
	}
	return text[1:]
}

// Range gives contiguous ranges in the order of the member ids, the first ones one more; round-robin deals out one by one.
func TestAssignors(t *testing.T) {
	for _, c := range []struct {
		assign     assignor
		partitions int
		members    []string
		want       string
	}{
		{assignRanges, 6, []string{"a", "b", "c"}, "a=[0 1] b=[2 3] c=[4 5]"},
		{assignRanges, 7, []string{"c", "a", "b"}, "a=[0 1 2] b=[3 4] c=[5 6]"},
		{assignRanges, 2, []string{"a", "b", "c"}, "a=[0] b=[1] c=[]"},
		{assignRoundRobin, 7, []string{"c", "a", "b"}, "a=[0 3 6] b=[1 4] c=[2 5]"},
		{assignRoundRobin, 1, []string{"a", "b"}, "a=[0] b=[]"},
		{assignSticky, 5, []string{"a", "b"}, "a=[0 2 4] b=[1 3]"},
	} {
		require.Equal(t, c.want, sharesText(c.assign(joinedMembers(c.members...), counting(c.partitions), 0)))
	}
}

// A static member keeps its place when it comes back under another member id.
func TestStaticMembersAreOrderedByInstance(t *testing.T) {
	members := joinedMembers("z", "a")
	members[0].Instance, members[1].Instance = "first", "second"
	require.Equal(t, "z=[0 1] a=[2]", sharesText(assignRanges(members, counting(3), 0)))
}

// Two rounds: what has to move is given to nobody as long as its owner has it.
func TestStickyMovesInTwoRounds(t *testing.T) {
	members := joinedMembers("a", "b")
	own := func(i int, generation int64, ids ...int) {
		members[i].Owned, members[i].Generation = nil, generation
		for _, id := range ids {
			members[i].Owned = append(members[i].Owned, wire.TopicPartition{Topic: "orders", Partition: id})
		}
	}
	own(0, 1, 0, 1, 2, 3)
	require.Equal(t, "a=[0 1] b=[]", sharesText(assignSticky(members, counting(4), 0)))
	own(0, 2, 0, 1)
	require.Equal(t, "a=[0 1] b=[2 3]", sharesText(assignSticky(members, counting(4), 0)))

	own(0, 1, 0, 1)
	own(1, 2, 1, 2)
	require.Equal(t, "a=[0] b=[1 2]", sharesText(assignSticky(members, counting(3), 0)), "the claim of the higher generation counts")
	own(1, 1, 1, 2)
	require.Equal(t, "a=[0 1] b=[2]", sharesText(assignSticky(members, counting(3), 0)), "of two of one generation neither does: 1 is free, and nobody gives it up")
	own(0, 1, 0, 1)
	own(1, 2)
	require.Equal(t, "a=[0] b=[]", sharesText(assignSticky(members, counting(2), 0)), "the owner has missed a round: it is asked to give 1 up")
	require.Equal(t, "a=[0] b=[1]", sharesText(assignSticky(members, counting(2), model.Defects(0).With(model.OlderClaimsIgnored))), "before 3.5 it was given away at once")
}

// Whatever the members and the partitions: no partition has two owners, each has one but what has to move first, shares
// differ by at most one in the end, whoever has no more than its share keeps it, and the order of the members in the
// request does not matter.
func TestAssignmentsAreFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfNDistinct(rapid.StringMatching("[a-z]{1,3}"), 1, 8, rapid.ID).Draw(t, "members")
		partitions := rapid.IntRange(0, 24).Draw(t, "partitions")
		assign := rapid.SampledFrom([]string{Range, RoundRobin, CooperativeSticky}).Draw(t, "assignor")
		members := joinedMembers(ids...)
		for k := range partitions {
			if i := rapid.IntRange(-1, len(members)-1).Draw(t, "owner"); i >= 0 && assign == CooperativeSticky {
				members[i].Owned = append(members[i].Owned, wire.TopicPartition{Topic: "orders", Partition: k})
				members[i].Generation = 3
			}
		}
		first := assignorOf(assign)(members, counting(partitions), 0)
		require.Equal(t, first, assignorOf(assign)(rapid.Permutation(members).Draw(t, "permuted"), counting(partitions), 0))
		owners := ownersOf(t, first)
		fair := (partitions + len(members) - 1) / len(members)
		for _, m := range members {
			for _, tp := range m.Owned {
				if len(m.Owned) < fair {
					require.Equal(t, m.Member, owners[tp.Partition], "kept")
				}
			}
		}

		for i := range members { // the second round: everybody has what it was given
			members[i].Owned, members[i].Generation = nil, 4
			for _, s := range first {
				if s.Member == members[i].Member {
					members[i].Owned = s.Partitions
				}
			}
		}
		second := assignorOf(assign)(members, counting(partitions), 0)
		require.Len(t, ownersOf(t, second), partitions)
		for _, s := range second {
			require.Contains(t, []int{partitions / len(members), fair}, len(s.Partitions))
			for _, f := range first {
				if f.Member == s.Member {
					require.Subset(t, s.Partitions, f.Partitions, "the second round takes nothing away")
				}
			}
		}
	})
}

func ownersOf(t require.TestingT, shares []wire.MemberShare) map[int]string {
	owners := map[int]string{}
	for _, s := range shares {
		require.True(t, slices.IsSortedFunc(s.Partitions, byPartition))
		for _, tp := range s.Partitions {
			require.Empty(t, owners[tp.Partition], "a second owner of %d", tp.Partition)
			owners[tp.Partition] = s.Member
		}
	}
	return owners
}
