package scenarios

// CaseVersion is the version of the format of case files that this program writes.
const CaseVersion = 1

// Case re-runs one run bit for bit, anywhere: the intent half says what is run and what is expected, the witness
// half what it looked like when it was recorded.
type Case struct {
	Version int     `json:"version"`
	Intent  Intent  `json:"intent"`
	Witness Witness `json:"witness"`
}

// Intent is what is run. Its canonical JSON gives the case its name.
type Intent struct {
	Scenario    *Scenario   `json:"scenario"` // resolved, by value
	Stack       string      `json:"stack"`
	Fault       string      `json:"fault"`     // name of the fault kind
	PlanType    string      `json:"plan_type"` // measuring or hunting
	Plan        []string    `json:"plan"`      // one fault a line, as package faults prints it
	Reductions  *Reductions `json:"reductions,omitempty"`
	Property    string      `json:"property,omitempty"`
	Fingerprint string      `json:"fingerprint,omitempty"`
	Expected    string      `json:"expected"`        // verdict: pass, fail, vacuous, unknown
	Owner       string      `json:"owner,omitempty"` // the test that owns external handlers
}

// Reductions say what of the scenario is kept; a nil list keeps everything.
type Reductions struct {
	KeepEvents     []string `json:"keep_events,omitempty"`     // order-117
	KeepNodes      []string `json:"keep_nodes,omitempty"`      // consumer-2
	KeepPartitions []string `json:"keep_partitions,omitempty"` // orders/3
}

// Witness is what the run looked like when the case was recorded.
type Witness struct {
	Seed          uint64   `json:"seed,string"`           // decimal
	Digest        string   `json:"digest"`                // 16 hex digits
	HistoryDigest string   `json:"history_digest"`        // 16 hex digits
	Checkpoints   []string `json:"checkpoints,omitempty"` // digests every 4,096 events
	Epoch         int      `json:"epoch"`                 // model epoch
	Go            string   `json:"go"`                    // Go version
	Format        string   `json:"format"`                // format versions
}

// The types of a plan.
const (
	PlanMeasuring = "measuring"
	PlanHunting   = "hunting"
)

// Name is the first 12 hex digits of the SHA-256 of the canonical intent half.
func (c *Case) Name() string { panic("stub") }

// Encode returns the case file: indented JSON with a final newline.
func (c *Case) Encode() []byte { panic("stub") }

// DecodeCase reads a case file. The error is of type Problems.
func DecodeCase(file string, src []byte) (*Case, error) { panic("stub") }
