package scenarios

// Problem is one thing wrong with an input.
type Problem struct {
	File    string
	Line    int // from 1; 0 = unknown
	Col     int // from 1, in runes
	Path    string
	Message string
	Hint    string // printed in parentheses
	Excerpt string // the line, made printable
	Caret   int    // column of the caret in Excerpt, from 0
	Width   int    // of the caret
}

// Problems is everything wrong with an input, sorted by position.
type Problems []Problem

func (p Problems) Error() string { panic("stub") }
