package faults

import "github.com/twiceless/twiceless/sim"

// applyDropInbound is a partition one way: what the second side sends to the first vanishes there, what the first
// side sends arrives. Which party is the deaf one decides everything, so the line names it first: a consumer that
// does not hear its broker keeps its session, because its heartbeats arrive, and holds its partitions without
// progress; a broker that does not hear a consumer takes it for dead. Resets count as messages: the deaf side does
// not learn that its peer was killed. liftPartition ends it.
func applyDropInbound(s *shot) string {
	return s.part(func(deaf, peer *sim.Node) []cut { return []cut{{from: peer, to: deaf}} })
}
