package reports

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"

	"gonum.org/v1/plot/vg"

	"github.com/twiceless/twiceless/sim/history"
	"github.com/twiceless/twiceless/sim/rng"
)

// The colours of a scene: blue and vermillion differ for every colour vision, and every mark differs in shape as well.
// The ground is white and opaque, so that a page may be dark.
const (
	sceneInk    = "#1f2328"
	sceneFaint  = "#59636e"
	sceneRule   = "#c4ccd4"
	sceneGuide  = "#edf0f3"
	sceneGood   = "#0072b2"
	sceneBad    = "#c04d00"
	sceneShade  = "#fbe3c8"
	sceneGround = "#ffffff"
	sceneFont   = "Liberation Sans,Arial,Helvetica,sans-serif"
)

// pen writes SVG elements one a line. Coordinates are whole numbers: they print the same everywhere.
type pen struct{ b bytes.Buffer }

func (p *pen) raw(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n", args...) }

// text writes one line of text; what XML cannot hold is replaced.
func (p *pen) text(x, y int, attrs, text string) {
	p.raw(`<text x="%d" y="%d" %s>%s</text>`, x, y, attrs, escaped(text))
}

func escaped(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		panic("reports: a buffer that does not take text: " + err.Error())
	}
	return b.String()
}

// draw writes the picture from the back to the front.
func (sc *scene) draw() []byte {
	p := &pen{}
	right := sceneLeft + 12
	if n := len(sc.lanes); n > 0 {
		right = 2*sc.lanes[n-1].x - sceneLeft
		if n > 1 {
			right = sc.lanes[n-1].x + (sc.lanes[1].x-sc.lanes[0].x)/2
		}
	}
	ending, foot := sc.t.ending(), fit("Why nothing stopped it: "+sc.reason, 12, right+sceneText-32, 3)
	width := max(880, right+sceneText)
	height := sc.bottom + 20 + lineHeight*len(foot)
	if ending != "" {
		height += 30
	}
	if sc.left > 0 {
		height += 20
	}
	p.raw(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="%s" font-size="12">`, width, height, width, height, sceneFont)
	p.raw(`<title>%s</title>`, escaped(sc.headline))
	p.raw(`<desc>%s</desc>`, escaped(sc.description()))
	p.raw(`<rect width="%d" height="%d" rx="6" fill="%s"/>`, width, height, sceneGround)
	p.text(16, 26, `font-size="16" font-weight="bold" fill="`+sceneInk+`"`, clip(sc.headline, 110))
	p.text(16, 46, `fill="`+sceneFaint+`"`, clip(sc.title, 130))
	for i := range sc.steps { // from a point to its words
		p.raw(`<path d="M%d %dH%d" stroke="%s"/>`, sceneLeft-4, sc.steps[i].y, right+4, sceneGuide)
	}
	sc.drawSpells(p)
	sc.drawLanes(p)
	for i := range sc.arrows {
		sc.drawArrow(p, &sc.arrows[i])
	}
	for i := range sc.steps {
		sc.drawStep(p, &sc.steps[i], right+8)
	}
	y := sc.bottom
	if ending != "" {
		y += 14
		sc.drawEnding(p, ending, y, right+8)
		y += 16
	}
	if sc.left > 0 {
		y += 16
		p.text(right+8, y, `fill="`+sceneFaint+`"`, leftOut(sc.left))
		y += 4
	}
	y += 22
	for _, line := range foot {
		p.text(16, y, `fill="`+sceneInk+`"`, line)
		y += lineHeight
	}
	p.raw("</svg>")
	return p.b.Bytes()
}

// description is the picture in words, for those who do not see it.
func (sc *scene) description() string {
	var b strings.Builder
	b.WriteString(sc.title + ".")
	for i := range sc.steps {
		s := &sc.steps[i]
		fmt.Fprintf(&b, " %s %s %s%s.", strings.TrimPrefix(clock(s.fact.Time), "t="), s.who, strings.TrimPrefix(s.what, "✗ "), prefixed(": ", s.mark))
	}
	if end := sc.t.ending(); end != "" {
		b.WriteString(" At the end " + end + ".")
	}
	return b.String()
}

func (sc *scene) drawSpells(p *pen) {
	for _, s := range sc.spells {
		x := sc.lanes[s.lane].x
		p.raw(`<rect x="%d" y="%d" width="44" height="%d" rx="3" fill="%s"/>`, x-22, s.y0, s.y1-s.y0, sceneShade)
		for _, side := range []int{x - 22, x + 22} {
			p.raw(`<path d="M%d %dV%d" stroke="%s" stroke-width="1"/>`, side, s.y0, s.y1, sceneBad)
		}
		if !s.since {
			p.raw(`<path d="M%d %dH%d" stroke="%s" stroke-width="1"/>`, x-22, s.y0, x+22, sceneBad)
		} else if s.named {
			p.text(x+26, s.y0+11, `font-size="10" fill="`+sceneBad+`"`, fmt.Sprintf("fault %d", s.number))
		}
		if !s.until {
			p.raw(`<path d="M%d %dH%d" stroke="%s" stroke-width="1"/>`, x-22, s.y1, x+22, sceneBad)
		} else if s.named {
			p.text(x+26, s.y1-3, `font-size="10" fill="`+sceneBad+`"`, "goes on")
		}
	}
}

// drawLanes draws the lives of the nodes, torn where time is cut out.
func (sc *scene) drawLanes(p *pen) {
	for _, l := range sc.lanes {
		p.text(l.x, sceneTop+18, `font-weight="bold" text-anchor="middle" fill="`+sceneInk+`"`, clip(l.node, 16))
		p.raw(`<path d="M%d %dV%d" stroke="%s" stroke-width="1.5"/>`, l.x, sceneTop+28, sc.bottom, sceneRule)
	}
	for i := range sc.steps {
		s := &sc.steps[i]
		if s.idle == 0 {
			continue
		}
		y := s.y - stepHeight/2 - idleHeight/2
		for _, l := range sc.lanes {
			p.raw(`<path d="M%d %dl8 -6v6l-8 6z" fill="%s"/>`, l.x-4, y, sceneGround)
			p.raw(`<path d="M%d %dl8 -6M%d %dl8 -6" stroke="%s" stroke-width="1.2"/>`, l.x-4, y, l.x-4, y+6, sceneFaint)
		}
		p.text(sceneLeft-10, y+4, `font-size="11" font-style="italic" text-anchor="end" fill="`+sceneFaint+`"`, "+"+spell10(s.idle))
	}
}

// spell10 writes a duration to a tenth of its unit: of a second, or whole seconds from a minute on.
func spell10(ns int64) string {
	if ns >= 60_000_000_000 {
		return rng.FormatDuration(ns / 1_000_000_000 * 1_000_000_000)
	}
	return fmt.Sprintf("%d.%d s", ns/1_000_000_000, ns%1_000_000_000/100_000_000)
}

func (sc *scene) drawArrow(p *pen, a *arrow) {
	x0, x1 := sc.lanes[a.from].x, sc.lanes[a.to].x
	side := 1
	if x1 < x0 {
		side = -1
	}
	dashes := ""
	if a.reply {
		dashes = ` stroke-dasharray="5 3"`
	}
	if a.lost {
		x1 = x0 + side*abs(x1-x0)*6/10
		p.raw(`<path d="M%d %dL%d %d" stroke="%s" stroke-width="1.4" stroke-dasharray="2 3" fill="none"/>`, x0, a.y0, x1, a.y1, sceneBad)
		p.cross(x1, a.y1, 5, 2)
		return
	}
	x1 -= side * a.stop
	p.raw(`<path d="M%d %dL%d %d" stroke="%s" stroke-width="1.4"%s fill="none"/>`, x0, a.y0, x1-side*5, a.y1, sceneInk, dashes)
	p.raw(`<path d="M%d %dl%d -4v8z" fill="%s"/>`, x1, a.y1, -side*9, sceneInk)
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// cross is an ✗ of strokes: few fonts have the sign.
func (p *pen) cross(x, y, r, width int) {
	p.raw(`<path d="M%d %dL%d %dM%d %dL%d %d" stroke="%s" stroke-width="%d" stroke-linecap="round"/>`, x-r, y-r, x+r, y+r, x-r, y+r, x+r, y-r, sceneBad, width)
}

// drawStep draws a moment: its time, its point on a lane, its words.
func (sc *scene) drawStep(p *pen, s *step, left int) {
	colour := sceneInk
	if s.fact.Kind == history.KindFaultBegan || s.sub > 0 {
		colour = sceneBad
	}
	if s.sub == 0 {
		p.text(sceneLeft-10, s.y+4, `font-size="11" text-anchor="end" fill="`+sceneFaint+`"`, strings.TrimPrefix(clock(s.fact.Time), "t="))
	}
	if s.lane >= 0 {
		sc.drawPoint(p, s)
	}
	y := s.y + 4
	for i, line := range s.text {
		indent := 0
		if i > 0 {
			indent = 12
		}
		who, rest, ok := strings.Cut(line, "  ")
		if i == 0 && ok {
			p.raw(`<text x="%d" y="%d" fill="%s"><tspan fill="%s">%s</tspan> %s</text>`, left, y, colour, sceneFaint, escaped(who), escaped(rest))
		} else {
			p.text(left+indent, y, `fill="`+colour+`"`, line)
		}
		y += lineHeight
	}
	if s.mark != "" {
		p.text(left+12, y, `font-weight="bold" fill="`+s.colour()+`"`, clip(s.mark, 60))
	}
}

// colour of what is marked: the first effect is as it should be, everything after it is not.
func (s *step) colour() string {
	if s.effect == 1 {
		return sceneGood
	}
	return sceneBad
}

func (sc *scene) drawPoint(p *pen, s *step) {
	x := sc.lanes[s.lane].x
	switch {
	case s.sub > 0:
	case s.fact.Kind == history.KindFaultBegan:
		for _, node := range targets(s.fact) {
			if i := sc.laneOf(node); i >= 0 {
				p.cross(sc.lanes[i].x, s.y, 7, 3)
			}
		}
	case s.effect > 0:
		p.raw(`<circle cx="%d" cy="%d" r="9" fill="%s" stroke="%s" stroke-width="2"/>`, x, s.y, s.colour(), sceneGround)
		p.text(x, s.y+4, `font-size="11" font-weight="bold" text-anchor="middle" fill="`+sceneGround+`"`, fmt.Sprint(s.effect))
	case s.mark != "":
		p.raw(`<path d="M%d %dl6 6l-6 6l-6 -6z" fill="%s"/>`, x, s.y-6, s.colour())
	case s.fact.Kind == history.KindUnwound:
		p.cross(x, s.y, 4, 2)
	default:
		p.raw(`<circle cx="%d" cy="%d" r="3" fill="%s"/>`, x, s.y, sceneInk)
	}
}

// drawEnding draws what never came, on the lane of the service that never saw it.
func (sc *scene) drawEnding(p *pen, ending string, y, left int) {
	if i := sc.laneOf(sc.server()); i >= 0 {
		x := sc.lanes[i].x
		p.raw(`<path d="M%d %dV%d" stroke="%s" stroke-width="1.5"/>`, x, sc.bottom, y, sceneRule)
		p.raw(`<circle cx="%d" cy="%d" r="9" fill="%s" stroke="%s" stroke-width="2"/>`, x, y, sceneGround, sceneBad)
		p.text(x, y+4, `font-size="11" font-weight="bold" text-anchor="middle" fill="`+sceneBad+`"`, "0")
	}
	p.text(sceneLeft-10, y+4, `font-size="11" text-anchor="end" fill="`+sceneFaint+`"`, "at the end")
	p.text(left, y+4, `font-weight="bold" fill="`+sceneBad+`"`, clip(ending, 64))
}

// fit breaks a text into lines of at most so many pixels; beyond the last line it is clipped.
func fit(text string, size, width, most int) []string {
	measure := style(vg.Length(size), ink)
	var lines []string
	for i, word := range strings.SplitAfter(text, " ") {
		word = clip(word, 64)
		if n := len(lines); i > 0 && measure.Width(strings.TrimSpace(lines[n-1]+word)) <= vg.Length(width) {
			lines[n-1] += word
			continue
		}
		lines = append(lines, word)
	}
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	if len(lines) > most {
		lines = lines[:most]
		lines[most-1] += " …"
	}
	return lines
}

// clip shortens a text to so many runes.
func clip(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
