package twiceless

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/twiceless/twiceless/model"
	"github.com/twiceless/twiceless/scenarios"
	"github.com/twiceless/twiceless/sim"
)

// roundTripper carries HTTP requests to a service of the world. A request that may change something is a call of the
// flow's effect stage that calls this service, with the layers of the stack around it; one that only reads is a call of
// its read stage, if it has one.
type roundTripper struct {
	m       *member
	service string
}

type httpAsk struct {
	service string
	stage   *scenarios.Stage // nil = no stage calls this service so
	op      string
	m       model.Message
	method  string
	path    string
	fake    bool
}

// maxBody is the largest body of a request, in bytes.
const maxBody = 1 << 20

// RoundTrip asks the service. What the network does to it comes back as the errors that a real transport gives.
func (rt *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(io.LimitReader(req.Body, maxBody+1))
		_ = req.Body.Close()
		if err != nil {
			return nil, err
		}
		if len(body) > maxBody {
			return nil, fmt.Errorf("twiceless: a body of more than %d bytes", maxBody)
		}
	}
	q := &httpAsk{service: rt.service, method: req.Method, path: req.URL.RequestURI(), fake: rt.m.gu.h.brought.fakes[rt.service] != nil}
	q.stage, q.op = rt.m.gu.stageOf(rt.service, operation(req), changes(req.Method))
	q.m = model.Message{Payload: string(body), IdempotencyKey: req.Header.Get("Idempotency-Key")}
	if q.fake {
		q.m.Headers = requestHead(req)
	}
	reply, err := rt.m.group.Ask(req.Context(), q.text(string(body)), q)
	if err != nil {
		return failedResponse(req, rt.service, err)
	}
	return response(req, reply.(model.Message), q.fake), nil
}

// text is what the request says, as far as it is the same in each run.
func (q *httpAsk) text(body string) string {
	return q.service + " " + q.method + " " + q.path + " " + q.m.IdempotencyKey + " " + body
}

// changes says whether a method may change something (RFC 9110, 9.2.1: the others are safe).
func changes(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, "":
		return false
	}
	return true
}

// operation is the last element of a path, by which a stage may be found: /v1/charges is charges.
func operation(req *http.Request) string {
	path := strings.Trim(req.URL.Path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}

// stageOf is the stage whose calls go to the service: the one with that op, else the first effect stage if the call may
// change something, else the first read stage.
func (gu *guest) stageOf(service, op string, changes bool) (*scenarios.Stage, string) {
	var found *scenarios.Stage
	for i := range gu.hall.Scenario.Flow {
		st := &gu.hall.Scenario.Flow[i]
		switch {
		case st.Service != service || (st.Kind == "effect") != changes:
		case st.Op == op:
			return st, op
		case found == nil:
			found = st
		}
	}
	if found != nil {
		return found, found.Op
	}
	return nil, "read"
}

func (q *httpAsk) do(c model.Ctx, gu *guest, d *delivery) (any, error) {
	if d != nil {
		q.m.Intent, q.m.Cause = d.intent, d.cause
	}
	if q.stage == nil {
		if !q.fake {
			return nil, errNotModelled
		}
		return c.Call(q.service, q.op, q.m)
	}
	q.m.Stage = q.stage.Name
	return gu.hall.Stages[q.stage.Name](c.With(q.m.Intent), q.stage.Name, q.m)
}

// errNotModelled: no stage of the flow calls the service so, and the modelled services do nothing else.
var errNotModelled = errors.New("twiceless: no stage of the scenario's flow makes such a call, and the modelled service knows no other; give the test a fake of its own (option Service)")

// failedResponse is what a transport makes of an error: a status if the service answered, else an error of the network.
func failedResponse(req *http.Request, service string, err error) (*http.Response, error) {
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			text, _ := json.Marshal(map[string]string{"error": s.err.Error()})
			return plainResponse(req, s.code, string(text), nil), nil
		}
	}
	return nil, networkError(service, err)
}

// statuses are the answers of a service that did not act.
var statuses = []struct {
	err  error
	code int
}{
	{model.ErrUnavailable, http.StatusServiceUnavailable},
	{model.ErrOverloaded, http.StatusTooManyRequests},
	{model.ErrConflict, http.StatusConflict},
	{model.ErrRejected, http.StatusBadRequest},
	{model.ErrMismatch, http.StatusUnprocessableEntity},
}

