#!/usr/bin/python3
"""A small deployment on one machine: ./dev run cluster [--once].

    tenfold ──┐                     ┌── pgbouncer ── PostgreSQL primary
              ├── Redis, and both ──┤                      │ streams its log
    tenfold ──┘                     └── pgbouncer ── PostgreSQL replica

Everything is made in a scratch folder, listens on Unix sockets or on free ports of 127.0.0.1, and is stopped and removed
when this ends: at Ctrl-C, or with --once when it has shown that what was written at one server is read from the other.
"""

import argparse
import contextlib
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(HERE, 'clients/python'))
sys.dont_write_bytecode = True

from tenfold import Tenfold, TenfoldError  # noqa: E402

PATIENCE_S = 30
ROUNDS = 100


def tool(program):
    loader = importlib.machinery.SourceFileLoader(program.replace('-', '_'), os.path.join(HERE, 'tools', program))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def until(condition, what):
    end = time.monotonic() + PATIENCE_S
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise RuntimeError(f'{what} did not come within {PATIENCE_S} s')
        time.sleep(0.02)


class Process:
    """One `tenfold serve` with a data directory in the scratch folder."""

    def __init__(self, binary, folder, name, args):
        self.data = os.path.join(folder, name)
        self.log = os.path.join(folder, f'{name}.log')
        kept = {k: v for k, v in os.environ.items() if not k.startswith('TENFOLD_')}
        with open(self.log, 'wb') as log:
            self.child = subprocess.Popen([binary, 'serve', '--data', self.data, '--listen', '127.0.0.1:0', *args],
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=kept,
                                          start_new_session=True)
        self.url = until(self.is_ready, f'the server {name}')

    def is_ready(self):
        if self.child.poll() is not None:
            with open(self.log, encoding='utf-8', errors='replace') as log:
                raise RuntimeError(f'a server ended with {self.child.returncode}:\n{log.read()}')
        try:
            with open(os.path.join(self.data, 'server.json'), encoding='utf-8') as f:
                url = json.load(f)['url']
            with urllib.request.urlopen(url + '/health/ready', timeout=5):
                return url
        except (OSError, ValueError):
            return None

    def key(self):
        with open(os.path.join(self.data, 'admin.key'), encoding='utf-8') as f:
            return f.read().strip()

    def metric(self, name):
        with urllib.request.urlopen(self.url + '/metrics', timeout=5) as answer:
            found = re.search(rf'^{re.escape(name)} (\S+)$', answer.read().decode(), re.M)
        return float(found[1]) if found else 0

    def stop(self):
        self.child.terminate()
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def with_replica(postgres, cleanup):
    """A primary and a replica of it, by tools/with-postgres."""
    primary = postgres.Cluster(postgres.find_programs(), postgres.server_user())
    cleanup.callback(primary.stop)
    primary.start()
    replica = postgres.Replica(primary)
    cleanup.callback(replica.stop)
    replica.start()
    return primary, replica


class Cluster:
    """What runs, each part with the process that is stopped for it."""

    def __init__(self, binary, cleanup):
        self.postgres, self.redis_tool = tool('with-postgres'), tool('with-redis')
        self.postgres.Pooler.own_session = self.redis_tool.Server.own_session = True
        self.folder = tempfile.mkdtemp(prefix='tenfold-cluster.')
        cleanup.callback(shutil.rmtree, self.folder, True)
        self.primary, self.replica = with_replica(self.postgres, cleanup)
        self.redis = self.redis_tool.started()
        cleanup.callback(self.redis.stop)
        poolers = [self.pooler(c, cleanup) for c in [self.primary, self.replica]]
        args = ['--store', poolers[0].url(), '--replica', poolers[1].url(), '--redis', self.redis.url()]
        self.servers = []
        for name in ['first', 'second']:
            self.servers.append(Process(binary, self.folder, name, args))
            cleanup.callback(self.servers[-1].stop)

    def pooler(self, cluster, cleanup):
        folder = tempfile.mkdtemp(prefix='tenfold-pooler.')
        cleanup.callback(shutil.rmtree, folder, True)
        if cluster.who:
            os.chown(folder, cluster.who['user'], cluster.who['group'])
        pooler = self.postgres.Pooler(folder, cluster.folder, cluster.who)
        pooler.start()
        cleanup.callback(pooler.stop)
        return pooler

    def tell(self):
        key = self.servers[0].key()
        print(f'PostgreSQL primary  {self.primary.url()}')
        print(f'PostgreSQL replica  {self.replica.url()}')
        print('pgbouncer           one before each, for the servers')
        print(f'Redis               127.0.0.1:{self.redis.port}')
        for number, server in enumerate(self.servers, 1):
            print(f'tenfold {number}           {server.url}')
        print(f'admin key           {key}')
        print(f'logs and data       {self.folder}')


def write_and_read(cluster):
    """Writes at either server and reads it back from either, as one session."""
    key = cluster.servers[0].key()
    clients = [Tenfold(server.url, key) for server in cluster.servers]
    for server, client in zip(cluster.servers, clients):
        until(lambda client=client: knows(client), f'the key at {server.url}')
        until(lambda server=server: server.metric('tenfold_replica_used{replica="1"}') == 1, f'the replica at {server.url}')
    squad = clients[0].squad_add('cluster')['id']
    found = [[0, 0], [0, 0]]
    for n in range(ROUNDS):
        writer, reader = n % 2, n // 2 % 2
        project = clients[writer].project_add(squad, f'project {n}')
        clients[reader].seen = clients[writer].seen   # the session goes on there
        try:
            found[writer][reader] += clients[reader].project_show(project['id'])['name'] == f'project {n}'
        except TenfoldError as error:
            if error.status != 404:
                raise
    print(f'\nWritten at one, read from the same or the other in the next call, {ROUNDS // 4} times each:')
    for writer in range(2):
        for reader in range(2):
            print(f'  written at {writer + 1}, read from {reader + 1}: {found[writer][reader]} found')
    for target in ['replica', 'primary']:
        count = sum(s.metric(f'tenfold_store_reads_total{{target="{target}"}}') for s in cluster.servers)
        print(f'  answered by the {target}: {count:.0f}')
    return all(count == ROUNDS // 4 for row in found for count in row)


def knows(client):
    try:
        return client.whoami()
    except TenfoldError:
        return None


def main():
    parser = argparse.ArgumentParser(description='Runs a small deployment on this machine.')
    parser.add_argument('--tenfold', required=True, help='the program')
    parser.add_argument('--once', action='store_true', help='end when it has shown that it works')
    args = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.set())
    with contextlib.ExitStack() as cleanup:
        try:
            cluster = Cluster(os.path.abspath(args.tenfold), cleanup)
        except Exception as why:  # pylint: disable=broad-except
            print(f'The cluster does not start: {why}', file=sys.stderr)
            return 1
        cluster.tell()
        good = ended.is_set() or write_and_read(cluster)
        if not args.once:
            print('\nIt runs until Ctrl-C. Try, with the key above:')
            print(f'  curl -si -XPOST {cluster.servers[0].url}/v1/squads -H "Authorization: Bearer $KEY" '
                  '-d \'{"name":"mine"}\' -H "Content-Type: application/json" -c jar')
            print(f'  curl -s {cluster.servers[1].url}/v1/squads -H "Authorization: Bearer $KEY" -b jar')
            sys.stdout.flush()
            ended.wait()
            print('\nStopping all of it.')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
