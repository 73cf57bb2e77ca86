package scenarios

import (
	"embed"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/sim/history"
)

// The catalogue holds published failures, one file a row. Each row is a scenario that differs in one thing from one in
// which the failure cannot happen: a defect is on or a layer is missing. Its plan is the published schedule. A row is
// reproduced if the anomaly appears with the one, not with the other, and not without the plan.

//go:embed catalogue/*.yaml catalogue/base/*.yaml
var catalogueFiles embed.FS

func catalogueShelf() shelf { return shelf{"row of the catalogue", "catalogue", catalogueFiles} }

func baseShelf() shelf {
	return shelf{"scenario of the catalogue", "catalogue/base", catalogueFiles}
}

// Failure is one row of the catalogue.
type Failure struct {
	ID        string   // F-20a, or J-2 of a negative control
	Title     string   //
	Section   string   // a letter of the catalogue: A to H, J
	Golden    bool     // one of those that a faithful model must have
	Mechanism string   // why it happens
	Schedule  string   // what has to happen for it
	Fix       string   // what mended it
	Source    []string // where it was published
	Missing   string   // why it cannot be modelled; "" = it is

	Stack   string             // of both scenarios
	Broken  *Scenario          // with the defect, or without the layer
	Mended  *Scenario          // the other way round; nil = a negative control has none
	Planted []string           // planted bugs of the broken scenario's runs, sorted
	Plan    []string           // the schedule, as package faults prints it; none = load alone
	Seeds   int                // that are run
	Least   int                // of these, how many must show the anomaly, at least 1
	Anomaly []Symptom          // any of them is the anomaly; of a negative control what must not be flagged
	Shown   []history.Property // of a negative control: what has to be seen, so that there was something to flag
	Unmet   string             // why the plan need not be met in the mended scenario; "" = it must be
}

// Symptom is a property that is violated, or noted, with a cause label or with any; or the share of intents that were refused.
type Symptom struct {
	Property history.Property
	Label    history.Label // "" = any
	Least    int           // of refused: per cent of the offered intents; else 0
}

// String is the symptom as files have it: loss, or loss: truncated, or refused: 20%.
func (s Symptom) String() string {
	if s.Least > 0 {
		return fmt.Sprintf("%s: %d%%", s.Property, s.Least)
	}
	if s.Label == "" {
		return string(s.Property)
	}
	return string(s.Property) + ": " + string(s.Label)
}

// is says whether a finding is of this sort.
func (s Symptom) is(f history.Finding) bool {
	return f.Property == s.Property && (s.Label == "" || f.Label == s.Label)
}

// Doc tells the row in a few paragraphs.
func (f *Failure) Doc() string {
	doc := f.Title
	add := func(head, text string) {
		if text != "" {
			doc += "\n" + head + text
		}
	}
	add("", f.Mechanism)
	add("schedule: ", f.Schedule)
	add("plan: ", strings.Join(f.Plan, "; "))
	add("fix: ", f.Fix)
	add("not modelled: ", f.Missing)
	add("published: ", strings.Join(f.Source, "; "))
	if f.Missing == "" {
		add("again: ", "simulate verify "+f.ID)
	}
	return doc
}

// Control says whether the row is a negative control: something that looks like a failure and must not be flagged.
func (f *Failure) Control() bool { return f.Section == "J" }

// Tags are the words that choose the row: its section, and kafka or queue for the sections about these.
func (f *Failure) Tags() []string {
	tags := []string{f.Section}
	switch f.Section {
	case "A", "B", "C":
		tags = append(tags, "kafka")
	case "E":
		tags = append(tags, "queue")
	case "J":
		tags = append(tags, "controls")
	}
	if f.Golden {
		tags = append(tags, "golden")
	}
	return tags
}

// CatalogueTags lists the words that choose rows.
func CatalogueTags() []string {
	return []string{"kafka", "queue", "controls", "golden", "A", "B", "C", "D", "E", "F", "G", "H", "J"}
}

