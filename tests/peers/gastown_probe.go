// Asks Gas Town's own code, for tests/peers/gastown.py and bench/roles.py, which put this file into a checkout of it
// as cmd/tenfold-probe/main.go, build it there and take it out again.
//
//	probe                         JSON questions on stdin, a JSON answer a line
//	probe time DIR RIGS ROUNDS    what one question costs in this process, for a town that bench/roles.py made
//
// Its registry of agents is one for the whole process and is never read twice, so it is emptied before each
// question: an answer is what a fresh process would give.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/steveyegge/gastown/internal/config"
)

type question struct {
	Town, Rig, Role, Name, Prompt, Agent, Account, Cwd string
	Env                                                map[string]string
}

type answer struct {
	Command string `json:"command"`
	Error   string `json:"error"`
	Effort  string `json:"effort"`
	Stderr  string `json:"stderr"`
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func rigPath(q question) string {
	if q.Rig == "" {
		return ""
	}
	return filepath.Join(q.Town, q.Rig)
}

// As its own verbs do: the account, then the environment, then the command.
func startupCommand(q question) (string, error) {
	configDir, _, err := config.ResolveAccountConfigDir(filepath.Join(q.Town, "mayor", "accounts.json"), q.Account)
	if err != nil {
		return "", err
	}
	return config.BuildStartupCommandFromConfig(config.AgentEnvConfig{
		Role: q.Role, Rig: q.Rig, AgentName: q.Name, TownRoot: q.Town, RuntimeConfigDir: configDir, Prompt: q.Prompt,
	}, rigPath(q), q.Prompt, q.Agent)
}

func enter(q question) {
	os.Clearenv()
	for name, value := range q.Env {
		fatal(os.Setenv(name, value))
	}
	fatal(os.Chdir(q.Cwd))
	config.ResetRegistryForTesting()
}

// What is printed to stderr while it is asked is part of the answer.
func listen(ask func()) string {
	file, err := os.CreateTemp("", "probe")
	fatal(err)
	defer file.Close()
	fatal(os.Remove(file.Name()))
	before := os.Stderr
	os.Stderr = file
	ask()
	os.Stderr = before
	_, err = file.Seek(0, io.SeekStart)
	fatal(err)
	said, err := io.ReadAll(file)
	fatal(err)
	return string(said)
}

func answerTo(q question) (a answer) {
	enter(q)
	a.Stderr = listen(func() {
		command, err := startupCommand(q)
		a.Command = command
		if err != nil {
			a.Error = err.Error()
		}
	})
	listen(func() { a.Effort = config.ResolveRoleEffort(q.Role, q.Town, rigPath(q)) })
	return a
}

func serve() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var q question
		fatal(json.Unmarshal(in.Bytes(), &q))
		fatal(out.Encode(answerTo(q)))
	}
	fatal(in.Err())
}

// ---- what it costs ----

func medianMicroseconds(rounds int, ask func(i int)) float64 {
	took := make([]time.Duration, rounds)
	for i := range took {
		began := time.Now()
		ask(i)
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return float64(took[rounds/2].Nanoseconds()) / 1000
}

func liveBytes() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Rigs are gone through in turn; each has been asked about once before.
func measure(town string, rigs, rounds int) {
	var before, after runtime.MemStats
	ask := func(i int) {
		_, err := startupCommand(question{Town: town, Rig: fmt.Sprintf("r%d", i%rigs), Role: "polecat", Name: "toast",
			Prompt: "gt prime"})
		fatal(err)
	}
	live := liveBytes()
	for i := range rigs {
		ask(i)
	}
	runtime.ReadMemStats(&before)
	warm := medianMicroseconds(rounds, ask)
	runtime.ReadMemStats(&after)
	fatal(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"us":              warm,
		"allocated_bytes": (after.TotalAlloc - before.TotalAlloc) / uint64(rounds),
		"live_bytes":      max(int64(liveBytes())-int64(live), 0),
	}))
}

func number(word string) int {
	n, err := strconv.Atoi(word)
	fatal(err)
	return n
}

func main() {
	if len(os.Args) == 5 && os.Args[1] == "time" {
		measure(os.Args[2], number(os.Args[3]), number(os.Args[4]))
		return
	}
	serve()
}
