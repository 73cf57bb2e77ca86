package scenarios

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/producer"
	"github.com/twiceless/twiceless/sim"
)

// bus is what carries the events of one world, with the clients that belong to it: the kind of the scenario's broker. One
// kind is one file and one line of busKinds.
type bus interface {
	// add adds the brokers' nodes, down, in the order in which they boot.
	add() []*sim.Node

	// member, publisher and emit are the clients: of a loop of the stack, of the workload, and of code that publishes.
	member(l *loopSpec, loop func(model.Ctx, model.Consumer)) func(*sim.Node) sim.Handler
	publisher(wl producer.Workload, out *producer.Outstanding) func(*sim.Node) sim.Handler
	emit(c *model.Context, topic string, m model.Message) error
	transactor(c *model.Context, name string) model.Transactor

	// replay and letters are the operators who set a group back and who publish dead letters again.
	replay(group, topic string, cause int64, done func()) func(*sim.Node) sim.Handler
	letters(r model.DeadLetterReplay) func(*sim.Node) sim.Handler

	// leader of a partition; nil = none at the moment.
	leader(topic string, partition int) *sim.Node

	// ready says whether the members of a group have their shares.
	ready(l *loopSpec, members int) bool

	// left is how many records a loop's group has yet to take; more than 0 while nobody can say. records is how many its topic took.
	left(l *loopSpec) int64
	records(topic string) int64

	// settled says whether the brokers that are up have caught up with each other.
	settled() bool

	// final records what is held at the end.
	final()
}

// restorer is a bus whose logs can be read by who keeps state in them: one with transactions.
type restorer interface {
	restore(c *model.Context, topic string, partition int, to model.Bound, take func(model.Message))
}

// busKind is one row of the table of brokers.
type busKind struct {
	name, doc string
	gives     []model.Capability
	of        func(*world) bus
}

// busKinds lists the kinds of brokers, sorted by name.
func busKinds() []busKind {
	return []busKind{
		{"log", "a replicated, partitioned log with groups and transactions, after Kafka (M50)", []model.Capability{model.BrokerTransaction, model.GroupFence}, newLogBus},
		{"queue", "a queue with handles and redelivery, of one of the profiles of real systems (M51)", nil, newQueueBus},
	}
}

func busByName(name string) (busKind, bool) {
	for _, k := range busKinds() {
		if k.name == name {
			return k, true
		}
	}
	return busKind{}, false
}
