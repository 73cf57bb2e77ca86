package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/twiceless/twiceless/sim/history"
)

// pageInput is a comparison with everything that a page can show.
func pageInput() Input {
	in := testInput(20)
	for _, story := range []func() (*history.History, history.Finding){duplicateStory, lossStory} {
		h, f := story()
		in.Stories = append(in.Stories, Told{History: h, Finding: f, Options: StoryOptions{Stack: "at-least-once", Fault: "pause", Again: "simulate replay cases/a.case"},
			Case: "cases/a.case", Promised: len(in.Stories) == 0})
	}
	in.Stacks[2].Why, in.Stacks[2].Parts = "The position moves on after the work.", []string{"commit-after", "retry"}
	in.Stacks[2].Contract.Loss = history.Never
	in.Stacks[3].PermittedNeverSeen = []string{"order (per key)"}
	in.CellContracts[[2]string{"dedup-durable", "pause"}] = "broken"
	in.Judgement, in.NotModelled = []string{"expected        nothing worse than this"}, []string{"Replication: there is one broker."}
	return in
}

func page1(t *testing.T, in Input) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, WriteHTML(&b, in))
	return b.Bytes()
}

// TestPageIsAFunctionOfTheRows: neither their order, nor how long they took, nor who asked for them changes a byte.
func TestPageIsAFunctionOfTheRows(t *testing.T) {
	want, other := page1(t, pageInput()), pageInput()
	slices.Reverse(other.Rows)
	other.Rows = append(other.Rows, other.Rows[7])
	other.Elapsed, other.RunTwice, other.Again, other.Command = "3 h", 0, "./elsewhere/simulate replay x", "./elsewhere/simulate"
	require.Equal(t, string(want), string(page1(t, other)))
	other.Rows[0].Epoch++
	require.Error(t, WriteHTML(&bytes.Buffer{}, other))
}

func TestPageHasItsSectionsInOrder(t *testing.T) {
	var sections []string
	for _, e := range elements(t, page1(t, pageInput())) {
		if e.name == "h2" {
			sections = append(sections, e.attrs["id"])
		}
	}
	require.Equal(t, []string{"said", "damage", "plots", "rates", "costs", "contracts", "edges", "stories", "method", "not-modelled"}, sections)
	for _, in := range []Input{{}, {Scenario: "x", Stacks: []StackInfo{{Name: "a"}}}, {Faults: testFaults()}} {
		elements(t, page1(t, in))
	}
}

// TestMatrixShowsTheCells compares each number of the page with results.json.
func TestMatrixShowsTheCells(t *testing.T) {
	in := pageInput()
	cells := Cells(in)
	find := func(stack, fault string) *Cell {
		return &cells[slices.IndexFunc(cells, func(c Cell) bool { return c.Stack == stack && c.Fault == fault })]
	}
	line := regexp.MustCompile(`!?(<?[0-9.]+) \(([0-9]+)\)°? (extra|lost)`)
	bound := regexp.MustCompile(`≤ ([0-9.]+) %`)
	shown := 0
	for _, e := range elements(t, page1(t, in)) {
		if e.attrs["data-stack"] == "" {
			continue
		}
		shown++
		c := find(e.attrs["data-stack"], e.attrs["data-fault"])
		found := map[string][]string{}
		for _, m := range line.FindAllStringSubmatch(e.text, -1) {
			found[m[3]] = m
		}
		checkShown(t, found["extra"], c.Duplicates, c.Runs, c.Worst.Duplicates)
		checkShown(t, found["lost"], c.Losses, c.Runs, c.Worst.Losses)
		require.Equal(t, c.LostSilent > 0, strings.Contains(e.text, "!"))
		if m := bound.FindStringSubmatch(e.text); m != nil {
			require.Zero(t, c.Duplicates+c.Losses)
			percent, err := strconv.ParseFloat(m[1], 64)
			require.NoError(t, err)
			require.InDelta(t, 100*c.PDuplicate.Hi, percent, 0.5)
		} else {
			require.True(t, c.Duplicates+c.Losses > 0 || c.FaultsHit == 0, "a zero has its bound")
		}
		require.Equal(t, c.Contract == "broken", strings.Contains(e.text, "broken"))
	}
	require.Equal(t, len(in.Stacks)*(len(in.Faults)-1), shown)
}

func checkShown(t *testing.T, m []string, sum int64, runs int, worst int64) {
	t.Helper()
	require.Equal(t, sum > 0, m != nil)
	if m == nil {
		return
	}
	mean, err := strconv.ParseFloat(m[1], 64)
	require.NoError(t, err)
	want := float64(sum) / float64(runs)
	require.InDelta(t, want, mean, max(0.0501, 0.05*want))
	require.Equal(t, fmt.Sprint(worst), m[2])
}

