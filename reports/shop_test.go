package reports

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/scenarios"
)

// shop is a team's own code, native: what a failing test of it prints has the lines of this file.
func shop() map[string]scenarios.StageFunc {
	return map[string]scenarios.StageFunc{"enrich": enrichOrder, "charge": chargeOrder, "present": presentOrder}
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
