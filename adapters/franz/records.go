package franz

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/twiceless/twiceless/loop"
)

func (c *client) Commit(ctx context.Context, records ...loop.Record) error {
	if c.closed.Load() {
		return loop.ErrClosed
	}
	positions, err := c.positions(records)
	if err != nil {
		return err
	}
	c.kgo.CommitOffsetsSync(ctx, positions, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, failed error) {
		if failed != nil {
			err = commitError(ctx, failed)
			return
		}
		err = answerError(ctx, resp)
	})
	if errors.Is(err, loop.ErrFenced) {
		c.putOut.Store(true)
	}
	return err
}

// positions are one past the highest offset of each partition. A broker checks the member and the generation of a commit, but not whose the partitions
// are: whether a rebalance has taken one from a member that is still in the group can be known here only.
//
// The leader epoch is left out, as the loop's records have none; a broker takes -1 for "not known".
func (c *client) positions(records []loop.Record) (map[string]map[int32]kgo.EpochOffset, error) {
	positions := map[string]map[int32]kgo.EpochOffset{}
	for _, r := range records {
		if r.Offset < 0 {
			return nil, fmt.Errorf("franz: commit of a record of %s/%d without an offset", r.Topic, r.Partition)
		}
		if !c.owns(r.TopicPartition()) {
			return nil, fmt.Errorf("%w: %s/%d", loop.ErrFenced, r.Topic, r.Partition)
		}
		if positions[r.Topic] == nil {
			positions[r.Topic] = map[int32]kgo.EpochOffset{}
		}
		if at, ok := positions[r.Topic][r.Partition]; !ok || r.Offset >= at.Offset {
			positions[r.Topic][r.Partition] = kgo.EpochOffset{Epoch: -1, Offset: r.Offset + 1}
		}
	}
	return positions, nil
}

func answerError(ctx context.Context, resp *kmsg.OffsetCommitResponse) error {
	var all []error
	for _, topic := range resp.Topics {
		for _, p := range topic.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				all = append(all, fmt.Errorf("%s/%d: %w", topic.Topic, p.Partition, commitError(ctx, err)))
			}
		}
	}
	return errors.Join(all...)
}

// commitError says what a failed commit means. A retriable error has outlived the retries of kgo, so that the answer to an earlier attempt may be what is
// missing.
func commitError(ctx context.Context, err error) error {
	var refusal *kerr.Error
	switch {
	case isFenced(err):
		return fmt.Errorf("%w: %w", loop.ErrFenced, err)
	case errors.As(err, &refusal) && !refusal.Retriable && refusal != kerr.UnknownServerError:
		return fmt.Errorf("franz: commit refused: %w", err)
	}
	return unknown(ctx, err)
}

// unknown wraps the end of ctx too: kgo reports some of them under names of its own.
func unknown(ctx context.Context, err error) error {
	if end := ctx.Err(); end != nil && !errors.Is(err, end) {
		return fmt.Errorf("%w: %w: %w", loop.ErrUnknown, end, err)
	}
	return fmt.Errorf("%w: %w", loop.ErrUnknown, err)
}

// isFenced finds the answers of a coordinator to a member or a generation that it does not have any more, under the classic protocol and KIP-848. The
// latter's STALE_MEMBER_EPOCH is none of them: the member is in the group, and has not yet heard of its new epoch.
func isFenced(err error) bool {
	for _, answer := range []error{kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.FencedInstanceID, kerr.FencedMemberEpoch} {
		if errors.Is(err, answer) {
			return true
		}
	}
	return false
}

// Produce does not wait for kgo beyond the end of ctx: kgo keeps a record whose request is under way until it knows, since its sequence number must not
// be used again.
func (c *client) Produce(ctx context.Context, record loop.Record) error {
	if c.closed.Load() {
		return loop.ErrClosed
	}
	answered := make(chan error, 1)
	c.kgo.Produce(ctx, toKgo(record), func(_ *kgo.Record, err error) { answered <- err })
	select {
	case err := <-answered:
		return produceError(ctx, err)
	case <-ctx.Done():
		return unknown(ctx, ctx.Err())
	}
}

// produceError keeps as plain refusals what is wrong with the record or with the right to write it, and was wrong in every attempt. Whatever else ends a
// produce may have come after an attempt that was written and whose answer was lost.
func produceError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	for _, refusal := range []error{
		kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTimestamp, kerr.InvalidTopicException,
		kerr.PolicyViolation, kerr.UnsupportedForMessageFormat, kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed,
	} {
		if errors.Is(err, refusal) {
			return fmt.Errorf("franz: record refused: %w", err)
		}
	}
	return unknown(ctx, err)
}

// readError is what a poll has to say beside its records. That the group has put the member out is told by the callback; kgo joins again by itself.
func readError(ctx context.Context, fetches kgo.Fetches) error {
	var all []error
	for _, e := range fetches.Errors() {
		var session *kgo.ErrGroupSession
		switch {
		case errors.Is(e.Err, kgo.ErrClientClosed):
			return loop.ErrClosed
		case ctx.Err() != nil && errors.Is(e.Err, ctx.Err()):
			return ctx.Err()
		case errors.As(e.Err, &session) && isFenced(e.Err):
		case e.Topic == "":
			all = append(all, fmt.Errorf("franz: %w", e.Err))
		default:
			all = append(all, fmt.Errorf("franz: read %s/%d: %w", e.Topic, e.Partition, e.Err))
		}
	}
	return errors.Join(all...)
}

// leaveError is nil when the group had put the member out already: then it has left.
func leaveError(ctx context.Context, err error) error {
	switch {
	case err == nil || isFenced(err):
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return fmt.Errorf("franz: leave the group: %w", err)
}

func fromFetches(fetches kgo.Fetches) []loop.Record {
	records := make([]loop.Record, 0, fetches.NumRecords())
	fetches.EachRecord(func(r *kgo.Record) {
		records = append(records, loop.Record{
			Topic: r.Topic, Partition: r.Partition, Offset: r.Offset,
			Key: r.Key, Value: r.Value, Headers: fromHeaders(r.Headers), Time: r.Timestamp,
		})
	})
	return records
}

func fromHeaders(headers []kgo.RecordHeader) []loop.Header {
	var all []loop.Header
	for _, h := range headers {
		all = append(all, loop.Header{Key: h.Key, Value: h.Value})
	}
	return all
}

func toKgo(r loop.Record) *kgo.Record {
	k := &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Timestamp: r.Time}
	for _, h := range r.Headers {
		k.Headers = append(k.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return k
}
