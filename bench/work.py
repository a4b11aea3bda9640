"""The part `work`: the queue beside its peers and under load of several shapes.

Each section alternates what it compares, round by round (A B A B), so that a machine that drifts drifts for all of
them; its table shows medians and the range of the rounds. Every row says what is durable before an answer.
"""

import contextlib
import json
import os
import resource
import signal
import statistics
import subprocess
import threading
import time

import machine
import report
from servers import BUILD, Beanstalkd, BeanstalkdMemory, Ceiling, Tenfold, TenfoldPostgres, Unavailable

KEYS_FOR_AGENTS = 20    # a key may have 100 claims waiting
DISTURBED = 0.1         # others took more than this share of the machine
SLOW_DISK = 2           # a flush took so many times what it took at best


class Plan:
    """How much is measured."""

    def __init__(self, quick):
        self.quick = quick
        self.rounds = 2 if quick else 5
        self.few_rounds = 1 if quick else 3
        self.seconds = 2 if quick else 5
        self.live = [1000, 100000] if quick else [1000, 10000, 100000, 1000000]
        self.million = 100000 if quick else 1000000
        self.get_connections = [64, 129] if quick else [64, 128, 129, 256, 1000]
        self.agents = 1000
        self.open_connections = 10000
        self.burst = 20000 if quick else 100000


class Bench:
    """Runs loads and remembers what all sections need."""

    def __init__(self, folder, quick, patience_s):
        self.folder, self.plan, self.patience_s = folder, Plan(quick), patience_s
        self.others = []        # share of the machine that other processes took, by run
        self.left_out = {}      # peer -> why it was left out
        self.saturation = {}    # kind of server -> cycles a second, one at a time
        self.flush_us = []

    @contextlib.contextmanager
    def server(self, kind):
        try:
            running = kind(self.folder).__enter__()
        except Unavailable as why:
            self.left_out[f'{kind.name} on {kind.store}'] = str(why)
            yield None
            return
        try:
            yield running
        finally:
            running.__exit__()

    def run(self, server, make_command, renew=True):
        """Runs a load, again when others disturbed it and there is patience left: on a fresh server then, because a
        run leaves items behind, unless it needs what was made on this one."""
        while True:
            began = time.monotonic()
            self.patience_s -= machine.wait_until_quiet(DISTURBED, self.patience_s)
            self.flush_us.append(machine.flush_us(self.folder))
            command = make_command()
            result = self.run_once(server, command)
            disturbed = result['others'] >= DISTURBED or self.flush_us[-1] > SLOW_DISK * min(self.flush_us)
            if not disturbed or self.patience_s <= 0:
                break
            self.patience_s -= time.monotonic() - began
            if renew:
                server.__exit__()
                server.__enter__()
        self.others.append(result['others'])
        self.say(server, command, result)
        return result

    @staticmethod
    def run_once(server, command):
        """What the load printed, with the processor time it and the server took, and the share others took."""
        began, busy = time.monotonic(), machine.busy_s()
        used, server_cpu = resource.getrusage(resource.RUSAGE_CHILDREN), server.cpu_s()
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        server.check_alive()
        result = json.loads(done.stdout or '{}')
        if done.returncode != 0:
            raise RuntimeError(f'{server.name}: {result.get("fault", done.stderr)}\n  {" ".join(command)}')
        result['server_cpu_s'] = server.cpu_s() - server_cpu
        result['load_cpu_s'] = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
        rest = machine.busy_s() - busy - result['server_cpu_s'] - result['load_cpu_s']
        result['others'] = max(0, rest / (time.monotonic() - began) / os.cpu_count())
        return result

    def load(self, server, mode, *options, keys=None):
        def command():
            where = ['--host', server.host, '--key-file', keys] if keys else server.load_options()
            return [os.path.join(BUILD, 'bench', 'load'), mode, *where, *map(str, options)]
        return self.run(server, command, renew=not keys)

    def beanstalk(self, server, connections, depth):
        return self.run(server, lambda: [os.path.join(BUILD, 'bench', 'beanstalk'), server.host, str(connections),
                                         str(depth), str(self.plan.seconds)])

    @staticmethod
    def say(server, command, result):
        options = [o for o in command[2:] if ':' not in o and '/' not in o and o not in ('--host', '--key-file')]
        figures = [f'{report.number(result["per_second"])}/s'] if 'per_second' in result else []
        figures += [f'{name} p99 {report.number(value["p99_us"] / 1000)} ms' for name, value in result.items()
                    if isinstance(value, dict)]
        print(f'  {server.name} ({server.store}) {" ".join(options)}: {", ".join(figures)}; '
              f'others {result["others"]:.0%}', flush=True)


