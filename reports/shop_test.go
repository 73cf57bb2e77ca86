package reports

import (
	"errors"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim"
)

// shop is a team's own code, native: what a failing test of it prints has the lines of this file. Each of its variants has
// one mistake that people make.
func shop() map[string]scenarios.StageFunc {
	return map[string]scenarios.StageFunc{"enrich": enrichOrder, "charge": chargeOrder, "present": presentOrder}
}

func shopThat(charges scenarios.StageFunc) map[string]scenarios.StageFunc {
	stages := shop()
	stages["charge"] = charges
	return stages
}

func enrichOrder(c model.Ctx, m model.Message) (model.Message, error) {
	return c.Call("customers", "enrich", m)
}

func chargeOrder(c model.Ctx, m model.Message) (model.Message, error) {
	m.Amount = 4000
	return c.Call("payments", "charge", m)
}

func presentOrder(c model.Ctx, m model.Message) (model.Message, error) {
	return c.Call("notifier", "present", m)
}

// chargeHopefully takes no answer for a good one.
func chargeHopefully(c model.Ctx, m model.Message) (model.Message, error) {
	m.Amount = 4000
	if _, err := c.Call("payments", "charge", m); err != nil && !errors.Is(err, model.ErrConflict) {
		return m, nil
	}
	return m, nil
}

// chargeUnderNewID gives what it charges a name of its own.
func chargeUnderNewID(c model.Ctx, m model.Message) (model.Message, error) {
	m.Event += "-payment"
	return c.With(m.Intent).Call("payments", "charge", m)
}

// chargeWhenOpen waits for something that never comes.
func chargeWhenOpen(c model.Ctx, m model.Message) (model.Message, error) {
	for m.Event == "order-5" {
		c.Sleep(sim.Minute)
	}
	return chargeOrder(c, m)
}

// chargeLater leaves the charge to somebody else of its process.
func chargeLater(c model.Ctx, m model.Message) (model.Message, error) {
	c.Go("charging", func(c model.Ctx) {
		c.Sleep(sim.Second)
		_, _ = chargeOrder(c.With(m.Intent), m)
	})
	return m, nil
}

// chargeFirst trusts a list that a failed read leaves empty.
func chargeFirst(c model.Ctx, m model.Message) (model.Message, error) {
	var cards []string
	if _, err := c.Call("customers", "enrich", m); err == nil {
		cards = append(cards, m.Key)
	}
	m.Payload = cards[0]
	return chargeOrder(c, m)
}
