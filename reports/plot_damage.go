package reports

import (
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

func duplicatesFigure(d *chart) figure {
	return damageFigure(d, damageOf{"Extra critical effects caused by one fault", vermillion,
		func(c *Cell) Interval { return c.DuplicatesPerFault }, func(c *Cell) int64 { return c.Duplicates }})
}

func lossesFigure(d *chart) figure {
	return damageFigure(d, damageOf{"Intents lost by one fault", blue,
		func(c *Cell) Interval { return c.LossesPerFault }, func(c *Cell) int64 { return c.Losses }})
}

// damageOf is what a damage figure shows.
type damageOf struct {
	title string
	clr   color.RGBA
	mean  func(*Cell) Interval
	sum   func(*Cell) int64
}

// Two colours of the palette of Okabe and Ito, which people with any colour vision can tell apart.
var (
	vermillion = color.RGBA{0xd5, 0x5e, 0x00, 0xff}
	blue       = color.RGBA{0x00, 0x72, 0xb2, 0xff}
)

// Measures of a damage figure, points.
const (
	rowHeight   = 18
	panelHead   = 26 // two lines of a fault kind's title
	panelFoot   = 20 // ticks
	panelGap    = 5
	legendLine  = 18
	widestBand  = 10 // panels beside each other
	figureInset = 12
)

// damageFigure draws a row for each stack and a panel for each fault kind: means with intervals on one common axis. Names
// stand beside their marks, so that neither the number of stacks nor anybody's colour vision limits what can be read.
func damageFigure(d *chart, of damageOf) figure {
	f := &forest{chart: d, damageOf: of}
	f.scale = scaleOf(f.intervals())
	height := vg.Length(46 + legendLine + figureInset)
	height += vg.Length(len(f.bands())) * f.bandHeight()
	return figure{width: figureWidth, height: max(height, 120), paint: func(c draw.Canvas) {
		c = heading(c, of.title, d.subtitle())
		if d.empty() {
			nothing(c)
			return
		}
		c = f.legend(c)
		for _, columns := range f.bands() {
			f.band(&c, columns)
			c.Max.Y -= f.bandHeight()
		}
	}}
}

// forest is a damage figure.
type forest struct {
	*chart
	damageOf
	scale damageScale
}

// bands are the columns, cut so that no band is too wide to read.
func (f *forest) bands() [][]int {
	n := len(f.columns)
	if n == 0 {
		return nil
	}
	lines := (n + widestBand - 1) / widestBand
	var out [][]int
	for i := range n {
		if i*lines/n == len(out) {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], i)
	}
	return out
}

func (f *forest) bandHeight() vg.Length {
	return vg.Length(panelHead + panelFoot + rowHeight*len(f.in.Stacks))
}

func (f *forest) intervals() []Interval {
	var all []Interval
	for _, s := range f.in.Stacks {
		for _, k := range f.columns {
			if c := f.cell(s.Name, k.Name); c.Runs > 0 && !c.cannotHappen && !f.untouched(c) {
				all = append(all, f.mean(c))
			}
		}
	}
	return all
}

// untouched says whether a zero rests on no run at all, so that not even a bound is known.
func (f *forest) untouched(c *Cell) bool { return c.Runs > 0 && !c.exercised() && f.sum(c) == 0 }

// any says whether a cell that is drawn is of a kind.
func (f *forest) any(is func(*Cell) bool) bool {
	for i := range f.cells {
		if c := &f.cells[i]; c.Fault != Control && c.Runs > 0 && is(c) {
			return true
		}
	}
	return false
}

// legend paints what the marks mean, those that occur.
func (f *forest) legend(c draw.Canvas) draw.Canvas {
	sty := style(9, ink)
	x, y := c.Min.X+figureInset+4, c.Max.Y-8
	place := func(shown bool, text string, paint func(at vg.Point)) {
		if shown {
			paint(vg.Point{X: x, Y: y})
			c.FillText(sty, vg.Point{X: x + 10, Y: y + 1}, text)
			x += 10 + sty.Width(text) + 16
		}
	}
	sign := func(text string) func(vg.Point) {
		return func(at vg.Point) { c.FillText(centred(style(9, faint)), at, text) }
	}
	place(true, "mean of the runs, 95 % interval", func(at vg.Point) { f.disc(&c, at, false) })
	place(f.any(f.outside), "outside the stack's envelope", func(at vg.Point) { f.disc(&c, at, true) })
	place(true, "none seen: at most this share of runs (95 %)", func(at vg.Point) { f.bound(&c, at) })
	place(f.any(f.untouched), "its faults met no work", sign("?"))
	place(f.any(func(c *Cell) bool { return c.cannotHappen }), "   cannot happen", sign("n/a"))
	return draw.Crop(c, 0, 0, 0, -legendLine)
}

