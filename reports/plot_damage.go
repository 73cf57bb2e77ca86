package reports

import (
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

func duplicatesFigure(d *chart) figure {
	return damageFigure(d, damageOf{"Extra critical effects caused by one fault", vermillion,
		func(c *Cell) Interval { return c.DuplicatesPerFault }, func(c *Cell) int64 { return c.Duplicates }, func(r Rate) Interval { return r.duplicatesDay }})
}

func lossesFigure(d *chart) figure {
	return damageFigure(d, damageOf{"Intents lost by one fault", blue,
		func(c *Cell) Interval { return c.LossesPerFault }, func(c *Cell) int64 { return c.Losses }, func(r Rate) Interval { return r.lossesDay }})
}

// damageOf is what a damage figure shows.
type damageOf struct {
	title string
	clr   color.RGBA
	mean  func(*Cell) Interval
	sum   func(*Cell) int64
	rate  func(Rate) Interval // a day
}

// Two colours of the palette of Okabe and Ito, which people with any colour vision can tell apart.
var (
	vermillion = color.RGBA{0xd5, 0x5e, 0x00, 0xff}
	blue       = color.RGBA{0x00, 0x72, 0xb2, 0xff}
)

// Measures of a damage figure, points.
const (
	rowHeight   = 18
	panelHead   = 26 // two lines of title
	panelFoot   = 20 // ticks
	panelGap    = 5
	legendLine  = 18
	widestBand  = 10 // panels beside each other
	figureInset = 12
)

// damageFigure draws a row for each stack and a panel for each fault kind, means with intervals on one common axis, and
// the rate at the exposure profile where there is one. Names stand beside their marks, so that neither the number of
// stacks nor anybody's colour vision limits what can be read.
func damageFigure(d *chart, of damageOf) figure {
	f := &forest{chart: d, damageOf: of}
	f.panels = f.faultPanels()
	if rates := f.ratePanel(); rates != nil {
		f.panels = append(f.panels, *rates)
	}
	bands := f.bands()
	height := vg.Length(46+legendLine+figureInset) + vg.Length(len(bands))*f.bandHeight()
	return figure{width: figureWidth, height: max(height, 120), paint: func(c draw.Canvas) {
		c = heading(c, of.title, d.subtitle())
		if d.empty() {
			nothing(c)
			return
		}
		c = f.legend(c)
		for _, panels := range bands {
			f.band(&c, panels)
			c.Max.Y -= f.bandHeight()
		}
	}}
}

// forest is a damage figure.
type forest struct {
	*chart
	damageOf
	panels []panel
}

// panel is a title and an axis, and a mark for each stack.
type panel struct {
	above, below string
	scale        damageScale
	marks        []mark
}

// mark is what a panel shows of a stack: nothing if all is empty, a sign in place of a figure, a zero's bound, or a mean.
type mark struct {
	sign          string
	zero, outside bool
	Interval
}

// faultPanels have one common axis.
func (f *forest) faultPanels() []panel {
	var panels []panel
	var all []Interval
	for _, k := range f.columns {
		p := panel{}
		p.above, p.below = split(k.Title)
		for _, s := range f.in.Stacks {
			m := f.markOf(f.cell(s.Name, k.Name))
			if m.sign == "" {
				all = append(all, m.Interval)
			}
			p.marks = append(p.marks, m)
		}
		panels = append(panels, p)
	}
	scale := scaleOf(all)
	for i := range panels {
		panels[i].scale = scale
	}
	return panels
}

// notRun is the sign of a cell that has no runs: nothing is drawn.
const notRun = " "

func (f *forest) markOf(c *Cell) mark {
	sum := f.sum(c)
	switch {
	case c.Runs == 0:
		return mark{sign: notRun}
	case c.cannotHappen:
		return mark{sign: "n/a"}
	case sum == 0 && !c.exercised(): // the zero rests on no run at all, so that not even a bound is known
		return mark{sign: "?"}
	}
	return mark{Interval: f.mean(c), zero: sum == 0, outside: sum > 0 && c.Contract == "outside"}
}

// ratePanel is the rate a day at the exposure profile; nil without rates.
func (f *forest) ratePanel() *panel {
	p := &panel{above: "a day at", below: f.in.Exposed.Name}
	var all []Interval
	for _, r := range f.rates() {
		iv := f.rate(r)
		p.marks = append(p.marks, mark{Interval: iv, zero: iv.Value == 0})
		all = append(all, iv)
	}
	if len(p.marks) == 0 {
		return nil
	}
	p.scale = scaleOf(all)
	return p
}

// bands are the panels, cut so that no band is too wide to read.
func (f *forest) bands() [][]panel {
	n := len(f.panels)
	if n == 0 {
		return nil
	}
	lines := (n + widestBand - 1) / widestBand
	var out [][]panel
	for i := range n {
		if i*lines/n == len(out) {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], f.panels[i])
	}
	return out
}

