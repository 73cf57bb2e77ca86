package stack

import "github.com/twiceless/twiceless/model"

// memory is what code keeps in the memory of its process, one value for each node that asks. A new incarnation of a
// node begins with nothing: a layer is made once for a whole world, so what it keeps in its own fields would survive
// kills and be known to every node at once.
type memory[T any] struct {
	fresh  func() T
	byNode map[string]remembered[T] // by node; looked up only
}

type remembered[T any] struct {
	incarnation int32
	value       T
}

func newMemory[T any](fresh func() T) *memory[T] {
	return &memory[T]{fresh, map[string]remembered[T]{}}
}

// of is the value of the process that runs.
func (m *memory[T]) of(c model.Ctx) T {
	n := c.Process().Node()
	r, known := m.byNode[n.Name()]
	if !known || r.incarnation != n.Incarnation() {
		r = remembered[T]{n.Incarnation(), m.fresh()}
		m.byNode[n.Name()] = r
	}
	return r.value
}
