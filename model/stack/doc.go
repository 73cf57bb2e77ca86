// Package stack holds the engines and layers that strategy stacks are made of. They are written as a reviewer
// would write production consumer code: straight-line functions over a context that awaits.
//
// An engine runs the flow (exactly one per stack); layers contribute at the ports of an assembly, in the order
// of their list: the first is the outermost at every port. It may import model, sim and sim/history.
//
// To add a kind: one file with its type and its row, and one line in kinds.go. State in the file's header what the
// kind guarantees, which anomaly it removes, which it brings, and what it needs. The row of a layer declares its
// parameters and checks them where the layer stands; scenario files, their schema and case files follow the row. Tests
// of the contract run over the table.
//
// What to read next: commitafter.go, retry.go, idempotencykey.go, dedupstore.go.
package stack