def median(results, *path):
    values = []
    for result in results:
        for name in path:
            result = result[name]
        values.append(result)
    return statistics.median(values) if values else None


def cpu_us(results, key):
    """Processor time of a cycle; the load's one second of warm-up is on both sides of the division."""
    return report.number(statistics.median(1e6 * r[key] / (r['per_second'] * (r['measured_s'] + 1)) for r in results))


# ---- sections: each returns its title, a sentence, and its table ----

def saturation(bench, title, batch, kinds):
    results = {kind: [] for kind in kinds}
    for _ in range(bench.plan.rounds):
        for kind in kinds:
            with bench.server(kind) as server:
                if not server:
                    continue
                if issubclass(kind, Beanstalkd):
                    result = bench.beanstalk(server, 64, batch)
                else:
                    result = bench.load(server, 'cycle', '--seconds', bench.plan.seconds, '--batch', batch)
                result['measured_s'] = bench.plan.seconds
                results[kind].append(result)
    ceiling = median(results[Ceiling], 'per_second')
    rows = []
    for kind in (k for k in kinds if results[k]):
        rate = median(results[kind], 'per_second')
        rows.append([f'{kind.name}, {kind.store}', kind.durable, report.spread([r['per_second'] for r in results[kind]]),
                     report.number(rate / ceiling), cpu_us(results[kind], 'server_cpu_s'),
                     cpu_us(results[kind], 'load_cpu_s')])
        if batch == 1:
            bench.saturation[kind] = rate
    head = ['server', 'durable before the answer', 'cycles/s', 'of the prototype', 'server CPU µs/cycle', 'load CPU µs/cycle']
    return title, 'A cycle is enqueue, claim and complete; closed loop, 64 connections.', report.table(head, rows), results


def single(bench):
    kinds = [Tenfold, Ceiling, TenfoldPostgres, Beanstalkd, BeanstalkdMemory]
    return saturation(bench, 'One item per request', 1, kinds)


def batched(bench):
    kinds = [Tenfold, Ceiling, TenfoldPostgres, Beanstalkd, BeanstalkdMemory]
    return saturation(bench, 'Batches of 100', 100, kinds)


def latency(bench):
    shares = [0.25, 0.5, 1.0]
    results = {}
    for _ in range(bench.plan.few_rounds):
        for kind in (k for k in (Tenfold, TenfoldPostgres) if k in bench.saturation):
            for share in shares:
                with bench.server(kind) as server:
                    rate = max(1, share * bench.saturation[kind])
                    result = bench.load(server, 'open', '--rate', f'{rate:.0f}', '--seconds', bench.plan.seconds)
                    results.setdefault((kind, share), []).append(result)
    rows = []
    for (kind, share), runs in sorted(results.items(), key=lambda entry: (entry[0][0].store != 'SQLite', entry[0][1])):
        rows.append([f'{kind.store}, {share:.0%} of saturation', report.number(runs[0]['rate'])] +
                    [report.milliseconds([r['claim'][p] for r in runs]) for p in ('p50_us', 'p99_us', 'p999_us')] +
                    [report.milliseconds([r[step]['p99_us'] for r in runs]) for step in ('enqueue', 'settle')])
    head = ['load', 'cycles/s', 'claim p50 ms', 'claim p99 ms', 'claim p99.9 ms', 'enqueue p99 ms', 'complete p99 ms']
    doc = ('Open loop: calls fall due at random (Poisson), latency counts from then. Saturation is what the closed loop '
           'above found in this run.')
    return 'Latency', doc, report.table(head, rows), results


