"""Runs of simulated populations through the real program: the decisions of docs/simulator.md, one by one."""

import asyncio
import collections
import contextlib
import glob
import http.server
import os
import re
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time

from harness import BINARY, SLOW, UNDER, Database, NotHere, clean_env, until
from shop import new_shop
from sim import BUSY, FLAT, FREE, MOCKED, Runs, ended
from sim_target import GOOD, SimTarget, scenario

# ---- all agents in parallel ----

def test_all_agents_in_parallel(t):
    runs, together = Runs(t), asyncio.Event()

    async def when_all_are_here(_seen, number):
        if number == 372:
            together.set()
        await asyncio.wait_for(together.wait(), 60)
        return GOOD

    with SimTarget(when_all_are_here) as target:
        runs.run('--scenario', runs.plain, '--target', target.url, *FREE, '--cycles', '1')
        assert target.most == 372 and runs.count('sessions') == 372


def test_steps_of_one_agent_never_overlap(t):
    runs, under_way, overlaps = Runs(t, calls=5), set(), []

    async def slowly(seen, _number):
        overlaps.extend({seen.agent} & under_way)
        under_way.add(seen.agent)
        await asyncio.sleep(0.005)
        under_way.discard(seen.agent)
        return GOOD

    with SimTarget(slowly) as target:
        runs.run('--scenario', runs.plain, '--target', target.url, *FREE, '--cycles', '2', '--threads', '4')
        assert len(target.seen) == 372 * 5 * 2 and not overlaps


# ---- rate 50/s token bucket ----

def assert_bound(times, rate, burst, jitter_s=0.05):
    """In no window more than burst + rate * W: so the n-th after another comes (n - burst) / rate later. Arrivals are late by chance."""
    for i, first in enumerate(times):
        for n in range(burst, len(times) - i, 20):
            assert times[i + n] - first >= (n - burst) / rate - jitter_s, (i, n, times[i + n] - first)


def test_rate_50_a_second(t):
    runs = Runs(t)
    with SimTarget() as target:
        runs.run('--scenario', runs.plain, '--target', target.url, *FLAT, '--cycles', '1', '--threads', '2')
        times = sorted(s.at for s in target.seen)
    assert len(times) == 372
    assert_bound(times, 50, 50)
    assert 6.44 - 0.05 <= times[371] - times[0] <= 6.44 + 3 * SLOW, times[371] - times[0]


def test_a_429_with_retry_after_holds_everyone(t):
    runs, told = Runs(t), []

    async def once(seen, number):
        if number != 20:
            return GOOD
        told.append(seen.at)
        return 429, {'Retry-After': '2'}, b''

    with SimTarget(once) as target:
        runs.run('--scenario', runs.plain, '--target', target.url, *FLAT, '--cycles', '1', '--agents', '60', '--rate', '40', '--burst', '1')
        assert len(target.seen) == 61 and runs.count('held_429') == 1 and runs.count('failures') == 0
        assert not [s for s in target.seen if told[0] + 0.2 < s.at < told[0] + 2]


# ---- ten sessions by hash ----

def test_ten_sessions_by_hash(t):
    runs = Runs(t, calls=3)
    with SimTarget() as target:
        runs.run('--scenario', runs.plain, '--target', target.url, *FREE, '--cycles', '2', '--groups', '10', '--connections', '10')
        used = collections.defaultdict(set)
        for s in target.seen:
            used[s.agent].add(s.connection)
        assert len(used) == 372 and all(len(c) == 1 for c in used.values())
        assert len(set().union(*used.values())) == 10


# ---- writes ----

