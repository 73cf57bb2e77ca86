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
	Append, Fsync     rng.Dist                                                 // disk timing
	Planted           model.Planted                                            // bugs of this world
}

// Kind is one row of the table of services.
type Kind struct {
	Name, Doc string
	Gives     []model.Capability
	New       func(Config) func(*sim.Node) sim.Handler // the factory of a node's incarnations
}

// Kinds lists the services, sorted by name.
func Kinds() []Kind {
	return []Kind{
		{"database", "transactions, unique constraint, serializable or read committed; no keys (M52)", []model.Capability{model.ResourceFence, model.SinkTransaction}, newDatabase},
		{"notification", "not idempotent, no key, no query: every request is sent again (M54)", nil, newNotification},
		{"payments-api", "an API with latency, capacity and idempotency keys that expire (M53, M28)", []model.Capability{model.ResourceFence, model.ServiceKey}, newPayments},
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
