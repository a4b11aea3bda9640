"""Runs of simulated populations as programs, and what they leave behind."""

import contextlib
import glob
import json
import os
import re
import signal
import sqlite3
import subprocess
import tempfile

from harness import BINARY, SLOW, UNDER, NotHere, clean_env, until
from sim_target import scenario

FLAT = ['--time-scale', 'max', '--warmup-cycles', '0']
FREE = [*FLAT, '--rate', '0']
MOCKED = [*FLAT, '--mock-api']
BUSY = ['--set', 'frequent_per_week=160', '--set', 'regular_per_week=160', '--set', 'occasional_per_week=100']


class Run:
    """tenfold sim run to its end, as fast as it can; records and the report for programs are kept in a folder of its own."""

    def __init__(self, t, *words, cycles, agents=None, seed=7, **environment):
        self.folder = t.cleanup.enter_context(tempfile.TemporaryDirectory(prefix='tenfold-run.'))
        report = os.path.join(self.folder, 'report.json')
        argv = [*UNDER, BINARY, 'sim', 'run', '--dir', os.path.join(self.folder, 'data'), '--json', report, '--dashboard', 'none',
                '--time-scale', 'max', '--rate', '0', '--warmup-cycles', '0', '--checkpoint-every', '0', '--on-open', 'exit',
                '--cycles', str(cycles), '--seed', str(seed), *(['--agents', str(agents)] if agents else []), *words]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=clean_env(**environment), timeout=120 * SLOW)
        assert done.returncode == 0, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        with open(report, encoding='utf-8') as f:
            self.report = json.load(f)
        self.counts = {c['name']: c['count'] for c in self.report['counts']}
        self.outcomes = {c['name']: c['count'] for c in self.report['outcomes']}
        self.endpoints = {e['name']: e['service']['count'] for e in self.report['endpoints']}

    def ask(self, statement):
        """Rows of its records."""
        with sqlite3.connect(os.path.join(self.folder, 'data', 'sim.db')) as db:
            return db.execute(statement).fetchall()

    def kept(self, name, where='1'):
        """The sum over all sessions of a value that the scenario keeps."""
        return self.ask(f"SELECT coalesce(sum(json_extract(kept, '$.{name}')), 0) FROM sim_sessions WHERE {where}")[0][0]

    def realism(self):
        """What the program itself says of the run beside published figures: value and verdict of each."""
        done = subprocess.run([*UNDER, BINARY, 'sim', 'report', os.path.join(self.folder, 'data'), '--json'], capture_output=True,
                              text=True, check=False, env=clean_env(), timeout=60 * SLOW)
        assert done.returncode == 0, done.stderr
        return {line['figure']: (line['value'], line['verdict']) for line in json.loads(done.stdout)['realism']['lines']}


class Process:
    """tenfold sim run as a process: talked to, killed, resumed. Mocked and as fast as it can, unless the words say otherwise."""

    def __init__(self, t, *words, folder=None, limit=None):
        self.folder = folder or t.cleanup.enter_context(tempfile.TemporaryDirectory(prefix='tenfold-run.'))
        self.dir = os.path.join(self.folder, 'data')
        argv = [*UNDER, BINARY, 'sim', 'run', '--dir', self.dir, '--dashboard', 'none', *words]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=clean_env(),
                                        preexec_fn=limit)
        t.cleanup.callback(self.end)
        self.said = None

    def end(self):
        self.kill()

    def kill(self):
        """As a power failure would, for the process. What it had said by then."""
        self.process.send_signal(signal.SIGKILL)
        return self.wait()

    def wait(self, timeout_s=120):
        if self.said is None:
            self.said = self.process.communicate(timeout=timeout_s * SLOW)[0]
            assert 'Sanitizer' not in self.said and 'check failed' not in self.said, self.said
        return self.said

    def ends(self, exit_code=0):
        said = self.wait()
        assert self.process.returncode == exit_code, (self.process.returncode, said)
        return said

    def ctl(self, command, exit_code=0):
        """What `tenfold sim ctl` prints with --json; of a refusal its line."""
        done = subprocess.run([BINARY, 'sim', 'ctl', self.dir, command, '--json'], capture_output=True, text=True, check=False,
                              env=clean_env(), timeout=60 * SLOW)
        assert done.returncode == exit_code, done
        return json.loads(done.stdout) if exit_code == 0 else done.stderr

    def comes_to(self, condition, what):
        """Until its status fulfils the condition; the status."""
        last = []
        until(lambda: os.path.exists(os.path.join(self.dir, 'run.sock')), 60 * SLOW, 'its control socket')

        def fulfilled():
            last[:] = [self.ctl('status')]
            return condition(last[0])
        until(fulfilled, 60 * SLOW, what)
        return last[0]

    def checkpoints(self):
        """Names, oldest first."""
        there = [f for f in os.listdir(os.path.join(self.dir, 'checkpoints')) if f.endswith('.json')]
        return sorted(there, key=lambda name: int(name.rsplit('_', 1)[1].split('.')[0]))

    def log(self):
        runs = os.path.join(self.dir, 'runs')
        with open(os.path.join(runs, max(os.listdir(runs)), 'log'), encoding='utf-8') as f:
            return f.read()

    def ask(self, statement):
        """Rows of its records."""
        with sqlite3.connect(os.path.join(self.dir, 'sim.db')) as db:
            return db.execute(statement).fetchall()


