package billing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Invoice is one invoice to collect.
type Invoice struct {
	ID       string `json:"id"`
	Customer string `json:"customer"`
	Amount   int64  `json:"amount_due"` // in the smallest unit of the currency
	Currency string `json:"currency"`
}

func (inv *Invoice) validate() error {
	var errs []error
	if inv.ID == "" {
		errs = append(errs, errors.New("no id"))
	}
	if inv.Customer == "" {
		errs = append(errs, errors.New("no customer"))
	}
	if inv.Amount <= 0 {
		errs = append(errs, fmt.Errorf("amount %d", inv.Amount))
	}
	return errors.Join(errs...)
}

// Config of a Service.
type Config struct {
	Secret   []byte // of the webhooks
	Payments string // base URLs
	Mail     string
	CRM      string
	Retries  int           // of a charge; default 3
	Backoff  time.Duration // before the second try, doubling; default 200 ms
}

// Service collects invoices.
type Service struct {
	secret []byte
	store  *Store
	cards  *cards
	mail   poster
	crm    poster
	log    *slog.Logger
}

// New wires a service. A client has its own transport for each backend: pools of connections are sized for it.
func New(cfg Config, store *Store, payments, mail, crm *http.Client, log *slog.Logger) *Service {
	if cfg.Retries == 0 {
		cfg.Retries = 3
	}
	if cfg.Backoff == 0 {
		cfg.Backoff = 200 * time.Millisecond
	}
	return &Service{
		secret: cfg.Secret,
		store:  store,
		cards:  &cards{post: poster{payments, cfg.Payments}, retries: cfg.Retries, backoff: cfg.Backoff, log: log},
		mail:   poster{mail, cfg.Mail},
		crm:    poster{crm, cfg.CRM},
		log:    log,
	}
}

// Collect charges an invoice once, however often it is told of it.
func (s *Service) Collect(ctx context.Context, eventID string, inv Invoice) error {
	if err := inv.validate(); err != nil {
		return fmt.Errorf("invoice %q: %w", inv.ID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, webhookDeadline)
	defer cancel()

	attempt, err := s.store.Begin(ctx, inv)
	if errors.Is(err, ErrPaid) {
		s.log.InfoContext(ctx, "already paid", "invoice", inv.ID)
		return nil
	}
	if err != nil {
		return fmt.Errorf("begin %s: %w", inv.ID, err)
	}
	charge, err := s.cards.charge(ctx, inv)
	if err != nil {
		return fmt.Errorf("charge %s, attempt %d: %w", inv.ID, attempt, err)
	}
	if err := s.store.Settle(ctx, eventID, inv.ID, charge); err != nil {
		return fmt.Errorf("settle %s: %w", inv.ID, err)
	}
	return s.announce(ctx, inv, charge)
}

// announce tells everybody at once who wants to know of a payment.
func (s *Service) announce(ctx context.Context, inv Invoice, charge string) error {
	announcements := []struct {
		to   poster
		path string
		body any
	}{
		{s.mail, "/v1/messages", map[string]any{"template": "receipt", "customer": inv.Customer, "invoice": inv.ID, "amount": inv.Amount}},
		{s.crm, "/v1/activities", map[string]any{"customer": inv.Customer, "kind": "paid", "charge": charge}},
	}
	var wg sync.WaitGroup
	errs := make([]error, len(announcements))
	for i, a := range announcements {
		wg.Go(func() {
			errs[i] = a.to.do(ctx, a.path, "", a.body, nil)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
