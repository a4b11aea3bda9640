#!/usr/bin/python3
"""Runs one module of API tests against the real program, and says how it went in TAP.

    harness.py --store sqlite|postgres [--behind] [--folder tests/api] MODULE [TEST...]
    harness.py --check-seen DIR        was every call answered well at least once in the runs that noted into DIR?

A module has functions test_*(t), run in the order they are written, all against one server with a store of its own.
t is a Test: it has the server, keys of every scope, and calls that check each answer against the server's own OpenAPI
document. A test asserts, raises Skip("why"), or opens cases with t.case("what"). Nothing sleeps: until() waits for a
condition within bounds. A server that leaks, complains or does not stop in order fails the module.

Environment: TENFOLD_BIN (build/tenfold), TENFOLD_TEST_PG (a PostgreSQL that may be filled: tools/with-postgres),
TENFOLD_TEST_POOLER (a pooler of connections in front of it),
TENFOLD_UNDER (a command to run the server under, such as valgrind), TENFOLD_SEEN (folder to note calls in).
"""

import argparse
import contextlib
import faulthandler
import http.client
import importlib
import importlib.machinery
import importlib.util
import inspect
import json
import os
import re
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, 'tests/api'), os.path.join(ROOT, 'clients/python')]
sys.modules.setdefault('harness', sys.modules[__name__])   # as a program and as a module it is one

from contract import Contract  # noqa: E402

BINARY = os.path.join(ROOT, os.environ.get('TENFOLD_BIN', 'build/tenfold'))
UNDER = shlex.split(os.environ.get('TENFOLD_UNDER', ''))
SLOW = 20 if UNDER else 1     # how much longer things may take
SCOPES = ['reader', 'agent', 'worker', 'operator', 'admin']
COMPLAINTS = re.compile(r'AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|check failed|definitely lost')


class Skip(Exception):
    """The test cannot run here; says why."""


class NotHere(Exception):
    """The test is about what this store cannot have, such as two processes on one file; it runs on the other."""


def until(condition, timeout_s=10, what='the condition'):
    """Waits until condition() is true and returns its value. Only this waits by looking again and again."""
    end, pause = time.monotonic() + timeout_s * SLOW, threading.Event()
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f'{what} did not come within {timeout_s * SLOW} s'
        pause.wait(0.005)


def clean_env(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith('TENFOLD_')}
    return {**kept, 'XDG_CONFIG_HOME': '/nonexistent', **more}   # nobody is signed in there


def tool(program):
    """A program of tools/ as a module: with-postgres makes a cluster and a pooler, with-redis a Redis."""
    name = program.replace('-', '_')
    loader = importlib.machinery.SourceFileLoader(name, os.path.join(ROOT, 'tools', program))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    sys.modules[name] = module
    loader.exec_module(module)
    return module


class Database:
    """A database of its own on the PostgreSQL that TENFOLD_TEST_PG names."""

    count = 0

    def __init__(self, store='postgres', pooler_url=None):
        self.base = self.from_env('TENFOLD_TEST_PG')
        reached_by = self.base if store == 'postgres' else pooler_url or self.from_env('TENFOLD_TEST_POOLER')
        Database.count += 1
        self.name = f'tf_{os.getpid()}_{Database.count}'
        self.psql(f'CREATE DATABASE {self.name}')
        self.url, self.direct = self.named(reached_by), self.named(self.base)

    @staticmethod
    def from_env(name):
        if name not in os.environ:
            raise Skip(os.environ.get(f'{name}_SKIP', f'{name} is not set (tools/with-postgres)'))
        return os.environ[name]

    def named(self, server_url):
        return re.sub(r'^(\w+://[^/]*)(/[^?]*)?', rf'\g<1>/{self.name}', server_url)

    def psql(self, statement, url=None):
        done = subprocess.run(['psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', url or self.base, '-c', statement],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, statement):
        return self.psql(statement, self.direct)

    def drop(self):
        self.psql(f'DROP DATABASE IF EXISTS {self.name} WITH (FORCE)')


