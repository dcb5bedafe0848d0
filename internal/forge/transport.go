package forge

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The bounds of one call. A job is better off with an error that says when to come back than with an hour of waiting.
const (
	attempts    = 5                // tries in all
	attemptTime = 30 * time.Second // for one try, body included
	patience    = 90 * time.Second // for all waits together
	limitWait   = time.Minute      // when a limit does not say how long
	answerBytes = 16 << 20         // of one answer
	redirects   = 5
)

// transport stands between go-github v62 and the network, and mends what v62 gets wrong: its WithAuthToken sends the token to every host that a
// redirect names, it takes 429 for an ordinary error, and it overlooks Retry-After where the documentation address is missing.
type transport struct {
	api   *url.URL
	token string
	next  http.RoundTripper
	sleep func(context.Context, time.Duration) error
}

// limitError is an answer that says "later".
type limitError struct {
	Wait    time.Duration // 0: not said
	Message string
}

func (e *limitError) Error() string {
	if e.Wait == 0 {
		return "the forge limits this token's requests"
	}
	return fmt.Sprintf("the forge limits this token's requests for another %s", e.Wait.Round(time.Second))
}

// RoundTrip sends a request: with the token to the API's own host, without it to any other. What may be sent twice is: a GET that failed on the way
// or in the server, and anything refused by a limit, since that was not done.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	var waited time.Duration
	for n := 1; ; n++ {
		resp, err := t.attempt(req)
		wait, again := judge(req, resp, err, n)
		if !again || n == attempts || waited+wait > patience || req.Context().Err() != nil {
			return settle(resp, err, wait)
		}
		waited += wait
		if err := t.sleep(req.Context(), wait); err != nil {
			return nil, err
		}
	}
}

// attempt sends req once and reads the whole answer.
func (t *transport) attempt(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), attemptTime)
	defer cancel()
	out := req.Clone(ctx)
	out.Header.Del("Authorization")
	if out.URL.Scheme == t.api.Scheme && strings.EqualFold(out.URL.Host, t.api.Host) {
		out.Header.Set("Authorization", "Bearer "+t.token)
		out.Header.Set("Accept", "application/json") // v62's own media types are refused by strict servers with 406
	}
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		out.Body = body
	}
	resp, err := t.next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, answerBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(data) > answerBytes {
		return nil, fmt.Errorf("the answer is longer than %d MiB", answerBytes>>20)
	}
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return resp, nil
}

// judge says how long to wait before the request is sent again, and whether that makes sense. A wait of a refused request is given in either case.
func judge(req *http.Request, resp *http.Response, err error, n int) (wait time.Duration, again bool) {
	backoff := time.Duration(float64(500*time.Millisecond<<n) * (0.5 + rand.Float64())) // 0.5 s to 1.5 s, doubling
	read := req.Method == http.MethodGet || req.Method == http.MethodHead
	switch {
	case err != nil:
		return backoff, read && !errors.Is(err, context.Canceled)
	case limited(resp):
		return cmp.Or(told(resp.Header), limitWait), true
	case resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented:
		return backoff, read
	}
	return 0, false
}

// limited says whether an answer means "later": GitHub does so with 429 and, for both kinds of limit, with 403.
func limited(resp *http.Response) bool {
	if resp.StatusCode == http.StatusTooManyRequests {
		return true
	}
	if resp.StatusCode != http.StatusForbidden {
		return false
	}
	return resp.Header.Get("Retry-After") != "" || resp.Header.Get("X-RateLimit-Remaining") == "0" ||
		bytes.Contains(bytes.ToLower(bodyOf(resp)), []byte("secondary rate limit"))
}

// told is how long the headers ask to wait, or 0.
func told(h http.Header) time.Duration {
	if n, err := strconv.Atoi(h.Get("Retry-After")); err == nil && n >= 0 && n < 1e6 {
		return time.Duration(n) * time.Second
	}
	if n, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil && h.Get("X-RateLimit-Remaining") == "0" {
		return max(0, time.Until(time.Unix(n, 0)))
	}
	return 0
}

// settle gives what a call ends with.
func settle(resp *http.Response, err error, wait time.Duration) (*http.Response, error) {
	if err != nil || !limited(resp) {
		return resp, err
	}
	message := bodyOf(resp)
	return nil, &limitError{Wait: min(wait, told(resp.Header)), Message: string(message[:min(len(message), 500)])}
}

// bodyOf reads an answer's body and puts it back.
func bodyOf(resp *http.Response) []byte {
	data, _ := io.ReadAll(resp.Body) // from memory
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return data
}

// checkRedirect follows what only reads anywhere, without the token (RoundTrip sees to that), and what writes only within the API's host: a 307
// would send the body along.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > redirects {
		return fmt.Errorf("more than %d redirects", redirects)
	}
	first := via[0]
	same := req.URL.Scheme == first.URL.Scheme && strings.EqualFold(req.URL.Host, first.URL.Host)
	if !same && req.Method != http.MethodGet && req.Method != http.MethodHead {
		return fmt.Errorf("the forge sends a write on to %s", req.URL.Host)
	}
	return nil
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