def test_writes_through_a_pool(t):
    if t.store == 'sqlite':
        raise NotHere('a pool is of PostgreSQL')
    database = Database(t.store)
    t.cleanup.callback(database.drop)
    with tempfile.TemporaryDirectory(prefix='tenfold-sim.') as folder:
        argv = [*UNDER, BINARY, 'sim', 'run', '--dir', folder, '--store', database.url, '--pool', '5', '--overflow', '3', *MOCKED, '--cycles', '5']
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=clean_env(), timeout=120 * SLOW)
        assert done.returncode == 0, (done.stdout, done.stderr)
        assert int(database.ask('SELECT count(*) FROM sim_sessions')) > 372
        assert int(database.ask('SELECT count(*) FROM sim_cycles')) == 5
        assert not os.path.exists(os.path.join(folder, 'sim.db'))
        again = subprocess.run([*argv[:argv.index('--store')], '--resume', '--cycles', '8'], capture_output=True, text=True, check=False,
                               env=clean_env(), timeout=120 * SLOW)
        assert again.returncode == 0, (again.stdout, again.stderr)
        assert int(database.ask('SELECT count(*) FROM sim_cycles WHERE attempt = 1 AND NOT replay')) == 3


# ---- budget first ----

def test_budget_first(t):
    runs = Runs(t)
    said = runs.run('--mock-api', '--mock-db', '--cycles', '1', '--time-scale', '3600', '--warmup-cycles', '0', '--idle', 'none').stdout.splitlines()
    assert said[0].startswith('run       run_') and '372 agents' in said[0], said
    assert said[1] == 'budget    372 agents x 40 % active x 6 calls = 893 requests a cycle, at 50/s 17.9 s of its 1.0 s', said
    assert said[3].startswith('warning   a cycle can need 17.9 s and has 1.0 s') and '--time-scale to 201' in said[3], said
    said = runs.run('--mock-api', '--mock-db', '--cycles', '1', '--hours', '0.000001', '--time-scale', '48').stdout
    assert '17.9 s of its 75.0 s' in said and 'warning' not in said, said


# ---- warm-up ----

def test_warm_up(t):
    runs = Runs(t)
    runs.run(*MOCKED[:2], '--mock-api', '--cycles', '10', '--warmup-cycles', '8', '--scenario', runs.plain)
    assert [n for n, in runs.ask('SELECT agents FROM sim_cycles ORDER BY cycle')] == [37, 37, 93, 93, 186, 186, 279, 279, 372, 372]
    seen = [set(a for a, in runs.ask(f"SELECT agent FROM sim_sessions WHERE cycle = {c} AND kind = 'session'")) for c in range(10)]
    assert all(before <= after for before, after in zip(seen, seen[1:]))
    assert len(seen[0]) == 37 and seen[0] != set(range(37))


# ---- time scale ----

def test_a_cycle_is_a_simulated_hour(t):
    runs = Runs(t)
    began = time.monotonic()
    runs.run('--mock-api', '--scenario', runs.plain, '--cycles', '4', '--time-scale', '7200', '--warmup-cycles', '0', '--rate', '0')
    assert time.monotonic() - began >= 1.5     # three whole cycles of half a second, and what the last one needs
    hours = [ms for ms, in runs.ask('SELECT began_ms FROM sim_cycles ORDER BY cycle')]
    assert [b - a for a, b in zip(hours, hours[1:])] == [3600000] * 3
    assert runs.came()['simulated'] == '2026-01-05T12:00:00.000Z'


def test_pause_freezes_the_clock_and_no_hour_is_left_out(t):
    runs = Runs(t)
    process = runs.start('--mock-api', '--scenario', runs.plain, '--cycles', '6', '--time-scale', '3600', '--warmup-cycles', '0', '--rate', '0')
    until(lambda: (runs.ctl('status') or {}).get('cycle'), 20, 'the second cycle')
    stands = runs.ctl('pause')
    assert stands['state'] == 'paused' and stands['held_by'] == ['request']
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 1.5, 20)
    assert runs.ctl('status')['simulated'] == stands['simulated']
    runs.ctl('resume')
    ended(process, 0)
    hours = [ms for ms, in runs.ask('SELECT began_ms FROM sim_cycles ORDER BY cycle')]
    assert [b - a for a, b in zip(hours, hours[1:])] == [3600000] * 5
    assert runs.came()['elapsed_ms'] < 6500 * SLOW


# ---- breaker ----

def failing(after=0):
    async def answer(_seen, number):
        return (500, {}, b'') if number > after else GOOD
    return answer


