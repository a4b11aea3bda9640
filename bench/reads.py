"""The part `reads`: what it costs to see one's own writes where there is a replica, what a replica takes off the primary, and
what is kept ready saves. PostgreSQL, its replica and the servers are made for it (tools/cluster.py has the parts)."""

import contextlib
import http.client
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.parse

import machine
import report
from servers import BUILD, ROOT

sys.path.insert(0, os.path.join(ROOT, 'tools'))
import cluster  # noqa: E402

BINARY = os.path.join(BUILD, 'tenfold')
LOAD = os.path.join(BUILD, 'bench', 'load')
SECTIONS = ['pairs', 'rate', 'kept']


class Setup:
    """A primary, a replica, and two processes of each kind: without the replica and with it."""

    def __init__(self, folder, cleanup):
        self.primary, self.replica = cluster.with_replica(cluster.tool('with-postgres'), cleanup)
        self.alone = self.servers(folder, cleanup, 'alone', [])
        self.first, self.second = [self.servers(folder, cleanup, name, ['--replica', self.replica.url()])
                                   for name in ['first', 'second']]
        for server in [self.first, self.second]:
            cluster.until(lambda server=server: server.metric('tenfold_replica_used{replica="1"}') == 1, 'the replica')

    def servers(self, folder, cleanup, name, args):
        server = cluster.Process(BINARY, folder, name, ['--store', self.primary.url(), *args])
        cleanup.callback(server.stop)
        return server

    def ask(self, server, statement):
        done = subprocess.run(['psql', '-XqAt', '-d', server.url(), '-c', statement], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    @contextlib.contextmanager
    def late(self, ms):
        """The replica replays so much later."""
        for value in [f'{ms}ms', '0']:
            self.ask(self.replica, f"ALTER SYSTEM SET recovery_min_apply_delay = '{value}'")
            self.ask(self.replica, 'SELECT pg_reload_conf()')
            if value != '0':
                yield


class Session:
    """One caller, one connection to each server."""

    def __init__(self, key, told):
        self.key, self.told, self.seen, self.connections = key, told, '', {}

    def call(self, server, method, path, body=None):
        """The status and how long it took, in microseconds."""
        parts = urllib.parse.urlsplit(server.url)
        connection = self.connections.setdefault(server.url, http.client.HTTPConnection(parts.hostname, parts.port, timeout=60))
        headers = {'Authorization': f'Bearer {self.key}', 'Content-Type': 'application/json'}
        if self.told and self.seen:
            headers['Tenfold-Seen'] = self.seen
        data = json.dumps(body).encode() if body else None
        began = time.perf_counter()
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        answer.body = answer.read()
        took = (time.perf_counter() - began) * 1e6
        self.seen = max(self.seen, answer.getheader('tenfold-seen', ''))
        return answer, took


def squad_of(session, server):
    answer, _ = session.call(server, 'POST', '/v1/squads', {'name': 'reads'})
    return json.loads(answer.body)['id']


def pairs(setup, writer, reader, told, rounds):
    """Writes and reads it back, over and over: what both took, and how often it was found."""
    session = Session(setup.alone.key(), told)
    squad, found, took = squad_of(session, writer), 0, {'write': [], 'read': []}
    for n in range(rounds):
        answer, us = session.call(writer, 'POST', '/v1/projects', {'squad': squad, 'name': f'project {n}'})
        took['write'].append(us)
        answer, us = session.call(reader, 'GET', f'/v1/projects/{json.loads(answer.body)["id"]}')
        took['read'].append(us)
        found += answer.status == 200
    return found, took


def percentile(values, p):
    return sorted(values)[min(len(values) - 1, int(len(values) * p / 100))] / 1000


def measure_pairs(setup, quick):
    rounds, few = (200, 20) if quick else (1000, 100)
    cases = [('no replica', setup.alone, setup.alone, False, 0, rounds),
             ('replica, saying nothing, at the other process', setup.first, setup.second, False, 0, rounds),
             ('replica, same process, saying nothing', setup.first, setup.first, False, 0, rounds),
             ('replica, other process, Tenfold-Seen sent', setup.first, setup.second, True, 0, rounds),
             ('the same, replay 20 ms late', setup.first, setup.second, True, 20, few),
             ('the same, replay 200 ms late', setup.first, setup.second, True, 200, few)]
    rows, raw = [], []
    for name, writer, reader, told, late_ms, count in cases:
        with setup.late(late_ms) if late_ms else contextlib.nullcontext():
            found, took = pairs(setup, writer, reader, told, count)
        figures = [percentile(took[kind], p) for kind in ['write', 'read'] for p in [50, 99]]
        raw.append({'case': name, 'rounds': count, 'found': found, 'ms': figures})
        rows.append([name, f'{100 * found / count:.1f} %'] + [f'{ms:.2f}' for ms in figures])
    head = ['write, then read it', 'found', 'write p50 ms', 'p99', 'read p50 ms', 'p99']
    return report.table(head, rows), raw


def measure_rate(setup, folder, quick):
    """Reads a second from one process, and where they were answered. Who reads has written nothing lately."""
    path, rows, raw = os.path.join(folder, 'calls'), [], []
    with open(path, 'w', encoding='utf-8') as f:
        f.write('GET /v1/projects?limit=20\n')
    for name, server in [('no replica', setup.alone), ('replica', setup.second)]:
        before = [read_at(server, target) for target in ['replica', 'primary']]
        done = subprocess.run([LOAD, 'calls', '--host', urllib.parse.urlsplit(server.url).netloc, '--key-file',
                               os.path.join(setup.alone.data, 'admin.key'), '--calls', path, '--connections', '16', '--seconds',
                               '2' if quick else '5'], capture_output=True, text=True, check=True)
        said = json.loads(done.stdout)
        at = [read_at(server, target) - was for target, was in zip(['replica', 'primary'], before)]
        raw.append({'case': name, 'said': said, 'replica': at[0], 'primary': at[1]})
        rows.append([name, report.number(said['per_second']), f'{100 * at[0] / max(sum(at), 1):.1f} %'])
    return report.table(['GET /v1/projects?limit=20, 16 connections', 'a second', 'at the replica'], rows), raw


def read_at(server, target):
    return server.metric(f'tenfold_store_reads_total{{target="{target}"}}')


def measure_kept(setup, quick):
    """What a screen of a squad reads, over and over, with a change now and then."""
    session, rounds = Session(setup.alone.key(), False), 300 if quick else 3000
    squad = squad_of(session, setup.alone)
    session.call(setup.alone, 'POST', f'/v1/squads/{squad}/members', {'role': 'tester'})
    paths = [f'/v1/squads/{squad}', f'/v1/squads/{squad}/members', '/v1/plan']
    names = ['squad_show', 'squad_member_list', 'plan_show']
    kinds = ['hits', 'misses', 'statements_saved']
    before = {(k, n): kept(setup, k, n) for k in kinds for n in names}
    took = []
    for n in range(rounds):
        if n % 50 == 0:
            session.call(setup.alone, 'PATCH', f'/v1/squads/{squad}', {'description': f'change {n}'})
        took += [session.call(setup.alone, 'GET', path)[1] for path in paths]
    got = {key: kept(setup, *key) - was for key, was in before.items()}
    rows = [[name, f'{got["hits", name]:,.0f}', f'{got["misses", name]:,.0f}',
             f'{100 * got["hits", name] / (got["hits", name] + got["misses", name]):.1f} %',
             f'{got["statements_saved", name]:,.0f}'] for name in names]
    head = [f'{rounds} rounds, the squad changed every 50', 'kept', 'read', 'ratio', 'statements saved']
    raw = {'rounds': rounds, 'got': {f'{k} {n}': v for (k, n), v in got.items()}, 'read_us': statistics.median(took)}
    return report.table(head, rows) + f'\n\nA read took {statistics.median(took) / 1000:.2f} ms in the middle, the client\'s own time included.', raw


def kept(setup, kind, name):
    return setup.alone.metric(f'tenfold_cache_{kind}_total{{answer="{name}"}}')


def measure(folder, quick, only, patience_s):
    facts = [*machine.describe(folder), ('measured', 'both cores shared by client, servers, PostgreSQL and its replica')]
    texts, raw = ['\n'.join(f'- {what}: {value}' for what, value in facts)], {}
    machine.wait_until_quiet(0.1, patience_s)
    with contextlib.ExitStack() as cleanup:
        setup = Setup(folder, cleanup)
        for name, section in [('pairs', lambda: measure_pairs(setup, quick)), ('rate', lambda: measure_rate(setup, folder, quick)),
                              ('kept', lambda: measure_kept(setup, quick))]:
            if only and name not in only:
                continue
            text, raw[name] = section()
            texts.append(text)
    return '\n\n'.join(texts), raw