class Server:
    """tenfold serve on a data directory. start(), stop(), kill(); both may be repeated on the same data."""

    def __init__(self, store='sqlite', data=None, store_url=None, args=(), env=None, listen='127.0.0.1:0'):
        self.own_data = data is None
        self.data = data or tempfile.mkdtemp(prefix='tenfold-test.')
        self.database = Database(store) if store != 'sqlite' and not store_url else None
        self.store_url = store_url or (self.database.url if self.database else None)
        self.args, self.env, self.listen = list(args), env or {}, listen
        self.log_path = os.path.join(self.data, f'test-server.{id(self)}.log')
        self.process = self.url = None
        self.owner = None     # the server that owns the queue, when this one stands by

    def command(self):
        argv = UNDER + [BINARY, 'serve', '--data', self.data, '--listen', self.listen]
        return argv + (['--store', self.store_url] if self.store_url else []) + self.args

    def start(self, wait_for='ready', timeout_s=20):
        """wait_for: 'ready', 'up' (it answers at all), or None."""
        with open(self.log_path, 'ab') as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=clean_env(**self.env))
        if wait_for:
            self.url = until(self.url_now, timeout_s, 'server.json')
            path = '/health/ready' if wait_for == 'ready' else '/health/live'
            until(lambda: self.check_alive() and self.health(path) == 200, timeout_s, path)
        return self

    def url_now(self):
        self.check_alive()
        try:
            with open(os.path.join(self.data, 'server.json'), encoding='utf-8') as f:
                said = json.load(f)
        except (FileNotFoundError, ValueError):
            return None
        return said['url'] if said['pid'] == self.process.pid else None

    def check_alive(self):
        assert self.process.poll() is None, f'the server ended with {self.process.returncode}:\n{self.log()}'
        return True

    def health(self, path='/health/ready'):
        connection = self.connect(5 * SLOW)
        try:
            connection.request('GET', path)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def connect(self, timeout_s=60):
        parts = urllib.parse.urlsplit(self.url)
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s * SLOW)

    @property
    def address(self):
        parts = urllib.parse.urlsplit(self.url)
        return parts.hostname, parts.port

    @property
    def admin_key(self):
        with open(os.path.join(self.data, 'admin.key'), encoding='utf-8') as f:
            return f.read().strip()

    def log(self):
        with open(self.log_path, encoding='utf-8', errors='replace') as f:
            return f.read()

    def metric(self, name):
        """The sum over all labels, of lines whose name (labels included) begins so."""
        connection = (self.owner or self).connect()
        connection.request('GET', '/metrics')
        text = connection.getresponse().read().decode()
        connection.close()
        found = [line.rsplit(' ', 1) for line in text.splitlines() if line.startswith(name)]
        return sum(float(value) for _, value in found) if found else None

    def stop(self, timeout_s=15):
        """In order: SIGTERM, exit status 0, nothing to complain about."""
        if not self.process:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout_s * SLOW)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f'the server did not stop within {timeout_s * SLOW} s:\n{self.log()}') from None
        self.process = None
        assert status == 0, f'the server ended with {status}:\n{self.log()}'
        complaint = COMPLAINTS.search(self.log())
        assert not complaint, f'the server complained ({complaint[0]}):\n{self.log()}'

    def sql(self, statement):
        """Changes the store behind the server's back; the server is not running."""
        if self.database:
            self.database.ask(statement)
        else:
            with contextlib.closing(sqlite3.connect(os.path.join(self.data, 'tenfold.db'), isolation_level=None)) as db:
                db.execute(statement)

    def kill(self):
        """As a crash does."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def remove(self):
        self.kill()
        if self.database:
            self.database.drop()
        if self.own_data:
            shutil.rmtree(self.data, ignore_errors=True)


def raw(server, data, timeout_s=10, until_bytes=None):
    """Sends bytes as they are; what comes back until the server closes, or until it holds until_bytes."""
    with socket.create_connection(server.address, timeout_s * SLOW) as connection:
        connection.sendall(data)
        got = b''
        while not (until_bytes and until_bytes in got):
            more = connection.recv(65536)
            if not more:
                break
            got += more
        return got


class Answer:
    """What came back. `json` is the decoded body, None when there is none."""

    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.headers = {k.lower(): v for k, v in headers}
        self.json = json.loads(body) if 'json' in self.headers.get('content-type', '') else None

    @property
    def code(self):
        return self.json.get('code') if isinstance(self.json, dict) else None

    @property
    def items(self):
        return self.json['items']

    def expect(self, status, code=None):
        assert self.status == status and (code is None or self.code == code), \
            f'expected {status} {code or ""}, got {self.status} {self.body[:600]!r}'
        return self

    def names(self, field):
        """Is the field named among the errors?"""
        fields = [e['field'] for e in self.json.get('errors', [])]
        assert field in fields, f'{field} is not named in {self.json}'
        return self


class Caller:
    """Makes calls with one key, over connections of its own (one per thread), and checks each answer's shape."""

    def __init__(self, server, key=None, tenant=None, contract=None):
        self.server, self.key, self.tenant, self.contract = server, key, tenant, contract
        self.threads = threading.local()

    def call(self, method, path, body=None, headers=None, query=None, timeout_s=60):
        if query:
            path += '?' + urllib.parse.urlencode(query)
        sent = {'Authorization': f'Bearer {self.key}'} if self.key else {}
        sent.update({'X-Tenant': self.tenant} if self.tenant else {}, **(headers or {}))
        data = body
        if body is not None and not isinstance(body, bytes):
            data = json.dumps(body).encode()
        if data is not None:
            sent.setdefault('Content-Type', 'application/json')
        answer = self.exchange(method, path, data, sent, timeout_s)
        if self.contract:
            self.contract.check(method, path.split('?')[0], answer)
        return answer

    def exchange(self, method, path, data, headers, timeout_s):
        kept = getattr(self.threads, 'connection', None)
        connection = kept or self.server.connect(timeout_s)
        self.threads.connection = connection
        try:
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            answer = Answer(response.status, response.getheaders(), response.read())
            if response.will_close:
                self.close()
            return answer
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def close(self):
        connection = getattr(self.threads, 'connection', None)
        if connection:
            connection.close()
            self.threads.connection = None

    def get(self, path, **more):
        return self.call('GET', path, **more)

    def post(self, path, body=None, **more):
        return self.call('POST', path, {} if body is None else body, **more)

    # The three calls most tests need.
    def add(self, type_, **members):
        return self.post('/v1/work', {'type': type_, **members}).expect(201).json

    def claim(self, type_, agent='tester', **members):
        return self.post('/v1/work/claim', {'agent': agent, 'types': [type_], **members}).expect(200).items

    def settle(self, item, verb='complete', **members):
        return self.post(f'/v1/work/{item["id"]}/{verb}', {'token': item['token'], **members})

    def show(self, item):
        return self.get(f'/v1/work/{item["id"]}').expect(200).json

    def state(self, item):
        return self.show(item)['state']


