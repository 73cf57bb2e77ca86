package billing

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"
)

const requestTimeout = 4 * time.Second

// statusError is an answer other than 2xx.
type statusError struct {
	code int
	body string
}

func (e *statusError) Error() string { return fmt.Sprintf("status %d: %s", e.code, e.body) }

// retryable says whether a later try may succeed: an answer that is the client's fault stays what it is.
func retryable(err error) bool {
	var status *statusError
	if errors.As(err, &status) {
		return status.code >= 500 || status.code == http.StatusTooManyRequests || status.code == http.StatusConflict
	}
	return !errors.Is(err, context.Canceled)
}

// poster posts JSON to one backend.
type poster struct {
	client *http.Client
	base   string
}

func (p poster) do(ctx context.Context, path, idempotencyKey string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if idempotencyKey != "" {
		req.Header.Set("Idempotency-Key", idempotencyKey)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		return &statusError{resp.StatusCode, string(text)}
	}
	if out == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

// cards charges cards.
type cards struct {
	post    poster
	retries int
	backoff time.Duration
	log     *slog.Logger
}

// charge returns the id of the charge. The key is that of the invoice, so the processor charges it once.
func (c *cards) charge(ctx context.Context, inv Invoice) (id string, err error) {
	in := map[string]any{"customer": inv.Customer, "amount": inv.Amount, "currency": inv.Currency}
	for try := 0; ; try++ {
		var out struct {
			ID     string `json:"id"`
			Status string `json:"status"`
		}
		err = c.post.do(ctx, "/v1/charges", "invoice-"+inv.ID, in, &out)
		switch {
		case err == nil && out.Status != "succeeded":
			return "", fmt.Errorf("charge %s is %s", out.ID, out.Status)
		case err == nil:
			return out.ID, nil
		case !retryable(err) || try+1 >= c.retries:
			return "", err
		}
		c.log.WarnContext(ctx, "charge failed, trying again", "invoice", inv.ID, "try", try+1, "error", err)
		select {
		case <-ctx.Done():
			return "", errors.Join(err, context.Cause(ctx))
		case <-time.After(c.backoff << try):
		}
	}
}
