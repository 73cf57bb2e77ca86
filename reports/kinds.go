package reports

// Plot is one kind of picture: one file plot_*.go and one line below.
type Plot struct {
	Name string // file name without extension
	Doc  string // what it shows, in one sentence

	make func(data *chart) figure
}

// Plots lists the pictures of a report, sorted by name.
func Plots() []Plot {
	return []Plot{
		{"duplicates", "critical effects that one fault applies once too often, with 95 % intervals", duplicatesFigure},
		{"losses", "intents that one fault loses, with 95 % intervals", lossesFigure},
		{"matrix", "stacks × fault kinds: extra effects and lost intents in every cell", matrixFigure},
	}
}
