package franz_test

import (
	"context"
	"log"
	"log/slog"
	"net/http"
	"os/signal"
	"syscall"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/twiceless/twiceless/adapters/franz"
	"github.com/twiceless/twiceless/examples/handoff"
)

// The loop of examples/handoff in production: what its test runs in a world runs here, with another client.
func ExampleNew_handoff() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()

	client, err := franz.New(
		kgo.SeedBrokers("kafka-1:9092", "kafka-2:9092"),
		kgo.ConsumerGroup("billing"),
		kgo.ConsumeTopics("orders"),
	)
	if err != nil {
		log.Fatal(err)
	}
	charging := &handoff.Loop{
		Client:  client,
		Charges: &handoff.Charges{HTTP: http.DefaultClient, URL: "https://payments.example.com"},
		Log:     slog.Default(),
	}
	if err := charging.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
