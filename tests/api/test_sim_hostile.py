"""Targets that do what servers should not (target.py), through the real program: a clear error or a documented
behaviour, and no endless retry. What the client makes of each answer, byte by byte, is in test_sim_client.c."""

import json
import socket
import subprocess

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
