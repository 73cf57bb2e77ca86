package command

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// checkedJSON is the report as a program reads it.
type checkedJSON struct {
	Verdict   string           `json:"verdict"`
	Model     string           `json:"model"`
	Level     string           `json:"level,omitempty"`
	Promise   string           `json:"promise,omitempty"`
	Events    int64            `json:"events"`
	Anomalies []anomalyJSON    `json:"anomalies"`
	Numbers   map[string]int64 `json:"numbers"`
	Why       []string         `json:"why,omitempty"`
}

type anomalyJSON struct {
	Name     string   `json:"name"`
	Count    int64    `json:"count"`
	Severity string   `json:"severity"`
	Evidence []int64  `json:"evidence"`
	Detail   string   `json:"detail"`
	Story    []string `json:"story,omitempty"`
}

func (a *app) printChecked(j *blackbox.Judged, f checkFlags) error {
	out := checkedJSON{
		Verdict: j.Report.Verdict().String(), Model: j.Model.Name, Level: f.options.Level, Promise: f.options.Promise,
		Events: j.Events, Anomalies: []anomalyJSON{}, Numbers: map[string]int64{}, Why: j.Report.Why,
	}
	for _, x := range j.Report.Anomalies {
		out.Anomalies = append(out.Anomalies, anomalyJSON{x.Name, x.Count, string(x.Severity), x.Evidence, x.Detail, x.Story})
	}
	for _, name := range history.SortedKeys(j.Report.Numbers) {
		out.Numbers[name] = j.Report.Numbers[name]
	}
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	return e.Encode(out)
}

// tellChecked prints the verdict, a line for each anomaly, the first one in full, and the numbers.
func (a *app) tellChecked(name string, j *blackbox.Judged, f checkFlags, told []ops.Event) {
	r := j.Report
	must := ""
	for _, word := range []string{f.options.Level, f.options.Promise} {
		if word != "" {
			must += " · " + word
		}
	}
	fmt.Fprintf(a.stdout, "%s: %s · %s%s · %d events\n", name, r.Verdict(), j.Model.Name, must, j.Events)
	if len(r.Anomalies) > 0 {
		fmt.Fprintln(a.stdout)
		a.printAnomalies(r.Anomalies)
		a.tellFirst(j.Model, &r.Anomalies[0], told)
	}
	a.labelled("because", r.Why...)
	if r.Verdict() == checker.Pass {
		a.labelled("decided", fmt.Sprintf("on %d", r.Exercised))
	}
	if len(r.Numbers) > 0 {
		a.labelled("numbers", counted(r.Numbers, " · "))
	}
}

func (a *app) printAnomalies(list []ops.Anomaly) {
	wide := 0
	for _, x := range list {
		wide = max(wide, len(x.Name))
	}
	for _, x := range list {
		lines := wrap(printable(x.Detail), pageWidth-wide-24)
		fmt.Fprintf(a.stdout, "  %-4s  %-*s %6d   %s\n", x.Severity, wide, x.Name, x.Count, strings.Join(lines[:min(1, len(lines))], ""))
		for _, line := range lines[min(1, len(lines)):] {
			fmt.Fprintf(a.stdout, "%*s%s\n", wide+18, "", line)
		}
	}
}

// tellFirst shows the events that the first anomaly is made of, and what its name means.
func (a *app) tellFirst(m blackbox.Model, x *ops.Anomaly, told []ops.Event) {
	fmt.Fprintf(a.stdout, "\nThe first %s\n\n", x.Name)
	begin := int64(ops.NoTime)
	wide := [3]int{}
	rows := make([][3]string, 0, len(told))
	for i := range told {
		e := &told[i]
		when := ""
		if e.Time != ops.NoTime {
			if begin == ops.NoTime {
				begin = e.Time
			}
			when = rng.FormatDuration(e.Time - begin)
			if e.Time > begin {
				when = "+" + when
			}
		}
		row := [3]string{fmt.Sprintf("[%d]", e.Index), when, "process " + printable(e.Process)}
		rows = append(rows, row)
		for k := range row {
			wide[k] = max(wide[k], utf8.RuneCountInString(row[k]))
		}
	}
	for i := range told {
		e := &told[i]
		fmt.Fprintf(a.stdout, "  %*s  %*s  %-*s  %-6s  %s %s\n", wide[0], rows[i][0], wide[1], rows[i][1], wide[2], rows[i][2], e.Type, printable(e.F), printable(e.Value.String()))
	}
	fmt.Fprintln(a.stdout)
	a.labelled("how", x.Story...)
	if i := slices.IndexFunc(m.Anomalies, func(k blackbox.AnomalyKind) bool { return k.Name == x.Name }); i >= 0 {
		a.labelled("means", m.Anomalies[i].Doc)
	}
}

// marginWidth is that of the labels beside texts.
const marginWidth = 12

// labelled prints texts beside a label in the margin, each beginning a line.
func (a *app) labelled(label string, texts ...string) {
	for _, text := range texts {
		printEntry(a.stdout, marginWidth, entryLine{label, printable(text)})
		label = ""
	}
}

// printable is a text of a foreign file without what moves a terminal's cursor.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '�'
		}
		return r
	}, s)
}
