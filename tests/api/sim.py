"""Runs of simulated populations as programs, and what they leave behind."""

import json
import os
import sqlite3
import subprocess
import tempfile

from harness import BINARY, SLOW, UNDER, clean_env


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
