package scenarios

// Entry is a scenario of the library.
type Entry struct{ Name, Why, File string }

// Library lists the scenarios of the library by name.
func Library() []Entry { panic("stub") }

// Load reads a scenario: by its name in the library, else from a file, "-" being standard input. The error is of type Problems.
func Load(nameOrPath string) (*Scenario, error) { panic("stub") }