// fileFailure is the field table of a row's file.
type fileFailure struct {
	ID        *prose   `f:"id" need:"id: F-02" doc:"Stable id of the row; parts of one have a letter: F-20a."`
	Title     *prose   `f:"title" need:"title: …" doc:"What fails, in one line."`
	Section   *choice  `f:"section" need:"section: A" enum:"A|B|C|D|E|F|G|H|J" doc:"Section of the catalogue; J are negative controls."`
	Golden    *yesNo   `f:"golden" doc:"One of those that a faithful model must have."`
	Mechanism prose    `f:"mechanism" doc:"Why it happens."`
	Schedule  prose    `f:"schedule" doc:"What has to happen for it."`
	Fix       prose    `f:"fix" doc:"What mended it."`
	Source    []prose  `f:"source" need:"source: [ … ]" len:"16" doc:"Where it was published."`
	Missing   prose    `f:"not_modelled" doc:"Why it cannot be modelled; the fields below are absent then."`
	Base      *ident   `f:"scenario" doc:"Scenario that the row is told in, of catalogue/base."`
	Stack     *ident   `f:"stack" doc:"Stack of it."`
	Broken    *overlay `f:"broken" doc:"What is laid over the scenario: the defect, or the missing layer. Its field stack is laid over the stack."`
	Mended    *overlay `f:"mended" doc:"What is laid over the scenario instead: the fix."`
	Both      *overlay `f:"both" doc:"What is laid over the scenario in any case."`
	Planted   []choice `f:"planted" enum:"@planted" len:"8" doc:"Planted bugs that the broken scenario is run with."`
	Plan      []prose  `f:"plan" len:"64" doc:"The faults, one a line."`
	Seeds     *whole   `f:"seeds" min:"1" max:"1000" unit:"seeds" default:"10" doc:"Runs of each sort."`
	Least     *whole   `f:"least" min:"1" max:"1000" unit:"seeds" default:"1" doc:"How many of them must show the anomaly."`
	Anomaly   []prose  `f:"anomaly" len:"8" doc:"Properties, each with or without a cause label, or the share of intents that are refused, such as refused: 20%: any of them is the anomaly."`
	Shown     []prose  `f:"shown" len:"8" doc:"Of a negative control: properties that must be seen."`
	Unmet     prose    `f:"unmet" doc:"Why the faults of the plan need not be met in the mended scenario."`
}

// overlay is a part of a scenario file that is laid over another one.
type overlay struct{ node *docNode }

// CatalogueIDs lists the ids of the rows; each is the name of a file.
func CatalogueIDs() []string { return catalogueShelf().names() }

// Catalogue lists all rows, sorted by section and id. Its files are valid: a test decodes each.
func Catalogue() []*Failure {
	var rows []*Failure
	sh := catalogueShelf()
	for _, name := range sh.names() {
		file, src := sh.text(name)
		f, err := decodeFailure(file, src)
		if err != nil {
			panic("scenarios: catalogue: " + err.Error())
		}
		rows = append(rows, f)
	}
	slices.SortStableFunc(rows, func(a, b *Failure) int {
		return strings.Compare(a.Section+naturally(a.ID), b.Section+naturally(b.ID))
	})
	return rows
}

// naturally pads the number of an id, so that F-9 comes before F-10.
func naturally(id string) string {
	digits := strings.IndexFunc(id, func(r rune) bool { return r >= '0' && r <= '9' })
	if digits < 0 {
		return id
	}
	end := digits
	for end < len(id) && id[end] >= '0' && id[end] <= '9' {
		end++
	}
	return fmt.Sprintf("%s%06s%s", id[:digits], id[digits:end], id[end:])
}

// decodeFailure reads a row. The error is of type Problems.
func decodeFailure(file string, src []byte) (*Failure, error) {
	source, root, ps := parseYAML(file, "a row of the catalogue", src)
	if len(ps) > 0 {
		return nil, ps.sorted()
	}
	d := &fileDecoder{source: source, root: root}
	var f fileFailure
	d.decode(root, reflect.ValueOf(&f).Elem(), "", "")
	d.add(f.check())
	if err := d.problems.orNil(); err != nil {
		return nil, err
	}
	row := f.resolve()
	if row.Missing != "" {
		return row, nil
	}
	var err error
	if row.Broken, err = f.scenario(row.Stack, f.Broken); err != nil {
		return nil, fmt.Errorf("%s: broken: %w", file, err)
	}
	if !row.Control() {
		if row.Mended, err = f.scenario(row.Stack, f.Mended); err != nil {
			return nil, fmt.Errorf("%s: mended: %w", file, err)
		}
	}
	return row, row.checkPlan(file)
}

