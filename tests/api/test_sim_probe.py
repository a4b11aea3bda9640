"""tenfold sim probe against a target whose limits are known (target.py)."""

import json
import subprocess

from harness import BINARY, SLOW, NotHere, clean_env
from target import Target


PATIENT = ['--slow', '10s']     # the machine may be slow, and that is not what is asked


def probe(t, url, *words, json_=True):
    if t.store != 'sqlite':
        raise NotHere('no store has a part in it')
    done = subprocess.run([BINARY, 'sim', 'probe', url, '--step', '200ms', *words, *(['--json'] if json_ else [])],
                          capture_output=True, text=True, check=False, env=clean_env(), timeout=60 * SLOW)
    assert 'Sanitizer' not in done.stderr, done.stderr
    return done


def found(t, url, *words):
    done = probe(t, url, *words)
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def test_the_limit_of_a_target_that_says_429_is_found(t):
    with Target() as target:
        said = found(t, target.url, '--path', '/limited?rate=50&burst=5', *PATIENT)
        assert said['verdict'] == 'limited' and 30 <= said['rate'] <= 50, said
        assert said['rate'] <= said['borne'] * 0.9 and said['steps'][0]['rate'] == 5
        assert {'good', 'limited'} == {step['verdict'] for step in said['steps']}
        assert all((step['limited'] > 0) == (step['verdict'] == 'limited') for step in said['steps']), 'one 429 is enough'


def test_a_burst_that_hides_the_limit_hides_it_from_no_long_hold(t):
    with Target() as target:
        said = found(t, target.url, '--path', '/limited?rate=50&burst=25', *PATIENT)
        assert 20 <= said['rate'] <= 55, said
        assert said['steps'][-1]['verdict'] == 'good' and said['steps'][-1]['calls'] >= said['borne'] * 0.7


def test_retry_after_is_waited_out(t):
    with Target() as target:
        said = found(t, target.url, '--path', '/limited?rate=20&burst=2&after=1', '--from', '20', '--max', '40', *PATIENT)
        bad = sum(step['verdict'] == 'limited' for step in said['steps'])
        times = [at for _, _, _, at in target.seen()]
        assert bad and sum(b - a >= 0.95 for a, b in zip(times, times[1:])) >= bad, said


def test_a_target_that_gets_slow_is_told_by_its_latency(t):
    words = ['--path', '/one-at-a-time?ms=20', '--from', '25', '--max', '100', '--slow', '60ms']
    with Target() as target:
        said = found(t, target.url, *words)
        assert said['verdict'] == 'slow' and said['rate'] <= 60, said
        assert said['steps'][0]['p50_ms'] >= 20
    # Time counts from when a call was due: what waits for its turn is slow, also when each answer is quick.
    with Target() as target:
        few = found(t, target.url, *words, '--connections', '1')
        assert few['verdict'] == 'slow' and few['rate'] <= 60, few


def test_the_highest_rate_is_told_when_it_is_borne(t):
    with Target() as target:
        done = probe(t, target.url, '--max', '20', json_=False)
        assert done.returncode == 0 and done.stdout == '--rate 20\n', done
        assert 'the highest rate that was tried' in done.stderr
        assert len(target.seen()) >= 20 * 0.2 * 4


def test_the_request_is_the_one_that_was_asked_for(t):
    with Target() as target:
        found(t, target.url + '/prefix', '--path', '/a?b=c', '--method', 'HEAD', '--header', 'X-A: b', '--max', '5')
        assert {line for _, _, line, _ in target.seen()} == {'HEAD /prefix/a?b=c HTTP/1.1'}
        done = probe(t, target.url, '--path', '/failing?status=404', '--max', '5', json_=False)
        assert done.returncode == 0 and 'is --path right?' in done.stderr, done


def test_a_target_that_cannot_be_probed_says_why(t):
    with Target() as target, Target(tls='localhost') as secure:
        for url, words, status, says in [
                ('http://127.0.0.1:1', [], 3, 'no connection: Connection refused'),
                ('http://nobody.invalid', [], 3, 'nobody.invalid'),
                (target.url, ['--path', '/failing'], 3, 'answered with 500'),
                (target.url, ['--path', '/garbage'], 3, 'no HTTP/1.1'),
                (target.url, ['--path', '/hang', '--timeout', '100ms'], 3, 'no answer within 100 ms'),
                (target.url, ['--path', '/limited?rate=0.1&burst=0'], 3, 'bears no rate'),
                (target.url, ['--path', 'a'], 2, 'the path does not begin with /'),
                (target.url, ['--header', 'no header'], 2, 'a header is no line'),
                (target.url, ['--from', '10', '--max', '5'], 2, 'max: '),
                ('ftp://x', [], 2, 'target: is not of http or https'),
                ('http://me:hunter2@x', [], 2, 'has a user in it'),
                (secure.url, [], 3, 'certificate'),
                (secure.url.replace('localhost', '127.0.0.1'), ['--ca-file', secure.ca], 3, 'certificate')]:
            with t.case(f'{url.replace(str(target.port), "").replace(str(secure.port), "")} {" ".join(words[-2:])}'):
                done = probe(t, url, *words)
                assert done.returncode == status and says in done.stderr and 'hunter2' not in done.stderr, done
        said = found(t, secure.url, '--ca-file', secure.ca, '--max', '5')
        assert said['rate'] == 5
