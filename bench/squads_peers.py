"""What people carry executions out with when they do not have tenfold. Each runs the same: three steps that do nothing, one
after the other, every result kept; how many it starts a second, and how many it brings to their end with so many under way.

Restate's server comes from npm, its services from PyPI; Temporal's development server is built by Go, its worker comes from
PyPI; DBOS comes from PyPI and keeps its rows in PostgreSQL. --peers fetches them into the build directory; what is not
there is left out, and the page says so.
"""

import http.client
import json
import os
import subprocess

from generators import PEERS as FETCHED, fetched, run_fetch
from servers import Server, Unavailable, free_port, started_postgres, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = '/usr/bin/python3'
UNDER_WAY = 64


class Peer(Server):
    """`client` is the program that drives it, run by the Python of an environment of its own with `packages`."""

    client, packages = '', []

    @property
    def venv(self):
        return os.path.join(FETCHED, type(self).__name__.lower())

    def fetch(self):
        pip = os.path.join(self.venv, 'bin', 'pip')
        if not os.path.exists(pip):
            run_fetch(f'an environment for {self.name}', PYTHON, '-m', 'venv', self.venv, needs=PYTHON)
        run_fetch(f'{self.name} for Python', pip, 'install', '--quiet', *self.packages, needs=pip)

    def python(self):
        return fetched(os.path.join(type(self).__name__.lower(), 'bin', 'python'), 'by pip')

    def start(self):
        """Servers start when they are measured: before that something may have to be fetched."""

    def run_client(self, *words, **env):
        try:
            done = subprocess.run([self.python(), os.path.join(HERE, self.client), *map(str, words)], capture_output=True, text=True,
                                  check=False, timeout=120, cwd=self.folder, env={**os.environ, **env})
        except subprocess.TimeoutExpired as late:
            raise Unavailable(f'its client was not done after {late.timeout} s') from None
        if done.returncode:
            why = done.stderr.strip().splitlines() or [f'exit status {done.returncode}']
            raise Unavailable(f'its client failed: {why[-1]}')
        return json.loads(done.stdout.strip().splitlines()[-1])

    def measure(self, seconds):
        """{started, completed}, both a second."""
        raise NotImplementedError


class Dbos(Peer):
    name, store, durable = 'DBOS', 'PostgreSQL', 'flush per commit (fsync and synchronous_commit on)'
    client, packages, cluster = 'squads_dbos.py', ['dbos==3.4.0'], None

    def measure(self, seconds):
        self.python()
        self.cluster = started_postgres()
        return self.run_client(self.cluster.url(), UNDER_WAY, seconds)

    def __exit__(self, *_):
        super().__exit__()
        if self.cluster:
            self.cluster.stop()
            self.cluster = None


class Temporal(Peer):
    name, store = "Temporal's development server", 'SQLite'
    durable = 'flush per commit (WAL, synchronous=FULL)'    # given as pragmas; its own default is slower
    client, packages = 'squads_temporal.py', ['temporalio==1.35.0']
    program = 'github.com/temporalio/cli/cmd/temporal'

    def fetch(self):
        """In a module of ours, for `go install` takes none that replaces others; newer ones need what is not published."""
        super().fetch()
        folder = os.path.join(FETCHED, 'temporal-server')
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, 'go.mod'), 'w', encoding='utf-8') as f:
            f.write('module temporal-server\n')
        run_fetch("Temporal's server", 'go', '-C', folder, 'get', f'{self.program}@v1.1.1', needs='go')
        run_fetch("its libraries", 'go', '-C', folder, 'build', '-o', '../bin/temporal', self.program, needs='go')

    def measure(self, seconds):
        program, port = fetched('bin/temporal', 'by Go'), free_port()
        self.python()
        self.host = f'127.0.0.1:{port}'
        self.launch(program, 'server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', str(port), '--log-level', 'error',
                    '--db-filename', os.path.join(self.folder, 'temporal.db'), '--sqlite-pragma', 'journal_mode=WAL',
                    '--sqlite-pragma', 'synchronous=FULL')
        return self.run_client(self.host, UNDER_WAY, seconds)


class Restate(Peer):
    name, store = 'Restate', 'RocksDB'
    durable = 'its log, flushed (`rocksdb-disable-wal-fsync = false`, its default)'
    client, packages = 'squads_restate.py', ['restate-sdk[serde]==1.2.0', 'hypercorn']
    package = '@restatedev/restate-server'
    program = f'node_modules/{package}-linux-x64/bin/restate-server'

    def fetch(self):
        super().fetch()
        run_fetch("Restate's server", 'npm', 'install', '--silent', '--no-audit', '--no-fund', '--prefix', '.',
                  f'{self.package}@1.7.12', needs='npm')

    def measure(self, seconds):
        program = fetched(self.program, 'by npm')
        self.python()
        ingress, admin, node, service = free_port(), free_port(), free_port(), free_port()
        self.launch(program, '--base-dir', os.path.join(self.folder, 'data'),
                    env={**os.environ, 'RESTATE_INGRESS__BIND_ADDRESS': f'127.0.0.1:{ingress}',
                         'RESTATE_ADMIN__BIND_ADDRESS': f'127.0.0.1:{admin}', 'RESTATE_BIND_ADDRESS': f'127.0.0.1:{node}',
                         'RESTATE_LOG_FILTER': 'error', 'DO_NOT_TRACK': '1'})
        wait_until(lambda: self.answers(admin), 'the server of Restate')
        return self.run_client(ingress, admin, service, UNDER_WAY, seconds)

    def answers(self, port):
        self.check_alive()
        connection = http.client.HTTPConnection('127.0.0.1', port, timeout=5)
        try:
            connection.request('GET', '/health')
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


PEERS = [Temporal, Restate, Dbos]
