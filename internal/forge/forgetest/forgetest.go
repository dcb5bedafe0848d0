// Package forgetest is a small forge for tests: it keeps comments, pages them, checks tokens and lengths as GitHub does, and fails on demand.
//
// It is not GitHub: what it does not know it answers with 404, so that a call that tests nothing is seen. It keeps everything in memory.
package forgetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// JobLogin writes when the token is a job's, which may not ask who it is.
const JobLogin = "github-actions[bot]"

// Options say what the forge holds.
type Options struct {
	Repository string // OWNER/NAME
	Token      string // the only one that is accepted
	Login      string // who the token belongs to; "" makes it a job's token
	PageSize   int    // most comments a page; default 100
}

// Comment is one comment of an issue or pull request.
type Comment struct {
	ID     int64
	Number int
	Login  string
	Body   string
	Edits  int
}

// Pull is one open pull request.
type Pull struct {
	Head, Base, Title, Body string
}

// Request is one call as it arrived.
type Request struct {
	Method, Path, Query, Token, Accept string
}

// Fault is an answer given instead of the right one.
type Fault struct {
	Method, Path string // of the calls that it meets; Path is a prefix
	Times        int    // how often
	Status       int    // 0 breaks the connection in the middle of the answer
	Header       map[string]string
	Body         string
}

// Server is the running forge. Its fields do not change; its state is asked for.
type Server struct {
	URL string // the API's address

	options  Options
	http     *httptest.Server
	mu       sync.Mutex
	comments []Comment
	pulls    []Pull
	requests []Request
	faults   []*Fault
	before   func(Request)
	lastID   int64
}

// Start starts a forge; Close ends it.
func Start(o Options) *Server {
	if o.PageSize == 0 {
		o.PageSize = 100
	}
	s := &Server{options: o, lastID: 1000}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.http.URL
	return s
}

// Close ends the server.
func (s *Server) Close() { s.http.Close() }

// Add puts a comment there, by whoever.
func (s *Server) Add(number int, login, body string) Comment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(number, login, body)
}

func (s *Server) add(number int, login, body string) Comment {
	s.lastID++
	c := Comment{ID: s.lastID, Number: number, Login: login, Body: body}
	s.comments = append(s.comments, c)
	return c
}

// Comments lists the comments of number, oldest first.
func (s *Server) Comments(number int) []Comment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of(number)
}

func (s *Server) of(number int) []Comment {
	var out []Comment
	for _, c := range s.comments {
		if c.Number == number {
			out = append(out, c)
		}
	}
	return out
}

// Requests lists the calls so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Writes counts the calls so far that were not reading.
func (s *Server) Writes() int {
	n := 0
	for _, r := range s.Requests() {
		if r.Method != http.MethodGet {
			n++
		}
	}
	return n
}

// Fail makes the next calls that fit answer wrongly.
func (s *Server) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Before runs f ahead of each call, outside of any lock: what another job does in between.
func (s *Server) Before(f func(Request)) { s.before = f }

// paths are the calls that the forge knows, below /repos/OWNER/NAME.
var (
	ofNumber = regexp.MustCompile(`^/issues/(\d+)/comments$`)
	ofID     = regexp.MustCompile(`^/issues/comments/(\d+)$`)
)

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	call := Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Token: r.Header.Get("Authorization"), Accept: r.Header.Get("Accept")}
	if s.before != nil {
		s.before(call)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, call)
	if f := s.fault(call); f != nil {
		fail(w, f)
		return
	}
	path, inside := strings.CutPrefix(r.URL.Path, "/repos/"+s.options.Repository)
	number, id := ofNumber.FindStringSubmatch(path), ofID.FindStringSubmatch(path)
	switch {
	case call.Accept != "application/json":
		say(w, http.StatusNotAcceptable, "Accept must be application/json")
	case call.Token != "Bearer "+s.options.Token:
		say(w, http.StatusUnauthorized, "Bad credentials")
	case r.URL.Path == "/user":
		s.user(w)
	case inside && number != nil && r.Method == http.MethodGet:
		s.list(w, r, number[1])
	case inside && number != nil && r.Method == http.MethodPost:
		s.create(w, r, number[1])
	case inside && id != nil:
		s.one(w, r, id[1])
	case inside && path == "/pulls":
		s.pull(w, r)
	default:
		say(w, http.StatusNotFound, "Not Found")
	}
}

// fault takes the first fault that fits off its count.
func (s *Server) fault(call Request) *Fault {
	for _, f := range s.faults {
		if f.Times > 0 && f.Method == call.Method && strings.HasPrefix(call.Path, f.Path) {
			f.Times--
			return f
		}
	}
	return nil
}

