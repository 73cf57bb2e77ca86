package reports

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page and its style are files
	"encoding/base64"
	"fmt"
	"html/template"
	"image/color"
	"io"
	"strings"

	"github.com/twiceless/twiceless/sim/history"
)

//go:embed report.gohtml
var pageText string

//go:embed report.css
var pageStyle string

// WriteHTML writes report.html: one page that needs nothing beside it but, for its links, the cases. It is a function
// of the rows, so that neither the time that they took nor the way this process was started is in it.
func WriteHTML(w io.Writer, in Input) error {
	if err := in.check(); err != nil {
		return err
	}
	in.Elapsed, in.RunTwice, in.Again, in.Exposed.Origin = "", 0, "", ""
	p, err := newPage(in)
	if err != nil {
		return err
	}
	page, err := template.New("report").Parse(pageText)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := page.Execute(&b, p); err != nil {
		return err
	}
	_, err = w.Write(bytes.Map(printable, b.Bytes()))
	return err
}

// printable keeps the page well-formed XML too: terminals' control characters have no place in it.
func printable(r rune) rune {
	if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
		return '\uFFFD'
	}
	return r
}

// page is what the template shows: ready texts, in the order of the page.
type page struct {
	Policy  string
	Style   template.CSS
	In      *Input
	Header  []string
	Runs    string // "20 runs a cell"
	Decides bool   // runs enough to decide

	Stacks      []stackView
	Columns     []history.FaultKind
	Legend      string
	Control     string
	Definitions []definition
	Notes       []definition
	Figures     []figuresView
	Plots       []plotView
	Rates       []sheetView
	Assumptions []assumptionView
	Costs       *costsView
	Stories     []storyView
	Edges       []edgeView
	EdgeMethod  string

	DecisiveRuns                   int
	ResultsFormat, HistoryFormat   int
	LeastTouched                   int
	LeastBound                     string
	ScenarioHash, BaseSeed, Epochs string
}

type definition struct{ Term, Text string }

// plotView is a picture with its name for people who do not see it.
type plotView struct {
	Doc string
	SVG template.HTML
}

func newPage(in Input) (*page, error) {
	t := newTable(in)
	cells := t.chart()
	style := pageStyle + rampStyle("o", oranges) + rampStyle("b", blues)
	p := &page{
		Policy: policy(style), Style: template.CSS(style), In: &in, //nolint:gosec // our own file
		Header: t.header(), Columns: t.columns, Legend: t.legend(), Control: t.control(), Definitions: definitions(),
		DecisiveRuns: decisiveRuns, ResultsFormat: resultsVersion, HistoryFormat: history.FormatVersion,
	}
	p.Runs, p.Decides = in.runsText()
	for _, n := range t.notes() {
		p.Notes = append(p.Notes, definition{n.head, n.text})
	}
	for _, s := range in.Stacks {
		p.Stacks = append(p.Stacks, t.stackView(s, cells))
	}
	p.Figures, p.Costs = figuresOf(cells), costsOf(cells)
	p.Rates, p.Assumptions = viewsOf(t.exposureSheets()), in.assumptions()
	p.LeastTouched = t.leastTouched()
	p.LeastBound = percent(openAt(p.LeastTouched, in.Precision > 0))
	p.Edges, p.EdgeMethod = edgesOf(in.Edges), strings.TrimSpace(edgeMethod+" "+companionsOf(in.Edges))
	var err error
	if p.Plots, err = plotsOf(cells); err != nil {
		return nil, err
	}
	p.Stories, err = storiesOf(in.Stories)
	return p, err
}

// policy allows the page its own style sheet, recognised by its hash, and the styles of its pictures; nothing else.
func policy(style string) string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; base-uri 'none'; form-action 'none'; style-src-elem 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; style-src-attr 'unsafe-inline'"
}

// rampStyle are the classes of a ramp's shades: those of the picture of the matrix.
func rampStyle(name string, ramp []shade) string {
	hex := func(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }
	var b strings.Builder
	for i, s := range ramp {
		if i > 0 {
			fmt.Fprintf(&b, ".%s%d{background:%s;color:%s}\n", name, i, hex(s.fill), hex(s.ink))
		}
	}
	return b.String()
}

// shadeClass is the class of a mean's shade; "" = nothing to show.
func shadeClass(name string, ramp []shade, mean float64) string {
	class := ""
	for i, s := range ramp {
		if i > 0 && mean >= s.from {
			class = fmt.Sprintf("%s%d", name, i)
		}
	}
	return class
}

// plotsOf draws the pictures but for the matrix, which the page has as a table.
func plotsOf(cells *chart) ([]plotView, error) {
	var out []plotView
	for _, p := range Plots() {
		if p.Name == "matrix" {
			continue
		}
		var b bytes.Buffer
		if err := p.make(cells).write(&b, "svg"); err != nil {
			return nil, err
		}
		out = append(out, plotView{p.Doc, inline(b.Bytes(), p.Doc)})
	}
	return out, nil
}

// inline is a picture of ours as an element of the page, with a name.
func inline(svg []byte, name string) template.HTML {
	text := string(svg)
	if i := strings.Index(text, "<svg"); i >= 0 {
		text = text[i:]
	}
	return template.HTML(strings.Replace(text, "<svg", `<svg role="img" aria-label="`+escaped(name)+`"`, 1)) //nolint:gosec // drawn here, texts escaped
}

// definitions are the words of the matrix.
func definitions() []definition {
	return []definition{
		{"extra", "Critical effects that were applied once too often: of each intent max(0, applied − reversed − 1). Mean of the runs, in brackets the worst run."},
		{"lost", "Intents whose effect never came. Mean of the runs, in brackets the worst run. ! : at least one left no trace, neither an error to the producer nor a record that somebody can find."},
		{"– ≤ 15 %", "None seen; with 95 % confidence at most this share of faults does it. The bound counts only runs whose fault met work in flight."},
		{"?", "The faults of this cell met no work in flight: its zeros say nothing."},
		{"n/a", "There is nothing in this stack that the fault could hit."},
		{"°", "Damage outside the stack's envelope: the stack does not promise to stand this fault."},
		{"permitted", "Leads to a run that showed something else that the stack does not promise against, such as a notification sent twice."},
		{"broken", "A promise of the stack did not hold inside its envelope."},
	}
}

// leastTouched is the number of runs that the weakest bound of the page rests on; 0 if some fault met nothing.
func (t *table) leastTouched() int {
	least := -1
	for _, s := range t.in.Stacks {
		for _, c := range t.under(s.Name) {
			if c.Runs > 0 && !c.cannotHappen && (least < 0 || c.touched() < least) {
				least = c.touched()
			}
		}
	}
	return max(least, 0)
}
