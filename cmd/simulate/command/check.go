package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/checker/blackbox"
	"github.com/twiceless/twiceless/checker/ops"
)

// checkFlags are what check is asked for.
type checkFlags struct {
	model, input, format, picture string
	options                       blackbox.Options
}

func (a *app) checkCommand() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check --model M FILE",
		Short: "Judge a history of operations that was recorded elsewhere",
		Long: `check judges what clients of a system saw: a file of operations in real-time order, one event a line, as JSON
Lines or as Jepsen writes it in EDN. FILE may be - for standard input.

  {"header":{"model":"register","initial":0}}                                  optional
  {"index":0,"process":0,"type":"invoke","f":"write","value":1,"time":1000}    index and time may be absent
  {"index":1,"process":0,"type":"ok","f":"write","value":1,"time":2000}

type is invoke, ok (it happened), fail (it did not) or info (nobody knows). An invoke without a completion is info.

Models, and what their operations hold:

` + modelTable() + `
More about a model or an anomaly: simulate explain NAME.

Exit codes: 0 pass, 1 an anomaly that breaks what must hold, 2 bad usage or a malformed history (every problem with its
line), 5 vacuous or unknown: nothing was exercised, or the budget or the history does not decide.`,
		Example: `  simulate check --model kafka history.jsonl
  simulate check --model list-append --level snapshot-isolation history.edn --format json
  simulate check --model register history.jsonl --picture order.html`,
		Args:              arguments(1, 1, "one history file"),
		RunE:              func(cmd *cobra.Command, args []string) error { return a.check(cmd.Context(), args[0], f) },
		ValidArgsFunction: completeFiles("jsonl"),
	}
	flags := cmd.Flags()
	flags.StringVar(&f.model, "model", "", "what the operations are operations of; the header of the file may say it instead")
	flags.StringVar(&f.options.Level, "level", "", "isolation that must hold (list-append)")
	flags.StringVar(&f.options.Promise, "promise", "", "what was promised: "+promiseWords())
	flags.Int64Var(&f.options.Budget, "budget", blackbox.DefaultBudget, "steps that searches may take in all; beyond them the verdict is unknown")
	flags.StringVar(&f.input, "input", "auto", "format of the file: jsonl, edn or auto")
	flags.StringVar(&f.format, "format", "text", "text or json")
	flags.StringVar(&f.picture, "picture", "", "write porcupine's picture of the first object that is not linearizable into this HTML file")
	completeFlag(cmd, "model", completeWords(blackbox.ModelNames()))
	completeFlag(cmd, "level", completeWords(optionWords(func(m blackbox.Model) []string { return m.Levels })))
	completeFlag(cmd, "promise", completeWords(optionWords(func(m blackbox.Model) []string { return m.Promises })))
	completeFlag(cmd, "input", completeWords([]string{"auto", "jsonl", "edn"}))
	completeFlag(cmd, "format", completeWords([]string{"text", "json"}))
	completeFlag(cmd, "picture", completeFiles("html"))
	return cmd
}

// optionWords are the words that any model takes for an option.
func optionWords(of func(blackbox.Model) []string) []string {
	var words []string
	for _, m := range blackbox.Models() {
		for _, w := range of(m) {
			if !slices.Contains(words, w) {
				words = append(words, w)
			}
		}
	}
	return words
}

// promiseWords are the promises that models take, each with its models, defaults first.
func promiseWords() string {
	var lists, models []string
	for _, m := range blackbox.Models() {
		words := strings.Join(m.Promises, ", ")
		switch i := slices.Index(lists, words); {
		case words == "":
		case i < 0:
			lists, models = append(lists, words), append(models, m.Name)
		default:
			models[i] += ", " + m.Name
		}
	}
	for i := range lists {
		lists[i] += " (" + models[i] + ")"
	}
	return strings.Join(lists, "; ")
}

// modelTable lists the models with their operations.
func modelTable() string {
	var b strings.Builder
	for _, m := range blackbox.Models() {
		lines := wrap(strings.Join(functionsOf(m), " · "), pageWidth-16)
		for i, line := range lines {
			name := m.Name
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(&b, "  %-14s%s\n", name, line)
		}
	}
	return b.String()
}

func functionsOf(m blackbox.Model) []string {
	var list []string
	for _, f := range m.Functions {
		list = append(list, strings.TrimSpace(f.Name+" "+f.Value))
	}
	return list
}

// check reads a history, judges it, and tells the report.
func (a *app) check(ctx context.Context, path string, f checkFlags) error {
	if err := f.vet(); err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(100) // one large history, not many small runs
	}
	file, err := a.openHistory(ctx, path, f.input)
	if err != nil {
		return err
	}
	defer file.discard()
	judged, err := file.judge(f.model, f.options)
	if bad, ok := errors.AsType[*ops.BadHistory](err); ok {
		return failf(exitInput, "%s", bad.Error())
	} else if err != nil {
		return failf(exitInput, "%s: %v", file.name, reason(err))
	}
	var told []ops.Event
	if f.format == "text" { // another reading
		if told, err = file.events(judged.Report); err != nil {
			return failf(exitInput, "%s: %v", file.name, reason(err))
		}
	}
	if f.picture != "" {
		if err := a.drawOrder(f.picture, judged); err != nil {
			return err
		}
	}
	out := a
	if f.picture == "-" { // the picture is the result
		out = a.aside()
	}
	if f.format == "json" {
		err = out.printChecked(judged, f)
	} else {
		out.tellChecked(file.name, judged, f, told)
	}
	if err != nil {
		return err
	}
	return quietly(codeOf(judged.Report.Verdict()))
}

// vet checks what does not need the file.
func (f *checkFlags) vet() error {
	switch {
	case f.model != "" && !slices.Contains(blackbox.ModelNames(), f.model):
		return failf(exitInput, "unknown model %q (%s)", f.model, hint(f.model, blackbox.ModelNames()))
	case f.format != "text" && f.format != "json":
		return failf(exitInput, "--format %q: text or json", f.format)
	case f.input != "auto" && f.input != "jsonl" && f.input != "edn":
		return failf(exitInput, "--input %q: jsonl, edn or auto", f.input)
	case f.options.Budget < 1:
		return failf(exitInput, "--budget %d: at least 1", f.options.Budget)
	}
	return nil
}

// codeOf is the exit code of a verdict.
func codeOf(v checker.Verdict) int {
	switch v {
	case checker.Pass:
		return 0
	case checker.Fail:
		return exitFinding
	}
	return exitInconclusive
}

// drawOrder writes the picture of the judged order.
func (a *app) drawOrder(path string, j *blackbox.Judged) error {
	if j.Report.Picture == nil {
		fmt.Fprintf(a.stderr, "%s is not written: no object was found that a search calls not linearizable\n", path)
		return nil
	}
	return a.writeOutput(path, func(w io.Writer) error { return j.Report.Picture(w) })
}
