package consumer

import (
	"cmp"
	"slices"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/wire"
)

// The assignors, by the names that members tell the group. The leader of a classic group runs the one that was agreed on.
const (
	Range             = "range"
	RoundRobin        = "round-robin"
	CooperativeSticky = "cooperative-sticky"
)

// assignor gives each member of the group a share. Count tells the partitions of a topic. The shares come in the order of
// the members, each sorted.
type assignor func(members []wire.JoinedMember, count func(topic string) int, defects model.Defects) []wire.MemberShare

func assignorOf(name string) assignor {
	switch name {
	case Range:
		return assignRanges
	case RoundRobin:
		return assignRoundRobin
	case CooperativeSticky:
		return assignSticky
	}
	return nil
}

// ordered are the members by instance id, then by member id, as Kafka's assignors take them: a static member keeps its
// place when it comes back under another id.
func ordered(members []wire.JoinedMember) []wire.JoinedMember {
	members = slices.Clone(members)
	slices.SortFunc(members, func(a, b wire.JoinedMember) int {
		switch {
		case a.Instance != "" && b.Instance != "":
			return cmp.Compare(a.Instance, b.Instance)
		case a.Instance != "":
			return -1
		case b.Instance != "":
			return 1
		}
		return cmp.Compare(a.Member, b.Member)
	})
	return members
}

// topicsOf lists what any member subscribes to, sorted.
func topicsOf(members []wire.JoinedMember) []string {
	var topics []string
	for i := range members {
		topics = append(topics, members[i].Topics...)
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

// assignRanges gives, topic by topic, each subscriber a contiguous range, the first ones one more (RangeAssignor).
func assignRanges(members []wire.JoinedMember, count func(string) int, _ model.Defects) []wire.MemberShare {
	members = ordered(members)
	shares := sharesOf(members)
	for _, topic := range topicsOf(members) {
		var readers []int
		for i := range members {
			if slices.Contains(members[i].Topics, topic) {
				readers = append(readers, i)
			}
		}
		next, n := 0, count(topic)
		for k, i := range readers {
			size := n / len(readers)
			if k < n%len(readers) {
				size++
			}
			for range size {
				shares[i].Partitions = append(shares[i].Partitions, wire.TopicPartition{Topic: topic, Partition: next})
				next++
			}
		}
	}
	return shares
}

// assignRoundRobin deals the partitions of all topics out one by one (RoundRobinAssignor).
func assignRoundRobin(members []wire.JoinedMember, count func(string) int, _ model.Defects) []wire.MemberShare {
	members = ordered(members)
	shares := sharesOf(members)
	at := 0
	for _, tp := range allPartitions(members, count) {
		for !slices.Contains(members[at%len(members)].Topics, tp.Topic) {
			at++
		}
		i := at % len(members)
		shares[i].Partitions = append(shares[i].Partitions, tp)
		at++
	}
	return shares
}

func sharesOf(members []wire.JoinedMember) []wire.MemberShare {
	shares := make([]wire.MemberShare, len(members))
	for i := range members {
		shares[i].Member = members[i].Member
	}
	return shares
}

func allPartitions(members []wire.JoinedMember, count func(string) int) []wire.TopicPartition {
	var all []wire.TopicPartition
	for _, topic := range topicsOf(members) {
		for k := range count(topic) {
			all = append(all, wire.TopicPartition{Topic: topic, Partition: k})
		}
	}
	return all
}

// assignSticky keeps with each member what it has, as far as shares stay equal, and holds back what has to move: a partition
// is given to nobody as long as a member has it that is to give it up, and that one asks for another round when it has
// (CooperativeStickyAssignor, KIP-429).
//
// A partition that two members claim is that of the claim of the higher generation; of two claims of one generation neither
// counts (KIP-792).
func assignSticky(members []wire.JoinedMember, count func(string) int, defects model.Defects) []wire.MemberShare {
	members = ordered(members)
	all := allPartitions(members, count)
	owner := claims(members, all, defects)
	shares := balance(members, all, owner)
	for i := range shares {
		shares[i].Partitions = slices.DeleteFunc(shares[i].Partitions, func(tp wire.TopicPartition) bool {
			by := owner[slices.Index(all, tp)]
			return by >= 0 && by != i
		})
	}
	return shares
}

// claims tells by partition which member has it; -1 = nobody.
func claims(members []wire.JoinedMember, all []wire.TopicPartition, defects model.Defects) []int {
	owner := make([]int, len(all))
	generation := make([]int64, len(all))
	for k := range all {
		owner[k], generation[k] = -1, -2
	}
	newest := int64(-1)
	for i := range members {
		newest = max(newest, members[i].Generation)
	}
	for i := range members {
		m := &members[i]
		if defects.Has(model.OlderClaimsIgnored) && m.Generation < newest {
			continue
		}
		for _, tp := range m.Owned {
			k := slices.Index(all, tp)
			switch {
			case k < 0 || m.Generation < generation[k]:
			case m.Generation == generation[k]:
				owner[k] = -1
			default:
				owner[k], generation[k] = i, m.Generation
			}
		}
	}
	return owner
}

// balance gives every partition to a subscriber: each keeps what it owns up to a fair share, and the one with the least gets
// the next. Members have the same subscription, or those of a topic are balanced among themselves.
func balance(members []wire.JoinedMember, all []wire.TopicPartition, owner []int) []wire.MemberShare {
	shares := sharesOf(members)
	most := (len(all) + len(members) - 1) / len(members) // a fair share, rounded up
	more := len(all) - (most-1)*len(members)             // how many have that many
	var free []wire.TopicPartition
	for k, tp := range all {
		i := owner[k]
		if i < 0 || !slices.Contains(members[i].Topics, tp.Topic) {
			free = append(free, tp)
			continue
		}
		size := len(shares[i].Partitions)
		if size >= most || size == most-1 && more == 0 {
			free = append(free, tp)
			continue
		}
		if shares[i].Partitions = append(shares[i].Partitions, tp); len(shares[i].Partitions) == most {
			more--
		}
	}
	for _, tp := range free {
		least := -1
		for i := range members {
			if slices.Contains(members[i].Topics, tp.Topic) && (least < 0 || len(shares[i].Partitions) < len(shares[least].Partitions)) {
				least = i
			}
		}
		shares[least].Partitions = append(shares[least].Partitions, tp)
	}
	for i := range shares {
		slices.SortFunc(shares[i].Partitions, byPartition)
	}
	return shares
}

func byPartition(a, b wire.TopicPartition) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}