func (f *forest) outside(c *Cell) bool { return c.Contract == "outside" && f.sum(c) > 0 }

// band paints some of the columns over all stacks.
func (f *forest) band(c *draw.Canvas, columns []int) {
	names := style(9, ink)
	var widest vg.Length
	for _, s := range f.in.Stacks {
		widest = max(widest, names.Width(s.Name))
	}
	top, left, right := c.Max.Y-panelHead, c.Min.X+figureInset, c.Max.X-figureInset
	begin := left + widest + 8
	width := (right - begin) / vg.Length(len(columns))
	bottom := top - vg.Length(rowHeight*len(f.in.Stacks))
	for i, s := range f.in.Stacks {
		y := top - vg.Length(rowHeight*i)
		if i%2 == 0 {
			fillRect(c, box(left-4, y-rowHeight, right, y), band)
		}
		c.FillText(names, vg.Point{X: left, Y: y - rowHeight/2 + 1}, s.Name)
	}
	for i, column := range columns {
		x := begin + vg.Length(i)*width
		f.panel(c, box(x, bottom, x+width-panelGap, top), column)
	}
}

// panel paints a fault kind: its title, its axis, a mark for each stack.
func (f *forest) panel(c *draw.Canvas, r vg.Rectangle, column int) {
	kind := f.columns[column]
	above, below := split(kind.Title)
	c.FillText(centred(style(8.5, ink)), vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: r.Max.Y + 18}, above)
	c.FillText(centred(style(8.5, ink)), vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: r.Max.Y + 8}, below)
	at := func(v float64) vg.Length {
		return r.Min.X + 3 + (r.Max.X-r.Min.X-6)*vg.Length(f.scale.Normalize(0, 0, v))
	}
	f.axis(c, r, at)
	for i, s := range f.in.Stacks {
		cell := f.cell(s.Name, kind.Name)
		y := r.Max.Y - rowHeight*vg.Length(i) - rowHeight/2
		switch {
		case cell.Runs == 0:
		case cell.cannotHappen:
			c.FillText(style(7.5, faint), vg.Point{X: r.Min.X + 1, Y: y}, "n/a")
		case f.untouched(cell):
			c.FillText(style(9, faint), vg.Point{X: r.Min.X + 1, Y: y}, "?")
		default:
			f.mark(c, r, y, at, cell)
		}
	}
}

// axis paints the ticks below a panel, and a line through it at each that is named. A name that would meet the one
// before it is left out.
func (f *forest) axis(c *draw.Canvas, r vg.Rectangle, at func(float64) vg.Length) {
	sty := centred(style(6.8, faint))
	c.StrokeLine2(draw.LineStyle{Color: faint, Width: 0.6}, r.Min.X, r.Min.Y, r.Max.X, r.Min.Y)
	free := r.Min.X - panelGap
	for _, t := range f.scale.Ticks(0, 0) {
		if t.Label == "" {
			continue
		}
		x, half := at(t.Value), sty.Width(t.Label)/2
		c.StrokeLine2(draw.LineStyle{Color: rule, Width: 0.5}, x, r.Min.Y, x, r.Max.Y)
		if x-half > free {
			c.FillText(sty, vg.Point{X: x, Y: r.Min.Y - 7}, t.Label)
			free = x + half + 0.4
		}
	}
}

