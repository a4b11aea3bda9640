"""Targets that do what servers should not (target.py), through the real program: a clear error or a documented
behaviour, and no endless retry. What the client makes of each answer, byte by byte, is in test_sim_client.c."""

import contextlib
import json
import os
import socket
import sqlite3
import subprocess
import tempfile

from harness import BINARY, SLOW, NotHere, clean_env
from target import Target

SHORT = ['--step', '200ms', '--slow', '60s']
ONE_RATE = ['--max', '5', *SHORT]   # one call, and then four more when it went well


def probe(t, url, path='/', *words, rate=None):
    if t.store != 'sqlite':
        raise NotHere('no store has a part in it')
    done = subprocess.run([BINARY, 'sim', 'probe', url, '--path', path, *(rate or ONE_RATE), *words], capture_output=True,
                          text=True, check=False, env=clean_env(), timeout=60 * SLOW)
    assert 'Sanitizer' not in done.stderr, done.stderr
    return done


def fails(t, target, path, says, *words):
    """The first call says it all: the search ends there, and the target is asked once."""
    before = len(target.seen())
    done = probe(t, target.url, path, *words)
    assert done.returncode == 3 and not done.stdout, done
    assert done.stderr.splitlines()[-1].startswith(f'tenfold: sim probe: {target.url}: {says}'), done.stderr
    assert len(target.seen()) - before == 1, target.seen()


def bears(t, target, path, *words):
    done = probe(t, target.url, path, *words)
    assert done.returncode == 0 and done.stdout == '--rate 5\n', done
    return done.stderr


def test_a_target_that_refuses(t):
    with socket.socket() as nobody:     # bound, so that nobody else listens there either
        nobody.bind(('127.0.0.1', 0))
        done = probe(t, f'http://127.0.0.1:{nobody.getsockname()[1]}')
    assert done.returncode == 3 and 'no connection: Connection refused' in done.stderr, done


def test_a_target_that_accepts_and_says_nothing(t):
    with socket.create_server(('127.0.0.1', 0)) as silent:
        done = probe(t, f'http://127.0.0.1:{silent.getsockname()[1]}', '/', '--timeout', '200ms')
    assert done.returncode == 3 and 'no answer within 200 ms' in done.stderr, done


def test_a_target_that_times_out_before_the_answer_and_in_it(t):
    with Target() as target:
        fails(t, target, '/hang', 'no answer within 200 ms', '--timeout', '200ms')
        fails(t, target, '/hang-in-body', 'no end of the answer within 200 ms', '--timeout', '200ms')


def test_a_target_that_resets_mid_body(t):
    with Target() as target:
        fails(t, target, '/reset-in-body', 'the target reset the connection')


def test_a_target_that_resets_or_closes_instead_of_answering(t):
    with Target() as target:
        fails(t, target, '/reset', 'the target reset the connection')
        fails(t, target, '/close', 'the connection ended before an answer')


def test_a_target_that_answers_garbage(t):
    with Target() as target:
        fails(t, target, '/garbage', 'no HTTP/1.1: ??SSH-2.0-none of this is HTTP')    # its bytes 0 and 1 reach no terminal


def test_a_target_that_answers_10_mb(t):
    with Target() as target:
        bears(t, target, '/big')
        bears(t, target, '/big-in-chunks')


def test_a_target_that_answers_more_than_is_taken(t):
    with Target() as target:
        fails(t, target, '/big?bytes=20000000', 'the body is over 16777216 bytes')
        fails(t, target, '/big-in-chunks?bytes=20000000', 'the body is over 16777216 bytes')


def test_a_target_that_answers_byte_by_byte(t):
    with Target() as target:
        bears(t, target, '/by-byte')


def test_a_target_whose_content_length_is_wrong(t):
    with Target() as target:
        fails(t, target, '/too-short', 'the connection ended 5 bytes before the body did')
        fails(t, target, '/too-long', 'more came than belongs to the answer: llo')


def test_a_target_that_redirects_is_told_and_not_followed(t):
    with Target() as target:
        assert 'answered with 302, redirects to /elsewhere; is --path right?' in bears(t, target, '/redirect')
        assert {line for _, _, line, _ in target.seen()} == {'GET /redirect HTTP/1.1'}


