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
	"github.com/twiceless/twiceless/scenarios"
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

func TestHostedRun(t *testing.T) {
	sc, err := scenarios.Load("payments")
	require.NoError(t, err)
	h := hostedShop(t)
	code := h.code("example.com/shop.TestShop")
	code.Sites = true
	sc, err = sc.Bind(code)
	require.NoError(t, err)
	c, err := scenarios.MeasuringCase(sc, "at-least-once", "consumer-kill", 1, 2)
	require.NoError(t, err)
	mem := &scenarios.Memory{}
	r, err := scenarios.Supervise(c, mem, 20*time.Second)
	require.NoError(t, err)
	fmt.Println(r.Stop, r.Row.Buckets, len(r.Verdicts.Findings), r.Row.Events)
	for _, f := range r.Verdicts.Findings[:1] {
		var b bytes.Buffer
		require.NoError(t, reports.WriteStory(&b, r.History, f, reports.StoryOptions{}))
		fmt.Println(b.String())
	}
	t0 := time.Now()
	digests := map[uint64]int{}
	for range 20 {
		r, err := scenarios.Supervise(c, mem, 20*time.Second)
		require.NoError(t, err)
		digests[r.Digest]++
	}
	fmt.Println(time.Since(t0)/20, digests, h.remarks)
}