def live_items(bench):
    results = {live: [] for live in bench.plan.live}
    for _ in range(bench.plan.few_rounds):
        for live in bench.plan.live:
            with bench.server(Tenfold) as server:
                results[live].append(bench.load(server, 'cycle', '--items', live, '--seconds', bench.plan.seconds))
    base = median(results[bench.plan.live[0]], 'per_second')
    rows = [[f'{live:,}', report.spread([r['per_second'] for r in runs]),
             report.number(base / median(runs, 'per_second')),
             report.milliseconds([r['claim']['p50_us'] for r in runs])]
            for live, runs in results.items()]
    head = ['live items', 'cycles/s', 'cost beside the first row', 'claim p50 ms']
    doc = 'SQLite, one item per request, 64 connections; all items in one queue, so what is claimed has waited longest.'
    return 'Cost by number of live items', doc, report.table(head, rows), results


def ready_after(server, number):
    server.stop(number)
    began = time.monotonic()
    server.start()
    return time.monotonic() - began


def million(bench):
    n = bench.plan.million
    with bench.server(Tenfold) as server:
        empty = server.memory_mb()
        filled = bench.load(server, 'fill', '--items', n, '--payload', 1024, '--batch', 1000, '--connections', 4)
        full = server.memory_mb()
        stopped = [ready_after(server, signal.SIGTERM) for _ in range(bench.plan.few_rounds)]
        fresh = server.memory_mb()
        killed = [ready_after(server, signal.SIGKILL) for _ in range(bench.plan.few_rounds)]
    result = {'items': n, 'empty_mb': empty, 'full_mb': full, 'restarted_mb': fresh, 'ready_s': stopped,
              'ready_after_kill_s': killed, 'fill_per_second': filled['per_second']}
    rows = [['memory over an empty server, after enqueueing', f'{full - empty:.0f} MB'],
            ['memory over an empty server, after a restart', f'{fresh - empty:.0f} MB'],
            ['ready after a start', f'{report.spread(stopped)} s'],
            ['ready after kill -9', f'{report.spread(killed)} s'],
            ['enqueueing them, batches of 1,000 on 4 connections', f'{report.number(filled["per_second"])} items/s']]
    title = f'{n:,} live items with 1 KiB payloads'
    return title, 'SQLite. MB are 10⁶ bytes of resident memory.', report.table(['', 'measured'], rows), result


def long_poll(bench):
    rates, results = [500, 2000], {}
    for _ in range(bench.plan.few_rounds):
        for kind in (Tenfold, TenfoldPostgres):
            for rate in rates:
                with bench.server(kind) as server:
                    if not server:
                        continue
                    keys = server.key_file(['default'] * KEYS_FOR_AGENTS)
                    results.setdefault((kind, rate), []).append(
                        bench.load(server, 'poll', '--agents', bench.plan.agents, '--rate', rate, '--seconds',
                                   bench.plan.seconds, keys=keys))
    rows = [[kind.store, str(rate), *(report.milliseconds([r['handover'][p] for r in runs])
                                      for p in ('p50_us', 'p99_us', 'p999_us'))]
            for (kind, rate), runs in results.items()]
    doc = (f'{bench.plan.agents:,} agents wait in claims; others enqueue at a rate (open loop). From when the enqueue was '
           'due until an agent holds the claim: a durable enqueue and claim.')
    return 'Long poll', doc, report.table(['store', 'items/s', 'p50 ms', 'p99 ms', 'p99.9 ms'], rows), results


