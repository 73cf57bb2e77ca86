package scenarios

import (
	"embed"
	"reflect"
	"slices"

	"github.com/twiceless/twiceless/faults"
	"github.com/twiceless/twiceless/sim/history"
)

// Exposure profiles are read here and not in package faults: strict decoding needs the YAML reader, which no package
// of a world may import. What a profile means, and the text of a rate, belong to faults.

//go:embed exposures/*.yaml
var exposureFiles embed.FS

// exposureShelf is where the library's profiles are.
func exposureShelf() shelf { return shelf{"exposure profile", "exposures", exposureFiles} }

// fileExposure is the field table of a profile's file, as that of scenarios in decode_file.go.
type fileExposure struct {
	Version     *whole                    `f:"version" need:"version: 1" min:"1" max:"1" doc:"Version of the format of exposure files."`
	Name        *ident                    `f:"name" need:"name: cloud-default" doc:"Name of the profile."`
	Why         prose                     `f:"why" doc:"What kind of system the profile means, in plain words."`
	Frequencies map[string]*fileFrequency `f:"frequencies" need:"frequencies: { … }" keys:"@fault" len:"64" doc:"How often faults happen, by kind of fault. A kind that is left out is not counted."`
}

type fileFrequency struct {
	Rate   *rateText `f:"rate" need:"rate: 1 per 30d per consumer" doc:"How many faults, in how long, for each of what."`
	Source *choice   `f:"source" need:"source: judgement" enum:"@source" doc:"Where the figure comes from."`
	Why    *prose    `f:"why" need:"why: …" doc:"The reason, in words."`
}

// rateText is a rate of a profile: 1 per 30d per consumer.
type rateText faults.Rate

func (rateText) shape() form {
	return form{want: "a frequency such as 1 per 30d per consumer", types: []string{"string"}, pattern: `^[0-9]+ +per +[0-9.a-zµμ]+ +per +[a-z-]+$`, max: maxName}
}
func (v *rateText) set(n *docNode) error {
	r, err := faults.ParseRate(n.text)
	*v = rateText(r)
	return err
}

// DecodeExposure reads an exposure profile. The error is of type Problems and lists all that is wrong.
func DecodeExposure(file string, src []byte) (*faults.Exposure, error) {
	source, root, ps := parseYAML(file, "an exposure profile", src)
	if len(ps) > 0 {
		return nil, ps.sorted()
	}
	d := &fileDecoder{source: source, root: root}
	var f fileExposure
	d.decode(root, reflect.ValueOf(&f).Elem(), "", "")
	d.add(checkExposure(&f))
	if err := d.problems.orNil(); err != nil {
		return nil, err
	}
	e := &faults.Exposure{Name: string(*f.Name), Why: string(f.Why)}
	for _, k := range history.FaultKinds() {
		if line := f.Frequencies[k.Name]; line != nil {
			e.Lines = append(e.Lines, faults.Frequency{Kind: k.Name, Rate: faults.Rate(*line.Rate), Source: string(*line.Source), Why: string(*line.Why)})
		}
	}
	return e, nil
}

// checkExposure reports what no single field can know: an assumption without a reason, and a frequency counted for
// what the kind does not happen to.
func checkExposure(f *fileExposure) []issue {
	c := &crossChecks{}
	if f.Frequencies != nil && len(f.Frequencies) == 0 {
		c.add("frequencies", "no fault kind; at least one")
	}
	for _, name := range SortedKeys(f.Frequencies) {
		line := f.Frequencies[name]
		at := joinPath("frequencies", name)
		if line == nil {
			continue
		}
		if line.Why != nil && *line.Why == "" {
			c.add(at+".why", "empty; an assumption has a reason")
		}
		if kind, ok := history.FaultKindByName(name); ok && line.Rate != nil {
			if err := faults.Rate(*line.Rate).Fits(kind); err != nil {
				c.add(at+".rate", "%v", err)
			}
		}
	}
	return c.issues
}

// ExposureNames lists the names of the library's profiles; the name of a profile is that of its file.
func ExposureNames() []string { return exposureShelf().names() }

// LoadExposure reads a profile: by its name in the library, else from a file. The error is of type Problems.
func LoadExposure(nameOrPath string) (*faults.Exposure, error) {
	sh := exposureShelf()
	if slices.Contains(sh.names(), nameOrPath) {
		file, src := sh.text(nameOrPath)
		return DecodeExposure(file, src)
	}
	src, problem := sh.readFile(nameOrPath)
	if problem != nil {
		return nil, problem
	}
	return DecodeExposure(nameOrPath, src)
}

// Parties counts, in this scenario, what a frequency with the scope is multiplied by.
func (s *Scenario) Parties(scope string) int64 { return s.space().Parties(scope) }
