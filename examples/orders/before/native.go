package orders

import (
	"errors"

	"github.com/twiceless/twiceless"
	"github.com/twiceless/twiceless/model"
)

// Charge is what Handle does for the stage charge of a flow, written against the simulator's own context: exact, and
// several times as fast. The rest of the flow is what the scenario says.
func Charge(c twiceless.Ctx, m twiceless.Message) (twiceless.Message, error) {
	if handled, err := isHandled(c, m); err != nil || handled {
		return m, err
	}
	if err := write(c, m, "handled"); err != nil {
		return m, err
	}
	if err := charge(c, m); err != nil {
		return m, errors.Join(err, write(c, m, ""))
	}
	return m, nil
}

func isHandled(c twiceless.Ctx, m twiceless.Message) (bool, error) {
	reply, err := c.Transact("orders", "select", model.TxnRequest{Reads: []string{m.Event}})
	return err == nil && reply.Rows[0].Value != "", err
}

func write(c twiceless.Ctx, m twiceless.Message, state string) error {
	_, err := c.Transact("orders", "write", model.TxnRequest{Writes: []model.Write{{Key: m.Event, Value: state}}})
	return err
}

func charge(c twiceless.Ctx, m twiceless.Message) error {
	m.Amount, m.IdempotencyKey = 40_00, "charge-"+m.Event
	_, err := c.Call("payments", "charge", m)
	return err
}
