package reports

import (
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const (
	matrixRow    = vg.Length(32)
	matrixHead   = vg.Length(34) // column titles
	matrixFoot   = vg.Length(44) // legend
	matrixMargin = vg.Length(12)
)

// matrixFigure draws every cell as two halves: extra effects above in orange, lost intents below in blue.
func matrixFigure(d *chart) figure {
	height := 46 + matrixHead + matrixRow*vg.Length(max(len(d.in.Stacks), 1)) + matrixFoot
	return figure{width: figureWidth, height: height, paint: func(c draw.Canvas) {
		c = heading(c, "What one fault does to each stack", d.subtitle())
		if d.empty() {
			nothing(c)
			return
		}
		names := style(10, ink)
		left := vg.Length(0)
		for _, s := range d.in.Stacks {
			left = max(left, names.Width(s.Name))
		}
		left += c.Min.X + matrixMargin + 8
		columnWidth := (c.Max.X - matrixMargin - left) / vg.Length(len(d.columns))
		titles := centred(style(9, ink))
		for j, k := range d.columns {
			above, below := split(k.Title)
			x := left + columnWidth*(vg.Length(j)+0.5)
			c.FillText(titles, vg.Point{X: x, Y: c.Max.Y - 10}, above)
			c.FillText(titles, vg.Point{X: x, Y: c.Max.Y - 21}, below)
		}
		top := c.Max.Y - matrixHead
		names.XAlign = draw.XRight
		for i, s := range d.in.Stacks {
			y := top - matrixRow*vg.Length(i+1)
			c.FillText(names, vg.Point{X: left - 8, Y: y + matrixRow/2}, s.Name)
			for j, k := range d.columns {
				x := left + columnWidth*vg.Length(j)
				paintCell(&c, d.cell(s.Name, k.Name), box(x+1, y+1, x+columnWidth-1, y+matrixRow-1))
			}
		}
		matrixLegend(&c, c.Min.Y+matrixFoot-18)
	}}
}

func paintCell(c *draw.Canvas, cell *Cell, r vg.Rectangle) {
	middle := (r.Min.Y + r.Max.Y) / 2
	centre := vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: middle}
	extra, lost := cell.mean(cell.Duplicates), cell.mean(cell.Losses)
	switch {
	case cell.cannotHappen, cell.Runs == 0, cell.Duplicates+cell.Losses == 0:
		fillRect(c, r, band)
		mark := "–"
		switch {
		case cell.cannotHappen:
			mark = "n/a"
		case cell.Runs == 0:
			mark = "·"
		case !cell.exercised():
			mark = "?"
		}
		c.FillText(centred(style(10, faint)), centre, mark)
	default:
		paintHalf(c, box(r.Min.X, middle, r.Max.X, r.Max.Y), oranges, extra, "", cell)
		paintHalf(c, box(r.Min.X, r.Min.Y, r.Max.X, middle), blues, lost, lostMark(cell), cell)
	}
	if cell.Contract == "broken" {
		ring := []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}, r.Min, {X: r.Max.X, Y: r.Min.Y}}
		c.StrokeLines(draw.LineStyle{Color: ink, Width: 2}, ring)
	}
}

// mean is a sum over the runs of the cell.
func (c *Cell) mean(sum int64) float64 { return ratio(sum, int64(c.Runs)) }

func lostMark(c *Cell) string {
	if c.LostSilent > 0 {
		return "!"
	}
	return ""
}

func paintHalf(c *draw.Canvas, r vg.Rectangle, ramp []shade, mean float64, mark string, cell *Cell) {
	s := shadeOf(ramp, mean)
	fillRect(c, r, s.fill)
	sty, text := centred(style(9, s.ink)), mark+brief(mean)
	switch {
	case mean == 0:
		sty, text = centred(style(8, faint)), "–"
	case cell.Contract == "outside":
		text += "°"
	}
	c.FillText(sty, vg.Point{X: (r.Min.X + r.Max.X) / 2, Y: (r.Min.Y+r.Max.Y)/2 + 0.7}, text)
}

// shade is a step of a colour ramp: from is its least mean, ink the text that is legible on it.
type shade struct {
	from float64
	text string
	fill color.RGBA
	ink  color.RGBA
}

var light = color.RGBA{0xff, 0xff, 0xff, 0xff}

// Two ramps that stay apart for every kind of colour vision, dark in the same steps.
var (
	oranges = []shade{
		{0, "0", band, faint},
		{1e-12, "< 0.1", color.RGBA{0xfe, 0xec, 0xd2, 0xff}, ink},
		{0.1, "0.1", color.RGBA{0xfd, 0xd4, 0x9e, 0xff}, ink},
		{1, "1", color.RGBA{0xf5, 0xa6, 0x4b, 0xff}, ink},
		{10, "10", color.RGBA{0xb2, 0x58, 0x06, 0xff}, light},
		{100, "100", color.RGBA{0x7a, 0x38, 0x04, 0xff}, light},
	}
	blues = []shade{
		{0, "0", band, faint},
		{1e-12, "< 0.1", color.RGBA{0xdf, 0xed, 0xf9, 0xff}, ink},
		{0.1, "0.1", color.RGBA{0xb8, 0xd7, 0xf0, 0xff}, ink},
		{1, "1", color.RGBA{0x74, 0xb0, 0xdf, 0xff}, ink},
		{10, "10", color.RGBA{0x1f, 0x73, 0xb7, 0xff}, light},
		{100, "100", color.RGBA{0x0b, 0x3c, 0x6f, 0xff}, light},
	}
)

func shadeOf(ramp []shade, mean float64) shade {
	s := ramp[0]
	for _, next := range ramp[1:] {
		if mean >= next.from {
			s = next
		}
	}
	return s
}

// matrixLegend explains halves, shades and marks, in two lines.
func matrixLegend(c *draw.Canvas, y vg.Length) {
	sty := style(8.5, faint)
	x := c.Min.X + matrixMargin
	for _, part := range []struct {
		name string
		ramp []shade
	}{{"above: extra critical effects per fault", oranges}, {"below: lost intents per fault", blues}} {
		c.FillText(sty, vg.Point{X: x, Y: y}, part.name)
		x += sty.Width(part.name) + 8
		for _, s := range part.ramp[1:] {
			const w, h = 27, 12
			fillRect(c, box(x, y-h/2, x+w, y+h/2), s.fill)
			small := centred(style(7.5, s.ink))
			text := s.text
			if s.from >= 0.1 {
				text = "≥ " + text
			}
			c.FillText(small, vg.Point{X: x + w/2, Y: y}, text)
			x += w + 1
		}
		x += 18
	}
	marks := "– none seen   ! without a trace   ? its faults met no work   ° outside the stack's envelope   framed: promise broken inside it"
	c.FillText(sty, vg.Point{X: c.Min.X + matrixMargin, Y: y - 16}, marks)
}