func (f *forest) bandHeight() vg.Length {
	return vg.Length(panelHead + panelFoot + rowHeight*len(f.in.Stacks))
}

// any says whether there is a mark of some sort.
func (f *forest) any(is func(mark) bool) bool {
	for _, p := range f.panels {
		if slices.ContainsFunc(p.marks, is) {
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
	place(f.any(func(m mark) bool { return m.outside }), "outside the stack's envelope", func(at vg.Point) { f.disc(&c, at, true) })
	place(true, "none seen: at most this share of runs (95 %)", func(at vg.Point) { f.bound(&c, at) })
	place(f.any(func(m mark) bool { return m.sign == "?" }), "its faults met no work", sign("?"))
	place(f.any(func(m mark) bool { return m.sign == "n/a" }), "   cannot happen", sign("n/a"))
	return draw.Crop(c, 0, 0, 0, -legendLine)
}

// band paints panels beside each other over all stacks.
func (f *forest) band(c *draw.Canvas, panels []panel) {
	names := style(9, ink)
	var widest vg.Length
	for _, s := range f.in.Stacks {
		widest = max(widest, names.Width(s.Name))
	}
	top, left, right := c.Max.Y-panelHead, c.Min.X+figureInset, c.Max.X-figureInset
	begin := left + widest + 8
	width := (right - begin) / vg.Length(len(panels))
	bottom := top - vg.Length(rowHeight*len(f.in.Stacks))
	for i, s := range f.in.Stacks {
		y := top - vg.Length(rowHeight*i)
		if i%2 == 0 {
			fillRect(c, box(left-4, y-rowHeight, right, y), band)
		}
		c.FillText(names, vg.Point{X: left, Y: y - rowHeight/2 + 1}, s.Name)
	}
	for i := range panels {
		x := begin + vg.Length(i)*width
		f.panel(c, box(x, bottom, x+width-panelGap, top), &panels[i])
	}
}

func (f *forest) panel(c *draw.Canvas, r vg.Rectangle, p *panel) {
	middle := (r.Min.X + r.Max.X) / 2
	c.FillText(centred(style(8.5, ink)), vg.Point{X: middle, Y: r.Max.Y + 18}, p.above)
	c.FillText(centred(style(8.5, ink)), vg.Point{X: middle, Y: r.Max.Y + 8}, p.below)
	at := func(v float64) vg.Length {
		return r.Min.X + 3 + (r.Max.X-r.Min.X-6)*vg.Length(p.scale.Normalize(0, 0, v))
	}
	axis(c, r, p.scale, at)
	for i, m := range p.marks {
		f.mark(c, r, r.Max.Y-rowHeight*vg.Length(i)-rowHeight/2, at, m)
	}
}

// axis paints the ticks below a panel, and a line through it at each that is named. A name that would meet the one
// before it is left out.
func axis(c *draw.Canvas, r vg.Rectangle, scale damageScale, at func(float64) vg.Length) {
	sty := centred(style(6.8, faint))
	c.StrokeLine2(draw.LineStyle{Color: faint, Width: 0.6}, r.Min.X, r.Min.Y, r.Max.X, r.Min.Y)
	free := r.Min.X - panelGap
	for _, t := range scale.Ticks(0, 0) {
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

// mark paints a sign, a zero as its bound, or a mean with its interval and the figure above it.
func (f *forest) mark(c *draw.Canvas, r vg.Rectangle, y vg.Length, at func(float64) vg.Length, m mark) {
	switch {
	case m.sign != "":
		c.FillText(style(8, faint), vg.Point{X: r.Min.X + 1, Y: y}, m.sign)
		return
	case m.zero:
		c.StrokeLine2(draw.LineStyle{Color: faint, Width: 0.6, Dashes: []vg.Length{1, 2}}, at(0), y, at(m.Hi), y)
		f.bound(c, vg.Point{X: at(m.Hi), Y: y})
		return
	}
	y -= 3
	whisker := draw.LineStyle{Color: f.clr, Width: 1.4}
	c.StrokeLine2(whisker, at(m.Lo), y, at(m.Hi), y)
	for _, end := range []float64{m.Lo, m.Hi} {
		c.StrokeLine2(whisker, at(end), y-2.6, at(end), y+2.6)
	}
	f.disc(c, vg.Point{X: at(m.Value), Y: y}, m.outside)
	sty, text := centred(style(7.5, ink)), brief(m.Value)
	half := sty.Width(text) / 2
	c.FillText(sty, vg.Point{X: min(max(at(m.Value), r.Min.X+half), r.Max.X-half), Y: y + 7.5}, text)
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
