"""The part `directory`: agents found, read, registered and beating, at 100,000 of them and at a million; search beside what
people use instead, on the same documents and queries (find_peers.py)."""

import contextlib
import http.client
import json
import os
import statistics
import subprocess
import sys
import time

import find_peers
import machine
import report
from servers import BUILD, Ceiling, Tenfold, TenfoldPostgres, Unavailable

LOAD = os.path.join(BUILD, 'bench', 'load')
QUERIES = 3000
BATCH = 1000
SECTIONS = ['find', 'read', 'write', 'scale']


class Plan:
    def __init__(self, quick):
        self.agents = 20000 if quick else 100000
        self.many = 100000 if quick else 1000000
        self.rounds = 1 if quick else 3
        self.seconds = 2 if quick else 5
        self.registered = 5000 if quick else 30000


class Bench:
    def __init__(self, folder, quick):
        self.folder, self.plan, self.left_out = folder, Plan(quick), {}
        self.corpus = find_peers.Corpus(self.plan.agents, QUERIES)

    def load(self, server, lines, connections, once=False):
        """Makes the calls of `lines`; what the load generator says of them."""
        path = os.path.join(self.folder, 'calls')
        with open(path, 'w', encoding='utf-8') as f:
            f.writelines(line + '\n' for line in lines)
        command = [LOAD, 'calls', *server.load_options(), '--calls', path, '--connections', str(connections), '--seconds',
                   str(self.plan.seconds), *(['--once'] if once else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f'{server.name} on {server.store}: {done.stdout or done.stderr}')
        return json.loads(done.stdout)


# ---- agents ----

def agent_of(doc):
    number, name, tags, description, kind, _ = doc
    return {'handle': f'a{number:09d}', 'name': name[:128], 'type': kind, 'tags': [t[:64] for t in tags.split()[:16]],
            'description': description[:1500]}


def fill(bench, server, docs):
    """Registers them in batches; how many a second."""
    lines = ['POST /v1/agents/batch ' + json.dumps({'items': [agent_of(d) for d in docs[i:i + BATCH]]})
             for i in range(0, len(docs), BATCH)]
    result = bench.load(server, lines, 2, once=True)
    return result['per_second'] * len(docs) / len(lines)


def call(server, method, path):
    with open(server.admin_key_file, encoding='utf-8') as f:
        return server.call(method, path, headers={'Authorization': f'Bearer {f.read().strip()}'})


def indexed(server, count):
    """Waits until the search has them all; how long that took."""
    began = time.monotonic()
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException):
            status, answer = call(server, 'GET', '/v1/search/agents?limit=1&count=true')
            if status == 200 and answer.get('count') == count:
                return time.monotonic() - began
        if time.monotonic() - began > 120:
            raise RuntimeError(f'the index does not have {count} agents')
        time.sleep(0.01)


def some_ids(server, count):
    """Ids of agents, newest first."""
    ids, cursor = [], ''
    while len(ids) < count:
        page = call(server, 'GET', f'/v1/agents?limit=100{cursor}')[1]
        ids += [a['id'] for a in page['items']]
        if not page['next_cursor']:
            break
        cursor = '&cursor=' + page['next_cursor']
    return ids


def search_lines(queries, more=''):
    return [f'GET /v1/search/agents?q={q.replace(" ", "+")}{more}' for q in queries]


# ---- sections ----

KIND_TITLES = {'all': 'all words', 'any': 'any word', 'filtered': 'any word, of one type and status'}


