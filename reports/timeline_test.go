package reports

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

func drawn(t *testing.T, h *history.History, f history.Finding, opt StoryOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, WriteTimeline(&b, h, f, opt))
	return b.Bytes()
}

// element is a parsed element with the text inside it, children included.
type element struct {
	name  string
	attrs map[string]string
	text  string
}

// elements parses strictly: what is not well-formed fails the test. They come in the order in which they end.
func elements(t *testing.T, page []byte) []element {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(page))
	var open, all []element
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			require.Empty(t, open)
			return all
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			e := element{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			open = append(open, e)
		case xml.CharData:
			for i := range open {
				open[i].text += string(token)
			}
		case xml.EndElement:
			all = append(all, open[len(open)-1])
			open = open[:len(open)-1]
		}
	}
}

func TestTimelineGolden(t *testing.T) {
	opt := StoryOptions{Fault: "consumer-kill"}
	for name, story := range map[string]func() (*history.History, history.Finding){"duplicate": duplicateStory, "loss": lossStory} {
		h, f := story()
		picture := drawn(t, h, f, opt)
		require.Equal(t, picture, drawn(t, h, f, opt))
		golden(t, "timeline."+name+".golden.svg", picture)
	}
}

// TestTimelineTellsTheMomentsOfTheStory reads the words that are painted, not the description for those who do not see.
func TestTimelineTellsTheMomentsOfTheStory(t *testing.T) {
	for _, story := range []func() (*history.History, history.Finding){duplicateStory, lossStory, replyStory} {
		h, f := story()
		var painted []string
		for _, e := range elements(t, drawn(t, h, f, StoryOptions{})) {
			if e.name == "text" {
				painted = append(painted, e.text)
			}
		}
		words := strings.Join(strings.Fields(strings.Join(painted, " ")), " ")
		moments, _ := newTeller(h, f).chosen()
		require.NotEmpty(t, moments)
		for _, m := range moments {
			require.Contains(t, words, strings.TrimSpace(m.who+" "+strings.TrimPrefix(m.what, "✗ ")))
			require.Contains(t, words, m.mark)
			if m.sub == 0 {
				require.Contains(t, words, strings.TrimPrefix(clock(m.fact.Time), "t="))
			}
		}
	}
}

// replyStory is of a reply that never arrived, and a commit that was sent and never took place.
func replyStory() (*history.History, history.Finding) {
	h := testHistory("at-least-once")
	lies := history.Fact{Event: "order-5", Resource: "orders/0", Offset: 3}
	lies.Cause = record(h, 900*ms, "broker-1", history.KindAppended, lies)
	delivered := record(h, 950*ms, "consumer-1", history.KindDelivered, lies)
	act := history.Fact{Event: "order-5", Stage: "charge", Resource: "payments", Op: "charge", Cause: delivered}
	call := record(h, 960*ms, "consumer-1", history.KindCalled, act)
	act.Cause, act.Changed = call, true
	first := record(h, 970*ms, "payments-1", history.KindApplied, act)
	fault := record(h, 970*ms, "payments-1", history.KindFaultBegan, history.Fact{Note: "at 970ms lose-reply payments", Value: "payments-1"})
	record(h, 970*ms, "payments-1", history.KindFaultEnded, history.Fact{Cause: fault, Value: "payments-1"})
	act.Outcome, act.Changed = history.Indeterminate, false
	record(h, 5960*ms, "consumer-1", history.KindReturned, act)
	act.Outcome, act.Cause = history.OutcomeNone, delivered
	act.Cause = record(h, 6000*ms, "consumer-1", history.KindCalled, act)
	act.Changed = true
	second := record(h, 6010*ms, "payments-1", history.KindApplied, act)
	act.Outcome = history.Acked
	record(h, 6020*ms, "consumer-1", history.KindReturned, act)
	record(h, 6030*ms, "consumer-1", history.KindCommitting, history.Fact{Resource: "orders/0", Offset: 4})
	record(h, 7000*ms, "consumer-2", history.KindDelivered, lies)
	return h, history.Finding{Property: history.PropDuplicateCritical, Event: "order-5", Stage: "charge", Label: history.LabelReplyLost, Evidence: []int64{first, second}}
}

// sceneOf lays a story out without drawing it.
func sceneOf(h *history.History, f history.Finding) *scene {
	sc := &scene{t: newTeller(h, f)}
	moments, _ := sc.t.chosen()
	sc.findLanes(moments)
	sc.place(moments)
	sc.findArrows()
	sc.findSpells()
	return sc
}

// flights are the arrows as texts: lost, reply or message, from → to.
func (sc *scene) flights() []string {
	var out []string
	for _, a := range sc.arrows {
		kind := "message"
		switch {
		case a.lost:
			kind = "lost"
		case a.reply:
			kind = "reply"
		}
		out = append(out, kind+" "+sc.lanes[a.from].node+" → "+sc.lanes[a.to].node)
	}
	return out
}

func TestLanesFollowTheWayOfAnEvent(t *testing.T) {
	sc := sceneOf(duplicateStory())
	var nodes []string
	for i, l := range sc.lanes {
		nodes = append(nodes, l.node)
		require.True(t, i == 0 || l.x > sc.lanes[i-1].x+60, "names need room")
	}
	require.Equal(t, []string{"producer-1", "broker-1", "broker-2", "consumer-1", "consumer-2", "payments-1"}, nodes)
}