def test_the_breaker_opens_on_the_19th_failure_of_372(t):
    runs = Runs(t)
    with SimTarget(failing(after=300)) as target:
        words = ['--scenario', runs.plain, '--target', target.url, *FLAT, '--rate', '20', '--burst', '300', '--cycles', '3']
        process = runs.start(*words, '--dashboard', 'none')
        stands = until(lambda: (s := runs.ctl('status')) and s['state'] == 'paused' and s, 60, 'the breaker')
        assert stands['held_by'] == ['breaker'] and stands['failures'] == 19 and stands['breaker_trips'] == 1, stands
        assert len(target.seen) == 319                    # and it stands
        target.answer = failing(after=10**9)
        runs.ctl('resume')
        until(lambda: len(target.seen) > 372, 60, 'the second cycle')
        process.send_signal(signal.SIGTERM)
        ended(process, 143)
    assert 'the breaker opened: 19 of 372 agents failed in cycle 0, 18 are borne' in runs.log()


def test_the_breaker_ends_a_run_or_cools_down(t):
    runs = Runs(t)
    with SimTarget(failing()) as target:
        words = ['--scenario', runs.plain, '--target', target.url, *FREE, '--agents', '100', '--cycles', '2']
        said = runs.run(*words, '--on-open', 'exit', code=1).stdout
        assert 'the breaker opened' in said and runs.came()['ended'] == 'breaker', said
        runs.run(*words, '--fresh', '--on-open', 'cooldown=0.2', '--breaker-percent', '60')
        assert runs.came()['breaker_trips'] == 2 and runs.came()['cycles'] == 2


def test_a_target_that_is_down_trips_at_once(t):
    runs = Runs(t)
    with socket.socket() as nobody:
        nobody.bind(('127.0.0.1', 0))
        words = ['--scenario', runs.plain, '--target', f'http://127.0.0.1:{nobody.getsockname()[1]}', *FLAT, '--cycles', '2', '--on-open', 'exit']
        said = runs.run(*words, '--breaker-percent', '100', '--rate', '1', '--burst', '1', code=1).stdout
    assert 'calls in a row found nobody there' in said and runs.count('requests') == 3, said


class Between(http.server.BaseHTTPRequestHandler):
    """Passes calls on to a shop, but refuses each customer's first order."""

    protocol_version = 'HTTP/1.1'

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get('content-length', 0)))
        customer = self.headers['authorization'].split(':')[1]
        is_order = (self.command, self.path) == ('POST', '/api/orders')
        with self.server.lock:
            fails = is_order and customer not in self.server.refused
            self.server.refused |= {customer} if fails else set()
            self.server.seen.append((customer, self.command, self.path, fails))
        status, answer = (500, b'{}') if fails else self.pass_on(body)
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = handle_any

    def pass_on(self, body):
        connection = self.server.shop.connect()
        connection.request(self.command, self.path, body, {k: v for k, v in self.headers.items() if k.lower() != 'host'})
        response = connection.getresponse()
        answer = response.status, response.read()
        connection.close()
        return answer

    def log_message(self, *_):
        pass


class Betweens(http.server.ThreadingHTTPServer):
    request_queue_size, daemon_threads = 1024, True


def test_a_failed_checkout_clears_the_cart_and_the_next_cycle_is_fresh(t):
    runs, shop = Runs(t), new_shop(t)
    between = Betweens(('127.0.0.1', 0), Between)
    between.shop, between.lock, between.refused, between.seen = shop, threading.Lock(), set(), []
    threading.Thread(target=between.serve_forever, daemon=True).start()
    try:
        runs.run('--target', f'http://127.0.0.1:{between.server_address[1]}', *FREE, *BUSY, '--agents', '60', '--cycles', '8',
                 '--breaker-percent', '100', '--seed', '4', '--start', '2026-01-05T14:00:00Z')
    finally:
        between.shutdown()
        between.server_close()
    failed = runs.ask("SELECT agent_id, cycle, failure FROM sim_sessions WHERE outcome = 'failed'")
    assert {agent for agent, _, _ in failed} == between.refused and len(failed) == len(between.refused) > 10, collections.Counter(f for _, _, f in failed)
    assert all('500' in failure for _, _, failure in failed), failed
    calls = collections.defaultdict(list)
    for customer, method, path, fails in between.seen:
        calls[customer].append((method, path, fails))
    for customer in between.refused:
        order = calls[customer].index(('POST', '/api/orders', True))
        assert calls[customer][order + 1] == ('DELETE', '/api/cart', False), calls[customer][order:order + 3]
    with contextlib.closing(sqlite3.connect(os.path.join(shop.data, 'shop.db'))) as db:
        assert db.execute('SELECT count(*) FROM shop_cart_items').fetchall() == [(0,)]
    first = {agent: cycle for agent, cycle, _ in failed}
    bought = runs.ask("SELECT agent_id, cycle FROM sim_sessions WHERE outcome = 'completed' AND kind = 'session'")
    assert any(cycle > first.get(agent, cycle) for agent, cycle in bought), 'nobody bought after a failure'


