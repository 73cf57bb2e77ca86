// Package blackbox judges operation histories: what clients of a system saw, with no view into it.
//
// Each model is one file that states its property as a formula, what it assumes, what it costs, and what it says when
// nothing was exercised; models.go lists them. A judge takes operations one by one and reports once. It never guesses:
// what the history cannot decide is undecided, with a reason, and a budget of steps that runs out is too.
//
// It may import checker and the packages below it (ops, linear, isolation). To add a model: one file, one line in
// models.go, and histories in testdata/<model>/; package blackboxtest then holds it to the common contract.
// What to read next: models.go, uniqueids.go.
package blackbox