def told_to_slow_down(t, query):
    """The first step that was told to, and the pauses that the target saw after each such step."""
    with Target() as target:
        done = probe(t, target.url, '/limited?rate=20&burst=2' + query, '--json', rate=['--from', '40', '--max', '40', *SHORT])
        assert done.returncode == 0, done
        times = [at for _, _, _, at in target.seen()]
        steps = json.loads(done.stdout)['steps']
    assert steps[0]['verdict'] == 'limited', steps
    limited = sum(step['verdict'] == 'limited' for step in steps)
    return steps[0], sorted(b - a for a, b in zip(times, times[1:]))[-limited:]


def test_429_with_retry_after_in_seconds_is_waited_out(t):
    step, pauses = told_to_slow_down(t, '&after=1')
    assert step['retry_after_ms'] == 1000 and pauses[0] >= 0.99, (step, pauses)


def test_429_with_a_date_to_retry_after_is_waited_out(t):
    step, pauses = told_to_slow_down(t, '&at=1')
    assert step['retry_after_ms'] == 1000 and pauses[0] >= 0.99, (step, pauses)


def test_429_without_retry_after_is_rested_for_a_part_of_a_step(t):
    step, pauses = told_to_slow_down(t, '')
    assert 'retry_after_ms' not in step and pauses[0] >= 0.02, (step, pauses)


def test_connections_that_end_between_calls_fail_nobody(t):
    with Target() as target:
        for path in ('/doom', '/close-after', '/to-end'):
            with t.case(path):
                assert 'failed' not in bears(t, target, path)


def test_certificates_that_do_not_match(t):
    with Target(tls='localhost') as secure, Target(tls='somewhere.else') as other:
        there = other.url.replace('somewhere.else', 'localhost')
        for what, url, words in [('trusted by nobody', secure.url, []),
                                 ('for another name', there, ['--ca-file', other.ca]),
                                 ('signed by another', secure.url, ['--ca-file', other.ca]),
                                 ('for no address', secure.url.replace('localhost', '127.0.0.1'), ['--ca-file', secure.ca])]:
            with t.case(what):
                done = probe(t, url, '/', *words)
                assert done.returncode == 3 and 'certificate' in done.stderr, done
        assert not secure.seen() and not other.seen(), 'nothing is asked before the target is known'
        assert probe(t, secure.url, '/', '--ca-file', secure.ca).returncode == 0


def test_plain_http_to_tls_and_tls_to_plain_http(t):
    with Target(tls='localhost') as secure, Target() as plain:
        for url, says in ((secure.url.replace('https', 'http'), 'the target reset the connection'),
                          (plain.url.replace('http', 'https'), 'SSL connection timeout')):
            with t.case(url.split(':')[0]):
                done = probe(t, url, '/', '--timeout', '300ms')
                assert done.returncode == 3 and says in done.stderr, done


# ---- a run ----

SCENARIO = {
    'tenfold_scenario': 1, 'name': 'one-get', 'model': 'closed', 'assumes': {'active_share': 1, 'calls_per_agent': 1},
    'schedule': {'sessions_per_week': 168}, 'start': 'ask',
    'outcomes': [{'name': 'answered', 'kind': 'completed'}, {'name': 'failed', 'kind': 'failed'}]}
AGENTS = 4


def run(t, url, path, *words, patience_ms=60000, breaker='50'):
    """Two cycles in which each agent asks once; the run ends when more than half of them fail (breaker, in percent). What came of it, how it
    ended, and what was recorded of its sessions: (outcome, why it failed, calls)."""
    if t.store != 'sqlite':
        raise NotHere('its records have tests of their own')
    step = {'name': 'get', 'request': {'method': 'GET', 'path': path, 'timeout_ms': patience_ms}}
    with tempfile.TemporaryDirectory(prefix='tenfold-hostile.') as folder:
        scenario, came = os.path.join(folder, 'scenario.json'), os.path.join(folder, 'came.json')
        with open(scenario, 'w', encoding='utf-8') as f:
            json.dump({**SCENARIO, 'states': [{'name': 'ask', 'steps': [step], 'end': 'answered'}]}, f)
        done = subprocess.run(
            [BINARY, 'sim', 'run', '--target', url, '--scenario', scenario, '--agents', str(AGENTS), '--cycles', '2',
             '--time-scale', 'max', '--rate', '0', '--warmup-cycles', '0', '--breaker-percent', breaker, '--on-open', 'exit',
             '--dir', os.path.join(folder, 'data'), '--dashboard', 'none', '--json', came, *words],
            capture_output=True, text=True, check=False, env=clean_env(), timeout=120 * SLOW)
        assert 'Sanitizer' not in done.stderr, done.stderr
        with open(came, encoding='utf-8') as f:
            said = json.load(f)
        with contextlib.closing(sqlite3.connect(os.path.join(folder, 'data', 'sim.db'))) as db:
            records = db.execute('select outcome, failure, calls from sim_sessions').fetchall()
    said['counts'] = {one['name']: one['count'] for one in said['counts']}
    return said, done, records