class Test:
    """What a test is given."""

    def __init__(self, run, name):
        self.run, self.name, self.store = run, name, run.store
        self.cleanup = contextlib.ExitStack()

    @property
    def server(self):
        return self.run.server

    @property
    def type(self):
        """A queue of this test's own."""
        return self.name.removeprefix('test_')

    def caller(self, scope='worker', server=None, tenant=None):
        """Calls with a key of this scope; of another tenant when named (it is made when it is new)."""
        return self.run.caller(scope, server or self.server, tenant)

    def anonymous(self, server=None):
        server = server or self.server
        return Caller(server, contract=self.run.contract(server))

    def operations(self):
        """Every call there is, as the server's own OpenAPI document has it."""
        return self.run.contract(self.server).operations()

    worker = property(lambda self: self.caller('worker'))
    operator = property(lambda self: self.caller('operator'))
    admin = property(lambda self: self.caller('admin'))

    def new_server(self, *args, start=True, **more):
        """A server for this test alone."""
        server = Server(more.pop('store', self.store), args=args, **more)
        self.cleanup.callback(server.remove)
        return server.start() if start else server

    def needs_several_processes(self):
        if self.store == 'sqlite':
            raise NotHere('one process alone serves a file')

    def pair(self, *args):
        """Two servers of one store, for this test alone."""
        self.needs_several_processes()
        first = self.new_server(*args)
        return first, self.new_server(*args, store_url=first.store_url)

    def redis(self):
        """A Redis for this test alone, which may harm it."""
        with_redis = tool('with-redis')
        try:
            redis = with_redis.started()
        except with_redis.Unavailable as why:
            raise Skip(str(why)) from None
        self.cleanup.callback(redis.stop)
        return redis

    @contextlib.contextmanager
    def case(self, what):
        """One of several cases of a test: reported on its own, the others go on."""
        try:
            yield
        except NotHere:
            raise   # nor is the rest of the test
        except Skip as skip:
            self.run.tap(True, f'{self.name}: {what} # SKIP {skip}')
        except Exception:  # pylint: disable=broad-except
            self.run.tap(False, f'{self.name}: {what}', traceback.format_exc())
        else:
            self.run.tap(True, f'{self.name}: {what}')


