"""Two processes on one PostgreSQL: the one that stands by answers every call. What each call answers is seen by the other
modules, run behind a standby (harness.py --behind); here is what happens when the owner goes."""

import json
import signal
import threading
import time

from harness import raw, until
from test_events import Stream
from test_owner import at, owns


def pair(t, *args):
    """An owner and a standby that has found it, with a short lease."""
    return t.pair('--owner-lease', '2000', *args)


def test_a_standby_answers_for_the_owner(t):
    first, second = pair(t)
    health = t.anonymous(second).get('/health/ready').expect(200).json
    assert (health['status'], health['queue']) == ('ok', 'standby') and first.url in health['detail']
    here = t.caller('worker', first)
    there = at(t, second, here)
    item = there.add('x', title='said there')
    assert here.show(item)['title'] == 'said there'
    claimed = there.claim('x')[0]
    here.settle(claimed).expect(200)
    assert there.state(item) == 'completed'
    there.post('/v1/work', {'type': ''}).expect(422, 'invalid').names('type')
    assert second.metric('tenfold_calls_forwarded_total') == 2 and not first.metric('tenfold_calls_forwarded_total')


def test_a_stream_passes_through_and_resumes_at_the_other(t):
    first, second = pair(t)
    here = t.caller('worker', first)
    there = at(t, second, here)
    stream = Stream(t, '/v1/work/events?type=x', key=here.key, server=second)
    first_item, second_item = here.add('x'), there.add('x')
    seen = stream.take(2)
    assert [e[2]['id'] for e in seen] == [first_item['id'], second_item['id']]
    stream.close()
    third = there.add('x')
    resumed = Stream(t, '/v1/work/events?type=x', last_event_id=seen[0][0], key=here.key, server=second)
    assert [e[2]['id'] for e in resumed.take(2)] == [second_item['id'], third['id']]
    resumed.close()
    until(lambda: first.metric('tenfold_event_stream_subscribers') == 0, 10, 'the end of the stream at the owner too')


def test_a_reader_that_does_not_read_holds_nobody_up(t):
    """What came from the owner is held back at a bound, and all of it comes when the reader goes on."""
    first, second = pair(t)
    here = t.caller('worker', first)
    there = at(t, second, here)
    slow = Stream(t, '/v1/work/events?type=x', key=here.key, server=second)
    made = []
    for _ in range(12):
        entries = [{'type': 'x', 'title': 'y' * 200, 'created_by': 'z' * 120}] * 1000
        made += [i['id'] for i in there.post('/v1/work/batch', {'items': entries}).expect(201).items]
    assert [e[2]['id'] for e in slow.take(len(made))] == made
    slow.close()


def test_a_session_ends_with_its_stream_behind_a_standby(t):
    first, second = pair(t)
    here = t.caller('worker', first)
    there = at(t, second, here)
    stream = Stream(t, '/v1/work/session?agent=s', key=here.key, server=second)
    session = stream.next()[2]['session']
    item = there.add('x')
    there.claim('x', agent='s', session=session)
    stream.close()
    until(lambda: there.state(item) == 'ready', 20, 'the release')


def test_the_owner_is_killed(t):
    """Waiting claims, streams and calls behind the standby: each is told, none hangs, and the standby goes on itself."""
    first, second = pair(t)
    there = at(t, second, t.caller('worker', first))
    other = t.anonymous(second)
    other.key = there.key
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(
        other.post('/v1/work/claim', {'agent': 'w', 'types': ['x'], 'wait_ms': 30000})))
    stream = Stream(t, '/v1/work/events', key=there.key, server=second)
    waiting.start()
    until(lambda: first.metric('tenfold_work_claims_waiting') == 1, 10, 'the waiting claim')
    first.kill()
    waiting.join(20)
    assert answers and answers[0].status == 503, answers
    answers[0].expect(503, 'outcome_unknown')
    assert stream.next() is None, 'the stream ends; its client comes again'
    refused = there.post('/v1/work', {'type': 'x'})
    assert refused.status in (201, 503), refused.body
    if refused.status == 503:
        assert refused.code == 'owner_unavailable' and int(refused.headers['retry-after']) >= 1
    until(lambda: owns(second), 20, 'the take-over')
    there.add('x')


def test_the_owner_stands_still(t):
    """It took the request and says nothing: the call ends when another owner is there, and says that nobody knows."""
    first, second = pair(t)
    there = at(t, second, t.caller('worker', first))
    there.add('x')
    first.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    there.post('/v1/work', {'type': 'x'}).expect(503, 'outcome_unknown')
    assert time.monotonic() - began < 14, 'not the time an answer may take, but that of the take-over'
    until(lambda: owns(second), 20, 'the take-over')
    there.add('x')
    first.process.send_signal(signal.SIGCONT)
    until(lambda: not owns(first), 10, 'standing by')
    assert len(there.get('/v1/work', query={'type': 'x'}).items) in (2, 3)


def test_a_call_is_passed_on_once(t):
    """A process that is not, or no longer, the owner meant refuses what was passed on to it."""
    first, second = pair(t)
    key = t.caller('worker', first).key
    at(t, second, t.caller('worker', first))
    body = json.dumps({'type': 'x'}).encode()
    for server, epoch in ((second, '1'), (first, '999999'), (first, 'nonsense')):
        with t.case(f'{"the standby" if server is second else "the owner"}, epoch {epoch}'):
            said = raw(server, f'POST /v1/work HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n'
                       f'Content-Type: application/json\r\nX-Tenfold-Forwarded: {epoch}\r\n'
                       f'Content-Length: {len(body)}\r\n\r\n'.encode() + body)
            assert b' 503 ' in said.split(b'\r\n')[0] and b'"standby"' in said, said


def test_what_is_advertised_is_a_url(t):
    server = t.new_server('--advertise', 'example.org:7010', start=False)
    server.start(wait_for=None)
    assert server.process.wait(20) == 2 and '--advertise' in server.log()
    server.process = None


def test_nobody_answers_where_the_owner_said_it_is(t):
    first, second = pair(t)
    first.stop()
    first.args += ['--advertise', 'http://127.0.0.1:1/']
    until(lambda: owns(second), 20, 'the take-over')
    second.stop()
    first.start()
    second.start()
    there = at(t, second, t.caller('worker', first))
    there.post('/v1/work', {'type': 'x'}).expect(503, 'owner_unavailable')
