package command

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/twiceless/twiceless/scenarios"
)

// Stages are a team's own code, written against the simulator's context: by the name of a stage of a scenario's flow,
// what it does to a message. The other stages do what the scenario says. An error has the message tried again, parked or
// given up, as the stack says. What holds for the code is said at twiceless.Stages, which may be given here too.
type Stages = map[string]scenarios.StageFunc

// Option gives a program something of its team's own.
type Option func(*team)

// With has the commands do a scenario with these stages. The scenario is that of an option Scenario by its name, else one
// of the library by its name, else a file, which is read when the program starts; then it is known by its name. The first
// scenario with stages is the one that compare takes if none is named.
//
// Stages go with the name of a scenario: a file of that name has them too, and a case of it that was saved with stages. A
// stage that the flow does not have is an error when the program starts, or when the file is read.
func With(scenario string, stages Stages) Option {
	return func(t *team) { t.with = append(t.with, asked{scenario, stages}) }
}

// Scenario has the program carry a scenario: the bytes of its file, embedded as a rule. Commands take it by its name,
// which comes before one of the library.
func Scenario(yaml []byte) Option {
	return func(t *team) { t.files = append(t.files, yaml) }
}

// Version names the state of the stages, in one line of at most 100 bytes: the rows of two versions are never mixed. By
// default it is a hash of the executable, which no two states share, nor two platforms.
func Version(text string) Option {
	return func(t *team) {
		t.version = text
		if odd := func(r rune) bool { return !unicode.IsPrint(r) }; text == "" || len(text) > 100 || strings.ContainsFunc(text, odd) {
			t.problem("Version(%q): want one line of at most 100 bytes", text)
		}
	}
}

// Owner is the import path of the program's main package, to which its cases belong, where the build does not know it
// (go run main.go) or it has moved and the cases of before are still its own.
func Owner(path string) Option { return func(t *team) { t.program.path = path } }

// team is what a program has of a team's own. It is empty in simulate itself, and does not change once it is gathered.
type team struct {
	with    []asked
	files   [][]byte
	version string // "" = the hash of the executable
	program program

	owner    string                     // of its cases
	carried  []*scenarios.Scenario      // in the order in which they were given
	handlers map[string]*scenarios.Code // by name of scenario
	order    []*scenarios.Scenario      // those with handlers
	problems []string
}

// asked is one With.
type asked struct {
	scenario string
	stages   Stages
}

func (t *team) problem(format string, args ...any) {
	t.problems = append(t.problems, fmt.Sprintf(format, args...))
}

// gather reads the options of a program. The error lists everything that does not fit.
func gather(opts []Option) (team, error) {
	t := team{program: thisProgram(), handlers: map[string]*scenarios.Code{}}
	for _, o := range opts {
		o(&t)
	}
	if len(opts) > 0 {
		t.own()
	}
	for _, src := range t.files {
		sc, err := scenarios.Decode("command.Scenario", src)
		if err != nil {
			t.problem("%v", err)
			continue
		}
		t.carry(sc)
	}
	for _, w := range t.with {
		t.bindStages(w)
	}
	if len(t.problems) > 0 {
		text := strings.ReplaceAll(strings.Join(t.problems, "\n"), "\n", "\n  ")
		return t, failf(exitInput, "the options of this program do not fit:\n  %s", text)
	}
	return t, nil
}

// own finds out to whom the cases of the program belong.
func (t *team) own() {
	o := scenarios.Owner{Package: t.program.path}
	t.owner = o.String()
	if t.program.path == "" {
		t.problem("nothing says which package this program is: start it as go run ./its/directory, or give command.Owner(its import path)")
	} else if read, err := scenarios.ParseOwner(t.owner); err != nil || read != o {
		t.problem("Owner(%q): want the import path of a main package that reads like no test", t.program.path)
	}
}

func (t *team) carry(sc *scenarios.Scenario) {
	if t.carries(sc.Name) != nil {
		t.problem("two scenarios are called %s", sc.Name)
		return
	}
	t.carried = append(t.carried, sc)
}

// carries is the scenario of a name that the program has itself, nil if there is none.
func (t *team) carries(name string) *scenarios.Scenario {
	i := slices.IndexFunc(t.carried, func(sc *scenarios.Scenario) bool { return sc.Name == name })
	if i < 0 {
		return nil
	}
	return t.carried[i]
}

// bindStages does one With.
func (t *team) bindStages(w asked) {
	sc, library := t.carries(w.scenario), slices.Contains(scenarios.LibraryNames(), w.scenario)
	if sc == nil {
		var err error
		if w.scenario == "-" || w.scenario == "" {
			t.problem("With(%q): want the name of a scenario, or a file", w.scenario)
			return
		} else if sc, err = scenarios.Load(w.scenario); err != nil {
			t.problem("With: %v", err)
			return
		} else if !library {
			t.carry(sc)
		}
	}
	if t.handlers[sc.Name] != nil {
		t.problem("With(%q): scenario %s has stages already", w.scenario, sc.Name)
		return
	}
	code := &scenarios.Code{Owner: t.owner, Stages: maps.Clone(w.stages)}
	for _, name := range stagesOf(code) {
		if code.Stages[name] == nil {
			t.problem("With(%q): stage %s is nil", w.scenario, name)
		}
	}
	if _, err := sc.Bind(code); err != nil {
		t.problem("With(%q): %v", w.scenario, err)
	}
	t.handlers[sc.Name] = code
	t.order = append(t.order, sc)
}

// bind gives a scenario its stages, if the program has any for its name.
func (t *team) bind(sc *scenarios.Scenario) (*scenarios.Scenario, error) {
	code := t.handlers[sc.Name]
	if code == nil {
		return sc, nil
	}
	return sc.Bind(code)
}

// usual is the scenario that is meant if none is named.
func (t *team) usual() string {
	if len(t.order) > 0 {
		return t.order[0].Name
	}
	return defaultScenario
}

// summary says in one line which stages are in the program; "" = none.
func (t *team) summary() string {
	var parts []string
	for _, sc := range t.order {
		parts = append(parts, sc.Name+" ("+strings.Join(stagesOf(t.handlers[sc.Name]), ", ")+")")
	}
	return strings.Join(parts, " · ")
}

// stagesOf are the names of the stages that are code, sorted.
func stagesOf(code *scenarios.Code) []string { return slices.Sorted(maps.Keys(code.Stages)) }

// shelf lists the scenarios that have a name here: those of the program, then those of the library.
func (t *team) shelf() []entryLine {
	var rows []entryLine
	for _, sc := range t.carried {
		rows = append(rows, entryLine{sc.Name, sc.Why})
	}
	for _, e := range scenarios.Library() {
		if t.carries(e.Name) == nil {
			rows = append(rows, entryLine{e.Name, e.Why})
		}
	}
	for i := range rows {
		if code := t.handlers[rows[i].name]; code != nil {
			rows[i].doc = strings.TrimSpace(rows[i].doc) + " Here with code of this program: " + strings.Join(stagesOf(code), ", ") + "."
		}
	}
	return rows
}
