"""The part `squads`: executions started and carried out, streams with many readers, reads of many users meanwhile; beside
what people run instead (squads_peers.py).

    start     POST /v1/executions in a closed loop: each is durable before its answer
    complete  executions of three steps from their start to their end, their steps taken and settled in batches over HTTP
    streams   so many open streams, 1,000 events a second: from when a report was due until a stream has its event
    archive   all that was carried out, to a file and back
    reads     10 and 1,000 users who read, one call after the other, while executions begin at a steady rate
    peers     the same three steps on Temporal, Restate and DBOS

With --peers what is not here is fetched first.
"""

import json
import os
import statistics
import subprocess
import sys
import time

import machine
import report
import squads_peers
from servers import BUILD, Tenfold, TenfoldPostgres, Unavailable, wait_until
from work import Watch

LOAD = os.path.join(BUILD, 'bench', 'load')
STORES = [Tenfold, TenfoldPostgres]
STEPS = [{'name': 'a'}, {'name': 'b', 'needs': ['a']}, {'name': 'c', 'needs': ['b']}]
STEP_TYPE = 'tf.step'
EVENTS_PER_S = 1000
READERS_EACH = 10       # streams of one execution
USERS = [10, 1000]
BACKGROUND = 200        # executions a second that begin while others read
SEED_TIER = 11.6        # a million executions a day


class Plan:
    def __init__(self, quick):
        self.quick = quick
        self.rounds = 1 if quick else 3
        self.seconds = 2 if quick else 5
        self.streams = [100, 1000] if quick else [100, 1000, 10000]
        self.peer_seconds = 3 if quick else 10


