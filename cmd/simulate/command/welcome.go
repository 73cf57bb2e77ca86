package command

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/twiceless/twiceless/checker"
	"github.com/twiceless/twiceless/internal/tell"
	"github.com/twiceless/twiceless/reports"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim/history"
)

const welcomeText = `Twiceless: never twice, never less.

Which reliability stack keeps an event-driven system exactly-once under which faults, at what cost, and what is the
smallest story that breaks it? Twiceless simulates brokers, consumers, services and stores message by message, lets
one fault fall at a moment nobody chose, judges what the business would have seen, and replays every break bit for bit.

  %s
  %s
  %s

A story, run just now: orders are charged, the position moves on after the work, and one consumer is killed.

`

// The story of the first minute: a stack that duplicates, and the seeds that are tried for a run that shows it.
const (
	storyStack = "at-least-once"
	storyFault = "consumer-kill"
	storySeeds = 40
)

// welcome says what this is and tells one story.
func (a *app) welcome(ctx context.Context) error {
	width := utf8.RuneCountInString(a.command("list", "stacks")) + 3
	pad := func(line, text string) string { return fmt.Sprintf("%-*s%s", width, line, text) }
	fmt.Fprintf(a.stdout, welcomeText,
		pad(a.command("compare"), "what one fault does to each stack, in one table"),
		pad(a.command("list", "stacks"), "the stacks; also scenarios, layers, faults, checkers"),
		pad(a.command("--help"), "all commands"))
	sc, err := scenarios.Load(defaultScenario)
	if err != nil {
		return err
	}
	began, mem := time.Now(), &scenarios.Memory{}
	for seed := uint64(1); seed <= storySeeds && ctx.Err() == nil && time.Since(began) < 1500*time.Millisecond; seed++ {
		c, err := scenarios.MeasuringCase(sc, storyStack, storyFault, 1, seed)
		if err != nil {
			return err
		}
		r, err := scenarios.Supervise(c, mem, patience)
		if err != nil {
			return err
		}
		contract := contractOf(c)
		f, ok := tell.Gravest(r.Verdicts.Findings, checker.Promised(contract))
		if !ok || f.Property != history.PropDuplicateCritical {
			continue
		}
		c.Witness = r.Witness(seed)
		opt := a.storyOptions("", c, r, f)
		if a.team.handlers[defaultScenario] == nil && a.team.carries(defaultScenario) == nil { // else that is another run
			opt.Again = a.command("run", defaultScenario, "--stack", storyStack, "--faults", storyFault, "--seed", fmt.Sprint(seed))
		}
		return reports.WriteStory(a.stdout, r.History, f, opt)
	}
	fmt.Fprintf(a.stdout, "No run showed it this time: %s\n", a.command("compare"))
	return nil
}