class Runs:
    """A folder of runs, and a scenario in it."""

    def __init__(self, t, calls=1, **changes):
        if t.store != 'sqlite':
            raise NotHere('records go to a file')
        self.t = t
        self.folder = t.cleanup.enter_context(tempfile.TemporaryDirectory(prefix='tenfold-sim.'))
        self.dir, self.plain = os.path.join(self.folder, 'data'), os.path.join(self.folder, 'plain.json')
        self.report = os.path.join(self.folder, 'report.json')
        with open(self.plain, 'w', encoding='utf-8') as f:
            f.write(scenario(calls, **changes))

    def argv(self, *words):
        return [*UNDER, BINARY, 'sim', 'run', '--dir', self.dir, '--json', self.report, *words]

    def run(self, *words, code=0, timeout_s=120):
        done = subprocess.run(self.argv(*words), capture_output=True, text=True, check=False, env=clean_env(), timeout=timeout_s * SLOW)
        assert done.returncode == code, (done.returncode, done.stdout[-3000:], done.stderr[-2000:])
        assert 'Sanitizer' not in done.stderr, done.stderr
        return done

    def refused(self, *words, says, code=2):
        done = self.run(*words, code=code)
        assert says in done.stderr, done.stderr
        return done

    def start(self, *words):
        process = subprocess.Popen(self.argv(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=clean_env())
        self.t.cleanup.callback(lambda: process.poll() is None and process.kill())
        return process

    def ctl(self, command):
        done = subprocess.run([BINARY, 'sim', 'ctl', '--json', self.dir, command], capture_output=True, text=True, check=False,
                              env=clean_env(), timeout=30 * SLOW)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def came(self):
        with open(self.report, encoding='utf-8') as f:
            return json.load(f)

    def count(self, name):
        return {c['name']: c['count'] for c in self.came()['counts']}[name]

    def ask(self, statement):
        with contextlib.closing(sqlite3.connect(os.path.join(self.dir, 'sim.db'))) as db:
            return db.execute(statement).fetchall()

    def decided(self, run=None):
        """What agents decided, in each cycle the last time it was run."""
        run = run or self.ask('SELECT max(run) FROM sim_sessions')[0][0]
        return self.ask('SELECT cycle, agent, kind, number, outcome, calls, kept FROM sim_sessions AS s WHERE kind <> "cleanup" AND '
                        f'run = {run} AND attempt = (SELECT max(attempt) FROM sim_sessions AS o WHERE o.run = s.run AND o.cycle = s.cycle '
                        'AND o.kind <> "cleanup") ORDER BY 1, 2, 3, 4')

    def checkpoints(self):
        found = glob.glob(os.path.join(self.dir, 'checkpoints', '*.json'))
        return sorted(found, key=lambda path: int(re.search(r'_cycle_(\d+)', path)[1]))

    def log(self):
        with open(max(glob.glob(os.path.join(self.dir, 'runs', '*', 'log'))), encoding='utf-8') as f:
            return f.read()


def ended(process, code, timeout_s=60):
    out, _ = process.communicate(timeout=timeout_s * SLOW)
    assert process.returncode == code, (process.returncode, out[-3000:])
    return out
