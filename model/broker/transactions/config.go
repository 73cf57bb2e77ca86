package transactions

import (
	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/sim"
)

// Config of a coordinator. The zero value of each field but Defects means its default, which is that of Kafka 4.
type Config struct {
	// Version of the protocol that the cluster speaks (transaction.version): 1, or 2 with an epoch of its own for each
	// transaction (KIP-890 part 2). 0 = 2, the default since Kafka 4.0. A client that speaks an older one is served in its
	// own; what the coordinator aborts by itself follows this one. Whether leaders verify before they append (KIP-890 part
	// 1) is their switch, not the coordinator's.
	Version int

	// MaxTimeout is the longest timeout that a producer may ask for: transaction.max.timeout.ms. 0 = 15 min.
	MaxTimeout sim.Duration

	// ScanInterval is how often the coordinator looks for transactions whose timeout is over, on the monotonic clock of its
	// node: transaction.abort.timed.out.transaction.cleanup.interval.ms. Whether it is over is said by the wall clock, see
	// the package comment. A transaction is aborted up to that much later than its timeout. 0 = 10 s.
	ScanInterval sim.Duration

	// IDExpiry is how long a transactional id that has no open transaction is remembered after its last change, on the
	// wall clock: transactional.id.expiration.ms. 0 = 7 d.
	IDExpiry sim.Duration

	// IDScanInterval is how often the coordinator looks for those, on the monotonic clock of its node:
	// transaction.remove.expired.transaction.cleanup.interval.ms. 0 = 1 h.
	IDScanInterval sim.Duration

	// RequestTimeout is how long the coordinator waits for a leader that was sent markers, on the monotonic clock of its
	// node: request.timeout.ms. 0 = 30 s.
	RequestTimeout sim.Duration

	// Backoff is how long it waits before it sends markers again, or appends a completion again, on the same clock. 0 = 50
	// ms: what Kafka's marker channel waits before it connects again.
	Backoff sim.Duration

	// FirstEpoch is the epoch of the first identity that an id is given, for scenarios that begin where epochs end. In Kafka it
	// is 0, the default.
	FirstEpoch int32

	Defects model.Defects // published ones of this part, see model.DefectTable
}

// filled has the defaults in place.
func (cfg Config) filled() Config {
	if cfg.Version == 0 {
		cfg.Version = 2
	}
	for _, d := range []struct {
		of *sim.Duration
		is sim.Duration
	}{
		{&cfg.MaxTimeout, 15 * sim.Minute},
		{&cfg.ScanInterval, 10 * sim.Second},
		{&cfg.IDExpiry, 7 * 24 * sim.Hour},
		{&cfg.IDScanInterval, sim.Hour},
		{&cfg.RequestTimeout, 30 * sim.Second},
		{&cfg.Backoff, 50 * sim.Millisecond},
	} {
		if *d.of == 0 {
			*d.of = d.is
		}
	}
	return cfg
}

// endsAtLastEpoch says whether this is a version that fails beyond the last epoch of an id. Today's lets an abort go through
// under that epoch (KAFKA-20090).
func (cfg *Config) endsAtLastEpoch() bool {
	return cfg.Defects.Has(model.FenceBumpsTwice) || cfg.Defects.Has(model.FenceWithoutRotation) || cfg.Defects.Has(model.FailedFenceBumpsAgain)
}
