package command

import (
	"reflect"
	"slices"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

// defaultExposure is the profile that rates rest on when nothing is named.
const defaultExposure = "cloud-default"

// exposure is a profile and where it came from: a name of the library, or a file.
type exposure struct {
	from    string
	profile *faults.Exposure
}

// savedExposure is an exposure in compare.json, so that a report made again rests on the same frequencies.
type savedExposure struct {
	From        string           `json:"from"`
	Name        string           `json:"name"`
	Why         string           `json:"why,omitempty"`
	Frequencies []savedFrequency `json:"frequencies"`
}

type savedFrequency struct {
	Kind   string `json:"kind"`
	Rate   string `json:"rate"`
	Source string `json:"source"`
	Why    string `json:"why"`
}

// loadExposure reads a profile by its library name or from a file; - is standard input.
func (a *app) loadExposure(name string) (*exposure, error) {
	if name != "-" {
		p, err := scenarios.LoadExposure(name)
		return &exposure{name, p}, err
	}
	file, src, err := a.readInput(name)
	if err != nil {
		return nil, err
	}
	p, err := scenarios.DecodeExposure(file, src)
	return &exposure{file, p}, err
}

func (e *exposure) save() *savedExposure {
	if e == nil {
		return nil
	}
	s := &savedExposure{From: e.from, Name: e.profile.Name, Why: e.profile.Why}
	for _, l := range e.profile.Lines {
		s.Frequencies = append(s.Frequencies, savedFrequency{l.Kind, l.Rate.String(), l.Source, l.Why})
	}
	return s
}

// restore reads an exposure of a saved comparison; one that was saved before there were any has the default.
func (s *savedExposure) restore(path string) (*exposure, error) {
	if s == nil {
		p, err := scenarios.LoadExposure(defaultExposure)
		return &exposure{defaultExposure, p}, err
	}
	e := &exposure{s.From, &faults.Exposure{Name: s.Name, Why: s.Why}}
	for _, f := range s.Frequencies {
		rate, err := faults.ParseRate(f.Rate)
		if err != nil {
			return nil, failf(exitInput, "%s: damaged: exposure: %s: %v", path, f.Kind, err)
		}
		kind, ok := history.FaultKindByName(f.Kind)
		if !ok {
			return nil, failf(exitInput, "%s: damaged: exposure: there is no fault kind %q", path, f.Kind)
		}
		if err := rate.Fits(kind); err != nil {
			return nil, failf(exitInput, "%s: damaged: exposure: %v", path, err)
		}
		e.profile.Lines = append(e.profile.Lines, faults.Frequency{Kind: f.Kind, Rate: rate, Source: f.Source, Why: f.Why})
	}
	return e, nil
}

func (e *exposure) equal(o *exposure) bool { return reflect.DeepEqual(e.profile, o.profile) }

// expose replaces the profile of a saved comparison by the one that a flag names, if it names one.
func (a *app) expose(c *comparison, f *reportFlags) error {
	if f.exposure == "" {
		return nil
	}
	e, err := a.loadExposure(f.exposure)
	if err != nil {
		return err
	}
	if c.poisson != nil && !e.equal(c.exposure) {
		return failf(exitInput, "--exposure %s: the runs of the sensitivity were drawn at another profile, %s", f.exposure, c.exposure.profile.Name)
	}
	c.exposure = e
	return nil
}

// exposed is the profile as it meets the system of the scenario.
func (a *app) exposed(c *comparison) reports.Exposed {
	e := reports.Exposed{Exposure: *c.exposure.profile, Origin: relative(c.exposure.from), Parties: map[string]int64{},
		Interval: c.sc.Workload.Interval, Load: c.sc.Phases.Chaos}
	if slices.Contains(scenarios.ExposureNames(), c.exposure.from) {
		e.Origin = a.command("explain", c.exposure.from)
	}
	for _, line := range c.exposure.profile.Lines {
		e.Parties[line.Kind] = c.sc.Parties(line.Rate.Scope)
	}
	return e
}
