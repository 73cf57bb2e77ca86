package handoff

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/twiceless/twiceless/loop"
)

// Charges has orders charged by the payments service.
type Charges struct {
	HTTP *http.Client
	URL  string // https://payments.example.com
}

// Charge has the order of a record charged, and returns when the service has answered. It may be called again for the same
// order: the service knows the key and charges once.
func (c *Charges) Charge(ctx context.Context, record loop.Record) error {
	var order struct {
		ID    string `json:"id"`
		Cents int64  `json:"cents"`
	}
	if err := json.Unmarshal(record.Value, &order); err != nil {
		return fmt.Errorf("%s/%d@%d: %w", record.Topic, record.Partition, record.Offset, err)
	}
	body, err := json.Marshal(map[string]any{"order": order.ID, "cents": order.Cents})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/charges", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Idempotency-Key", order.ID)
	response, err := c.HTTP.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("charge of %s: %s", order.ID, response.Status)
	}
	return nil
}