class Watch(threading.Thread):
    """The most memory a server had while something went on."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.most, self.over = server, 0, threading.Event()

    def run(self):
        while not self.over.wait(0.1):
            self.most = max(self.most, self.server.memory_mb())

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def open_connections(bench):
    counts, results = [0, bench.plan.open_connections], {}
    rate = max(1, bench.saturation[Tenfold] / 4)
    for _ in range(bench.plan.few_rounds):
        for count in counts:
            with bench.server(Tenfold) as server, Watch(server) as watch:
                result = bench.load(server, 'open', '--rate', f'{rate:.0f}', '--idle', count, '--seconds', bench.plan.seconds)
            result['memory_mb'] = watch.most
            results.setdefault(count, []).append(result)
    rows = [[f'{count:,}', report.spread([r['memory_mb'] for r in runs]),
             report.milliseconds([r['claim']['p50_us'] for r in runs]),
             report.milliseconds([r['claim']['p99_us'] for r in runs])] for count, runs in results.items()]
    doc = 'SQLite, open loop at a quarter of saturation on 64 connections, with others open that say nothing.'
    return 'Open connections', doc, report.table(['idle connections', 'server MB', 'claim p50 ms', 'claim p99 ms'], rows), results


def plain_get(bench):
    results = {}
    for _ in range(bench.plan.few_rounds):
        for connections in bench.plan.get_connections:
            for kind in (Tenfold, Ceiling):
                with bench.server(kind) as server:
                    results.setdefault((connections, kind), []).append(
                        bench.load(server, 'get', '--connections', connections, '--seconds', min(3, bench.plan.seconds)))
    rows = [[str(c), *(report.spread([r['per_second'] for r in results[c, k]]) for k in (Tenfold, Ceiling)),
             report.milliseconds([r['get']['p99_us'] for r in results[c, Tenfold]])]
            for c in bench.plan.get_connections]
    head = ['connections', 'tenfold requests/s', 'bare prototype requests/s', 'tenfold p99 ms']
    return 'GET /health/live', 'Closed loop: what HTTP costs without the queue.', report.table(head, rows), results


def fairness(bench):
    results = []
    for _ in range(bench.plan.few_rounds):
        with bench.server(Tenfold) as server:
            keys = server.key_file(['steady', 'bursting'])
            # Only the first key works; the last one bursts.
            results.append(bench.load(server, 'fair', '--items', bench.plan.burst, '--batch', 1000, '--rate', 500,
                                      '--seconds', bench.plan.seconds, keys=keys))
    rows = []
    for step, name in (('enqueue', 'enqueue'), ('claim', 'claim'), ('settle', 'complete')):
        alone, during = ([r[f'{when}_{step}']['p99_us'] for r in results] for when in ('alone', 'during'))
        rows.append([name, report.milliseconds(alone), report.milliseconds(during),
                     report.number(statistics.median(during) / statistics.median(alone))])
    doc = (f'One tenant works at 500 cycles/s (open loop); then another enqueues {bench.plan.burst:,} items in batches of '
           f'1,000 on 4 connections, which takes {report.spread([r["burst_seconds"] for r in results])} s.')
    return 'Fairness', doc, report.table(['call', 'p99 ms alone', 'p99 ms during the burst', 'ratio'], rows), results


SECTIONS = [single, batched, latency, live_items, million, long_poll, open_connections, plain_get, fairness]


def keyed(value):
    """For JSON: keys that are classes or tuples as text."""
    if isinstance(value, dict):
        return {text_of(k): keyed(v) for k, v in value.items()}
    return [keyed(v) for v in value] if isinstance(value, list) else value


def text_of(key):
    if isinstance(key, tuple):
        return ' '.join(text_of(k) for k in key)
    return f'{key.name}, {key.store}' if isinstance(key, type) else str(key)


def measure(folder, quick, only=(), patience_s=0):
    """The text of the report, and every result behind it."""
    bench = Bench(folder, quick, patience_s)
    facts = machine.describe(folder)
    texts, raw, began = [], {}, time.monotonic()
    for section in SECTIONS:
        if only and section.__name__ not in only and section is not single:
            continue
        print(f'{section.__name__}:', flush=True)
        before = len(bench.flush_us)
        title, doc, table, results = section(bench)
        flush = report.spread(bench.flush_us[before:])
        texts.append(f'### {title}\n\n{doc} fdatasync p50 {flush} µs.\n\n{table}')
        raw[section.__name__] = keyed(results)
    facts += [('4 KiB append + fdatasync, p50', f'{report.spread(bench.flush_us)} µs'),
              ('taken by other processes meanwhile', f'{statistics.median(bench.others):.0%} of the machine in the median run, '
                                                     f'{max(bench.others):.0%} in the worst'),
              ('the whole run took', f'{(time.monotonic() - began) / 60:.0f} minutes' + (' (--quick)' if quick else ''))]
    facts += [(f'left out: {peer}', why) for peer, why in bench.left_out.items()]
    head = '\n'.join(f'- {what}: {value}' for what, value in facts)
    return '\n\n'.join([head, *texts]), raw
