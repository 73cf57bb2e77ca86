// Package history holds what every part of Twiceless shares: the facts of a run and the closed tables that
// name them. It is the contract between the half that runs (sim, model, faults, scenarios) and the half that
// judges and draws (checker, reports).
//
// It imports nothing of ours but sim/rng's peers below it, knows no component, and keeps three invariants:
//
//   - a history is append-only, its facts are numbered 1, 2, 3 … in order of recording;
//   - every kind, fault, dimension, effect class, bucket and cause label is a row of a closed table here, so a
//     reader of a file never meets a word that no table explains;
//   - the text form of a history is canonical: one value has one sequence of bytes.
//
// To add a fact kind: one constant and one row in kinds.go. To add a fault kind: one row in faults.go (and its
// file in package faults). What to read next: fact.go, then row.go, then package checker.
package history
