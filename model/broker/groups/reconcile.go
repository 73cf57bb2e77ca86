package groups

import (
	"slices"

	"github.com/twiceless/twiceless/model/wire"
)

// reconcile leads one member a step towards its target, given what it says it holds; true = something has changed. A member
// first gives up what is not in its target, and keeps its epoch until it has said so; then it takes the target's epoch and, of what
// it is to get, all that nobody else holds or may still hold. So no partition has two owners, whoever is late.
func (s *server) reconcile(m *reconciled, owned []wire.TopicPartition) bool {
	if m.progress == settled && m.epoch == s.target {
		return false
	}
	if m.progress == unrevoked && overlap(owned, m.revoking) {
		return false
	}
	keep := both(m.assigned, m.target)
	revoking := without(m.assigned, keep)
	if overlap(owned, revoking) {
		m.advance(m.epoch, unrevoked, keep, revoking)
		return true
	}
	next, missing := keep, false
	for _, p := range without(m.target, keep) {
		if s.free(p, m) {
			next = append(next[:len(next):len(next)], p)
		} else {
			missing = true
		}
	}
	sortPartitions(next)
	to := settled
	if missing {
		to = unreleased
	}
	if m.progress == to && m.epoch == s.target && slices.Equal(next, m.assigned) {
		return false
	}
	m.advance(s.target, to, next, nil)
	return true
}

// advance is the one transition of a member. Epochs do not go back, but to 0 and from -2, where a static member was replaced.
func (m *reconciled) advance(epoch int64, to progress, assigned, revoking []wire.TopicPartition) {
	if epoch < m.epoch {
		panic("groups: a member epoch goes back")
	}
	m.former, m.epoch, m.progress, m.assigned, m.revoking = m.epoch, epoch, to, assigned, revoking
}

// free says whether nobody but m may hold a partition.
func (s *server) free(p wire.TopicPartition, m *reconciled) bool {
	return !slices.ContainsFunc(s.members, func(other *reconciled) bool {
		return other != m && (holds(other.assigned, p) || holds(other.revoking, p))
	})
}

// resized says whether the topics that the members read have other sizes than the targets were made by.
func (s *server) resized(g *group) bool {
	if g.generation > s.target {
		return false // they are made anew in any case
	}
	return slices.ContainsFunc(s.sizes, func(t topicSize) bool { return g.c.h.Partitions(t.topic) != t.size })
}

// retarget makes the targets of the group's epoch. It is Kafka's uniform assignor in its effect: everybody keeps as much as
// balance allows, and nobody has two more than another who could read one of them.
func (s *server) retarget(g *group) {
	s.target = g.generation
	s.sizes = s.sizes[:0:0]
	var all []wire.TopicPartition
	for _, m := range s.members {
		for _, t := range m.topics {
			if !slices.ContainsFunc(s.sizes, func(known topicSize) bool { return known.topic == t }) {
				s.sizes = append(s.sizes, topicSize{t, g.c.h.Partitions(t)})
				for p := range g.c.h.Partitions(t) {
					all = append(all, wire.TopicPartition{Topic: t, Partition: p})
				}
			}
		}
	}
	sortPartitions(all)
	for _, m := range s.members {
		kept := both(m.target, all)
		m.target = slices.DeleteFunc(kept, func(p wire.TopicPartition) bool { return !slices.Contains(m.topics, p.Topic) })
	}
	for _, p := range all {
		if slices.ContainsFunc(s.members, func(m *reconciled) bool { return holds(m.target, p) }) {
			continue
		}
		if m := s.poorest(p.Topic); m != nil {
			m.target = append(m.target, p)
			sortPartitions(m.target)
		}
	}
	s.balance()
}

// poorest is who has the least of those that read a topic, the first among equals.
func (s *server) poorest(topic string) (least *reconciled) {
	for _, m := range s.members {
		if slices.Contains(m.topics, topic) && (least == nil || len(m.target) < len(least.target)) {
			least = m
		}
	}
	return least
}

// balance moves partitions from who has most to who has least. Each move makes the distribution more even, so it ends.
func (s *server) balance() {
	for s.move() {
	}
}

func (s *server) move() bool {
	for _, rich := range s.members {
		for i := len(rich.target) - 1; i >= 0; i-- {
			p := rich.target[i]
			if poor := s.poorest(p.Topic); len(rich.target)-len(poor.target) >= 2 {
				rich.target = slices.Delete(rich.target, i, i+1)
				poor.target = append(poor.target, p)
				sortPartitions(poor.target)
				return true
			}
		}
	}
	return false
}

// Lists of partitions are sorted sets.

func holds(list []wire.TopicPartition, p wire.TopicPartition) bool {
	_, ok := slices.BinarySearchFunc(list, p, byPartition)
	return ok
}

// both is a new list of what is in a and in b.
func both(a, b []wire.TopicPartition) (out []wire.TopicPartition) {
	for _, p := range a {
		if holds(b, p) {
			out = append(out, p)
		}
	}
	return out
}

// without is a new list of what is in a and not in b.
func without(a, b []wire.TopicPartition) (out []wire.TopicPartition) {
	for _, p := range a {
		if !holds(b, p) {
			out = append(out, p)
		}
	}
	return out
}

// overlap says whether owned, which a member sent and is in any order, has something of a set.
func overlap(owned, set []wire.TopicPartition) bool {
	return slices.ContainsFunc(owned, func(p wire.TopicPartition) bool { return holds(set, p) })
}
