package outbox

import "context"

// Keyless is the relay with a bug: a row that is charged and not yet taken away when the relay dies is charged again, and the
// payments service cannot know.
type Keyless struct{ Relay }

// Run works until ctx ends.
func (k *Keyless) Run(ctx context.Context) { run(ctx, k.Log, k.next) }

func (k *Keyless) next(ctx context.Context) error {
	tx, err := k.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	order, err := first(ctx, tx)
	if err != nil {
		return err
	}
	if err := k.Payments.charge(ctx, order, ""); err != nil { // the bug
		return err
	}
	if err := remove(ctx, tx, order); err != nil {
		return err
	}
	return tx.Commit()
}
