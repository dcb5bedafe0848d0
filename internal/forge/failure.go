package forge

import (
	"errors"
	"net/http"
	"strings"

	"github.com/google/go-github/v62/github"

	"github.com/plumb-ml/plumb/internal/problem"
)

// status gives the HTTP status that err stands for, or 0.
func status(err error) int {
	var answer *github.ErrorResponse
	if errors.As(err, &answer) && answer.Response != nil {
		return answer.Response.StatusCode
	}
	return 0
}

// explain puts err into words that say what was being done and what to do next. Every failure here is exit 3: none is the project's fault.
func explain(doing string, err error) error {
	var later *limitError
	if errors.As(err, &later) {
		return problem.Failedf("run the job again later", "%s: %w", doing, later)
	}
	said := "no answer"
	var answer *github.ErrorResponse
	if errors.As(err, &answer) {
		said = oneLine(answer.Message)
	}
	switch code := status(err); code {
	case 0:
		return problem.Failedf("check GITHUB_API_URL and the network, then run the job again", "%s: %w", doing, err)
	case http.StatusUnauthorized:
		return problem.Failedf("give the step `GITHUB_TOKEN: ${{ github.token }}`, or renew the token", "%s: the forge does not accept the token (401: %s)", doing, said)
	case http.StatusForbidden:
		return problem.Failedf("give the job `permissions: pull-requests: write`; a pull request from a fork gets a token that only reads",
			"%s: the token may not do this (403: %s)", doing, said)
	case http.StatusNotFound, http.StatusGone:
		return problem.Failedf("check GITHUB_REPOSITORY and the number; a token that may not see a repository also gets this answer",
			"%s: there is no such thing, or the token may not see it (%d: %s)", doing, code, said)
	case http.StatusUnprocessableEntity:
		return problem.Failedf("this is a fault of plumb's: please report it with this message", "%s: the forge does not take it (422: %s%s)", doing, said, details(answer))
	default:
		return problem.Failedf("run the job again; if it stays, look at the forge's status page", "%s: the forge answered %d: %s", doing, code, said)
	}
}

// details lists what a 422 says is wrong.
func details(answer *github.ErrorResponse) string {
	var b strings.Builder
	for _, e := range answer.Errors {
		b.WriteString("; " + oneLine(strings.TrimSpace(strings.Join([]string{e.Resource, e.Field, e.Code, e.Message}, " "))))
	}
	return b.String()
}

// oneLine keeps an answer's text from filling a log or starting a line in it.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return "nothing more is said"
	}
	return strings.ToValidUTF8(text[:min(len(text), 300)], "")
}
