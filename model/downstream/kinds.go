package downstream

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// Config of one service in one world.
type Config struct {
	Service           string                                                   // its name and its node's role
	Latency           rng.Dist                                                 // service time
	CapacityPerSecond int64                                                    // requests started per second; 0 = unlimited
	Offer             *model.Offer                                             // read at use; nil offers nothing
	Stage             func(op string) (kind model.StageKind, cl history.Class) // what an op is; nil = every op is an effect
	Refusing          func() bool                                              // the outage switch, asked at arrival; nil = never
	Poison            string                                                   // the event whose every request it rejects; "" = none
	Append, Fsync     rng.Dist                                                 // disk timing
	Planted           model.Planted                                            // bugs of this world

	// Of a database, for SQL.
	Schema            []*model.SQLStatement // CREATE TABLEs that were committed before the world began
	SQLStages         []SQLStage            // the effect stages that call this service, in the order of the flow
	IdleInTransaction sim.Duration          // idle_in_transaction_session_timeout; 0 = for ever, as Postgres by default
}

// SQLStage is an effect stage as a committed SQL transaction is recognised by it: by the op of a statement that changed a
// row, such as insert-orders. A transaction with no statement of such an op is taken for the stage that its caller acted
// for, or else for the first.
type SQLStage struct {
	Name, Op string
	Class    history.Class
}

// Kind is one row of the table of services.
type Kind struct {
	Name, Doc string
	Gives     []model.Capability
	New       func(Config) func(*sim.Node) sim.Handler // the factory of a node's incarnations

	// Volatile kinds hold no effects, and nothing that survives a stop: no effect stage may call one.
	Volatile bool
}

// Kinds lists the services, sorted by name.
func Kinds() []Kind {
	return []Kind{
		{Name: "cache", Doc: "values in the memory of one node, with a time to live: whatever stops the node empties it", New: newCache, Volatile: true},
		{Name: "database", Doc: "transactions, unique constraint, serializable or read committed, SQL; no keys (M52)", Gives: []model.Capability{model.ResourceFence, model.SinkTransaction}, New: newDatabase},
		{Name: "notification", Doc: "not idempotent, no key, no query: every request is sent again (M54)", New: newNotification},
		{Name: "payments-api", Doc: "an API with latency, capacity and idempotency keys that expire (M53, M28)", Gives: []model.Capability{model.ResourceFence, model.ServiceKey}, New: newPayments},
	}
}

// KindByName finds a kind.
func KindByName(name string) (Kind, bool) {
	for _, k := range Kinds() {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}
