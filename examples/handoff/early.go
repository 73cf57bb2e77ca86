package handoff

import (
	"context"
	"errors"
	"log/slog"

	"github.com/twiceless/twiceless/loop"
)

// Early is the loop with the bug: it commits what it has handed over, not what is done. A process that dies takes its queue
// along, and nobody is given those orders again.
type Early struct {
	Client  loop.Client
	Charges *Charges
	Log     *slog.Logger
}

// Run polls until the client is closed.
func (e *Early) Run(ctx context.Context) error {
	queue := make(chan loop.Record, 1000)
	worker := make(chan struct{})
	go func() {
		defer close(worker)
		for record := range queue {
			for e.Charges.Charge(ctx, record) != nil && pause(ctx, retryAfter) {
			}
		}
	}()
	for {
		records, err := e.Client.Poll(ctx, 100)
		if errors.Is(err, loop.ErrClosed) || ctx.Err() != nil {
			close(queue)
			<-worker
			return leave(e.Client)
		}
		if err != nil {
			e.Log.Warn("poll", "error", err)
			continue
		}
		for _, record := range records {
			queue <- record
		}
		if err := e.Client.Commit(ctx, records...); err != nil { // the bug: they are in the queue, and nowhere else
			e.Log.Warn("commit", "error", err)
		}
	}
}
