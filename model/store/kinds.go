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
	Append, Fsync rng.Dist // disk timing
	Latency       rng.Dist // service time of an operation
	Planted       model.Planted
	Window        sim.Duration // of a dedup store: how long a record is kept after its last change, on the store's wall clock; 0 = for ever. Of leases: how long one holds

	Relay     model.Relay      // of an outbox
	Directory *model.Directory // where an outbox finds the services that it calls; the other kinds call nobody
}

// Kind is one row of the table of stores.
type Kind struct {
	Name, Doc string
	Gives     []model.Capability
	Ops       []string                                 // that its service answers, sorted
	Replicas  int                                      // nodes beside the first; with some, a sentinel watches over them all
	New       func(Config) func(*sim.Node) sim.Handler // the factory of a node's incarnations
}

// Kinds lists the stores, sorted by name.
func Kinds() []Kind {
	return []Kind{
		{"durable", "every claim is on disk before it is answered, and kept for ever or for a window (M29, M30)", []model.Capability{model.StoreClaim}, claimOps(), 0, newDurable},
		{"lease", "hands out one holder's lease at a time, with a token that grows (M31)", []model.Capability{model.StoreLease}, []string{OpAcquire, OpRenew}, 0, newLeases},
		{"outbox", "keeps what is to be called for, and calls for it, row by row, until it is done (M33)", []model.Capability{model.StoreOutbox}, []string{OpPut}, 0, newOutbox},
		{"replicated-async", "a primary answers and tells its replica afterwards, which is promoted when the primary is gone: what it had not been told is forgotten (M56)", []model.Capability{model.StoreClaim}, replicaOps(), 1, newReplica},
		{"stage-records", "keeps which stages of an event are done, with their results (M27)", []model.Capability{model.StoreStages}, []string{OpComplete, OpRecall}, 0, newStages},
	}
}

// claimOps are those of a dedup store.
func claimOps() []string { return []string{OpClaim, OpDone, OpRelease} }

// Add adds the nodes of a store to a world, down: those that hold the records, and who watches over them if they are
// several, else nil.
func Add(w *sim.World, role string, k Kind, cfg Config) (nodes []*sim.Node, sentinel *sim.Node) {
	for range 1 + k.Replicas {
		nodes = append(nodes, w.Role(role, k.New(cfg)))
	}
	if k.Replicas > 0 {
		sentinel = w.Role(SentinelService, newSentinel(role))
	}
	return nodes, sentinel
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