def test_offers_that_could_not_be_given_are_not_counted_as_given(t):
    runs = Runs(t)
    with socket.socket() as nobody:
        nobody.bind(('127.0.0.1', 0))
        said = runs.run('--target', f'http://127.0.0.1:{nobody.getsockname()[1]}', *FLAT, '--cycles', '2', '--on-open', 'exit', code=1).stdout
    assert 'given in' not in said, said


def test_a_threshold_without_answers_says_that_nothing_was_answered(t):
    said = Runs(t).run('--mock-api', *FREE, '--cycles', '1', '--fail-if', 'http.p95>1us', '--fail-if', 'sessions.count<0').stdout
    assert 'passed    http.p95>1us: nothing was answered' in said, said


def test_a_run_that_cannot_begin_sets_no_other_aside(t):
    runs = Runs(t)
    runs.run('--mock-api', *FREE, '--cycles', '2')
    for says, words in {'target: is no URL': ['--target', 'http://a b'], 'cannot be divided': ['--threads', '8', '--agents', '2', '--mock-api']}.items():
        runs.refused(*words, says=says)
    os.rename(runs.report, runs.report + '.before')
    os.mkdir(runs.report)
    runs.refused('--mock-api', says=f'--json: cannot write {runs.report}: Is a directory')
    os.rmdir(runs.report)
    assert len(runs.checkpoints()) == 1
    assert 'from cycle 2' in runs.run('--resume', '--cycles', '3').stdout


def test_a_target_that_never_answers_is_a_failure(t):
    runs = Runs(t)

    async def never(_seen, _number):
        await asyncio.sleep(3600)

    with SimTarget(never) as target:
        said = runs.run('--scenario', runs.plain, '--target', target.url, *FREE, '--agents', '10', '--cycles', '1', '--timeout', '300ms',
                        '--breaker-percent', '100').stdout
    assert runs.count('failures') == 10 and '10 failed' in said, said
    assert {f for f, in runs.ask('SELECT DISTINCT failure FROM sim_sessions')} and runs.came()['endpoints'][0]['response']['max'] >= 300


# ---- variety ----

def test_a_fresh_seed_each_run(t):
    runs = Runs(t)
    seeds = {re.search(r'--seed (\d+)', runs.run(*MOCKED, '--mock-db', '--cycles', '1').stdout)[1] for _ in range(3)}
    assert len(seeds) == 3


def test_a_seed_decides_alike_with_one_thread_and_eight_and_across_a_resume(t):
    words = [*MOCKED, *BUSY, '--seed', '21', '--start', '2026-01-05T14:00:00Z']
    one, eight, cut = Runs(t), Runs(t), Runs(t)
    one.run(*words, '--cycles', '20')
    eight.run(*words, '--cycles', '20', '--threads', '8')
    cut.run(*words, '--cycles', '7', '--threads', '3')
    cut.run('--resume', '--cycles', '20', '--threads', '2')
    assert len(one.decided()) > 2000 and one.decided() == eight.decided() == cut.decided()
    assert one.came()['counts'] == eight.came()['counts'] == cut.came()['counts']
    other = Runs(t)
    other.run(*words[:-3], '22', *words[-2:], '--cycles', '20')
    assert other.decided() != one.decided()


