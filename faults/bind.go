package faults

import (
	"fmt"
	"strings"

	"github.com/twiceless/twiceless/sim"
)

// bind finds the nodes that the targets mean now, each once, or says which means none.
func (s *shot) bind(targets []string) (out []*sim.Node, reason string) {
	for _, t := range targets {
		nodes, reason := s.bindOne(t)
		if reason != "" {
			return nil, reason
		}
		for _, n := range nodes {
			if !hasNode(out, n) {
				out = append(out, n)
			}
		}
	}
	return out, ""
}

func (s *shot) bindOne(t string) ([]*sim.Node, string) {
	var n *sim.Node
	switch {
	case t == "$caller" && s.hit != nil:
		n = s.hit.Caller
	case t == "$node" && s.hit != nil:
		n = s.hit.Node
	case t[0] == '$':
		if topic, partition, ok := leaderOf(t); ok {
			n = s.in.c.Leader(topic, partition)
		}
	default:
		if n = s.in.c.Node(t); n == nil {
			if role := s.in.c.Nodes(t); len(role) > 0 {
				return role, ""
			}
		}
	}
	if n == nil {
		return nil, fmt.Sprintf("%s is nobody at this moment", t)
	}
	return []*sim.Node{n}, ""
}

// bindUp is bind for faults of running processes: nodes that are down are left out, and if all are, it says so.
func (s *shot) bindUp() (up []*sim.Node, reason string) {
	all, reason := s.bind(s.f.Targets)
	if reason != "" {
		return nil, reason
	}
	for _, n := range all {
		if n.Up() {
			up = append(up, n)
		}
	}
	if len(up) == 0 {
		return nil, nodeNames(all) + " is down already"
	}
	return up, ""
}

// keep remembers nodes with their present incarnation, for the lift.
func (s *shot) keep(nodes []*sim.Node) {
	for _, n := range nodes {
		s.nodes = append(s.nodes, bound{n, n.Incarnation()})
	}
}

// services names the services concerned and returns their nodes, if the scenario models any.
func (s *shot) services() []*sim.Node {
	s.res = strings.Join(s.f.Targets, ",")
	var out []*sim.Node
	for _, t := range s.f.Targets {
		out = append(out, s.in.c.Nodes(t)...)
	}
	return out
}

func hasNode(list []*sim.Node, n *sim.Node) bool {
	for _, x := range list {
		if x == n {
			return true
		}
	}
	return false
}

// nodeNames joins the names with commas.
func nodeNames(nodes []*sim.Node) string {
	names := make([]string, len(nodes))
	for i, n := range nodes {
		names[i] = n.Name()
	}
	return strings.Join(names, ",")
}