func fail(w http.ResponseWriter, f *Fault) {
	for k, v := range f.Header {
		w.Header().Set(k, v)
	}
	if f.Status == 0 {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, `[{"id":`)
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(f.Status)
	io.WriteString(w, f.Body)
}

func (s *Server) user(w http.ResponseWriter) {
	if s.options.Login == "" {
		say(w, http.StatusForbidden, "Resource not accessible by integration")
		return
	}
	answer(w, http.StatusOK, map[string]any{"login": s.options.Login})
}

func (s *Server) list(w http.ResponseWriter, r *http.Request, number string) {
	n, _ := strconv.Atoi(number)
	size, page := 30, 1
	if v, err := strconv.Atoi(r.URL.Query().Get("per_page")); err == nil && v > 0 {
		size = min(v, s.options.PageSize)
	}
	if v, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && v > 0 {
		page = v
	}
	all := s.of(n)
	from, to := min(len(all), (page-1)*size), min(len(all), page*size)
	if to < len(all) {
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?page=%d&per_page=%d>; rel="next"`, s.URL, r.URL.Path, page+1, size))
	}
	out := []map[string]any{}
	for _, c := range all[from:to] {
		out = append(out, shape(c))
	}
	answer(w, http.StatusOK, out)
}

func (s *Server) create(w http.ResponseWriter, r *http.Request, number string) {
	n, _ := strconv.Atoi(number)
	if body, ok := bodyOf(w, r); ok {
		answer(w, http.StatusCreated, shape(s.add(n, s.login(), body)))
	}
}

func (s *Server) one(w http.ResponseWriter, r *http.Request, id string) {
	n, _ := strconv.ParseInt(id, 10, 64)
	at := slices.IndexFunc(s.comments, func(c Comment) bool { return c.ID == n })
	switch {
	case at < 0:
		say(w, http.StatusNotFound, "Not Found")
	case r.Method == http.MethodPatch:
		if body, ok := bodyOf(w, r); ok {
			s.comments[at].Body = body
			s.comments[at].Edits++
			answer(w, http.StatusOK, shape(s.comments[at]))
		}
	case r.Method == http.MethodDelete:
		s.comments = slices.Delete(s.comments, at, at+1)
		w.WriteHeader(http.StatusNoContent)
	default:
		answer(w, http.StatusOK, shape(s.comments[at]))
	}
}

// Pulls lists the pull requests that were opened.
func (s *Server) Pulls() []Pull {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.pulls)
}

// pull lists the open ones of a head, or opens one: a second of the same head and base is refused, as GitHub does.
func (s *Server) pull(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		owner, _, _ := strings.Cut(s.options.Repository, "/")
		out := []map[string]any{}
		for i, p := range s.pulls {
			if r.URL.Query().Get("head") == owner+":"+p.Head {
				out = append(out, map[string]any{"html_url": fmt.Sprintf("%s/pull/%d", s.URL, i+1)})
			}
		}
		answer(w, http.StatusOK, out)
		return
	}
	var in Pull
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Head == "" || in.Base == "" || in.Title == "" {
		say(w, http.StatusUnprocessableEntity, "Validation Failed")
		return
	}
	for _, p := range s.pulls {
		if p.Head == in.Head && p.Base == in.Base {
			say(w, http.StatusUnprocessableEntity, "A pull request already exists for "+in.Head)
			return
		}
	}
	s.pulls = append(s.pulls, in)
	answer(w, http.StatusCreated, map[string]any{"html_url": fmt.Sprintf("%s/pull/%d", s.URL, len(s.pulls))})
}

func (s *Server) login() string {
	if s.options.Login == "" {
		return JobLogin
	}
	return s.options.Login
}

// bodyOf reads the body field of a call and refuses what GitHub refuses.
func bodyOf(w http.ResponseWriter, r *http.Request) (string, bool) {
	var in struct {
		Body *string `json:"body"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		say(w, http.StatusBadRequest, "Problems parsing JSON")
		return "", false
	}
	if in.Body == nil || strings.TrimSpace(*in.Body) == "" {
		say(w, http.StatusUnprocessableEntity, "Validation Failed")
		return "", false
	}
	if utf8.RuneCountInString(*in.Body) > 65536 {
		say(w, http.StatusUnprocessableEntity, "body is too long (maximum is 65536 characters)")
		return "", false
	}
	return *in.Body, true
}

func shape(c Comment) map[string]any {
	return map[string]any{"id": c.ID, "body": c.Body, "user": map[string]any{"login": c.Login}}
}

func say(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]any{"message": message})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}
