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
	args     []string
	env      []string    // added to ours
	config   [][2]string // Git settings, handed over in the environment: argument lists are visible to every user of the machine
	share    []*os.File  // open files that the child keeps: a lock that must live as long as it does
	discover bool        // let git find the repository and check whose it is, also when it is bare
	memory   uint64      // bytes that each process of the call may have, where the system can hold it to that; 0: any
}

// command prepares a start of the git program, which will not ask the user anything. In a working tree it finds the repository itself, as it then also
// checks whose it is.
func (r *Repo) command(ctx context.Context, c call) (*exec.Cmd, error) {
	if r.program == "" {
		return nil, errNoProgram
	}
	args, dir := c.args, r.root
	if dir == "" {
		dir = r.gitDir
		if !c.discover {
			args = append([]string{"--git-dir=" + dir}, args...)
		}
	}
	cmd := exec.CommandContext(ctx, r.program, args...)
	cmd.Dir = dir
	cmd.WaitDelay = 5 * time.Second
	cmd.ExtraFiles = c.share
	cmd.Env = append(cleanEnvironment(), "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	cmd.Env = append(cmd.Env, settings(slices.Concat(environmentSettings(), r.config, c.config))...)
	cmd.Env = append(cmd.Env, c.env...)
	return cmd, nil
}

// git runs the git program in the repository and gives its standard output.
func (r *Repo) git(ctx context.Context, c call) (string, error) {
	cmd, err := r.command(ctx, c)
	if err != nil {
		return "", err
	}
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err = start(cmd, c.memory); err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		if theirs := r.ownership(errOut.String()); theirs != nil {
			return "", theirs
		}
		return out.String(), fmt.Errorf("git %s: %w: %s", c.args[0], err, lastLines(errOut.String()))
	}
	return out.String(), nil
}

// start starts a program whose processes may have only so much memory.
func start(cmd *exec.Cmd, memory uint64) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	if memory > 0 {
		limitMemory(cmd.Process.Pid, memory) // before it starts children, which it does only after it has heard from a remote
	}
	return nil
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
