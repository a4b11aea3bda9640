"""The servers that are measured: each started by the bench, on a free port of the loopback, in a folder of its own.

A server is a context manager: entered it runs and has `host`, left it is gone with its data. It is ended by its own
process number, never by name. `store` says what holds the data and `durable` what is durable before an answer.
"""

import contextlib
import http.client
import importlib.machinery
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import machine

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, os.environ.get('BUILD', 'build'))
START_S = 60


class Unavailable(Exception):
    """This peer cannot run here; says why."""


def wait_until(condition, what):
    end = time.monotonic() + START_S
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f'{what} did not come within {START_S} s')
        time.sleep(0.002)


class Server:
    name = store = durable = ''

    def __init__(self, folder):
        self.parent, self.folder, self.process, self.host = folder, None, None, None

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix=f'{type(self).__name__.lower()}.', dir=self.parent)
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        raise NotImplementedError

    def launch(self, *command, **more):
        with open(os.path.join(self.folder, 'log'), 'ab') as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log,
                                            stdout=more.get('stdout', log), env=more.get('env'))

    def check_alive(self):
        if self.process.poll() is not None:
            with open(os.path.join(self.folder, 'log'), encoding='utf-8', errors='replace') as f:
                raise RuntimeError(f'{self.name} ended with {self.process.returncode}: {f.read()[-2000:]}')

    def stop(self, number=signal.SIGTERM):
        if self.process:
            self.process.send_signal(number)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def processes(self):
        return [self.process.pid]

    def cpu_s(self):
        return sum(machine.process_cpu_s(pid) for pid in self.processes())

    def memory_mb(self):
        return machine.memory_mb(self.process.pid)

    def load_options(self):
        return ['--host', self.host]


class Tenfold(Server):
    name, store, durable = 'tenfold', 'SQLite', 'flush per commit (WAL, synchronous=FULL)'
    store_url = None

    def start(self):
        kept = {k: v for k, v in os.environ.items() if not k.startswith('TENFOLD_')}
        data = os.path.join(self.folder, 'data')
        command = [os.path.join(BUILD, 'tenfold'), 'serve', '--data', data, '--listen', '127.0.0.1:0', '--log', 'warn']
        self.launch(*command, *(['--store', self.store_url] if self.store_url else []), env=kept)
        wait_until(self.is_ready, 'the server')

    def is_ready(self):
        self.check_alive()
        try:
            with open(os.path.join(self.folder, 'data', 'server.json'), encoding='utf-8') as f:
                said = json.load(f)
            if said['pid'] != self.process.pid:
                return False
            self.host = said['url'].removeprefix('http://')
            return self.call('GET', '/health/ready')[0] == 200
        except (OSError, ValueError, http.client.HTTPException):
            return False

    @property
    def admin_key_file(self):
        return os.path.join(self.folder, 'data', 'admin.key')

    def call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers or {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or 'null')
        finally:
            connection.close()

    def admin(self, path, body, tenant=None):
        with open(self.admin_key_file, encoding='utf-8') as f:
            headers = {'Authorization': f'Bearer {f.read().strip()}', 'Content-Type': 'application/json'}
        headers.update({'X-Tenant': tenant} if tenant else {})
        status, answer = self.call('POST', path, body, headers)
        if status != 201:
            raise RuntimeError(f'POST {path}: {status} {answer}')
        return answer

    def key_file(self, tenants):
        """A file with a new worker's key of each tenant in the list; those that are not there are made."""
        for tenant in sorted(set(tenants) - {'default'}):
            self.admin('/v1/tenants', {'name': tenant})
        secrets = [self.admin('/v1/keys', {'name': f'bench {i}', 'scope': 'worker'}, tenant)['secret']
                   for i, tenant in enumerate(tenants)]
        path = os.path.join(self.folder, 'keys')
        with open(path, 'w', encoding='utf-8') as f:
            f.write('\n'.join(secrets) + '\n')
        return path

    def load_options(self):
        return ['--host', self.host, '--key-file', self.admin_key_file]


def with_postgres():
    """tools/with-postgres as a module."""
    loader = importlib.machinery.SourceFileLoader('with_postgres', os.path.join(ROOT, 'tools', 'with-postgres'))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader('with_postgres', loader))
    loader.exec_module(module)
    return module


def started_postgres():
    """A cluster of its own, that runs; the caller stops it."""
    tool = with_postgres()
    try:
        cluster = tool.Cluster(tool.find_programs(), tool.server_user())
    except tool.Unavailable as why:
        raise Unavailable(str(why)) from None
    cluster.start()
    return cluster


class TenfoldPostgres(Tenfold):
    """With a PostgreSQL cluster of its own, so that none inherits the dead rows of another run."""

    store, durable = 'PostgreSQL', 'flush per commit (fsync and synchronous_commit on)'
    cluster = None

    def start(self):
        if not self.cluster:
            self.cluster = started_postgres()
            self.store_url = self.cluster.url()
        super().start()

    def processes(self):
        with open(os.path.join(self.cluster.data, 'postmaster.pid'), encoding='utf-8') as f:
            postmaster = int(f.readline())
        return [self.process.pid, postmaster, *machine.children_of(postmaster)]

    def __exit__(self, *_):
        super().__exit__()
        if self.cluster:
            self.cluster.stop()
            self.cluster = None


class Ceiling(Server):
    name, store, durable = 'bare prototype', 'SQLite', 'flush per commit (WAL, synchronous=FULL)'

    def start(self):
        self.launch(os.path.join(BUILD, 'bench', 'ceiling'), os.path.join(self.folder, 'work.db'),
                    stdout=subprocess.PIPE)
        self.host = self.process.stdout.readline().decode().strip()
        self.process.stdout.close()
        if not self.host:
            self.check_alive()


def free_port():
    with contextlib.closing(socket.socket()) as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Beanstalkd(Server):
    name, store, durable = 'beanstalkd', 'write-ahead log', 'flush per operation (-b -f0)'
    arguments = ['-b', '.', '-f0']

    def start(self):
        program = shutil.which('beanstalkd')
        if not program:
            raise Unavailable('beanstalkd is not installed')
        port = free_port()
        self.host = f'127.0.0.1:{port}'
        arguments = [self.folder if a == '.' else a for a in self.arguments]
        self.launch(program, '-l', '127.0.0.1', '-p', str(port), *arguments)
        wait_until(self.answers, 'beanstalkd')

    def answers(self):
        self.check_alive()
        host, port = self.host.split(':')
        try:
            socket.create_connection((host, int(port)), 1).close()
            return True
        except OSError:
            return False


class BeanstalkdMemory(Beanstalkd):
    store, durable = 'memory', 'none'
    arguments = []