func TestMessagesAreArrows(t *testing.T) {
	require.Equal(t, []string{"message broker-2 → consumer-2", "message consumer-2 → payments-1", "message broker-2 → consumer-1", "message consumer-1 → payments-1"},
		sceneOf(duplicateStory()).flights())
	require.Equal(t, []string{
		"message broker-1 → consumer-1", "message consumer-1 → payments-1", "lost payments-1 → consumer-1", // the reply
		"message consumer-1 → payments-1", "reply payments-1 → consumer-1", "lost consumer-1 → broker-1", // the commit
		"message broker-1 → consumer-2"}, sceneOf(replyStory()).flights())
	for _, story := range []func() (*history.History, history.Finding){duplicateStory, lossStory, replyStory} {
		for _, a := range sceneOf(story()).arrows {
			require.LessOrEqual(t, a.y0, a.y1, "time runs downwards")
		}
	}
}

func TestAFaultIsABoxFromBeginToEnd(t *testing.T) {
	sc := sceneOf(duplicateStory())
	require.Len(t, sc.spells, 1)
	s := sc.spells[0]
	began, over := sc.stepOf(history.KindFaultBegan), sc.stepOf(history.KindFaultEnded)
	require.Equal(t, "consumer-2", sc.lanes[s.lane].node)
	require.Equal(t, began.y, s.y0)
	require.Greater(t, s.y1, over.y)
	require.Less(t, s.y1, over.y+stepHeight)
	require.False(t, s.since || s.until)

	sc = sceneOf(lossStory())
	require.Len(t, sc.spells, 1)
	require.True(t, sc.spells[0].until, "nothing says that it ended")
	require.Equal(t, sc.bottom, sc.spells[0].y1)
}

func (sc *scene) stepOf(kind history.Kind) *step {
	return &sc.steps[slices.IndexFunc(sc.steps, func(s step) bool { return s.fact.Kind == kind && s.sub == 0 })]
}

func TestIdleStretchesAreCut(t *testing.T) {
	var cut []int64
	sc := sceneOf(duplicateStory())
	for i, s := range sc.steps {
		if s.idle > 0 {
			cut = append(cut, s.idle)
		}
		require.True(t, i == 0 || s.y >= sc.steps[i-1].y+sc.steps[i-1].height, "moments do not overlap")
	}
	require.Equal(t, []int64{1000 * ms, 4994 * ms}, cut)
}

// TestAFaultBeforeTheStoryBelongsToIt: an outage that had begun before the event was offered is why it was refused.
func TestAFaultBeforeTheStoryBelongsToIt(t *testing.T) {
	h := testHistory("fire-and-forget")
	record(h, 100*ms, "notifier-1", history.KindFaultBegan, history.Fact{Note: "at 100ms refuse notifier,payments for 10m", Value: "notifier-1,payments-1", Resource: "notifier,payments"})
	over := record(h, 150*ms, "consumer-1", history.KindFaultBegan, history.Fact{Note: "at 150ms pause consumer-1 for 10ms", Value: "consumer-1"})
	record(h, 160*ms, "consumer-1", history.KindFaultEnded, history.Fact{Cause: over, Value: "consumer-1"})
	lies := history.Fact{Event: "order-9", Resource: "orders/0", Offset: 3}
	lies.Cause = record(h, 900*ms, "broker-1", history.KindAppended, lies)
	delivered := record(h, 950*ms, "consumer-1", history.KindDelivered, lies)
	act := history.Fact{Event: "order-9", Stage: "charge", Resource: "payments", Op: "charge", Cause: delivered}
	act.Cause = record(h, 960*ms, "consumer-1", history.KindCalled, act)
	act.Outcome, act.Note = history.Failed, "service unavailable"
	record(h, 970*ms, "consumer-1", history.KindReturned, act)
	gone := record(h, 980*ms, "consumer-1", history.KindDropped, history.Fact{Event: "order-9", Note: "service unavailable"})
	f := history.Finding{Property: history.PropDuplicateCritical, Event: "order-9", Stage: "charge", Label: history.LabelDroppedWithoutTrace, Evidence: []int64{gone}}
	text := tell(t, h, f, StoryOptions{})
	require.Contains(t, text, "refuse notifier,payments for 10m (fault 1)")
	require.NotContains(t, text, "pause consumer-1", "it was over")
	require.Contains(t, sceneOf(h, f).flights(), "reply payments-1 → consumer-1", "a refusal is an answer")
}

const hostile = `<script>alert(1)</script>"'&]]>--><img src=x onerror=alert(2)>` + "\x00\x1b" + `http://evil.example/`

func TestTimelineOfHostileTexts(t *testing.T) {
	h, f := duplicateStory()
	for i := range h.Facts {
		fact := &h.Facts[i]
		fact.Note, fact.Node, fact.Op = hostile, fact.Node+hostile, hostile
	}
	f.Label = hostile
	allowed := []string{"svg", "title", "desc", "rect", "path", "circle", "text", "tspan"}
	for _, e := range elements(t, drawn(t, h, f, StoryOptions{Stack: hostile, Fault: hostile, Amount: strings.Repeat(hostile, 50)})) {
		require.Contains(t, allowed, e.name)
		for name := range e.attrs {
			require.NotContains(t, []string{"style", "href", "src"}, name)
			require.False(t, strings.HasPrefix(name, "on"), name)
		}
	}
}

func TestTimelineOfNothing(t *testing.T) {
	picture := drawn(t, &history.History{}, history.Finding{Property: history.PropHarness, Detail: "the run hung", Evidence: []int64{7}}, StoryOptions{})
	require.Contains(t, string(picture), "harness: the run hung")
	elements(t, picture)
}