# ---- mocks ----

def test_mock_api_and_mock_db_in_any_combination(t):
    with SimTarget() as target:
        for mocks in [], ['--mock-api'], ['--mock-db'], ['--mock-api', '--mock-db']:
            runs = Runs(t)
            where = [] if '--mock-api' in mocks else ['--target', target.url]
            before = len(target.seen)
            said = runs.run('--scenario', runs.plain, *where, *FREE, '--agents', '50', '--cycles', '2', '--seed', '1', *mocks).stdout
            assert runs.count('sessions') == 100
            assert len(target.seen) - before == (0 if '--mock-api' in mocks else 100)
            assert os.path.exists(os.path.join(runs.dir, 'sim.db')) == ('--mock-db' not in mocks)
            assert ('rows would have been written' in said) == ('--mock-db' in mocks), said
            assert '--mock-db' not in mocks or '202 rows would have been written' in runs.log()


def peak_mb(argv, timeout_s):
    """Runs it to its end: the most memory it had, in MB."""
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=clean_env())
    watch = threading.Timer(timeout_s * SLOW, process.kill)
    watch.start()
    said = process.stderr.read()
    process.stderr.close()
    _, status, used = os.wait4(process.pid, 0)
    watch.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, (process.returncode, said)
    return used.ru_maxrss / 1024


def test_a_million_agents_for_a_week_fit_a_laptop(t):
    runs, agents = Runs(t, schedule={'sessions_per_week': 0.2}), 1000000 if SLOW == 1 else 20000
    most = peak_mb(runs.argv('--scenario', runs.plain, *MOCKED, '--mock-db', '--agents', str(agents), '--cycles', '168'), 300)
    assert runs.came()['cycles'] == 168 and runs.count('agents_run') == 168 * agents
    assert most < 600 or 'san' in os.path.basename(os.path.dirname(BINARY)), most


# ---- is_simulated ----

def test_every_row_is_marked_as_simulated(t):
    runs = Runs(t)
    runs.run(*MOCKED, *BUSY, '--cycles', '3')
    for table in 'sim_runs', 'sim_cycles', 'sim_sessions', 'sim_events':
        assert runs.ask(f'SELECT count(*) > 0, min(is_simulated), count(DISTINCT run) FROM {table}') == [(1, 1, 1)], table


# ---- without a target ----

def test_without_a_target_it_has_a_shop_of_its_own(t):
    runs = Runs(t)
    said = runs.run(*FREE, *BUSY, '--cycles', '4', '--start', '2026-01-05T14:00:00Z', '--seed', '1').stdout
    assert 'a demo shop of its own' in said
    assert runs.count('failures') == 0 and runs.count('offers_assigned') == 372 * 32
    shop, = glob.glob(os.path.join(runs.dir, 'runs', '*', 'shop.db'))
    orders = sum(c['count'] for c in runs.came()['outcomes'] if c['name'] == 'completed')
    with contextlib.closing(sqlite3.connect(shop)) as db:
        assert db.execute('SELECT count(*) FROM shop_orders').fetchall() == [(orders,)] and orders > 50


# ---- arrivals ----

def test_arrivals_come_whoever_is_ready(t):
    runs = Runs(t)
    for kind, least, most in ('constant:100', 195, 230), ('poisson:100', 130, 280), ('ramp:0-200', 195, 250):
        with SimTarget() as target:
            runs.run('--scenario', runs.plain, '--target', target.url, '--arrivals', kind, '--rate', '0', '--warmup-cycles', '0', '--seed', '4',
                     '--time-scale', '3600', '--cycles', '2', '--fresh')
            assert least <= len(target.seen) + runs.count('dropped_arrivals') <= most, (kind, len(target.seen))


# ---- thresholds, signals, plain lines ----

