// Command binary is simulate with the handlers of a shop: a program that a team copies, with its own package in the place
// of shop and its own scenario in the place of payments. All commands work over its code, and cases belong to the program:
//
//	go run ./examples/binary compare --stacks at-least-once,dedup-durable,permanent-key
//	go run ./examples/binary run payments --stack dedup-durable --faults reply-lost --seed 2
//	go run ./examples/binary replay out/cases/dedup-durable.reply-lost.….case
//	go run ./examples/binary shrink out/cases/dedup-durable.reply-lost.….case
//
// The comparison says that the shop's charge breaks two of these stacks and not the third; shop tells why.
package main

import (
	"os"

	"github.com/twiceless/twiceless/cmd/simulate/command"
	"github.com/twiceless/twiceless/examples/binary/shop"
)

func main() {
	os.Exit(command.Main(os.Args, os.Stdin, os.Stdout, os.Stderr,
		command.With("payments", command.Stages{"charge": shop.Charge})))
}