def in_process(bench, path, kind):
    done = subprocess.run([os.path.join(BUILD, 'bench', 'find'), path, kind, str(bench.plan.seconds), str(find_peers.LIMIT),
                           str(find_peers.CHANGE_EACH)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def write_corpus(bench):
    """The corpus as bench/find.c reads it."""
    path = os.path.join(bench.folder, 'corpus')
    with open(path, 'w', encoding='utf-8') as f:
        for _, name, tags, description, kind, status in bench.corpus.docs:
            f.write('\t'.join(' '.join(x.split()) for x in (name, tags, description, kind, status)) + '\n')
        f.write('\n' + ''.join(q + '\n' for q in bench.corpus.queries))
    return path


def find_rows(bench, measured):
    best = {kind: max(r[kind]['per_second'] for n, r in measured.items() if not n.startswith('tenfold'))
            for kind in find_peers.KINDS}
    rows = []
    for kind in find_peers.KINDS:
        for name, results in measured.items():
            if kind in results:
                r = results[kind]
                rows.append([f'{KIND_TITLES[kind]}: {name}', report.number(r['per_second']),
                             report.number(r['p50_ms']), report.number(r['p99_ms']),
                             report.number(r['per_second'] / best[kind])])
    return rows


def find(bench):
    measured = {}
    path = write_corpus(bench)
    measured['tenfold, in process'] = {k: in_process(bench, path, k) for k in find_peers.KINDS}
    measured['tenfold, over HTTP'] = over_http(bench)
    for kind in find_peers.PEERS:
        folder = os.path.join(bench.folder, kind.__name__)
        os.makedirs(folder)
        os.chmod(folder, 0o755)
        peer = kind(folder)
        try:
            print(f'  {peer.name}', flush=True)
            peer.fill(bench.corpus.docs)
            measured[f'{peer.name} ({peer.how})'] = {k: peer.measure(bench.corpus, k, bench.plan.seconds)
                                                     for k in find_peers.KINDS}
        except Unavailable as why:
            bench.left_out[peer.name] = str(why)
        finally:
            peer.close()
    text = report.table(['question', 'a second', 'p50 ms', 'p99 ms', 'times the best other'], find_rows(bench, measured))
    real = bench.corpus.real
    return (f'### {bench.plan.agents:,} documents, {QUERIES:,} queries of one to four words\n\n{real:,} of them are this '
            'machine\'s Debian packages, the rest put together from their sentences. One question after another, from one '
            'thread or connection; a document changes for every ten questions.\n\n' + text), measured


def over_http(bench):
    results = {}
    with Tenfold(bench.folder) as server:
        fill(bench, server, bench.corpus.docs)
        indexed(server, len(bench.corpus.docs))
        for kind, more in (('any', ''), ('filtered', '&type=tool')):
            r = bench.load(server, search_lines(bench.corpus.queries, more), 1)
            results[kind] = {'per_second': r['per_second'], 'p50_ms': r['call']['p50_us'] / 1e3,
                             'p99_ms': r['call']['p99_us'] / 1e3}
    return results


def read(bench):
    """An agent from the cache, beside a bare reply of libmicrohttpd, in turn."""
    ours, bare, sizes = [], [], []
    with Tenfold(bench.folder) as server, Ceiling(bench.folder) as ceiling:
        fill(bench, server, bench.corpus.docs[:BATCH * 10])
        lines = [f'GET /v1/agents/{i}' for i in some_ids(server, 1000)]
        for _ in range(bench.plan.rounds):
            for connections in (64,):
                one = bench.load(server, lines, connections)
                ours.append(one['per_second'])
                sizes.append(one['bytes'])
                bare.append(bench.load(ceiling, ['GET /health/live'], connections)['per_second'])
    rows = [['an agent, from the cache', report.spread(ours), report.number(statistics.median(ours) / statistics.median(bare))],
            ['a bare reply of libmicrohttpd', report.spread(bare), '1']]
    return ('### Reading an agent\n\n64 connections, closed loop; an answer of an agent has '
            f'{report.number(statistics.median(sizes))} bytes, the bare reply hardly any.\n\n'
            + report.table(['', 'a second', 'ratio'], rows)), {'ours': ours, 'bare': bare}


def write(bench):
    rows, raw = [], {}
    for kind in (Tenfold, TenfoldPostgres):
        try:
            with kind(bench.folder) as server:
                raw[kind.store] = writes_of(bench, server)
        except Unavailable as why:
            bench.left_out[f'{kind.name} on {kind.store}'] = str(why)
            continue
        for what, values in raw[kind.store].items():
            rows.append([f'{what}, {kind.store}', report.number(values['per_second']), report.milliseconds([values['p50_us']]),
                         report.milliseconds([values['p99_us']])])
    return ('### Writing\n\n64 connections, closed loop, every answer after its flush.\n\n'
            + report.table(['', 'a second', 'p50 ms', 'p99 ms'], rows)), raw


def writes_of(bench, server):
    def figures(r, times=1):
        return {'per_second': r['per_second'] * times, 'p50_us': r['call']['p50_us'], 'p99_us': r['call']['p99_us']}

    one = [f'POST /v1/agents {json.dumps({**agent_of(d), "handle": f"one{d[0]:09d}"})}'
           for d in bench.corpus.docs[:bench.plan.registered]]
    result = {'registrations': figures(bench.load(server, one, 64, once=True))}
    batches = fill(bench, server, bench.corpus.docs)
    beats = [f'POST /v1/agents/{i}/heartbeat {{}}' for i in some_ids(server, 5000)]
    result['heartbeats'] = figures(bench.load(server, beats, 64))
    result['agents in batches of 1,000'] = {'per_second': batches, 'p50_us': None, 'p99_us': None}
    return result


def scale(bench):
    rows, raw = [], {}
    docs = find_peers.Corpus(bench.plan.many, QUERIES).docs
    for count in (bench.plan.agents, bench.plan.many):
        with Tenfold(bench.folder) as server:
            rate = fill(bench, server, docs[:count])
            indexed(server, count)
            filled = server.memory_mb()
            server.stop()
            began = time.monotonic()
            server.start()
            indexed(server, count)
            ready = time.monotonic() - began
            found = bench.load(server, search_lines(bench.corpus.queries), 1)
            raw[count] = {'rate': rate, 'memory': filled, 'restarted': server.memory_mb(), 'ready': ready,
                          'search_p50': found['call']['p50_us'], 'search_p99': found['call']['p99_us']}
        print(f'  {count:,}: {raw[count]}', flush=True)
    for what, key, figure in (('registered a second, in batches', 'rate', report.number),
                              ('resident memory after that, MB', 'memory', report.number),
                              ('resident memory after a restart, MB', 'restarted', report.number),
                              ('started and searching after, s', 'ready', report.number),
                              ('search over HTTP, p50 ms', 'search_p50', lambda us: report.number(us / 1e3)),
                              ('search over HTTP, p99 ms', 'search_p99', lambda us: report.number(us / 1e3))):
        rows.append([what, *(figure(one[key]) for one in raw.values())])
    return '### As it grows\n\n' + report.table(['', *(f'{c:,} agents' for c in raw)], rows), raw


def head(bench):
    facts = [('date', time.strftime('%Y-%m-%d', time.gmtime())), *machine.describe(bench.folder),
             ('4 KiB append + fdatasync, p50', f'{report.number(machine.flush_us(bench.folder))} µs')]
    facts += [(f'left out: {what}', why) for what, why in bench.left_out.items()]
    return '\n'.join(f'- {what}: {value}' for what, value in facts)


def measure(folder, quick, only, patience_s):
    if set(only) - set(SECTIONS):
        sys.exit(f'bench: the sections of directory are {", ".join(SECTIONS)}')
    machine.wait_until_quiet(0.1, patience_s)
    try:
        bench = Bench(folder, quick)
    except Unavailable as why:
        sys.exit(f'bench: {why}')
    parts, raw = [], {}
    for name in only or SECTIONS:
        print(f'{name}:', flush=True)
        text, raw[name] = {'find': find, 'read': read, 'write': write, 'scale': scale}[name](bench)
        parts.append(text)
    return '\n\n'.join([head(bench)] + parts), raw
