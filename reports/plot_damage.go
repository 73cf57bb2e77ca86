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
	return damageFigure(d, "Extra critical effects caused by one fault", "extra effects per fault", func(c *Cell) Interval { return c.DuplicatesPerFault })
}

func lossesFigure(d *chart) figure {
	return damageFigure(d, "Intents lost by one fault", "lost intents per fault", func(c *Cell) Interval { return c.LossesPerFault })
}

// damageFigure draws means with intervals, grouped by fault kind, one colour and glyph a stack.
func damageFigure(d *chart, title, label string, pick func(*Cell) Interval) figure {
	return figure{width: figureWidth, height: 375, paint: func(c draw.Canvas) {
		c = heading(c, title, d.subtitle()+" · mean, 95 % interval")
		if d.empty() {
			nothing(c)
			return
		}
		m := &marks{chart: d, pick: pick}
		c = stackLegend(c, d, m.anyUntouched())
		m.scale = scaleOf(m.intervals())
		p := newAxes()
		p.X.Min, p.X.Max = 0, float64(len(d.columns))
		p.X.Tick.Marker = plot.ConstantTicks(m.columnTicks())
		p.Y.Min, p.Y.Max = 0, m.scale.max
		p.Y.Scale = m.scale
		p.Y.Tick.Marker = m.scale
		p.Add(m)
		area := draw.Crop(c, 24, -12, 8, -8)
		p.Draw(area)
		upright := centred(style(9, faint)) // not the axis's own: gonum/plot pads as if it stood elsewhere on a logarithmic axis
		upright.Rotation = math.Pi / 2
		data := p.DataCanvas(area)
		c.FillText(upright, vg.Point{X: c.Min.X + 14, Y: data.Center().Y}, label)
	}}
}

// stackLegend paints one entry a stack, in as many lines as it takes, and what a hollow mark means.
func stackLegend(c draw.Canvas, d *chart, untouched bool) draw.Canvas {
	const left, gap, step = 18, 16, 15
	sty := style(9, ink)
	x, y := c.Min.X+left, c.Max.Y-8
	place := func(name string, paint func(at vg.Point)) {
		if x > c.Min.X+left && x+10+sty.Width(name) > c.Max.X-8 {
			x, y = c.Min.X+left, y-step
		}
		paint(vg.Point{X: x, Y: y})
		c.FillText(sty, vg.Point{X: x + 9, Y: y}, name)
		x += 9 + sty.Width(name) + gap
	}
	for i, s := range d.in.Stacks {
		place(s.Name, func(at vg.Point) { paintGlyph(&c, i, at, 3.6) })
	}
	place("none seen: at most this share of runs (95 %)", func(at vg.Point) { paintBound(&c, faint, at) })
	if untouched {
		place("its faults met no work in flight", func(at vg.Point) { c.FillText(centred(sty), at, "?") })
	}
	return draw.Crop(c, 0, 0, 0, y-step/2-2-c.Max.Y)
}

// marks is the plotter of a damage figure.
type marks struct {
	*chart
	pick   func(*Cell) Interval
	scale  damageScale
	labels []vg.Rectangle // where labels stand
}

func (m *marks) intervals() []Interval {
	var all []Interval
	for _, s := range m.in.Stacks {
		for _, k := range m.columns {
			if c := m.cell(s.Name, k.Name); c.Runs > 0 && !c.cannotHappen && !m.untouched(c) {
				all = append(all, m.pick(c))
			}
		}
	}
	return all
}

// untouched says whether a zero rests on no run at all, so that not even a bound is known.
func (m *marks) untouched(c *Cell) bool { return c.Runs > 0 && !c.exercised() && m.pick(c).Value == 0 }

func (m *marks) anyUntouched() bool {
	for i := range m.cells {
		if c := &m.cells[i]; c.Fault != Control && m.untouched(c) {
			return true
		}
	}
	return false
}

func (m *marks) columnTicks() []plot.Tick {
	ticks := make([]plot.Tick, len(m.columns))
	for i, k := range m.columns {
		above, below := split(k.Title)
		ticks[i] = plot.Tick{Value: float64(i) + 0.5, Label: above + "\n" + below + " "} // the blank keeps an empty second line
	}
	return ticks
}

// Plot implements plot.Plotter.
func (m *marks) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	m.labels = m.labels[:0]
	for i := range m.columns {
		if i%2 == 0 {
			fillRect(&c, box(tx(float64(i)), c.Min.Y+0.5, tx(float64(i+1)), c.Max.Y), band)
		}
	}
	for _, t := range m.scale.Ticks(0, 0) {
		if t.Label != "" && t.Value > 0 {
			c.StrokeLine2(draw.LineStyle{Color: rule, Width: 0.5}, c.Min.X, ty(t.Value), c.Max.X, ty(t.Value))
		}
	}
	stacks := float64(len(m.in.Stacks))
	for i, s := range m.in.Stacks {
		for j, k := range m.columns {
			cell := m.cell(s.Name, k.Name)
			if cell.Runs == 0 || cell.cannotHappen {
				continue
			}
			x := tx(float64(j) + 0.5 + (float64(i)-(stacks-1)/2)*0.82/max(stacks, 4))
			if m.untouched(cell) {
				c.FillText(centred(style(9, faint)), vg.Point{X: x, Y: c.Min.Y + 8}, "?")
				continue
			}
			m.mark(&c, i, x, ty, m.pick(cell))
		}
	}
}

