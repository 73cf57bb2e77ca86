package model

import (
	"fmt"

	"github.com/twiceless/twiceless/sim"
)

// Origin is what the headers of a dead letter say: where its event was read, and why it was given up.
type Origin struct {
	Topic     string
	Partition int
	Offset    int64
	Attempts  int      // runs of the handler, from 1
	At        sim.Time // the wall clock of who gave it up
	Reason    string
}

const originFormat = "topic=%s partition=%d offset=%d attempts=%d at=%d reason=%q"

// Header is the text of it.
func (o Origin) Header() string {
	return fmt.Sprintf(originFormat, o.Topic, o.Partition, o.Offset, o.Attempts, o.At, o.Reason)
}

// ParseOrigin is the inverse of Header; ok is false for any other text.
func ParseOrigin(header string) (o Origin, ok bool) {
	n, err := fmt.Sscanf(header, originFormat, &o.Topic, &o.Partition, &o.Offset, &o.Attempts, &o.At, &o.Reason)
	return o, err == nil && n == 6
}

// DeadLetterReplay is what a layer asks of an operator: to publish the dead letters again, each to its original topic,
// once the first drain is over and if there are any by then.
type DeadLetterReplay struct {
	Topic     string       // of the dead letters; it has one partition
	After     sim.Duration // from the end of the first drain
	PerSecond int          // records, from 1
	NewIDs    bool         // under an id of their own, so that nobody recognises them
}
