package command

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/twiceless/twiceless/scenarios"
)

// handlers says whose stages the runs of a comparison were done with: the hash of a scenario knows nothing of them, so
// rows of code would else be taken for rows without, or of another version. nil = those of the file alone.
type handlers struct {
	Owner   string   `json:"owner"`
	Version string   `json:"version"`
	Stages  []string `json:"stages"` // that are code, sorted
}

// handlersOf a scenario as it is bound.
func (t *team) handlersOf(sc *scenarios.Scenario) (*handlers, error) {
	code := sc.Bound()
	if code == nil {
		return nil, nil
	}
	version := t.version
	if version == "" {
		build, err := hashOfExecutable()
		if err != nil {
			return nil, failf(exitInput, "this program cannot say which version of its stages it has: %v; command.Version names one", reason(err))
		}
		version = "build " + build
	}
	return &handlers{code.Owner, version, stagesOf(code)}, nil
}

// hashOfExecutable tells builds apart. The revision that a build may have recorded does not: it is missing under go run,
// and silent about edits that are not committed and about modules that are replaced by directories.
func hashOfExecutable() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(exe)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // read only
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}

func (h *handlers) equal(o *handlers) bool { return reflect.DeepEqual(h, o) }

// String names the stages in a message.
func (h *handlers) String() string {
	if h == nil {
		return "the stages of the file alone"
	}
	return fmt.Sprintf("%s as code of %s, version %s", strings.Join(h.Stages, ", "), h.program(), h.Version)
}

// program is the package that the stages belong to.
func (h *handlers) program() string {
	owner, err := scenarios.ParseOwner(h.Owner)
	if err != nil {
		return h.Owner
	}
	return owner.Package
}

// check reports what no program can have written.
func (h *handlers) check() error {
	if h == nil {
		return nil
	}
	if owner, err := scenarios.ParseOwner(h.Owner); err != nil || !owner.Program() {
		return fmt.Errorf("handlers of %q, which is no program", h.Owner)
	}
	if h.Version == "" || len(h.Stages) == 0 {
		return errors.New("handlers without a version or without stages")
	}
	return nil
}

// rebind gives a saved comparison the stages that its runs were done with, so that they can be done again.
func (a *app) rebind(c *comparison, dir string) error {
	if c.handlers == nil {
		return nil // also if this program has stages for the scenario: they did not make these rows
	}
	sc, err := a.team.bind(c.sc)
	if err != nil {
		return err
	}
	have, err := a.team.handlersOf(sc)
	if err != nil {
		return err
	}
	if !have.equal(c.handlers) {
		return failf(exitInput, "%s: its rows were made with %s; this program has %s", dir, c.handlers, have)
	}
	c.sc = sc
	return nil
}

// foreign is a case that this program cannot run: code of others, or code that is no more.
type foreign struct {
	why     string
	command string // that runs it; "" = none
}

func (f *foreign) Error() string {
	if f.command == "" {
		return f.why
	}
	return f.why + ":\n  " + f.command
}

// outcome is the error in one line.
func (f *foreign) outcome() string {
	if f.command == "" {
		return f.why
	}
	return "belongs to " + f.command
}

// bindCase is a case with the code that it was saved with. A case of a native test is done with the stages that this
// program has for its scenario: tested says so. file is where the case lies, "" if that is not to be told.
func (a *app) bindCase(c *scenarios.Case, file string) (bound *scenarios.Case, tested bool, why *foreign) {
	in := &c.Intent
	if in.Owner == "" {
		return c, false, nil // also if this program has stages for the scenario: the case is about those of the file
	}
	owner, err := scenarios.ParseOwner(in.Owner)
	if err != nil {
		panic("command: the owner of a case that was read: " + err.Error())
	}
	code := a.team.handlers[in.Scenario.Name]
	switch {
	case in.Owner == a.team.owner && code == nil:
		return nil, false, &foreign{why: "this program has no stages for scenario " + in.Scenario.Name + " any more"}
	case owner.Program() && in.Owner != a.team.owner:
		return nil, false, &foreign{"its handlers are not in this program; they belong to the program " + owner.Package, ownersCommand(owner, file)}
	case in.Door == scenarios.DoorHosted:
		return nil, false, &foreign{"its handlers are hosted, which go test alone can run; they belong to the test " + in.Owner, ownersCommand(owner, file)}
	case in.Door != scenarios.DoorNative || code == nil:
		return nil, false, &foreign{"its handlers are not in this program; they belong to the test " + in.Owner, ownersCommand(owner, file)}
	}
	own := *code
	own.Owner = in.Owner // what is made of a test's case stays that test's
	sc, err := in.Scenario.Bind(&own)
	if err != nil {
		return nil, false, &foreign{why: "the stages of this program do not fit it any more: " + err.Error()}
	}
	out := *c
	out.Intent.Scenario = sc
	return &out, !owner.Program(), nil
}

// ownersCommand runs a case where its code is. A test is told of the file by its absolute path, because go test runs it
// in the directory of its package; without a file it does the case if its package keeps it.
func ownersCommand(o scenarios.Owner, file string) string {
	switch {
	case o.Program() && file == "":
		return "go run " + quote(o.Package) + " replay CASE"
	case o.Program():
		return "go run " + quote(o.Package) + " replay " + quote(relative(file))
	}
	line := fmt.Sprintf("go test %s -run %s -count=1", quote(o.Package), quote(o.Run()))
	if abs, err := filepath.Abs(file); file != "" && err == nil {
		line = caseVariable + "=" + quote(abs) + " " + line
	}
	return line
}

// caseVariable has a test do one case alone.
const caseVariable = "TWICELESS_CASE"
