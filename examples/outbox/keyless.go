package outbox

import "context"

// Keyless is the relay with a bug: a row that is charged and not yet taken away when the relay dies is charged again, and the
// payments service cannot know.
type Keyless struct{ Relay }

// Run works until ctx ends.
func (k *Keyless) Run(ctx context.Context) { run(ctx, k.Log, k.next) }

func (k *Keyless) next(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tx, err := k.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	order, err := first(ctx, tx)
	if err != nil {
		return err
	}
	request, err := k.Payments.request(ctx, order)
	if err != nil {
		return err
	}
	if err := charged(k.Payments.HTTP.Do(request)); err != nil { // the bug: nothing in it says that it may be a repetition
		return err
	}
	if err := remove(ctx, tx, order); err != nil {
		return err
	}
	return tx.Commit()
}