class Bench:
    def __init__(self, folder, quick, peers, patience_s):
        self.folder, self.plan, self.peers, self.patience_s = folder, Plan(quick), peers, patience_s
        self.left_out, self.flush_us = {}, []

    def each_store(self, kinds=None):
        """Servers one after the other, each with a squad of its own."""
        for kind in kinds or STORES:
            try:
                with kind(self.folder) as server:
                    server.squad = server.admin('/v1/squads', {'name': 'bench'})['id']
                    yield server
            except Unavailable as why:
                self.left_out[f'{kind.name} on {kind.store}'] = str(why)

    def command(self, server, mode, *options):
        return [LOAD, mode, *server.load_options(), '--squad', server.squad, '--type', STEP_TYPE, '--seconds',
                str(self.plan.seconds), *map(str, options)]

    def load(self, server, mode, *options):
        self.patience_s -= machine.wait_until_quiet(0.1, self.patience_s)
        self.flush_us.append(machine.flush_us(self.folder))
        result = finished(self.launch(server, mode, *options))
        print(f'    {server.name} ({server.store}) {mode} {" ".join(map(str, options))}: '
              f'{ {k: v for k, v in result.items() if k not in ("mode", "payload", "live")} }', flush=True)
        return result

    def launch(self, server, mode, *options):
        return subprocess.Popen(self.command(server, mode, *options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def calls(self, *lines):
        path = os.path.join(self.folder, 'calls')
        with open(path, 'w', encoding='utf-8') as f:
            f.writelines(line + '\n' for line in lines)
        return path


def finished(process):
    said, trouble = process.communicate(timeout=600)
    result = json.loads(said or '{}')
    if process.returncode:
        raise RuntimeError(result.get('fault', trouble))
    return result


def execution_of(server, **more):
    return {'squad': server.squad, 'name': 'benchmark execution', 'steps': STEPS, **more}


def call(server, method, path, body=None):
    with open(server.admin_key_file, encoding='utf-8') as f:
        headers = {'Authorization': f'Bearer {f.read().strip()}', 'Content-Type': 'application/json'}
    status, answer = server.call(method, path, body, headers)
    if status >= 300:
        raise RuntimeError(f'{method} {path}: {status} {answer}')
    return answer


def get(server, path):
    return call(server, 'GET', path)


def check_all_completed(server):
    """What the load counted must be what the server says."""
    for state in ('queued', 'in_progress', 'blocked', 'retrying', 'failed', 'cancelled'):
        left = get(server, f'/v1/executions?state={state}&limit=1')['items']
        if left:
            raise RuntimeError(f'an execution is {state}: {left}')


# ---- sections: each returns its text and its results ----

def start(bench):
    results, rows = {}, []
    for _ in range(bench.plan.rounds):
        for server in bench.each_store():
            path = bench.calls('POST /v1/executions ' + json.dumps(execution_of(server)))
            result = bench.load(server, 'calls', '--calls', path, '--connections', 64)
            results.setdefault((server.store, server.durable), []).append(result)
    for (store, durable), runs in results.items():
        rows.append([store, durable, report.spread([r['per_second'] for r in runs]),
                     *(report.milliseconds([r['call'][p] for r in runs]) for p in ('p50_us', 'p99_us'))])
    doc = 'Executions of three steps, one a request, 64 connections in a closed loop; nobody takes their steps.'
    return section('Executions started', doc, ['store', 'durable before the answer', 'started/s', 'p50 ms', 'p99 ms'], rows), results


def complete(bench):
    results, rows = {}, []
    for _ in range(bench.plan.rounds):
        for server in bench.each_store():
            result = bench.load(server, 'flow', '--connections', 32, '--batch', 100, '--in-flight', 1000)
            check_all_completed(server)
            results.setdefault((server.store, server.durable), []).append(result)
    for (store, durable), runs in results.items():
        rate = statistics.median(r['per_second'] for r in runs)
        rows.append([store, durable, report.spread([r['per_second'] for r in runs]), report.number(rate / SEED_TIER),
                     report.milliseconds([r['start']['p99_us'] for r in runs])])
    doc = ('Three steps, each after the one before: made on 32 connections, taken and completed in batches of up to 100 on 17, '
           f'at most 1,000 under way. A million a day is {SEED_TIER}/s.')
    return section('Executions carried out', doc, ['store', 'durable before each answer', 'completed/s', 'times a million a day',
                                                   'start p99 ms'], rows), results


def streams(bench):
    results, rows = {}, []
    for count in bench.plan.streams:
        for server in bench.each_store():
            options = ('--rate', EVENTS_PER_S, '--items', max(1, count // READERS_EACH))
            before = server.memory_mb()
            with Watch(server) as watch:
                result = bench.load(server, 'fan', '--agents', count, *options)
            result['kib_each'] = (watch.most - before) * 1e6 / 1024 / count
            results.setdefault((count, server.store), []).append(result)
    for (count, store), runs in results.items():
        rows.append([f'{count:,}, {store}', report.spread([r['per_second'] for r in runs]),
                     *(report.milliseconds([r['delivery'][p] for r in runs]) for p in ('p50_us', 'p99_us', 'p999_us')),
                     report.spread([r['kib_each'] for r in runs]) if count >= 1000 else '–'])
    doc = (f'{EVENTS_PER_S:,} reports of progress a second (open loop), each told to {READERS_EACH} streams; latency counts from '
           'when a report was due until a stream has its event, so with its flush. Every stream must hear every report once. '
           'Memory is what the server has more than before the streams were opened, with its executions, by stream.')
    return section('Streams', doc, ['streams', 'deliveries/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'KiB a stream'], rows), results


def time_until(server, archive, states):
    """How long until it is in one of them, looked at every 20 ms; 'gone' when its file is removed."""
    began = time.monotonic()
    while True:
        got = next((a for a in get(server, '/v1/archives')['items'] if a['id'] == archive), {'state': 'gone'})
        took = time.monotonic() - began
        if got['state'] in states:
            return took, got
        if took > 300:
            raise RuntimeError(f'an archive stays {got["state"]}')
        time.sleep(0.02)


def there_and_back(server):
    """One archive of all that has ended: how long each of its parts took."""
    began = time.monotonic()
    call(server, 'POST', '/v1/archives', {'before': time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime())})
    wait_until(lambda: get(server, '/v1/archives')['items'], 'an archive')
    archive = get(server, '/v1/archives')['items'][0]['id']
    time_until(server, archive, ['moving', 'kept'])
    written = time.monotonic() - began
    moved, kept = time_until(server, archive, ['kept'])
    one = get(server, f'/v1/archives/{archive}/executions?limit=1')['items'][0]['id']
    took = []
    for _ in range(200):
        began = time.monotonic()
        if not get(server, f'/v1/executions/{one}')['archived']:
            raise RuntimeError('an archived execution is in the store')
        took.append(time.monotonic() - began)
    call(server, 'POST', f'/v1/archives/{archive}/restore')
    back, _ = time_until(server, archive, ['emptied', 'gone'])
    return {'executions': kept['executions'], 'bytes': kept['bytes'], 'written_s': written, 'moved_s': moved, 'back_s': back,
            'read_ms': statistics.median(took) * 1000}


def archive(bench):
    results, rows = {}, []
    for _ in range(bench.plan.rounds):
        for server in bench.each_store():
            bench.load(server, 'flow', '--connections', 32, '--batch', 100, '--in-flight', 1000)
            time.sleep(1.1)     # 'before' is a whole second
            results.setdefault(server.store, []).append(there_and_back(server))
            print(f'    {server.store}: {results[server.store][-1]}', flush=True)
    for store, runs in results.items():
        rows.append([store, *(report.spread([value(r) for r in runs]) for value in (
            lambda r: r['executions'], lambda r: r['bytes'] / r['executions'], lambda r: r['executions'] / r['written_s'],
            lambda r: r['executions'] / r['moved_s'], lambda r: r['executions'] / r['back_s'], lambda r: r['read_ms']))])
    doc = ('Executions of three steps with all that was told of them, in one file: written, flushed and read again; then moved out of '
           'the store, some in each transaction beside its other work; one of them read from the file; and all put back. Writing counts from the request.')
    return section('Archive', doc, ['store', 'executions', 'bytes each', 'written/s', 'moved/s', 'put back/s', 'one read, ms'],
                   rows), results


def some_reads(bench, server):
    """What people look at: lists, single executions with their steps, the squad and its members."""
    member = {'role': 'backend_developer', 'name': 'ada'}
    server.admin(f'/v1/squads/{server.squad}/members', member)
    finished(bench.launch(server, 'flow', '--connections', 8, '--batch', 100, '--in-flight', 200))
    items = get(server, f'/v1/executions?squad={server.squad}&limit=200')['items']
    lines = [f'GET /v1/executions/{e["id"]}' for e in items]
    lines += [f'GET /v1/executions?squad={server.squad}&limit=20', f'GET /v1/squads/{server.squad}', 'GET /v1/squads?limit=20',
              f'GET /v1/squads/{server.squad}/members'] * 50
    return bench.calls(*[lines[i * 7 % len(lines)] for i in range(len(lines))])


def reads(bench):
    results, rows = {}, []
    for _ in range(bench.plan.rounds):
        for server in bench.each_store():
            path = some_reads(bench, server)
            for users in USERS:
                work = bench.launch(server, 'flow', '--connections', 8, '--batch', 100, '--paced', '--rate', BACKGROUND, '--warmup', 0)
                result = bench.load(server, 'calls', '--calls', path, '--connections', users, '--warmup', 0.5)
                result['work'] = finished(work)
                results.setdefault((users, server.store), []).append(result)
    for (users, store), runs in sorted(results.items()):
        rows.append([f'{users:,}, {store}', report.spread([r['per_second'] for r in runs]),
                     *(report.milliseconds([r['call'][p] for r in runs]) for p in ('p50_us', 'p95_us', 'p99_us'))])
    doc = ('Connections that make one call after the other without a pause (lists, executions with their steps, squads, '
           f'members), while {BACKGROUND} executions of three steps begin and end each second.')
    return section('Reads meanwhile', doc, ['users', 'reads/s', 'p50 ms', 'p95 ms', 'p99 ms'], rows), results


def peers(bench):
    results, rows = {}, []
    for kind in squads_peers.PEERS:
        try:
            with kind(bench.folder) as peer:
                if bench.peers:
                    peer.fetch()
                results[kind.name] = peer.measure(bench.plan.peer_seconds)
        except Unavailable as why:
            bench.left_out[kind.name] = str(why)
            print(f'  left out: {kind.name}: {why}', flush=True)
            continue
        print(f'    {kind.name}: {results[kind.name]}', flush=True)
    for kind in squads_peers.PEERS:
        if kind.name in results:
            got = results[kind.name]
            rows.append([kind.name, kind.store, kind.durable, report.number(got['started']), report.number(got['completed'])])
    doc = ('Three steps that do nothing, one after the other, each result kept; 64 under way. Each is driven as its own manual '
           'has it, from Python, so its rate is that of server and client together on this machine.')
    return section('Peers', doc, ['peer', 'store', 'durable', 'started/s', 'completed/s'], rows), results


SECTIONS = {'start': start, 'complete': complete, 'archive': archive, 'streams': streams, 'reads': reads, 'peers': peers}


def section(title, doc, head, rows):
    return '\n\n'.join([f'### {title}', doc, report.table(head, rows)])


def head_of(bench, began):
    facts = [('date', time.strftime('%Y-%m-%d', time.gmtime())), *machine.describe(bench.folder)]
    if bench.flush_us:
        facts.append(('4 KiB append + fdatasync, p50', f'{report.spread(bench.flush_us)} µs'))
    facts.append(('the whole run took', f'{(time.monotonic() - began) / 60:.0f} minutes' + (' (--quick)' if bench.plan.quick else '')))
    facts += [(f'left out: {what}', why) for what, why in bench.left_out.items()]
    return '\n'.join(f'- {what}: {value}' for what, value in facts)


def measure(folder, quick, only, patience_s, peers=False):  # pylint: disable=redefined-outer-name
    if set(only) - set(SECTIONS):
        sys.exit(f'bench: the sections of squads are {", ".join(SECTIONS)}')
    began = time.monotonic()
    bench, parts, raw = Bench(folder, quick, peers, patience_s), [], {}
    for name in only or SECTIONS:
        print(f'{name}:', flush=True)
        text, found = SECTIONS[name](bench)
        parts.append(text)
        raw[name] = {' '.join(map(str, k)) if isinstance(k, tuple) else k: v for k, v in found.items()}
    return '\n\n'.join([head_of(bench, began)] + parts), raw