// TestFiguresAreThoseOfResults finds every cell of results.json, number by number, in the table of all figures.
func TestFiguresAreThoseOfResults(t *testing.T) {
	in := pageInput()
	var results struct{ Cells []map[string]any }
	var b bytes.Buffer
	require.NoError(t, WriteResults(&b, in))
	d := json.NewDecoder(&b)
	d.UseNumber()
	require.NoError(t, d.Decode(&results))
	rows := map[string]string{}
	for _, e := range elements(t, page1(t, in)) {
		if strings.HasPrefix(e.attrs["id"], "cell-") {
			rows[e.attrs["id"]] = e.text
		}
	}
	require.Len(t, rows, len(results.Cells))
	interval := func(v any) string {
		m := v.(map[string]any)
		return fmt.Sprintf("%v [%v, %v]", m["value"], m["lo"], m["hi"])
	}
	for _, c := range results.Cells {
		worst := c["worst_run"].(map[string]any)
		want := fmt.Sprint(c["stack"], c["fault"], c["runs"], c["faults_hit"], c["offered"],
			c["duplicates"], interval(c["duplicates_per_fault"]), interval(c["p_duplicate"]), worst["duplicates"],
			c["losses"], c["lost_silent"], interval(c["losses_per_fault"]), interval(c["p_loss"]), worst["losses"],
			c["parked"], c["reorders"], c["duplicates_by_class"].(map[string]any)["notify"], c["contract"])
		squeezed := strings.ReplaceAll(want, " ", "")
		require.Contains(t, strings.ReplaceAll(rows[fmt.Sprintf("cell-%v-%v", c["stack"], c["fault"])], " ", ""), squeezed)
	}
}

// TestPageFetchesNothing: whatever a browser could load lies inside; links lead into the page or to a case beside it.
func TestPageFetchesNothing(t *testing.T) {
	text := page1(t, pageInput())
	for _, url := range regexp.MustCompile(`(\S+)="https?://[^"]*"|https?://`).FindAllStringSubmatch(string(text), -1) {
		require.Contains(t, []string{"xmlns", "xmlns:xlink"}, url[1], url[0])
	}
	ids, style := map[string]bool{}, ""
	all := elements(t, text)
	for _, e := range all {
		ids[e.attrs["id"]] = true
		require.NotContains(t, []string{"script", "link", "iframe", "img", "object", "embed", "form", "base", "use", "image"}, e.name)
		for name, value := range e.attrs {
			require.NotContains(t, []string{"src", "srcset", "action", "data"}, name)
			require.False(t, strings.HasPrefix(name, "on"), name)
			require.NotContains(t, value, "url(")
		}
		if e.name == "style" {
			style = e.text
		}
	}
	for _, e := range all {
		if href, ok := e.attrs["href"]; ok {
			require.True(t, strings.HasPrefix(href, "cases/") || strings.HasPrefix(href, "#") && ids[href[1:]], href)
		}
		if e.attrs["http-equiv"] != "" {
			sum := sha256.Sum256([]byte(style))
			require.Contains(t, e.attrs["content"], "default-src 'none'")
			require.Contains(t, e.attrs["content"], "style-src-elem 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'", "the policy must let the page's own style in")
			require.NotContains(t, e.attrs["content"], "script-src")
		}
	}
	require.NotContains(t, style, "url(")
	require.NotContains(t, style, "@import")
	require.NotEmpty(t, style)
}

func TestPageOfHostileTexts(t *testing.T) {
	in := pageInput()
	in.Scenario, in.Load, in.Exposed.Name, in.NotifyNote = hostile, hostile, hostile, hostile
	in.Judgement, in.NotModelled = []string{hostile}, []string{hostile}
	s := &in.Stacks[2]
	s.Why, s.Sentence, s.Parts, s.PermittedNeverSeen, s.Promises = hostile, hostile, []string{hostile}, []string{hostile}, map[string]string{hostile: hostile}
	in.Faults[1].Title, in.Faults[1].Doc = hostile, hostile
	in.Cases[[2]string{"at-least-once", "pause"}] = "javascript:alert(3)"
	h, f := duplicateStory()
	f.Label = hostile
	in.Stories = append(in.Stories, Told{History: h, Finding: f, Options: StoryOptions{Amount: hostile, Again: hostile, Fault: hostile}, Case: "javascript:alert(4)"})
	title := ""
	for _, e := range elements(t, page1(t, in)) {
		require.NotContains(t, []string{"script", "img"}, e.name)
		for name, value := range e.attrs {
			require.False(t, strings.HasPrefix(name, "on"), name)
			require.False(t, name == "href" && strings.Contains(value, ":"), value)
		}
		if e.name == "h1" {
			title = e.text
		}
	}
	require.Contains(t, title, "<script>alert(1)</script>", "shown, not run")
}

func TestCostsAreSharesOfTheFirstStackThatLosesNothing(t *testing.T) {
	in := pageInput()
	for i := range in.Rows {
		if r := &in.Rows[i]; r.Stack == "key-event-stage" {
			r.Calls = r.Calls * 3 / 2
		}
	}
	c := costsOf(newChart(in))
	require.Equal(t, "at-least-once", c.Baseline)
	require.Equal(t, "100 %", c.Rows[2].Values[0])
	require.True(t, c.Rows[2].Baseline)
	require.Equal(t, "150 %", c.Rows[4].Values[0])
	in.Faults = in.Faults[1:]
	require.Nil(t, costsOf(newChart(in)), "no control, nothing to measure by")
}

func TestPageStaysSmall(t *testing.T) {
	in := pageInput()
	for len(in.Stories) < 25 { // five stacks with five causes each
		in.Stories = append(in.Stories, in.Stories[0])
	}
	require.Less(t, len(page1(t, in)), 1<<20)
}
