package reports

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

// stackView is a stack: its sentence, its row of the matrix, its contract.
type stackView struct {
	Name, Why, Parts, Sentence string
	Verdict                    string
	Mark                       string // class and sign of the verdict
	Cells                      []cellView
	Promises                   []promiseView
	Envelope                   []definition
	NeverSeen, Hunts           string
	Standing                   []definition // contract of a cell → fault kinds
}

type promiseView struct{ Property, Verdict, Mark string }

// cellView is one cell of the matrix: its lines, and what its tooltip says.
type cellView struct {
	ID, Fault, Tip     string
	Nothing            string // instead of lines: –, ?, · or n/a
	Bound              string // "≤ 15 %" below a –
	Lines              []damageView
	Broken             bool
	Case               string
	Title, Stack, Word string
}

// damageView is one line of a cell.
type damageView struct{ Class, Mean, Worst, What string }

func cellID(stack, fault string) string { return "cell-" + stack + "-" + fault }

func (t *table) stackView(s StackInfo, cells *chart) stackView {
	v := stackView{Name: s.Name, Why: s.Why, Parts: strings.Join(s.Parts, " + "), Sentence: t.sentence(s), Verdict: s.Verdict, Mark: markOf(s.Verdict)}
	for i, c := range t.under(s.Name) {
		v.Cells = append(v.Cells, viewCell(c, cells.cell(s.Name, c.Fault), t.columns[i].Title))
	}
	for _, p := range history.SortedKeys(s.Promises) {
		v.Promises = append(v.Promises, promiseView{p, s.Promises[p], markOf(s.Promises[p])})
	}
	bounds := envelope(s.Contract)
	for _, d := range history.SortedKeys(bounds) {
		v.Envelope = append(v.Envelope, definition{d, strings.Replace(bounds[d], "<=", "≤", 1)})
	}
	v.NeverSeen = strings.Join(s.PermittedNeverSeen, ", ")
	if s.HuntRuns > 0 {
		v.Hunts = fmt.Sprintf("%d of %s broke a promise", s.HuntBreaches, count(s.HuntRuns, "run"))
	}
	v.Standing = t.standing(s.Name)
	return v
}

// standing groups the fault kinds by what their cells say about the contract.
func (t *table) standing(stack string) []definition {
	by := map[string][]string{}
	for i, c := range t.under(stack) {
		if c.Runs > 0 {
			by[c.Contract] = append(by[c.Contract], t.columns[i].Title)
		}
	}
	var out []definition
	for _, word := range []string{"broken", "held", "outside", "unknown", "vacuous"} {
		if len(by[word]) > 0 {
			out = append(out, definition{word, strings.Join(by[word], ", ")})
		}
	}
	return out
}

// markOf is the class of a verdict; the word stands beside it, so that colour is never alone.
func markOf(verdict string) string {
	switch verdict {
	case "pass", "held":
		return "good"
	case "fail", "broken":
		return "bad"
	}
	return "open"
}

func viewCell(c *cell, full *Cell, title string) cellView {
	v := cellView{ID: cellID(c.Stack, c.Fault), Stack: c.Stack, Fault: c.Fault, Title: title, Broken: c.Contract == "broken", Tip: tip(full, title)}
	if c.Case != nil {
		v.Case = *c.Case
	}
	extra, lost := extraEntry(c), lostEntry(c)
	if extra.worst != "" {
		v.Lines = append(v.Lines, damageView{shadeClass("o", oranges, full.mean(c.Duplicates)), extra.mean, extra.worst, "extra"})
	}
	if lost.worst != "" {
		v.Lines = append(v.Lines, damageView{shadeClass("b", blues, full.mean(c.Losses)), lost.mean, lost.worst, "lost"})
	}
	if len(v.Lines) == 0 {
		v.Nothing = extra.mean
	}
	switch v.Nothing {
	case "–":
		v.Bound, v.Word = "≤ "+percent(openAt(c.touched(), c.sequential))+" %", "none seen"
	case "?":
		v.Word = "met no work in flight"
	case "·":
		v.Word = "not run"
	case "n/a":
		v.Word = "cannot happen"
	}
	return v
}

// tip is what a cell says when it is asked.
func tip(c *Cell, title string) string {
	switch {
	case c.cannotHappen:
		return c.Stack + ", " + title + ": there is nothing that this fault could hit"
	case c.Runs == 0:
		return c.Stack + ", " + title + ": not run"
	}
	text := fmt.Sprintf("%s, %s: %s, %d with work in flight", c.Stack, title, count(c.Runs, "run"), c.touched())
	text += "; extra " + estimate(c.DuplicatesPerFault, c.Duplicates) + fmt.Sprintf(" in %s", count(c.RunsWithDuplicate, "run"))
	text += "; lost " + estimate(c.LossesPerFault, c.Losses) + fmt.Sprintf(" in %s", count(c.RunsWithLoss, "run"))
	return text + "; contract " + c.Contract
}

// estimate writes a mean with its interval, or a zero with its bound.
func estimate(iv Interval, sum int64) string {
	if sum == 0 {
		return "0 (≤ " + percent(iv.Hi) + " % of faults)"
	}
	return fmt.Sprintf("%s (95 %%: %s to %s)", exact(iv.Value), exact(iv.Lo), exact(iv.Hi))
}

// exact writes a figure as results.json has it.
func exact(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// figuresView is one line of the table of all figures: ready texts in the order of figureHeads.
type figuresView struct {
	ID, Stack, Fault, Case string
	Values                 []string
}

// FigureHeads are the columns of the table of all figures; their names are those of results.json.
func (p *page) FigureHeads() []string {
	return []string{"runs", "faults_hit", "offered", "duplicates", "duplicates_per_fault", "p_duplicate", "worst", "losses", "lost_silent",
		"losses_per_fault", "p_loss", "worst", "parked", "reorders", "notify", "contract"}
}

func figuresOf(d *chart) []figuresView {
	var out []figuresView
	for i := range d.cells {
		c := &d.cells[i]
		if c.Runs == 0 || c.cannotHappen {
			continue
		}
		v := figuresView{ID: cellID(c.Stack, c.Fault), Stack: c.Stack, Fault: c.Fault}
		if c.Case != nil {
			v.Case = *c.Case
		}
		number := func(n int64) string { return strconv.FormatInt(n, 10) }
		v.Values = []string{number(int64(c.Runs)), number(int64(c.FaultsHit)), number(c.Offered),
			number(c.Duplicates), span(c.DuplicatesPerFault), span(c.PDuplicate), number(c.Worst.Duplicates),
			number(c.Losses), number(c.LostSilent), span(c.LossesPerFault), span(c.PLoss), number(c.Worst.Losses),
			number(c.Parked), number(c.Reorders), number(c.DuplicatesByClass.Notify), c.Contract}
		out = append(out, v)
	}
	return out
}

// span writes an estimate as value [lo, hi].
func span(iv Interval) string {
	return fmt.Sprintf("%s [%s, %s]", exact(iv.Value), exact(iv.Lo), exact(iv.Hi))
}