func (m *marks) mark(c *draw.Canvas, stack int, x vg.Length, ty func(float64) vg.Length, iv Interval) {
	clr := colourOf(stack)
	if iv.Value == 0 {
		c.StrokeLine2(draw.LineStyle{Color: clr, Width: 0.6, Dashes: []vg.Length{1, 2}}, x, ty(0), x, ty(iv.Hi))
		paintBound(c, clr, vg.Point{X: x, Y: ty(iv.Hi)})
		return
	}
	whisker := draw.LineStyle{Color: clr, Width: 1.4}
	c.StrokeLine2(whisker, x, ty(iv.Lo), x, ty(iv.Hi))
	for _, end := range []float64{iv.Lo, iv.Hi} {
		c.StrokeLine2(whisker, x-2.2, ty(end), x+2.2, ty(end))
	}
	paintGlyph(c, stack, vg.Point{X: x, Y: ty(iv.Value)}, 3.4)
	m.label(c, vg.Point{X: x, Y: max(ty(iv.Hi), ty(iv.Value)+3.4) + 6}, brief(iv.Value))
}

// label writes a mean above its mark, and higher where another label stands already.
func (m *marks) label(c *draw.Canvas, at vg.Point, text string) {
	const height = 8
	sty := centred(style(7.5, ink))
	half := sty.Width(text)/2 + 0.8
	for _, r := range m.labels {
		if at.X-half < r.Max.X && at.X+half > r.Min.X && at.Y-height/2 < r.Max.Y && at.Y+height/2 > r.Min.Y {
			at.Y = r.Max.Y + height/2
		}
	}
	m.labels = append(m.labels, box(at.X-half, at.Y-height/2, at.X+half, at.Y+height/2))
	c.FillText(sty, at, text)
}

// okabeIto is a palette that people with any colour vision can tell apart; its yellow is left out on white.
var okabeIto = []color.RGBA{
	{0xd5, 0x5e, 0x00, 0xff}, // vermillion
	{0xe6, 0x9f, 0x00, 0xff}, // orange
	{0x00, 0x72, 0xb2, 0xff}, // blue
	{0xcc, 0x79, 0xa7, 0xff}, // purple
	{0x00, 0x9e, 0x73, 0xff}, // green
	{0x56, 0xb4, 0xe9, 0xff}, // sky blue
	{0x22, 0x22, 0x22, 0xff}, // black
}

func colourOf(stack int) color.RGBA { return okabeIto[stack%len(okabeIto)] }

// outlines are the glyphs in unit coordinates; with seven colours and five glyphs 35 stacks differ.
var outlines = [][]vg.Point{
	nil, // a disc
	{{X: -.9, Y: -.9}, {X: .9, Y: -.9}, {X: .9, Y: .9}, {X: -.9, Y: .9}},
	{{X: -1.1, Y: -.8}, {X: 1.1, Y: -.8}, {X: 0, Y: 1.2}},
	{{X: 0, Y: -1.3}, {X: 1.1, Y: 0}, {X: 0, Y: 1.3}, {X: -1.1, Y: 0}},
	{{X: -.4, Y: -1.1}, {X: .4, Y: -1.1}, {X: .4, Y: -.4}, {X: 1.1, Y: -.4}, {X: 1.1, Y: .4}, {X: .4, Y: .4}, {X: .4, Y: 1.1}, {X: -.4, Y: 1.1}, {X: -.4, Y: .4}, {X: -1.1, Y: .4}, {X: -1.1, Y: -.4}, {X: -.4, Y: -.4}},
}

func paintGlyph(c *draw.Canvas, stack int, at vg.Point, r vg.Length) {
	outline := outlines[stack%len(outlines)]
	if outline == nil {
		c.DrawGlyphNoClip(draw.GlyphStyle{Color: colourOf(stack), Radius: r, Shape: draw.CircleGlyph{}}, at)
		return
	}
	c.FillPolygon(colourOf(stack), moved(outline, at, r))
}

// paintBound is a hollow triangle that points down from an upper bound.
func paintBound(c *draw.Canvas, clr color.Color, at vg.Point) {
	corners := moved([]vg.Point{{X: -1, Y: .9}, {X: 1, Y: .9}, {X: 0, Y: -.9}, {X: -1, Y: .9}, {X: 1, Y: .9}}, at, 3)
	c.FillPolygon(color.White, corners[:3])
	c.StrokeLines(draw.LineStyle{Color: clr, Width: 1}, corners)
}

func moved(outline []vg.Point, at vg.Point, r vg.Length) []vg.Point {
	pts := make([]vg.Point, len(outline))
	for i, q := range outline {
		pts[i] = at.Add(q.Scale(r))
	}
	return pts
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
	return damageScale{floor: math.Pow(10, math.Floor(math.Log10(low*0.7))), max: high * 2.2}
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
