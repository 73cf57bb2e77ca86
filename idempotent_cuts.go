package twiceless

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/twiceless/twiceless/internal/bubble"
)

// Cuts is what the calls of one process pass through. At each of them the process can be made to die before the request
// is sent or after it has taken effect, and the calls of several processes be put in any order. Between the two a call is
// one step: nothing else moves, unless the service sleeps.
//
// A service stays what it is when its caller dies. It should not itself call through a Cuts.
type Cuts struct {
	p   *idemProcess
	dbs []*cutDB
}

// cutCall is one call, for the report.
type cutCall struct {
	label  string // what is called
	detail string // what tells it from other calls with that label at the same moment
	result string
}

// cutPhase is what a process waits for when it asks.
type cutPhase int

const (
	toDeliver cutPhase = iota // it has no event: it is new, or its delivery has ended
	toCall                    // its request is ready
	toReturn                  // the request has taken effect
)

// cutAsk is what an ask of a process is about.
type cutAsk struct {
	phase cutPhase
	p     *idemProcess
	call  *cutCall // unless toDeliver
	err   error    // of the delivery that ended
}

// do makes a call with a cut before it and one after it. An error that it returns before run was called is the caller's
// context's.
func (in *Cuts) do(ctx context.Context, c *cutCall, run func() error) error {
	return in.pass(ctx, context.Background(), c, in.p.group.Ask, run) // the effect is there, whatever has become of ctx meanwhile
}

// pass is do with another way to ask, and a context for the way back.
func (in *Cuts) pass(ctx, back context.Context, c *cutCall, ask func(context.Context, string, any) (any, error), run func() error) error {
	if _, err := ask(ctx, c.label+" "+c.detail, cutAsk{phase: toCall, p: in.p, call: c}); err != nil {
		if !errors.Is(err, bubble.ErrEnded) {
			c.result = err.Error()
		}
		return err
	}
	err := run()
	if c.result == "" {
		c.result = "ok"
		if err != nil {
			c.result = err.Error()
		}
	}
	if _, ended := ask(back, c.label, cutAsk{phase: toReturn, p: in.p, call: c}); ended != nil {
		return ended
	}
	return err
}

// Call makes any call a cut: run is what the called service does. Calls that one process makes at the same moment need
// different names, for their order must not depend on the Go scheduler. If ctx has ended, run is not called.
func (in *Cuts) Call(ctx context.Context, name string, run func() error) error {
	return in.do(ctx, &cutCall{label: name}, run)
}

// HTTP is a client of a service, whatever host it is asked for; the service answers by h, without a network.
func (in *Cuts) HTTP(name string, h http.Handler) *http.Client {
	return &http.Client{Transport: &cutTransport{in: in, name: name, service: h}}
}

type cutTransport struct {
	in      *Cuts
	name    string
	service http.Handler
}

func (t *cutTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := readBody(req)
	if err != nil {
		return nil, err
	}
	c := &cutCall{
		label:  strings.Join([]string{t.name, cmp.Or(req.Method, http.MethodGet), cmp.Or(req.URL.Path, "/")}, " "),
		detail: detailOf(req, body),
	}
	var answer *recorder
	err = t.in.do(req.Context(), c, func() error {
		answer = serve(t.service, req, body)
		c.result = strconv.Itoa(answer.code)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return plainResponse(req, answer.code, answer.body.String(), answer.head), nil
}

func readBody(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(req.Body)
	return body, errors.Join(err, req.Body.Close())
}

// detailOf is what else a request says.
func detailOf(req *http.Request, body []byte) string {
	h := fnv.New64a()
	_, _ = h.Write(body)
	_ = req.Header.Write(h) // sorted
	return fmt.Sprintf("%s %x", req.URL.RawQuery, h.Sum64())
}

// serve has the service answer a request as it would find it at its end of a connection.
func serve(service http.Handler, req *http.Request, body []byte) *recorder {
	got := req.Clone(context.Background())
	got.Body, got.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	got.Method = cmp.Or(req.Method, http.MethodGet)
	got.Host = cmp.Or(req.Host, req.URL.Host)
	got.RequestURI = req.URL.RequestURI()
	got.RemoteAddr = "192.0.2.1:1234"
	r := &recorder{head: http.Header{}, code: http.StatusOK}
	service.ServeHTTP(r, got)
	return r
}

// close takes away what a dead process had open, as an operating system does: databases see its connections end.
func (in *Cuts) close() {
	for _, db := range in.dbs {
		db.close()
	}
}

// hiddenHere are the functions that are not the team's: this package and what it is built of.
func hiddenHere() []string {
	return append([]string{"github.com/twiceless/twiceless.", "github.com/twiceless/twiceless/internal/bubble."}, drivers...)
}

// siteOf is the place of an ask in the code of the team: file and line.
func siteOf(a *bubble.Ask) string { return lastElement(a.Site(hiddenHere()...)) }

func lastElement(site string) string { return site[strings.LastIndexByte(site, '/')+1:] }
