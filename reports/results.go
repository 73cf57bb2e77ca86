package reports

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// resultsVersion is the version of the format of results.json.
const resultsVersion = 1

// results is the outer form of results.json; the order of its fields is the order in the file.
type results struct {
	Version     int            `json:"version"`
	Epoch       int            `json:"epoch"`
	Scenario    string         `json:"scenario"`
	BaseSeed    uint64         `json:"base_seed"`
	RunsPerCell int            `json:"runs_per_cell"`
	Precision   float64        `json:"precision"` // 0 = a fixed number of runs
	Exposure    string         `json:"exposure"`
	Cells       []Cell         `json:"cells"`
	Stacks      []stackResult  `json:"stacks"`
	Edges       []history.Edge `json:"edges"`
	Rates       []Rate         `json:"rates"`
	Differences []Difference   `json:"differences"`
	Sensitivity []Sensitivity  `json:"sensitivity"`
}

type stackResult struct {
	Stack     string            `json:"stack"`
	Verdict   string            `json:"verdict"`
	Hunts     hunts             `json:"hunts"`
	Promises  map[string]string `json:"promises"`
	Envelope  map[string]string `json:"envelope"`
	NeverSeen []string          `json:"permitted_but_never_seen"`
}

type hunts struct {
	Runs     int `json:"runs"`
	Breaches int `json:"breaches"`
}

// WriteResults writes results.json.
func WriteResults(w io.Writer, in Input) error {
	if err := in.check(); err != nil {
		return err
	}
	t := newTable(in)
	out := results{
		Version: resultsVersion, Epoch: in.Epoch, Scenario: in.Scenario, BaseSeed: in.BaseSeed,
		RunsPerCell: in.RunsPerCell, Precision: in.Precision, Exposure: in.Exposed.Name,
		Cells: t.chart().cells, Stacks: make([]stackResult, 0, len(in.Stacks)), Rates: append([]Rate{}, t.rates()...),
		Differences: append([]Difference{}, differencesOf(&in, t.cells)...), Sensitivity: append([]Sensitivity{}, sensitivitiesOf(&in, t.cells)...),
	}
	for _, s := range in.Stacks {
		r := stackResult{
			Stack: s.Name, Verdict: s.Verdict, Hunts: hunts{s.HuntRuns, s.HuntBreaches},
			Promises: s.Promises, Envelope: envelope(s.Contract), NeverSeen: s.PermittedNeverSeen,
		}
		if r.Promises == nil {
			r.Promises = map[string]string{}
		}
		if r.NeverSeen == nil {
			r.NeverSeen = []string{}
		}
		out.Stacks = append(out.Stacks, r)
	}
	out.Edges = append([]history.Edge{}, in.Edges...)
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}

// envelope writes bounds as a scenario file does.
func envelope(c history.Contract) map[string]string {
	out := map[string]string{}
	for _, b := range c.Envelope {
		text := fmt.Sprint(b.Max)
		for _, d := range history.Dimensions() {
			if d.Name == b.Dimension && d.Duration {
				text = rng.FormatDuration(b.Max)
			}
		}
		out[string(b.Dimension)] = "<= " + text
	}
	return out
}
