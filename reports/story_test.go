package reports

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

const ms = 1_000_000

// testHistory has the header of a payments run; ms after the start every fact happens.
func testHistory(stack string) *history.History {
	h := &history.History{}
	h.Reset(0)
	h.Header = history.Header{Format: "twiceless-history", Version: 1, Epoch: 1, Scenario: "payments", Stack: stack, Seed: 1310,
		Requires: []history.Requirement{{Stage: "charge", Resource: "payments", Class: history.Critical}}}
	return h
}

// record adds a fact about order-117 in orders/3 at offset 41 unless the fact says otherwise.
func record(h *history.History, at int64, node string, kind history.Kind, f history.Fact) int64 {
	f.Time, f.Node, f.Kind, f.Incarnation = at, node, kind, 1
	if f.Offset == 0 {
		f.Offset = -1
	}
	return h.Record(f)
}

func duplicateStory() (*history.History, history.Finding) {
	h := testHistory("at-least-once")
	event := history.Fact{Event: "order-117", Stage: "charge", Resource: "payments", Op: "charge"}
	lies := history.Fact{Event: "order-117", Resource: "orders/3", Offset: 41, Attempt: 1}
	other := history.Fact{Event: "order-116", Stage: "charge", Resource: "payments", Op: "charge", Changed: true}
	record(h, 500*ms, "broker-1", history.KindGeneration, history.Fact{Resource: "workers", Fence: 4})
	record(h, 1100*ms, "producer-1", history.KindOffered, history.Fact{Event: "order-117"})
	appended := record(h, 1150*ms, "broker-2", history.KindAppended, lies)
	record(h, 1160*ms, "producer-1", history.KindAccepted, history.Fact{Event: "order-117"})
	record(h, 1170*ms, "payments-1", history.KindApplied, other)
	lies.Cause = appended
	delivered := record(h, 1201*ms+700_000, "consumer-2", history.KindDelivered, lies)
	event.Cause = delivered
	called := record(h, 1202*ms, "consumer-2", history.KindCalled, event)
	event.Cause, event.Changed = called, true
	first := record(h, 1203*ms+900_000, "payments-1", history.KindApplied, event)
	fault := record(h, 1204*ms, "consumer-2", history.KindFaultBegan, history.Fact{Note: "at 1.204s kill consumer-2 for 1s"})
	record(h, 1204*ms, "consumer-2", history.KindStopped, history.Fact{Note: "kill", Cause: fault})
	record(h, 1204*ms, "consumer-2", history.KindUnwound, history.Fact{Op: "poll-loop", Note: "model/consumer/loop.go:118", Cause: fault, Event: "order-117", Stage: "charge"})
	record(h, 1204*ms, "consumer-2", history.KindUnwound, history.Fact{Op: "heartbeat", Note: "model/consumer/heartbeat.go:31", Cause: fault})
	record(h, 2204*ms, "consumer-2", history.KindFaultEnded, history.Fact{Cause: fault})
	record(h, 2210*ms, "consumer-2", history.KindBooted, history.Fact{})
	record(h, 7204*ms, "broker-1", history.KindEvicted, history.Fact{Resource: "workers", Value: "consumer-2", Note: "session timeout"})
	record(h, 7210*ms+400_000, "broker-1", history.KindGeneration, history.Fact{Resource: "workers", Fence: 5})
	record(h, 7211*ms, "consumer-1", history.KindAssigned, history.Fact{Resource: "orders/3", Fence: 5})
	lies.Attempt = 2
	again := record(h, 7216*ms+200_000, "consumer-1", history.KindDelivered, lies)
	event.Cause, event.Attempt = again, 2
	second := record(h, 7258*ms, "payments-1", history.KindApplied, event)
	record(h, 7300*ms, "consumer-1", history.KindCommitted, history.Fact{Resource: "orders/3", Offset: 42})
	return h, history.Finding{Property: history.PropDuplicateCritical, Event: "order-117", Stage: "charge",
		Label: history.LabelRedeliveredAfterCommitLost, Evidence: []int64{first, second}}
}

func lossStory() (*history.History, history.Finding) {
	h := testHistory("at-most-once")
	lies := history.Fact{Event: "order-9", Resource: "orders/0", Offset: 3, Attempt: 1}
	appended := record(h, 900*ms, "broker-1", history.KindAppended, lies)
	record(h, 905*ms, "producer-1", history.KindAccepted, history.Fact{Event: "order-9"})
	lies.Cause = appended
	delivered := record(h, 950*ms, "consumer-1", history.KindDelivered, lies)
	asked := record(h, 951*ms, "consumer-1", history.KindCommitting, history.Fact{Resource: "orders/0", Offset: 4})
	committed := record(h, 955*ms, "broker-1", history.KindCommitted, history.Fact{Resource: "orders/0", Offset: 4, Cause: asked})
	fault := record(h, 960*ms, "consumer-1", history.KindFaultBegan, history.Fact{Note: "at 960ms kill consumer-1 for 1s"})
	record(h, 960*ms, "consumer-1", history.KindUnwound, history.Fact{Op: "poll-loop", Note: "model/consumer/loop.go:97", Cause: fault, Event: "order-9"})
	return h, history.Finding{Property: history.PropLoss, Event: "order-9", Stage: "charge",
		Label: history.LabelCommittedBeforeEffect, Evidence: []int64{appended, delivered, committed}}
}