// check reports what no single field can know.
func (f *fileFailure) check() []issue {
	c := &crossChecks{}
	if f.Missing != "" {
		if f.Base != nil || f.Plan != nil {
			c.add("not_modelled", "a row that is not modelled has no scenario and no plan")
		}
		return c.issues
	}
	if f.Base == nil || !slices.Contains(baseShelf().names(), string(valueOr(f.Base, ""))) {
		c.add("scenario", "want one of %s", strings.Join(baseShelf().names(), ", "))
	}
	if f.Stack == nil {
		c.add("stack", "missing")
	}
	if len(f.Anomaly) == 0 {
		c.add("anomaly", "missing")
	}
	for i, text := range slices.Concat(f.Anomaly, f.Shown) {
		if _, err := parseSymptom(string(text)); err != nil {
			c.add("anomaly", "%v", fmt.Errorf("number %d: %w", i+1, err))
		}
	}
	return c.issues
}

func parseSymptom(text string) (Symptom, error) {
	property, label, _ := strings.Cut(text, ":")
	if s, ok, err := parseShare(property, label); ok {
		return s, err
	}
	s := Symptom{Property: history.Property(strings.TrimSpace(property)), Label: history.Label(strings.TrimSpace(label))}
	for _, k := range checker.Kinds() {
		if slices.Contains(k.Properties, s.Property) {
			return s, checkLabel(s.Label)
		}
	}
	return s, fmt.Errorf("unknown property %q", s.Property)
}

func checkLabel(l history.Label) error {
	if l == "" {
		return nil
	}
	for _, row := range history.Labels() {
		if row.Name == l {
			return nil
		}
	}
	return fmt.Errorf("unknown cause label %q", l)
}

func (f *fileFailure) resolve() *Failure {
	row := &Failure{
		ID: string(valueOr(f.ID, "")), Title: string(valueOr(f.Title, "")), Section: string(valueOr(f.Section, "")), Golden: bool(valueOr(f.Golden, false)),
		Mechanism: string(f.Mechanism), Schedule: string(f.Schedule), Fix: string(f.Fix), Missing: string(f.Missing), Unmet: string(f.Unmet),
		Stack: string(valueOr(f.Stack, "")), Seeds: int(valueOr(f.Seeds, 10)), Least: int(valueOr(f.Least, 1)),
	}
	for _, text := range f.Source {
		row.Source = append(row.Source, string(text))
	}
	for _, text := range f.Planted {
		row.Planted = append(row.Planted, string(text))
	}
	slices.Sort(row.Planted)
	for _, text := range f.Plan {
		row.Plan = append(row.Plan, string(text))
	}
	for _, text := range f.Anomaly {
		s, _ := parseSymptom(string(text)) // check has reported errors
		row.Anomaly = append(row.Anomaly, s)
	}
	for _, text := range f.Shown {
		row.Shown = append(row.Shown, history.Property(text))
	}
	return row
}

// scenario is the base with what lies over it.
func (f *fileFailure) scenario(stack string, over *overlay) (*Scenario, error) {
	file, src := baseShelf().text(string(*f.Base))
	source, root, ps := parseYAML(file, "a scenario", src)
	if len(ps) > 0 {
		return nil, ps.sorted()
	}
	for _, o := range []*overlay{f.Both, over} {
		if o != nil {
			root = o.over(root, stack)
		}
	}
	return decodeScenario(source, root)
}

// checkPlan reports lines of the plan that the scenarios do not understand.
func (f *Failure) checkPlan(file string) error {
	for _, sc := range []*Scenario{f.Broken, f.Mended} {
		if sc == nil {
			continue
		}
		c, err := f.kase(sc, f.Plan, 1)
		if err == nil {
			_, err = Plan(c)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// kase is one run of the row.
func (f *Failure) kase(sc *Scenario, plan []string, seed uint64) (*Case, error) {
	parsed, err := faults.ParseLines(plan)
	if err != nil {
		return nil, err
	}
	kind := history.HuntFault
	if len(parsed) == 0 {
		kind = "none"
	}
	c := ChosenCase(sc, f.Stack, kind, parsed, seed)
	if sc == f.Broken {
		c.Intent.Planted = f.Planted
	}
	return c, nil
}
