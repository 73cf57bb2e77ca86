package stack

import (
	"fmt"
	"slices"

	"github.com/twiceless/twiceless/sim"
)

// Site is where a layer, or the engine, stands in a scenario: what its check may know, and what the check has found.
type Site struct {
	Engine    string    // name of the stack's engine
	Outside   []string  // names of the layers around this one, the outermost first
	Inside    []string  // names of the layers that it wraps, the outermost first
	Source    string    // topic of the flow
	Transacts bool      // the broker has transactions over records and positions
	Called    []Service // what the critical effects call, in the order of the flow
	Flaws     []Flaw    // what is wrong, in the order of the reports
}

// Service is a called service as a check sees it.
type Service struct {
	Name       string
	TakesKeys  bool         // its kind can recognise repetitions by a key
	OffersKeys bool         // the scenario says that it does
	KeepKeys   sim.Duration // how long it keeps keys, on its wall clock; 0 = for ever

	CanFence    bool // its kind can refuse an earlier owner
	OffersFence bool // the scenario says that it does

	Transacts bool // its kind commits several rows at once
}

// Flaw is one thing wrong. Field is a parameter, or an entry of its list such as from[1]; "" = the layer itself.
type Flaw struct{ Field, Message string }

// Report adds a flaw.
func (s *Site) Report(field, format string, args ...any) {
	s.Flaws = append(s.Flaws, Flaw{field, fmt.Sprintf(format, args...)})
}

// commitsBefore reports whether positions move on before the handler runs, so that no event ever comes again.
func (s *Site) commitsBefore() bool { return s.Engine == commitBefore{}.Name() }

// around reports whether the layer wraps one of that name, within whether it is wrapped by one.
func (s *Site) around(name string) bool { return slices.Contains(s.Inside, name) }
func (s *Site) within(name string) bool { return slices.Contains(s.Outside, name) }