func tell(t *testing.T, h *history.History, f history.Finding, opt StoryOptions) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, WriteStory(&b, h, f, opt))
	require.LessOrEqual(t, strings.Count(b.String(), "\n"), 30)
	return b.String()
}

func TestStoryGolden(t *testing.T) {
	opt := StoryOptions{Fault: "consumer-kill", Again: "simulate replay out/cases/9f31c2.case", Digest: "51d0a27c44be109f"}
	h, f := duplicateStory()
	golden(t, "story.duplicate.golden", []byte(tell(t, h, f, opt)))
	h, f = lossStory()
	golden(t, "story.loss.golden", []byte(tell(t, h, f, opt)))
}

// What an operator does is told as a turn of the story, with the position of the event's partition only.
func TestStoryOfAReplay(t *testing.T) {
	h := testHistory("key-event-stage")
	lies := history.Fact{Event: "order-117", Resource: "orders/3", Offset: 41}
	effect := history.Fact{Event: "order-117", Stage: "charge", Resource: "payments", Op: "charge", Changed: true}
	record(h, 1*ms, "consumer-2", history.KindDelivered, lies)
	first := record(h, 2*ms, "payments-1", history.KindApplied, effect)
	fault := record(h, 93_000_000*ms, "consumer-1", history.KindFaultBegan, history.Fact{Note: "after drain 26h replay workers"})
	record(h, 93_000_000*ms, "operator-1", history.KindOperated, history.Fact{Op: "stop", Resource: "workers", Value: "consumer-1,consumer-2", Cause: fault})
	for _, partition := range []string{"orders/2", "orders/3"} {
		f := h.At(record(h, 93_001_000*ms, "operator-1", history.KindOperated, history.Fact{Op: "reset", Resource: partition, Value: "workers", Cause: fault}))
		f.Offset = 0
	}
	record(h, 93_001_000*ms, "operator-1", history.KindOperated, history.Fact{Op: "start", Resource: "workers", Value: "consumer-1,consumer-2", Cause: fault})
	record(h, 93_005_000*ms, "consumer-1", history.KindDelivered, lies)
	second := record(h, 93_006_000*ms, "payments-1", history.KindApplied, effect)
	text := tell(t, h, history.Finding{Property: history.PropDuplicateCritical, Event: "order-117", Stage: "charge",
		Label: history.LabelRedeliveredAfterReplay, Evidence: []int64{first, second}}, StoryOptions{})
	require.Contains(t, text, "consumer-1  ✗ replay workers, 26h after the drain (fault 1)\n")
	require.Contains(t, text, "operator-1  stops group workers: consumer-1,consumer-2\n")
	require.Contains(t, text, "operator-1  sets the position of group workers in orders/3 to 0\n")
	require.NotContains(t, text, "orders/2")
	require.Contains(t, text, "operator-1  starts group workers: consumer-1,consumer-2\n")
	require.Contains(t, text, "an operator set the group's position back or published a dead letter again, and the event came")
}

func TestStoryHeadlineTakesTheAmount(t *testing.T) {
	h, f := duplicateStory()
	text := tell(t, h, f, StoryOptions{Amount: "customer charged 80.00 instead of 40.00"})
	require.Contains(t, text, "order-117: customer charged 80.00 instead of 40.00\nat-least-once · seed 1310\n")
}

func TestStoryOfAShrunkCase(t *testing.T) {
	h, f := duplicateStory()
	text := tell(t, h, f, StoryOptions{Shrunk: "shrunk from 11 faults to 1, from 360 events to 1", Would: []Remedy{
		{"idempotency-key", "holds at all 41 placements of this fault"},
		{"dedup-store", "breaks at 1 of 43 placements of this fault, and this goes on until the line is longer than any page and turns"},
		{"", "searched of small cases: simulate shrink a/path/that/is/far/too/long/to/fit/but/must/not/be/broken/since/it/is/a/command/to/paste.case"},
	}})
	require.Contains(t, text, "at-least-once · seed 1310 · shrunk from 11 faults to 1, from 360 events to 1\n")
	require.Contains(t, text, `
What would               idempotency-key  holds at all 41 placements of this fault
                         dedup-store      breaks at 1 of 43 `)
	require.Regexp(t, `\n {42}\S.* and turns\n`, text)
	require.Contains(t, text, "/broken/since/it/is/a/command/to/paste.case\n")
	require.NotContains(t, text, "How likely")
	require.Contains(t, tell(t, h, f, StoryOptions{Likely: "72 of 300"}), "\nHow likely               72 of 300\n")
}

func TestStoryOfManyFactsStaysShort(t *testing.T) {
	h, f := duplicateStory()
	for i := range int64(60) {
		id := record(h, (8000+i)*ms, "payments-1", history.KindApplied, history.Fact{Event: "order-117", Stage: "charge", Resource: "payments", Changed: true})
		f.Evidence = append(f.Evidence, id)
	}
	text := tell(t, h, f, StoryOptions{Again: "simulate replay x"})
	require.Contains(t, text, "more, in the history")
	require.Contains(t, text, "first effect")
}

func TestStoryOfNothing(t *testing.T) {
	h := &history.History{}
	text := tell(t, h, history.Finding{Property: history.PropHarness, Label: history.LabelUnexplained, Detail: "the run hung", Evidence: []int64{7}}, StoryOptions{})
	require.Contains(t, text, "harness: the run hung")
}
