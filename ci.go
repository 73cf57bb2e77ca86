package twiceless

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/twiceless/twiceless/reports"
)

// publish gives a test's outcome to what runs tests: attributes to go test -json and so to JUnit files; of a failure also
// an annotation and a summary to GitHub, and files to go test -artifacts. See docs/ci.md. What cannot be written is said
// in the log of the test and decides nothing.
func publish(t testing.TB, o *reports.Outcome) {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Logf("twiceless: no annotation, no artefacts: %v", err)
		return
	}
	// Artefacts come first: gotestsum 1.13.0 takes the event that names their directory for the end of the test, and
	// forgets the attributes that came before it.
	if !o.Held() && artefactsAsked() {
		if err := leave(t.ArtifactDir(), dir, o); err != nil {
			t.Logf("twiceless: artefacts: %v", err)
		}
	}
	for _, a := range attributes(o) {
		t.Attr("twiceless."+a.key, oneLine(a.value))
	}
	if o.Held() {
		return
	}
	if os.Getenv("GITHUB_ACTIONS") == "true" {
		fmt.Fprintln(t.Output(), annotation(o, testSite(), repositoryAt(dir, os.Getenv("GITHUB_WORKSPACE"))))
	}
	if file := os.Getenv("GITHUB_STEP_SUMMARY"); file != "" {
		if err := addSummary(file, o); err != nil {
			t.Logf("twiceless: step summary: %v", err)
		}
	}
}

type attribute struct{ key, value string }

// attributes of a test. Those that say what was put to the test are there always, the others if it failed.
func attributes(o *reports.Outcome) []attribute {
	out := []attribute{
		{"plans", strconv.Itoa(o.Plans)},
		{"awaits", fmt.Sprintf("%d/%d", len(o.Awaits.Killed), len(o.Awaits.Reached))},
	}
	if o.Held() {
		return out
	}
	out = append(out, attribute{"outcome", o.Kind.String()}, attribute{"seed", strconv.FormatUint(o.Seed, 10)}, attribute{"epoch", strconv.Itoa(o.Epoch)})
	if o.Plan > 0 {
		out = append(out, attribute{"plan", strconv.Itoa(o.Plan)})
	}
	for _, a := range []attribute{{"finding", o.Fingerprint}, {"site", o.Site}, {"digest", o.Digest}, {"case", o.Case}, {"again", o.Again}} {
		if a.value != "" {
			out = append(out, a)
		}
	}
	return out
}

// oneLine is a text as attributes take it: a line break in one would fail the test.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// artefactsAsked says whether go test was given -artifacts. Without it what is written goes with the test.
func artefactsAsked() bool {
	f := flag.Lookup("test.artifacts")
	return f != nil && f.Value.String() == "true"
}

// artefact is a file that a failure leaves.
type artefact struct {
	name  string
	write func(io.Writer) error
}

// leave writes what is needed to understand a failure elsewhere: the text, the story, the case, the facts, a picture.
func leave(into, dir string, o *reports.Outcome) error {
	told := o.History != nil && o.Finding != nil
	opt := reports.StoryOptions{Stack: o.Stack, Seed: o.Seed, Would: o.Would, Amount: o.Headline, Again: o.Again, Digest: o.Digest, Epoch: o.Epoch}
	files := []artefact{{"story.txt", func(w io.Writer) error {
		fmt.Fprintf(w, "%s of %s\n\n", o.Test, o.Package)
		if err := reports.WriteOutcome(w, o); err != nil || !told {
			return err
		}
		fmt.Fprintln(w)
		return reports.WriteStory(w, o.History, *o.Finding, opt)
	}}}
	if o.History != nil {
		files = append(files, artefact{"facts.jsonl", o.History.Write})
	}
	if told {
		files = append(files, artefact{"timeline.svg", func(w io.Writer) error { return reports.WriteTimeline(w, o.History, *o.Finding, opt) }})
	}
	var wrong []error
	for _, f := range files {
		var b bytes.Buffer
		wrong = append(wrong, f.write(&b), os.WriteFile(filepath.Join(into, f.name), b.Bytes(), 0o644))
	}
	if o.Case != "" {
		wrong = append(wrong, copyCase(into, dir, o.Case))
	}
	return errors.Join(wrong...)
}

// copyCase copies a case under its own name. Its path is seen from the package's directory.
func copyCase(into, dir, file string) error {
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(into, filepath.Base(file)), text, 0o644)
}

// addSummary appends to the summary of a step. It is one write: tests of other packages append at the same time.
func addSummary(file string, o *reports.Outcome) error {
	var b bytes.Buffer
	if err := reports.WriteOutcomeMarkdown(&b, o); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b.Bytes())
	return errors.Join(err, f.Close())
}