class Run:
    """One module against one store."""

    def __init__(self, store, behind=False):
        self.store, self.behind, self.count, self.failed = store, behind, 0, 0
        self.server = self.owner = None
        self.contracts, self.keys = {}, {}

    def tap(self, good, name, trouble=''):
        self.count += 1
        self.failed += not good
        print(f'{"ok" if good else "not ok"} {self.count} - {name}')
        for line in trouble.splitlines():
            print(f'  # {line}')
        sys.stdout.flush()

    def contract(self, server):
        if server.data not in self.contracts:
            self.contracts[server.data] = Contract(server)
        return self.contracts[server.data]

    def caller(self, scope, server, tenant):
        if scope == 'first':   # the key of the first start
            return Caller(server, server.admin_key, tenant, self.contract(server))
        place = (server.data, scope, tenant)
        if place not in self.keys:
            first = Caller(server, server.admin_key, None, self.contract(server))
            if tenant and tenant not in [x['name'] for x in first.get('/v1/tenants').expect(200).items]:
                first.post('/v1/tenants', {'name': tenant}).expect(201)
            first.tenant = tenant
            made = first.post('/v1/keys', {'name': f'test {scope}', 'scope': scope}).expect(201)
            self.keys[place] = made.json['secret']
            if server.owner:
                there = Caller(server.owner, self.keys[place])
                until(lambda: there.get('/v1/whoami').status == 200, 6, 'the new key, at the owner')
        return Caller(server, self.keys[place], None, self.contract(server))

    def test(self, name, function):
        test, before = Test(self, name), self.count
        try:
            with test.cleanup:
                function(test)
            if self.server.process:
                self.server.check_alive()
        except NotHere as why:
            print(f'# {name} is not for {self.store}: {why}')
        except Skip as skip:
            self.tap(True, f'{name} # SKIP {skip}')
        except Exception:  # pylint: disable=broad-except
            self.tap(False, name, traceback.format_exc())
        else:
            if self.count == before:
                self.tap(True, name)

    def module(self, name, wanted):
        module = importlib.import_module(name)
        tests = [(n, f) for n, f in vars(module).items() if n.startswith('test_') and inspect.isfunction(f)]
        tests.sort(key=lambda nf: nf[1].__code__.co_firstlineno)
        args = getattr(module, 'SERVER_ARGS', [])
        try:
            self.server = Server(self.store, args=args)
        except Skip as skip:
            print(f'1..0 # SKIP {skip}')
            return 0
        try:
            self.server.start()
            if self.behind:
                self.stand_behind(args)
            for test_name, function in tests:
                if not wanted or test_name in wanted:
                    self.test(test_name, function)
            self.stop_in_order(name)
        except Exception:  # pylint: disable=broad-except
            self.tap(False, f'{name} at all', traceback.format_exc())
        finally:
            self.server.remove()
            if self.owner:
                self.owner.remove()
        print(f'1..{self.count}')
        return 1 if self.failed else 0

    def stand_behind(self, args):
        """The tests talk to a second server on the same store, which passes on what the queue's owner is to do."""
        self.owner = self.server
        self.server = Server(self.store, store_url=self.owner.store_url, args=args)
        self.server.owner = self.owner
        self.server.start()

    def stop_in_order(self, name):
        try:
            self.server.stop()
        except AssertionError as trouble:
            self.tap(False, f'{name}: the server stops in order', str(trouble))
        else:
            self.tap(True, f'{name}: the server stops in order')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--store', choices=['sqlite', 'postgres', 'pooler'], default='sqlite')
    parser.add_argument('--behind', action='store_true', help='the server stands by and another owns the queue')
    parser.add_argument('--folder', default='tests/api')
    parser.add_argument('--check-seen', metavar='DIR')
    parser.add_argument('module', nargs='?')
    parser.add_argument('test', nargs='*')
    args = parser.parse_args()
    if args.check_seen:
        import contract
        return contract.check_seen(BINARY, args.check_seen)
    sys.path.insert(0, os.path.join(ROOT, args.folder))
    faulthandler.register(signal.SIGQUIT)   # whoever waited too long hears where it stands
    return Run(args.store, args.behind).module(args.module, args.test)


if __name__ == '__main__':
    sys.exit(main())
