"""A folder of runs as `tenfold sim run` leaves one, made by hand: for tests of what is said of it.

    with folder() as path: ...            one run, cut as asked, with records of every kind
"""

import contextlib
import hashlib
import json
import os
import re
import sqlite3
import tempfile

from harness import ROOT

RUN = 'run_0f9z3k4m5n6p7'
START = 1767571200000           # 2026-01-05 00:00, a Monday
HOUR = 3600000
CYCLES = 72
AGENTS = 372
COUNTS = ('agents_run sessions idle_visits cleanups offer_rounds failures events requests requests_failed retries held_429 '
          'offers_assigned offers_short late_arrivals dropped_arrivals records').split()
ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
NASTY = 'GET /api/<script>alert(1)</script>|*x*: 500 "&"'


def number_of(run):
    value = 0
    for c in run[len('run_'):]:
        value = value * 32 + ALPHABET.index(c)
    return value


def draw(*what):
    """From 0 to 1, always the same."""
    return int.from_bytes(hashlib.blake2b(repr(what).encode(), digest_size=6).digest(), 'big') / 2**48


def schema():
    words = {'id64': 'INTEGER', 'int64': 'INTEGER', 'bool': 'INTEGER', 'json': 'TEXT', 'text': 'TEXT'}
    with open(os.path.join(ROOT, 'sql/sim/schema/0001_sim.sql'), encoding='utf-8') as f:
        return re.sub(r'\b(id64|int64|bool|json|text)\b', lambda m: words[m[1]], re.sub(r'--.*', '', f.read()))


def histogram(samples_us):
    """As latency_write() puts durations: below 2,048 us each has a bucket, then 1,024 for each power of two."""
    counts = {}
    for us in samples_us:
        shift = max(0, us.bit_length() - 11)
        index = shift * 1024 + (us >> shift)
        counts[index] = counts.get(index, 0) + 1
    words, before = [max(samples_us, default=0), sum(samples_us)], 0
    for index in sorted(counts):
        words += [index - before, counts[index]]
        before = index
    return ' '.join(map(str, words))


def sessions_of(cycle):
    """Rows of one cycle: more in the evening and at the weekend, a few failing ones in the second night."""
    hour, weekday = cycle % 24, cycle // 24 % 7
    eager = (0.01 + 0.05 * (8 <= hour < 22) + 0.04 * (17 <= hour < 21)) * (1.5 if weekday >= 5 else 1)
    for agent in range(AGENTS):
        if draw('comes', cycle, agent) >= eager:
            continue
        cohort = 'dear' if draw('cohort', agent) < 0.5 else ''
        x = draw('ends', cycle, agent)
        failed = 30 <= cycle < 33 and x < 0.5
        outcome = 'failed' if failed else 'completed' if x > (0.62 if cohort else 0.45) else 'abandoned'
        kept = {'total': round(10 + 40 * draw('total', cycle, agent), 2), 'items': 1 + int(6 * draw('items', cycle, agent))}
        failure = (NASTY if x < 0.1 else 'POST /api/orders: 503') if failed else None
        yield agent, cohort, outcome, failure, 4 + int(5 * x), int(failed), kept if outcome == 'completed' else {}


