package faults

import "github.com/twiceless/twiceless/sim"

// Controls is what the injector may do to a world beyond what its nodes offer. A scenario implements it.
type Controls interface {
	// Nodes of a role (also of a service's role), in order of their numbers, those that are down too.
	Nodes(role string) []*sim.Node
	// Node by name; nil when there is none.
	Node(name string) *sim.Node
	// Leader of a partition at this moment; nil when there is none.
	Leader(topic string, partition int) *sim.Node
	// Join boots one more member of a role and returns it; nil when the role cannot grow.
	Join(role string) *sim.Node
	// Leave asks a member to stop gracefully and kills it when the grace period is over, if it is still up.
	// It must not boot it again.
	Leave(n *sim.Node, cause int64)
	// Refuse makes every call to the service fail, or ends that.
	Refuse(service string, on bool)
	// LoseReply arms: the next reply of an effect op of the service is lost. lost is called when that happened.
	// Calls add up: armed twice, two replies are lost.
	LoseReply(service string, lost func())
	// Members of a consumer group, in order of their numbers, those that are down too; none when there is no such group.
	Members(group string) []*sim.Node
	// Replay has an operator set the group back to the earliest retained offsets. done is called when its members
	// are started again.
	Replay(group string, cause int64, done func())
	// Heal is the time at which the heal phase begins or began, ns; 0 = not known yet.
	Heal() int64
	// OnHeal has fn called once, when the heal phase begins.
	OnHeal(fn func())
}
