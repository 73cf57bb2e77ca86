package blackbox

import "github.com/twiceless/twiceless/checker/ops"

// Model is one row of the table of models.
type Model struct {
	Name      string
	Doc       string
	Functions []Function
	Anomalies []AnomalyKind // all names that its judge may report
	Levels    []string      // what --level takes, weakest first; empty = it takes none
	Promises  []string      // what --promise takes, the default first; empty = it takes none
	Header    []Field       // fields of the header beside model
	Alone     bool          // an event that only states that something happened needs no invoke before it
	New       func(ops.Header, Options, *ops.Problems) Judge
}

// Function is an operation of a model.
type Function struct {
	Name  string
	Value string // what its value is, for help texts: "[key, value]"
}

// AnomalyKind is a name that a judge may report.
type AnomalyKind struct {
	Name string
	Doc  string // its definition in a sentence
	// With are names that a history with this anomaly always shows too, by definition: the tests of the others let
	// them pass.
	With []string
}

// Field is a field of the header.
type Field struct{ Name, Doc string }

// Options are what the user chose.
type Options struct {
	Level   string // one of Model.Levels, "" = the model's default
	Promise string // one of Model.Promises, "" = the first
	Budget  int64  // steps that searches may take in all; 0 = DefaultBudget
}

// DefaultBudget is how many steps searches may take in all: some seconds.
const DefaultBudget = 5_000_000

// Judge judges one history.
type Judge interface {
	// Take is called for each operation, in the order of completions; those without one come last, in the order of
	// their calls. What is wrong with the values of an operation goes to the problems that New was given. A judge keeps
	// what it needs and not the operation.
	Take(*ops.Operation)
	// Report is called once, after the last, and only if there was no problem.
	Report() *ops.Report
}

// Models is the table of models, sorted by name.
func Models() []Model {
	return []Model{
		bank(),
		counter(),
		effects(),
		fifo(),
		kafka(),
		kv(),
		listAppend(),
		lock(),
		log(),
		queue(),
		register(),
		set(),
		setFull(),
		stack(),
		totalQueue(),
		uniqueIDs(),
	}
}