// mark paints a mean with its interval and the figure above it, or a zero as its bound.
func (f *forest) mark(c *draw.Canvas, r vg.Rectangle, y vg.Length, at func(float64) vg.Length, cell *Cell) {
	iv := f.mean(cell)
	if f.sum(cell) == 0 {
		c.StrokeLine2(draw.LineStyle{Color: faint, Width: 0.6, Dashes: []vg.Length{1, 2}}, at(0), y, at(iv.Hi), y)
		f.bound(c, vg.Point{X: at(iv.Hi), Y: y})
		return
	}
	y -= 3
	whisker := draw.LineStyle{Color: f.clr, Width: 1.4}
	c.StrokeLine2(whisker, at(iv.Lo), y, at(iv.Hi), y)
	for _, end := range []float64{iv.Lo, iv.Hi} {
		c.StrokeLine2(whisker, at(end), y-2.6, at(end), y+2.6)
	}
	f.disc(c, vg.Point{X: at(iv.Value), Y: y}, f.outside(cell))
	sty, text := centred(style(7.5, ink)), brief(iv.Value)
	half := sty.Width(text) / 2
	c.FillText(sty, vg.Point{X: min(max(at(iv.Value), r.Min.X+half), r.Max.X-half), Y: y + 7.5}, text)
}

// disc is a mean; hollow outside the envelope.
func (f *forest) disc(c *draw.Canvas, at vg.Point, hollow bool) {
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: f.clr, Radius: 2.5, Shape: draw.CircleGlyph{}}, at)
	if hollow {
		c.DrawGlyphNoClip(draw.GlyphStyle{Color: color.White, Radius: 1.4, Shape: draw.CircleGlyph{}}, at)
	}
}

// bound is a hollow triangle that points down the axis from an upper bound.
func (f *forest) bound(c *draw.Canvas, at vg.Point) {
	corners := []vg.Point{{X: at.X + 2.7, Y: at.Y + 3}, {X: at.X + 2.7, Y: at.Y - 3}, {X: at.X - 2.7, Y: at.Y}, {X: at.X + 2.7, Y: at.Y + 3}, {X: at.X + 2.7, Y: at.Y - 3}}
	c.FillPolygon(color.White, corners[:3])
	c.StrokeLines(draw.LineStyle{Color: faint, Width: 1}, corners)
}

// damageScale is the axis of damage: linear, or logarithmic over a lowest step that stands for everything down to 0.
type damageScale struct {
	floor float64 // the lowest decade of a logarithmic axis; 0 = linear
	max   float64
}

// zeroShare is the part of a logarithmic axis between 0 and its floor.
const zeroShare = 0.09

// scaleOf chooses the axis: logarithmic when what was seen spans more than a factor of 20.
func scaleOf(all []Interval) damageScale {
	low, high := math.Inf(1), 0.0
	for _, iv := range all {
		high = max(high, iv.Hi)
		if iv.Value > 0 {
			low = min(low, iv.Value)
		} else {
			low = min(low, iv.Hi)
		}
	}
	switch {
	case high == 0:
		return damageScale{max: 1}
	case high/low <= 20:
		return damageScale{max: high * 1.2}
	}
	return damageScale{floor: math.Pow(10, math.Floor(math.Log10(low*1.0001))), max: high * 2.2}
}

// Normalize implements plot.Normalizer.
func (s damageScale) Normalize(_, _, x float64) float64 {
	switch {
	case s.floor == 0:
		return x / s.max
	case x <= s.floor:
		return zeroShare * max(x, 0) / s.floor
	}
	return zeroShare + (1-zeroShare)*math.Log(x/s.floor)/math.Log(s.max/s.floor)
}

// Ticks implements plot.Ticker.
func (s damageScale) Ticks(_, _ float64) []plot.Tick {
	if s.floor == 0 {
		step := niceStep(s.max / 6)
		var ticks []plot.Tick
		for i := 0.0; i*step <= s.max; i++ {
			ticks = append(ticks, plot.Tick{Value: i * step, Label: strconv.FormatFloat(rounded(i*step), 'f', -1, 64)})
		}
		return ticks
	}
	ticks := []plot.Tick{{Value: 0, Label: "0"}}
	for decade := s.floor; decade <= s.max; decade *= 10 {
		ticks = append(ticks, plot.Tick{Value: decade, Label: strconv.FormatFloat(rounded(decade), 'f', -1, 64)})
		for i := 2.0; i < 10 && i*decade <= s.max; i++ {
			ticks = append(ticks, plot.Tick{Value: i * decade})
		}
	}
	return ticks
}

// niceStep is the least of 1, 2 or 5 times a power of ten that is not below x.
func niceStep(x float64) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if m*decade >= x {
			return m * decade
		}
	}
	return 10 * decade
}
