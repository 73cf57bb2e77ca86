// Command simulate compares reliability strategies under faults and replays the smallest story that breaks one.
package main

import (
	"os"

	"github.com/twiceless/twiceless/cmd/simulate/command"
)

func main() { os.Exit(command.Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) }
