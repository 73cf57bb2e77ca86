package twiceless

import (
	"encoding/json"
	"net/http"

	"github.com/twiceless/twiceless/internal/sqldoor"
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/model/downstream"
	"github.com/twiceless/twiceless/scenarios"
)

// brought is what hosted code brings along to a scenario.
type brought struct {
	fakes     map[string]func() http.Handler
	added     []addedService
	schemas   map[string][]*model.SQLStatement
	sqlErrors func(*sqldoor.Error) error // nil = as they are
	parsed    sqldoor.Cache
	payload   func(Message) string
}

// Service is an Option: a service of the scenario is played by a fake of the team's own, in place of the modelled one.
// newFake is called once for each run; network, latency, capacity and outages are those of the scenario. An answer of 2xx
// to a request that may change something counts as one application of the effect, unless it carries the header Suppressed.
// What the fake remembers counts as durable: its service may crash and still know it.
func Service(name string, newFake func() http.Handler) Option {
	return option(func(s *settings) {
		if newFake == nil {
			s.problem("Service(%q, nil): want a function that makes a handler", name)
			return
		}
		if s.brought.fakes == nil {
			s.brought.fakes = map[string]func() http.Handler{}
		}
		s.brought.fakes[name] = newFake
	})
}

// Database is an Option: the scenario has a database of that name, whose tables are made by these statements before
// anything runs: CREATE TABLE, and CREATE UNIQUE INDEX, as in a schema file. The scenario may have the database already.
func Database(name, schema string) Option {
	return option(func(s *settings) {
		b := &s.brought
		tables, _, err := sqldoor.ParseScript(schema)
		if err == nil {
			_, err = downstream.NewRelational(tables)
		}
		if err != nil {
			s.problem("Database(%q): %v", name, err)
			return
		}
		if b.schemas == nil {
			b.schemas = map[string][]*model.SQLStatement{}
		}
		b.schemas[name] = tables
		b.added = append(b.added, addedService{name, "database"})
	})
}

// addedService is a service that the scenario need not have.
type addedService struct{ name, kind string }

// WithCache is an Option: the scenario has a cache of that name. It may have it already.
func WithCache(name string) Option {
	return option(func(s *settings) { s.brought.added = append(s.brought.added, addedService{name, "cache"}) })
}

// SQLError is what a database answers to a statement that failed: Code is its SQLSTATE, as Postgres has it.
type SQLError struct{ Code, Message, Constraint string }

// SQLErrors is an Option: the error that code under test looks for in place of ours, such as a *pgconn.PgError made of the
// code. Without it errors have a method SQLState() string.
func SQLErrors(as func(SQLError) error) Option {
	return option(func(s *settings) {
		s.brought.sqlErrors = func(e *sqldoor.Error) error {
			return as(SQLError{Code: e.Code, Message: e.Message, Constraint: e.Constraint})
		}
	})
}

// Payload is an Option: what the messages of events hold, as the producer of production would write them. By default it is
// JSON with the event's id, its key and the amount of the flow's first critical effect in hundredths:
// {"id":"order-117","key":"key-3","cents":4000}.
func Payload(of func(Message) []byte) Option {
	return option(func(s *settings) { s.brought.payload = func(m Message) string { return string(of(m)) } })
}

// into adds to a scenario what it needs for it.
func (b *brought) into(s *settings, sc *scenarios.Scenario) *scenarios.Scenario {
	for _, added := range b.added {
		with, err := sc.WithService(added.name, added.kind)
		if err != nil {
			s.problem("%v", err)
			continue
		}
		sc = with
	}
	for _, name := range scenarios.SortedKeys(b.fakes) {
		if _, ok := sc.Downstreams[name]; !ok {
			s.problem("Service(%q): scenario %s has no such service; it has %v", name, sc.Name, scenarios.SortedKeys(sc.Downstreams))
		}
	}
	if b.payload == nil {
		b.payload = jsonPayload(firstAmount(sc))
	}
	return sc
}

// payloadOf is what the code reads; an empty record stays empty.
func (b *brought) payloadOf(m Message) string {
	if m.Payload != m.Event {
		return m.Payload // somebody wrote it in the course of the run
	}
	return b.payload(m)
}

// firstAmount is that of the first critical effect, in hundredths.
func firstAmount(sc *scenarios.Scenario) int64 {
	for i := range sc.Flow {
		if sc.Flow[i].Effect == "critical" {
			return sc.Flow[i].Amount
		}
	}
	return 0
}

func jsonPayload(cents int64) func(Message) string {
	return func(m Message) string {
		text, _ := json.Marshal(struct {
			ID    string `json:"id"`
			Key   string `json:"key"`
			Cents int64  `json:"cents"`
		}{m.Event, m.Key, cents}) // strings and a number cannot fail
		return string(text)
	}
}