// networkError is what the operating system says of a call that got no answer.
func networkError(service string, err error) error {
	sys := func(op string, errno syscall.Errno) error {
		return &net.OpError{Op: op, Net: "tcp", Addr: address(service), Err: os.NewSyscallError(op, errno)}
	}
	switch {
	case errors.Is(err, sim.ErrRefused):
		return sys("connect", syscall.ECONNREFUSED)
	case errors.Is(err, sim.ErrReset):
		return sys("read", syscall.ECONNRESET)
	case errors.Is(err, sim.ErrTimeout):
		return sys("read", syscall.ETIMEDOUT)
	}
	return err
}

// address is that of a simulated node.
type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }

// response is the answer of a service.
func response(req *http.Request, m model.Message, fake bool) *http.Response {
	if !fake {
		text, _ := json.Marshal(map[string]any{"id": m.Payload, "status": "succeeded", "amount": m.Amount})
		return plainResponse(req, http.StatusOK, string(text), nil)
	}
	code, head := responseHead(m.Headers)
	return plainResponse(req, code, m.Payload, head)
}

func plainResponse(req *http.Request, code int, body string, head http.Header) *http.Response {
	if head == nil {
		head = http.Header{"Content-Type": {"application/json"}}
	}
	return &http.Response{Status: strconv.Itoa(code) + " " + http.StatusText(code), StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: head, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: req}
}

// Heads travel as text: the first line is method and path, or the status; header lines follow.

func requestHead(req *http.Request) string {
	return head(req.Method+" "+req.URL.RequestURI(), req.Header)
}

func head(first string, h http.Header) string {
	var b strings.Builder
	b.WriteString(first + "\r\n")
	_ = h.Write(&b) // sorted
	b.WriteString("\r\n")
	return b.String()
}

// readHead is the inverse of head, which alone writes what it reads.
func readHead(s string) (first string, h http.Header) {
	r := textproto.NewReader(bufio.NewReader(strings.NewReader(s)))
	first, err := r.ReadLine()
	if err != nil {
		panic("twiceless: head " + strconv.Quote(s))
	}
	lines, err := r.ReadMIMEHeader()
	if err != nil {
		panic("twiceless: head " + strconv.Quote(s) + ": " + err.Error())
	}
	return first, http.Header(lines)
}

func responseHead(s string) (int, http.Header) {
	first, h := readHead(s)
	code, err := strconv.Atoi(first)
	if err != nil {
		panic("twiceless: status " + strconv.Quote(first))
	}
	return code, h
}

// Suppressed is the header by which a fake says that it has recognised a repetition: its answer is that of success, and
// nothing was applied.
const Suppressed = "Twiceless-Suppressed"

// serve is a fake as a service of the world. An answer of 2xx to a request that may change something is one application
// of its effect, unless it carries Suppressed.
func (gu *guest) serve(name string, fake http.Handler) func(model.Message) (model.Message, bool, error) {
	return func(m model.Message) (model.Message, bool, error) {
		first, h := readHead(m.Headers)
		method, path, _ := strings.Cut(first, " ")
		req, err := http.NewRequestWithContext(context.Background(), method, "http://"+name+path, strings.NewReader(m.Payload))
		if err != nil {
			panic("twiceless: request " + strconv.Quote(first) + ": " + err.Error())
		}
		req.Header = h
		rec := &recorder{head: http.Header{}, code: http.StatusOK}
		fake.ServeHTTP(rec, req)
		if gu.b.Elapsed() != gu.b.Now() {
			panic("twiceless: the fake of " + name + " has waited; its latency is the scenario's, and its state changes in one step")
		}
		applied := changes(method) && rec.code >= 200 && rec.code < 300 && rec.head.Get(Suppressed) == ""
		return model.Message{Intent: m.Intent, Amount: m.Amount, Payload: rec.body.String(), Headers: head(strconv.Itoa(rec.code), rec.head)}, applied, nil
	}
}

// recorder keeps what a fake answers.
type recorder struct {
	head  http.Header
	code  int
	wrote bool
	body  bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.head }

func (r *recorder) WriteHeader(code int) {
	if !r.wrote {
		r.code, r.wrote = code, true
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.wrote = true
	return r.body.Write(b)
}
