package store

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
	"github.com/twiceless/twiceless/sim/rng"
)

// Service is the name of the store's service and the role of its node.
const Service = "dedup"

// The operations.
const (
	OpClaim   = "claim"
	OpDone    = "done"
	OpRelease = "release"
)

// The results.
const (
	Granted  = "granted"   // of claim: nobody had it; it is the caller's now
	Mine     = "mine"      // of claim: the caller already holds it
	Pending  = "pending"   // of claim: another token holds it
	Done     = "done"      // of claim: the effect has taken place
	OK       = "ok"        // of done and release
	NotOwner = "not-owner" // of done and release: the caller does not hold it

	Expired = "expired" // header of granted: there was a record, and its window had passed
)

// Config of a store in one world.
type Config struct {
	Append, Fsync rng.Dist     // disk timing
	Latency       rng.Dist     // service time of an operation
	Window        sim.Duration // how long a record is kept after its last change, on the store's wall clock; 0 = for ever
}

// Kind is one row of the table of stores.
type Kind struct {
	Name, Doc string
	Gives     []model.Capability
	New       func(Config) func(*sim.Node) sim.Handler // the factory of a node's incarnations
}

// Kinds lists the stores, sorted by name.
func Kinds() []Kind {
	return []Kind{
		{"durable", "every claim is on disk before it is answered, and kept for ever or for a window (M29, M30)", []model.Capability{model.StoreClaim}, newDurable},
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
