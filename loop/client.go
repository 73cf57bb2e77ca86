package loop

import (
	"context"
	"errors"
	"time"
)

// A Client is one member of one consumer group, subscribed to the topics that it was made for, and a producer.
//
// Poll and Close belong to the goroutine that owns the loop: one call at a time, and neither from a callback. The other methods may be called from
// any goroutine and from callbacks. Assigned and Revoked are to be called before the first Poll.
type Client interface {
	// Poll waits for records and returns at least one and at most max of them; max ≤ 0 leaves the number to the client. Records of one partition come
	// in the order of their offsets, without a gap but for what the log itself has dropped, beginning at the group's committed position. A group
	// without one begins where the client is configured to.
	//
	// The call tells the group that the loop is alive and done with the records of the poll before: callbacks run inside it, and partitions may go.
	// A loop that stays away for longer than the group's rebalance timeout is put out of the group, and finds out by ErrFenced and a callback with
	// lost set. Poll is worth calling when everything is paused: it keeps the membership.
	//
	// When ctx ends Poll returns its error and no records; none are lost by that, the next Poll returns them. ErrClosed says that the loop is to end.
	// Any other error is about reading or the membership and comes without records; Poll may be called again and goes on where it was.
	Poll(ctx context.Context, max int) ([]Record, error)

	// Commit moves the group's position in each partition of the records to one past the highest offset among them, and returns when the group's
	// coordinator has acknowledged it. The position is set: committing an old record after a newer one sets it back. No records are no commit.
	//
	// The whole commit is refused with ErrFenced when one of the partitions is not this client's, or the group has another generation than the client
	// knows of. ErrUnknown says that the positions may have moved or not, as when ctx ends under way. Any other error is a refusal for the reason that
	// it gives, in the partitions that it names. Both may be committed again as long as the partitions are this client's.
	Commit(ctx context.Context, records ...Record) error

	// Produce appends the record to its topic and returns when all in-sync replicas have acknowledged it. The key chooses the partition: Partition and
	// Offset of the record are not looked at, equal keys come to rest in the order of the calls, and a nil key may go anywhere. A zero Time is now.
	//
	// ErrUnknown says that the record may be in the log or not, as when ctx ends under way: producing it again may make two of it. After any other
	// error it is not in the log.
	Produce(ctx context.Context, record Record) error

	// Pause stops records of these partitions: no Poll that begins after it returns any, and none is lost. It holds until Resume, or until the
	// partition is taken away: given back it is not paused. Partitions that are not this client's are passed over.
	Pause(partitions ...TopicPartition)

	// Resume undoes Pause. Reading goes on at the record after the last that Poll returned.
	Resume(partitions ...TopicPartition)

	// Assigned sets what is called when partitions come to this client, before the first of their records is returned. It is told of the new ones only,
	// sorted by topic and number, never of none. A second call replaces the first; nil means no call.
	//
	// Callbacks run on the goroutine that called Poll or Close, inside that call, one at a time: what they share with the loop needs no lock, and the
	// group waits for them. The context has the values of the one given to that call. Its end comes through in Close only: a short timeout of Poll
	// shall not cut off a commit.
	Assigned(func(ctx context.Context, partitions []TopicPartition))

	// Revoked sets what is called when partitions leave this client: by a rebalance, by Close, or because it was put out of the group. It is told of
	// those that leave only, sorted, never of none. Unless they are lost they are still this client's during the call, as far as it knows, and that is
	// the moment for a last Commit; lost says that others may have them already, and that a commit will be refused. No record of them is returned
	// afterwards, unless they are assigned again.
	Revoked(func(ctx context.Context, partitions []TopicPartition, lost bool))

	// Close revokes what the client has, leaves the group, so that others need not wait for the session timeout, and lets go of everything else. It
	// commits nothing by itself. When ctx ends before the group has answered, Close returns its error; the client is closed all the same. Closing again
	// returns nil.
	Close(ctx context.Context) error
}

var (
	// ErrClosed says that the client is closed, or that its process was asked to stop in good order: finish what is in hand, commit, Close, and do not
	// poll again. Commit and Produce return it after Close only.
	ErrClosed = errors.New("loop: client is closed")

	// ErrFenced says that a commit was refused because the partitions, or the whole membership, are no longer this client's. The records come again to
	// whoever has the partitions now, which may be this client: do not commit them again, drop what is left of them and poll. What is lost by it and was
	// not yet told of, the next Poll tells before it returns a record.
	ErrFenced = errors.New("loop: commit refused: the partition is not this client's any more")

	// ErrUnknown says that a request was sent, or may have been, and no answer tells what came of it.
	ErrUnknown = errors.New("loop: outcome unknown")
)

// A Record is one entry of a partition's log. Records are values; the bytes in them are not changed by anybody after they were handed over.
type Record struct {
	Topic     string
	Partition int32
	// Offset counts from 0 in every partition. -1 is that of a record that was not written yet; Commit refuses it.
	Offset  int64
	Key     []byte // nil: no key
	Value   []byte // nil: a tombstone where the topic is compacted
	Headers []Header
	// Time is the one that the producer gave or, where the topic says so, that of the append. Logs keep milliseconds.
	Time time.Time
}

// TopicPartition is where the record is, or was read from.
func (r Record) TopicPartition() TopicPartition { return TopicPartition{r.Topic, r.Partition} }

// A Header is a named value of a record. Names may repeat, and their order is kept.
type Header struct {
	Key   string
	Value []byte
}

// A TopicPartition names one partition of one topic.
type TopicPartition struct {
	Topic     string
	Partition int32
}
