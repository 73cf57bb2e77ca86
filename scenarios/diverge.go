package scenarios

import (
	"errors"

	"github.com/twiceless/twiceless/sim"
)

// Diverge does a case twice at the same time, event by event, and reports the first event in which the two runs
// differ; ok is false if they are equal. It is how a command explains digests that should have been equal.
func Diverge(c *Case) (at sim.Divergence, ok bool, err error) {
	plan, err := Plan(c)
	if err != nil {
		return at, false, err
	}
	if c.Intent.Scenario.hosts() {
		return at, false, errors.New("hosted code has one clock: two runs cannot go in step")
	}
	a, b := build(c, plan, &Memory{}), build(c, plan, &Memory{})
	defer a.sim.Close()
	defer b.sim.Close()
	at, ok = sim.Diverge(a.sim, b.sim, horizon)
	return at, ok, nil
}
