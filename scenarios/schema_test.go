package scenarios

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var updateSchema = flag.Bool("update-schema", false, "write library/twiceless.schema.json")

func TestSchemaCopyIsCurrent(t *testing.T) {
	const file = "library/twiceless.schema.json"
	if *updateSchema {
		if err := os.WriteFile(file, Schema(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written, Schema()) {
		t.Errorf("%s is not what Schema returns: run go test ./scenarios -run SchemaCopy -update-schema", file)
	}
}

// validator compiles the schema.
func validator(t *testing.T) func(src string) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("twiceless.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("twiceless.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(src string) error {
		var v any
		if err := yaml.Unmarshal([]byte(src), &v); err != nil {
			return err
		}
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return err
		}
		return schema.Validate(instance)
	}
}

func TestSchemaAcceptsExamples(t *testing.T) {
	validate := validator(t)
	for _, name := range LibraryNames() {
		if err := validate(libraryText(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, src := range []string{minimal, everything} {
		if _, err := Decode("x.yaml", []byte(src)); err != nil {
			t.Errorf("decoder: %v", err)
		}
		if err := validate(src); err != nil {
			t.Errorf("schema: %v", err)
		}
	}
}

// wrongFiles are edits of the file everything that both the decoder and the schema refuse.
func wrongFiles() [][2]string {
	return [][2]string{
		{"version: 1", "version: 2"},
		{"version: 1", "version: '1'"},
		{"name: everything", "name: Every Thing"},
		{"partitions: 12", "partitions: 0"},
		{"partitions: 12", "partitons: 12"},
		{"partitions: 12", "partitions: many"},
		{"session_timeout: 6s", "session_timeout: 6"},
		{"poisson(90/m)", "poisson(90)"},
		{"kind: pure", "kind: pur"},
		{"engine: commit-after", "engine: exactly-once"},
		{"critical: never", "critical: no"},
		{"amount: 40.5", "amount: forty"},
		{"clock-skew:", "clock-shift:"},
		{"consumer-kill:", "consumer-killed:"},
		{"p_duplicate <", "p_duplicates <"},
		{"members: 3", "members: [3]"},
		{"- retry: { backoff", "- { dead-letter: {}, retry: {} }\n      - retry: { backoff"},
		{"from: [event, stage]", "from: [event, stages]"},
		{"capacity: 20/s", "capacity: 20"},
		{"variant: durable", "variant: memory"},
	}
}

func TestSchemaAndDecoderRefuseTheSame(t *testing.T) {
	validate := validator(t)
	for _, edit := range wrongFiles() {
		src := strings.Replace(everything, edit[0], edit[1], 1)
		if src == everything {
			t.Fatalf("no place for %q", edit[0])
		}
		if _, err := Decode("x.yaml", []byte(src)); err == nil {
			t.Errorf("decoder accepts %q", edit[1])
		}
		if err := validate(src); err == nil {
			t.Errorf("schema accepts %q", edit[1])
		}
	}
}
