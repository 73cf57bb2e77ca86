// Package billing collects invoices. A provider of subscriptions posts a webhook when an invoice is final; the service
// charges the customer's card, writes down that the invoice is paid, and tells the customer and the sales team.
package billing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	signatureHeader = "Billing-Signature"
	maxWebhookBody  = 64 << 10
	maxClockSkew    = 5 * time.Minute
	webhookDeadline = 30 * time.Second
)

var errBadSignature = errors.New("bad signature")

// Event is the envelope of a webhook.
type Event struct {
	ID   string          `json:"id"`
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

// ServeHTTP receives webhooks. The provider repeats one that it gets no 2xx for.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhookBody))
	if err != nil {
		http.Error(w, "body too large", http.StatusRequestEntityTooLarge)
		return
	}
	if err := s.verify(r.Header.Get(signatureHeader), body); err != nil {
		s.log.WarnContext(r.Context(), "webhook refused", "error", err)
		http.Error(w, "bad signature", http.StatusBadRequest)
		return
	}
	var ev Event
	if err := json.Unmarshal(body, &ev); err != nil || ev.ID == "" {
		http.Error(w, "malformed event", http.StatusBadRequest)
		return
	}
	if err := s.dispatch(r, &ev); err != nil {
		s.log.ErrorContext(r.Context(), "webhook failed", "event", ev.ID, "type", ev.Type, "error", err)
		http.Error(w, "try again", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Service) dispatch(r *http.Request, ev *Event) error {
	switch ev.Type {
	case "invoice.finalized":
		var inv Invoice
		if err := json.Unmarshal(ev.Data, &inv); err != nil {
			return fmt.Errorf("decode %s: %w", ev.Type, err)
		}
		return s.Collect(r.Context(), ev.ID, inv)
	default:
		s.log.DebugContext(r.Context(), "webhook ignored", "type", ev.Type)
		return nil
	}
}

// verify checks t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">.
func (s *Service) verify(header string, body []byte) error {
	stamp, sum, ok := strings.Cut(header, ",")
	stamp, isStamp := strings.CutPrefix(stamp, "t=")
	sum, isSum := strings.CutPrefix(sum, "v1=")
	if !ok || !isStamp || !isSum {
		return errBadSignature
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > maxClockSkew {
		return fmt.Errorf("%w: timestamp %q", errBadSignature, stamp)
	}
	got, err := hex.DecodeString(sum)
	if err != nil || !hmac.Equal(got, sign(s.secret, stamp, body)) {
		return errBadSignature
	}
	return nil
}

func sign(secret []byte, stamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}