def fill(db, cut_at):
    run = number_of(RUN)
    db.executescript(schema())
    db.execute('INSERT INTO sim_runs VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)',
               (run, RUN, '', '7', 'shopping', 1, '372 generated', 'http://127.0.0.1:7020', '0.1.0', AGENTS, 1, START, 1))
    for cycle in range(CYCLES):
        for attempt in (0, 1) if 40 <= cycle < 43 else (int(cycle >= 43),):
            rows = list(sessions_of(cycle))
            torn = cycle == 42 and attempt == 0
            for agent, cohort, outcome, failure, calls, failed, kept in rows[:len(rows) // 2 if torn else None]:
                at = START + cycle * HOUR
                db.execute('INSERT INTO sim_sessions VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)',
                           (run, cycle, attempt, agent, 'session', 0, attempt and cycle < 43, 1, f'agent_{agent + 1:03}', cohort,
                            outcome, failure, at, at + 60000, calls, failed, json.dumps(kept)))
            if torn or cycle >= cut_at:
                continue
            db.execute('INSERT INTO sim_cycles VALUES (?,?,?,?,?,?,?,?,?,?,?)',
                       (run, cycle, attempt, attempt and cycle < 43, 1, START + cycle * HOUR, 75000 + cycle, AGENTS, len(rows),
                        sum(r[2] == 'failed' for r in rows), sum(r[4] for r in rows)))
    db.commit()


def file_of_run(cut_at, **changes):
    rows = [row for cycle in range(cut_at) for row in sessions_of(cycle)]
    ends = {name: sum(r[2] == name for r in rows) for name in ('completed', 'abandoned', 'failed')}
    times = {'GET /api/products': (3000, 9000), 'POST /api/cart/items': (5000, 30000), 'POST /api/orders': (20000, 140000),
             '<b>&"odd\' endpoint': (1500, 2500)}
    endpoints = []
    for name, (low, high) in times.items():
        us = [int(low + (high - low) * draw(name, i) ** 3) for i in range(1500)]
        endpoints.append({'name': name, 'service': histogram([int(u * 0.9) for u in us]), 'response': histogram(us),
                          'throttle': histogram([int(u * 0.2) for u in us])})
    samples = [{'elapsed_ms': i * 30000, 'simulated': '2026-01-05T00:00:00.000Z', 'cycle': i * cut_at // 180, 'sessions': i * 10, 'failures': 0,
                'requests': 42 * 30 * i + int(400 * draw('rate', i)), 'in_flight': 3, 'queueing': 0,
                'p50_us': 4000 + int(2000 * draw('p50', i)), 'p95_us': 20000 + int(9000 * draw('p95', i)),
                'p99_us': 60000 + int(50000 * draw('p99', i)), 'memory_bytes': (30 << 20) + i * 4000} for i in range(180)]
    dear = sum(draw('cohort', agent) < 0.5 for agent in range(AGENTS))
    totals = dict.fromkeys(COUNTS, 0) | {'agents_run': AGENTS * cut_at, 'sessions': len(rows), 'requests': sum(r[4] for r in rows),
                                         'requests_failed': ends['failed'], 'failures': ends['failed']}
    done = [r[6] for r in rows if r[6]]
    return {'tenfold_course': 1, 'run': RUN, 'state': 'done', 'started': '2026-11-21T10:00:00.000Z', 'saved': '2026-11-21T11:30:00.000Z',
            'program': '0.1.0', 'scenario': 'shopping', 'profile': 'pharmacy', 'seed': '7', 'population': '372 generated',
            'target': 'http://127.0.0.1:7020', 'store': 'sim.db', 'agents': AGENTS, 'threads': 1, 'groups': 10, 'attempt': 1,
            'time_scale': 48, 'rate': 50, 'burst': 50, 'warmup_cycles': 8, 'breaker_percent': 5, 'assumed_active_share': 0.4,
            'assumed_calls_per_agent': 6, 'cycles_planned': CYCLES, 'cycles': cut_at, 'start': '2026-01-05T00:00:00.000Z',
            'simulated': '2026-01-08T00:00:00.000Z', 'elapsed_ms': 5400000, 'slipped': 0, 'trips': 1, 'memory_peak_bytes': 31 << 20,
            'totals': totals,
            'outcomes': [{'name': n, 'kind': n, 'sessions': ends[n]} for n in ends],
            'kept': [{'name': n, 'sessions': len(done), 'sum': round(sum(k[n] for k in done), 2)} for n in ('total', 'items')],
            'cohorts': [{'name': '', 'agents': AGENTS - dear}, {'name': 'dear', 'agents': dear}], 'endpoints': endpoints, 'samples': samples,
            'events': [{'at': '2026-11-21T10:40:00.000Z', 'cycle': 31, 'kind': 'breaker', 'line': 'breaker open: 19 of 372 agents failed; POST /api/orders: 503'},
                       {'at': '2026-11-21T10:50:00.000Z', 'cycle': 31, 'kind': 'resumed', 'line': 'goes on'},
                       {'at': '2026-11-21T11:00:00.000Z', 'cycle': 40, 'kind': 'checkpoint', 'line': 'checkpoint of cycle 40'}],
            'thresholds': [{'condition': 'http.p95>200ms', 'measured': '88.1 ms', 'failed': False},
                           {'condition': 'sessions.failed>0.1%', 'measured': '1.2%', 'failed': True}]} | changes


@contextlib.contextmanager
def folder(cut_at=CYCLES, records=True, own_file=True, **changes):
    with tempfile.TemporaryDirectory(prefix='tenfold-runs-') as path:
        os.makedirs(os.path.join(path, 'runs', RUN))
        if records:
            with contextlib.closing(sqlite3.connect(os.path.join(path, 'sim.db'))) as db:
                fill(db, cut_at)
        if own_file:
            with open(os.path.join(path, 'runs', RUN, 'course.json'), 'w', encoding='utf-8') as f:
                json.dump(file_of_run(cut_at, **changes), f)
        yield path