def every_session_fails(t, target, path, why, **more):
    """All of the first cycle do, each after one call; then the breaker opens. Nothing is asked twice, no record lost."""
    before = len(target.seen())
    said, done, records = run(t, target.url, path, **more)
    assert done.returncode == 1 and said['ended'] == 'breaker', (done, said)
    assert records == [('failed', f'get: {why}', 1)] * AGENTS, records
    assert said['counts']['requests_failed'] == AGENTS and len(target.seen()) - before == AGENTS, said


def test_a_run_records_each_failure_of_a_hostile_target_once(t):
    ended, late = 'The target ended the connection in the middle', 'The target did not answer in time'
    no_http, too_large = "The target's answer is no HTTP", "The target's answer is over the limit"
    with Target() as target:
        for path, why, more in [('/hang', late, {'patience_ms': 300}), ('/hang-in-body', late, {'patience_ms': 300}),
                                ('/reset', ended, {}), ('/reset-in-body', ended, {}), ('/close', ended, {}),
                                ('/garbage', no_http, {}), ('/too-long', no_http, {}), ('/too-short', ended, {}),
                                ('/big', too_large, {}), ('/big-in-chunks', too_large, {}), ('/redirect', '302', {}),
                                ('/failing', '500', {})]:
            with t.case(path):
                every_session_fails(t, target, path, why, **more)


def test_a_run_takes_odd_answers_and_ending_connections(t):
    with Target() as target:
        for path in ('/by-byte', '/to-end', '/close-after', '/doom'):
            with t.case(path):
                said, done, records = run(t, target.url, path)
                assert done.returncode == 0 and said['ended'] == 'cycles', (done, said)
                assert records == [('answered', None, 1)] * AGENTS * 2, records


def test_a_run_waits_as_long_as_a_429_asks(t):
    for query, least_s in (('&after=1', 0.99), ('&at=1', 0.99), ('', 0.5)):
        with t.case(query or 'without Retry-After'), Target() as target:
            said, done, records = run(t, target.url, '/limited?rate=20&burst=3' + query)
            times = [at for _, _, _, at in target.seen()]
            assert done.returncode == 0 and records == [('answered', None, 1)] * AGENTS * 2, (done, records)
            assert said['counts']['held_429'] == len(times) - AGENTS * 2 > 0, said
            assert max(b - a for a, b in zip(times, times[1:])) >= least_s, times


def test_a_run_does_not_ask_for_ever_when_the_answer_is_always_429(t):
    with Target() as target:
        said, done, records = run(t, target.url, '/limited?rate=0.001&burst=0')
        assert done.returncode == 1 and said['ended'] == 'breaker', (done, said)
        assert records == [('failed', 'get: 429', 1)] * AGENTS and len(target.seen()) <= AGENTS * 10, target.seen()


def test_a_run_against_nobody_trips_the_breaker_at_once(t):
    with socket.socket() as nobody:
        nobody.bind(('127.0.0.1', 0))
        said, done, records = run(t, f'http://127.0.0.1:{nobody.getsockname()[1]}', '/', breaker='100')
    assert done.returncode == 1 and said['ended'] == 'breaker' and said['breaker_trips'] == 1, (done, said)
    assert records and {why for _, why, _ in records} == {'get: Nobody listens at the target'}, records


def test_a_run_against_a_certificate_that_does_not_match(t):
    with Target(tls='localhost') as secure:
        for what, words in (('trusted by nobody', []), ('trusted', ['--ca-file', secure.ca])):
            with t.case(what):
                said, done, records = run(t, secure.url, '/', *words)
                assert (done.returncode, said['ended']) == ((0, 'cycles') if words else (1, 'breaker')), (done, said)
                assert {why for _, why, _ in records} == {None if words else 'get: No secure connection to the target'}, records
