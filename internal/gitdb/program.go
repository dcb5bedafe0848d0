package gitdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

func findProgram() string {
	path, err := exec.LookPath("git")
	if err != nil {
		return ""
	}
	return path
}

var errNoProgram = errors.New("there is no git program on the PATH")

// ofRepository are the variables that tell Git which repository it is in. A hook that runs plumb has them set, for another purpose.
var ofRepository = []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR",
	"GIT_NAMESPACE", "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_SHALLOW_FILE", "GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"}

// call is one start of the git program.
type call struct {
	args   []string
	env    []string    // added to ours
	config [][2]string // Git settings, handed over in the environment: argument lists are visible to every user of the machine
	share  []*os.File  // open files that the child keeps: a lock that must live as long as it does
}

// git runs the git program in the repository, without asking the user anything, and gives its standard output.
func (r *Repo) git(ctx context.Context, c call) (string, error) {
	if r.program == "" {
		return "", errNoProgram
	}
	args := append([]string{"--git-dir=" + r.gitDir}, c.args...)
	dir := r.gitDir
	if r.root != "" {
		args = append([]string{"--work-tree=" + r.root}, args...)
		dir = r.root
	}
	cmd := exec.CommandContext(ctx, r.program, args...)
	cmd.Dir = dir
	cmd.WaitDelay = 5 * time.Second
	cmd.ExtraFiles = c.share
	cmd.Env = append(cleanEnvironment(), "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	cmd.Env = append(cmd.Env, settings(slices.Concat(environmentSettings(), r.config, c.config))...)
	cmd.Env = append(cmd.Env, c.env...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return out.String(), fmt.Errorf("git %s: %w: %s", c.args[0], err, lastLines(errOut.String()))
	}
	return out.String(), nil
}

// environmentSettings are the Git settings that our own environment carries (GIT_CONFIG_COUNT and so on).
func environmentSettings() [][2]string {
	count, _ := strconv.Atoi(os.Getenv("GIT_CONFIG_COUNT"))
	var pairs [][2]string
	for i := range min(count, 1000) {
		pairs = append(pairs, [2]string{os.Getenv(fmt.Sprintf("GIT_CONFIG_KEY_%d", i)), os.Getenv(fmt.Sprintf("GIT_CONFIG_VALUE_%d", i))})
	}
	return pairs
}

func settings(pairs [][2]string) []string {
	if len(pairs) == 0 {
		return nil
	}
	env := []string{fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(pairs))}
	for i, pair := range pairs {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, pair[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, pair[1]))
	}
	return env
}

func cleanEnvironment() []string {
	var env []string
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		drop := strings.HasPrefix(name, "GIT_CONFIG_KEY_") || strings.HasPrefix(name, "GIT_CONFIG_VALUE_")
		if !drop && !slices.Contains(ofRepository, name) {
			env = append(env, pair)
		}
	}
	return env
}

// lastLines keeps an error message short: Git says what matters at the end.
func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) > 6 {
		lines = lines[len(lines)-6:]
	}
	return strings.Join(lines, "\n")
}
