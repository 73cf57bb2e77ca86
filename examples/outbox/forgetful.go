package outbox

import "context"

// Forgetful is the relay with the opposite bug: it takes the row away before it charges, so that nothing is charged twice,
// and what was not charged when it died never is.
type Forgetful struct{ Relay }

// Run works until ctx ends.
func (f *Forgetful) Run(ctx context.Context) { run(ctx, f.Log, f.next) }

func (f *Forgetful) next(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tx, err := f.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	order, err := first(ctx, tx)
	if err != nil {
		return err
	}
	if err := remove(ctx, tx, order); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	request, err := f.Payments.request(ctx, order)
	if err != nil {
		return err
	}
	request.Header.Set("Idempotency-Key", order.ID)
	return charged(f.Payments.HTTP.Do(request)) // the bug: nobody else knows any more that this is to be done
}
