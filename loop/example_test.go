package loop_test

import (
	"context"
	"errors"
	"log"
	"time"

	"github.com/twiceless/twiceless/loop"
)

// consume handles records until ctx ends or the client is asked to stop. It loses nothing: it commits only what was handled, and what was not committed
// comes again, so that handle has to bear that. A commit that failed is no reason to stop: the next one covers it, and if there is none because the
// partition has gone, its next owner handles those records a second time.
func consume(ctx context.Context, client loop.Client, handle func(context.Context, loop.Record) error) error {
	for {
		records, err := client.Poll(ctx, 100)
		if errors.Is(err, loop.ErrClosed) || ctx.Err() != nil {
			return leave(client)
		}
		if err != nil {
			log.Print(err) // about reading: Poll goes on where it was
			continue
		}
		for _, record := range records {
			// What is in hand is finished when ctx ends: half a batch that was handled and not committed would come again.
			if err := handle(context.WithoutCancel(ctx), record); err != nil {
				return errors.Join(err, leave(client)) // not committed: the whole batch comes again
			}
		}
		if err := commit(ctx, client, records); err != nil {
			log.Print(err)
		}
	}
}

func commit(ctx context.Context, client loop.Client, records []loop.Record) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return client.Commit(ctx, records...)
}

// leave lets the others have the partitions at once. The context that ended the loop would end this too.
func leave(client loop.Client) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return client.Close(ctx)
}

// A loop that loses nothing when its process, its broker or its place in the group goes away at any moment.
func Example() {
	var client loop.Client // franz.New(...) in production, a simulated one in tests
	book := func(context.Context, loop.Record) error { return nil }

	ctx := context.Background() // signal.NotifyContext in production
	if err := consume(ctx, client, book); err != nil {
		log.Fatal(err)
	}
}
