// Package shop has the code of a team: what it does to charge an order.
package shop

import "github.com/twiceless/twiceless/model"

// price of an order, in hundredths.
const price = 40_00

// Charge is the stage charge of scenario payments. It asks the card processor once more if it does not answer,
// as many client libraries do by themselves. An answer that was lost is then a second charge. A dedup store around the
// stage cannot see it: the store was asked once, before the first of the two calls. Only the card processor can, if both
// calls carry the same idempotency key.
func Charge(c model.Ctx, order model.Message) (model.Message, error) {
	order.Amount = price
	receipt, err := c.Call("payments", "charge", order)
	if err != nil {
		return c.Call("payments", "charge", order)
	}
	return receipt, nil
}
