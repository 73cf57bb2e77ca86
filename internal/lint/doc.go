// Package lint holds the rules of this repository that a compiler does not check: who may import whom, what code inside a simulated world must
// never use, how long files and functions may grow, and what the text of the repository must not contain.
//
// The rules run as ordinary tests. policy.go is the part to read and to edit; every rule is proved by a planted snippet that it must report and a
// near miss that it must leave alone. Each finding names what to use instead.
package lint