def test_thresholds_are_exit_code_99(t):
    runs = Runs(t)
    words = ['--scenario', runs.plain, *MOCKED, '--cycles', '2', '--agents', '50']
    said = runs.run(*words, '--fail-if', 'sessions.count<100', '--fail-if', 'http.requests>99', code=99).stdout
    assert 'passed    sessions.count<100: 100' in said and 'FAILED    http.requests>99: 100' in said, said
    assert [c['failed'] for c in runs.came()['thresholds']] == [False, True]
    runs.run(*words, '--fresh', '--fail-if', 'sessions.failed>0%')


def test_a_signal_leaves_a_checkpoint(t):
    for sent, code in (signal.SIGINT, 130), (signal.SIGTERM, 143):
        runs = Runs(t)
        process = runs.start('--mock-api', '--time-scale', '3600', '--warmup-cycles', '0', '--seed', '1')
        until(lambda: (runs.ctl('status') or {}).get('cycle', 0) >= 2, 30, 'two cycles')    # noqa: B023
        process.send_signal(sent)
        ended(process, code)
        assert len(runs.checkpoints()) == 1 and runs.came()['ended'] == 'stopped'
        done = runs.came()['cycles']
        runs.run('--resume', '--cycles', str(done + 2), '--time-scale', 'max')
        assert runs.came()['cycles'] == done + 2


def test_plain_lines_with_an_estimated_end(t):
    runs = Runs(t)
    process = runs.start('--mock-api', '--time-scale', '3600', '--cycles', '8', '--warmup-cycles', '0', '--seed', '1')
    said = ended(process, 0)
    assert re.search(r'cycle \d of 8  2026-01-05 \d\d:\d\d .* to go', said), said
    assert '\x1b' not in said


# ---- bad input ----

def test_two_runs_on_one_directory(t):
    runs = Runs(t)
    first = runs.start('--mock-api', '--time-scale', '48')
    until(lambda: runs.ctl('status'), 20, 'the first')
    runs.refused('--mock-api', says=f'process {first.pid} runs in this folder', code=3)
    runs.ctl('quit')
    ended(first, 0)


def test_bad_flags_are_told_clearly(t):
    runs = Runs(t)
    wrong = {
        '--time-scale: must be a number above 0, or max': ['--time-scale', 'fast'],
        '--start: must be a date': ['--start', 'next monday'],
        '--start: must be from 1970 to 8000': ['--start', '1969-12-31'],
        '--start: must be a whole hour': ['--start', '2026-01-05T08:30:00Z'],
        '--arrivals: must be constant:R, ramp:A-B or poisson:R': ['--arrivals', 'often:1'],
        '--arrivals: a ramp needs --cycles or --hours': ['--arrivals', 'ramp:1-2'],
        '--arrivals: needs real time': ['--arrivals', 'poisson:1', '--time-scale', 'max'],
        '--on-open: must be wait, exit or cooldown=SECONDS': ['--on-open', 'later'],
        'one of > >= < <= is needed': ['--fail-if', 'http.p95=3'],
        '"htp.p95" is no metric': ['--fail-if', 'htp.p95>3ms'],
        'has no parameter "cart_bse"; did you mean "cart_base"?': ['--set', 'cart_bse=1'],
        '--set: cart_base must be a number': ['--set', 'cart_base=x'],
        'did you mean "shopping"?': ['--scenario', 'shoping'],
        'cannot read population none.csv': ['--population', 'none.csv'],
        'cannot read cohort none.json': ['--cohort', 'none.json'],
        '--target: is not asked with --mock-api': ['--target', 'http://127.0.0.1:1', '--mock-api'],
        '--store: is not written with --mock-db': ['--store', 'sqlite:x', '--mock-db'],
        '--fresh: goes without --resume': ['--resume', '--fresh'],
        '--resume: "x.json" is meant for --resume': ['x.json'],
        '--population: one of --agents, --population and --from-directory': ['--population', 'x', '--agents', '3'],
        '2 agents cannot be divided among 8 threads': ['--agents', '2', '--threads', '8', '--mock-api'],
        'target: ': ['--target', 'ftp://x'],
        'a store is "sqlite:PATH" or "postgres://HOST/DATABASE"': ['--store', 'mysql://x', '--mock-api'],
    }
    for says, words in wrong.items():
        with t.case(' '.join(words)):
            runs.refused(*words, says=says)
