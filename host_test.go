package twiceless

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/sim/history"
)

// shop charges an order and then tells the customer, as production code does.
type shop struct{ payments, notifier *http.Client }

func (s *shop) handle(ctx context.Context, m Message) error {
	if err := s.post(ctx, s.payments, "http://payments/v1/charges", m); err != nil {
		return err
	}
	return s.post(ctx, s.notifier, "http://notifier/v1/messages", m)
}

func (s *shop) post(ctx context.Context, c *http.Client, url string, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	body, err := json.Marshal(map[string]any{"order": m.Event})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", resp.Status)
	}
	return nil
}

func hostedShop(t *testing.T) *hosted {
	return &hosted{t: t, brought: &brought{payload: func(m Message) string { return m.Payload }}, handler: single(func(env *Env) Handler {
		s := &shop{env.HTTP("payments"), env.HTTP("notifier")}
		return s.handle
	})}
}

// A hosted handler is killed at its own line: its charge was on the way, its position was never committed, and the event
// comes again.
func TestHostedRun(t *testing.T) {
	h := hostedShop(t)
	r, err := hostedRun(t, h, time.Minute, "when payments.charge/arrived{event=order-5} #1 kill $caller for 1s")
	require.NoError(t, err)
	require.Equal(t, "quiescent", r.Stop.String())
	require.EqualValues(t, 1, r.Row.Excess[history.Critical])
	require.Zero(t, r.Row.Losses())
	require.Len(t, r.Verdicts.Findings, 1, "it died before it had told the customer")
	charge := r.Verdicts.Findings[0]
	require.Equal(t, []string{"order-5", "charge"}, []string{charge.Event, charge.Stage})
	var b bytes.Buffer
	require.NoError(t, reports.WriteStory(&b, r.History, charge, reports.StoryOptions{}))
	require.Contains(t, b.String(), "poll-loop died waiting at github.com/twiceless/twiceless/host_test.go:")
	require.Contains(t, b.String(), "applies charge of order-5")
	require.Empty(t, h.remarks)
}
