// Package reports turns finished rows and histories into what people read: results.json, the damage table, plots
// and stories.
//
// It never looks into a scenario, a model or a world: what it must know besides rows comes in Input, as text.
// Three invariants hold:
//
//   - every figure is a function of the set of rows: their order, and how often one was read, change nothing;
//   - measuring rows alone enter cells; a hunting row reaches no mean, no interval and no picture;
//   - the same input gives the same bytes (plots and figures: on one GOARCH), and no package state is touched.
//
// To add a plot: one file with a figure, one line in kinds.go. What to read next: input.go, cells.go, stats.go.
package reports
