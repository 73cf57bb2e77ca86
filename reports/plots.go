package reports

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/twiceless/twiceless/sim/history"
)

// chart is what figures are drawn from.
type chart struct {
	in      *Input
	columns []history.FaultKind
	cells   []Cell
	rates   func() []Rate
}

// figure is a picture that knows its size.
type figure struct {
	width, height vg.Length
	paint         func(c draw.Canvas)
}

const (
	figureWidth = vg.Length(660) // points: 880 px at 96 dpi, the width of a README
	pngDPI      = 192            // twice that, for dense screens
)

// PlotFormats lists the file formats of plots.
func PlotFormats() []string { return []string{"png", "svg"} }

// WritePlots writes every plot in every format into dir and returns the file names.
func WritePlots(dir string, in Input) ([]string, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	data := newChart(in)
	var names []string
	for _, p := range Plots() {
		for _, format := range PlotFormats() {
			var b bytes.Buffer
			if err := p.make(data).write(&b, format); err != nil {
				return names, fmt.Errorf("%s.%s: %w", p.Name, format, err)
			}
			name := p.Name + "." + format
			if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
				return names, err
			}
			names = append(names, name)
		}
	}
	return names, nil
}

// WritePlot writes one plot, by its name in Plots, as svg or png.
func WritePlot(w io.Writer, in Input, name, format string) error {
	if err := in.check(); err != nil {
		return err
	}
	for _, p := range Plots() {
		if p.Name == name {
			return p.make(newChart(in)).write(w, format)
		}
	}
	return fmt.Errorf("unknown plot %q", name)
}

func newChart(in Input) *chart { return newTable(in).chart() }

func (d *chart) cell(stack, fault string) *Cell {
	for i := range d.cells {
		if c := &d.cells[i]; c.Stack == stack && c.Fault == fault {
			return c
		}
	}
	return nil
}

// subtitle says what every picture rests on.
func (d *chart) subtitle() string {
	runs, decisive := d.in.runsText()
	s := fmt.Sprintf("%s · one fault a run · %s · base seed %d", d.in.Scenario, runs, d.in.BaseSeed)
	if !decisive {
		s += fmt.Sprintf(" · a first look: decide with %d runs", decisiveRuns)
	}
	return s
}

// empty says whether there is nothing to draw.
func (d *chart) empty() bool { return len(d.columns) == 0 || len(d.in.Stacks) == 0 }

func (f figure) write(w io.Writer, format string) error {
	switch format {
	case "svg":
		canvas := vgsvg.New(f.width, f.height)
		f.draw(canvas)
		var b bytes.Buffer
		if _, err := canvas.WriteTo(&b); err != nil {
			return err
		}
		// A reader without the Liberation fonts gets its own sans-serif, not a serif.
		_, err := io.WriteString(w, strings.ReplaceAll(b.String(), "font-family:Liberation Sans;", "font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
		return err
	case "png":
		canvas := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(pngDPI))}
		f.draw(canvas)
		_, err := canvas.WriteTo(w)
		return err
	}
	return fmt.Errorf("unknown plot format %q (%s)", format, strings.Join(PlotFormats(), ", "))
}

func (f figure) draw(canvas vg.CanvasSizer) {
	c := draw.New(canvas)
	fillRect(&c, c.Rectangle, color.White)
	f.paint(c)
}

// The colours of text and lines.
var (
	ink   = color.RGBA{0x1f, 0x23, 0x28, 0xff}
	faint = color.RGBA{0x59, 0x63, 0x6e, 0xff}
	rule  = color.RGBA{0xd8, 0xdd, 0xe3, 0xff}
	band  = color.RGBA{0xf5, 0xf7, 0xf9, 0xff}
)

const bold = 3 // golang.org/x/image/font.WeightBold

// style is a text in the plots' font, aligned left and at its baseline's bottom.
func style(size vg.Length, c color.Color) draw.TextStyle {
	return draw.TextStyle{
		Color:   c,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		XAlign:  draw.XLeft,
		YAlign:  draw.YCenter,
		Handler: text.Plain{Fonts: font.DefaultCache},
	}
}

func centred(s draw.TextStyle) draw.TextStyle {
	s.XAlign = draw.XCenter
	return s
}

func emphasised(s draw.TextStyle) draw.TextStyle {
	s.Font.Weight = bold
	return s
}

// heading paints title and subtitle and returns the canvas below them.
func heading(c draw.Canvas, title, subtitle string) draw.Canvas {
	top := c.Max.Y
	c.FillText(emphasised(style(13, ink)), vg.Point{X: c.Min.X + 12, Y: top - 18}, title)
	c.FillText(style(9, faint), vg.Point{X: c.Min.X + 12, Y: top - 35}, subtitle)
	return draw.Crop(c, 0, 0, 0, -46)
}

// brief is a mean in a picture: one decimal from one to ten, two below, and what little there is below that. As in
// tables halves go up.
func brief(x float64) string {
	unit := 100.0
	switch {
	case x >= 9.95:
		unit = 1
	case x >= 0.995:
		unit = 10
	case x < 0.01:
		return strconv.FormatFloat(x, 'g', 1, 64)
	}
	return strconv.FormatFloat(math.Floor(x*unit+0.5+1e-9)/unit, 'f', -1, 64)
}

func nothing(c draw.Canvas) {
	c.FillText(centred(style(11, faint)), c.Center(), "nothing to compare: no stack or no fault kind")
}

func fillRect(c *draw.Canvas, r vg.Rectangle, clr color.Color) {
	c.FillPolygon(clr, []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}})
}

func box(x0, y0, x1, y1 vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: x0, Y: y0}, Max: vg.Point{X: x1, Y: y1}}
}
