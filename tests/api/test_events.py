"""GET /v1/work/events: server-sent events that can be resumed, and a worker's session."""

import json
import re
import socket
import time

from contract import note
from harness import SLOW, until


class Stream:
    """Reads server-sent events off a socket."""

    code = None   # for note(): a stream has no problem+json

    def __init__(self, t, path='/v1/work/events', last_event_id=None, key=None, server=None):
        server = server or t.server
        self.socket = socket.create_connection(server.address, 10 * SLOW)
        resume = f'Last-Event-ID: {last_event_id}\r\n' if last_event_id else ''
        self.socket.sendall(f'GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key or t.worker.key}\r\n'
                            f'{resume}\r\n'.encode())
        self.file = self.socket.makefile('rb')
        self.status = int(self.file.readline().split()[1])
        self.headers = {}
        for line in iter(self.file.readline, b'\r\n'):
            name, _, value = line.decode().partition(':')
            self.headers[name.lower()] = value.strip()
        note('GET', re.sub(r'\b[a-z]+_[0-9a-z]{13}\b', '{id}', path.split('?')[0]), self)
        self.chunked = self.headers.get('transfer-encoding') == 'chunked'
        self.left = b''

    def line(self):
        while b'\n' not in self.left:
            if self.chunked:
                size = int(self.file.readline() or b'0', 16)
                more = self.file.read(size)
                self.file.readline()
            else:
                more = self.file.read1(65536)
            if not more:
                return None
            self.left += more
        line, _, self.left = self.left.partition(b'\n')
        return line.decode().rstrip('\r')

    def next(self):
        """(id, event, data) of the next event; None at the end of the stream."""
        fields = {}
        while True:
            line = self.line()
            if line is None:
                return None
            if line == '' and 'data' in fields:
                return fields.get('id'), fields.get('event'), json.loads(fields['data'])
            name, _, value = line.partition(':')
            if name:
                fields[name] = value.strip()

    def take(self, count):
        return [self.next() for _ in range(count)]

    def close(self):
        self.file.close()
        self.socket.close()


def test_what_happens_is_told(t):
    stream = Stream(t, f'/v1/work/events?type={t.type}')
    assert stream.status == 200 and stream.headers['content-type'].startswith('text/event-stream')
    w = t.worker
    w.add(t.type + '.other')
    item = w.add(t.type)
    claimed = w.claim(t.type, agent='ann')[0]
    w.settle(claimed, 'progress', percent=30)
    w.settle(claimed)
    got = stream.take(4)
    stream.close()
    assert [data['kind'] for _, _, data in got] == ['enqueued', 'claimed', 'progress', 'completed']
    assert {data['id'] for _, _, data in got} == {item['id']} and {data['type'] for _, _, data in got} == {t.type}
    assert got[1][2]['agent'] == 'ann' and got[2][2]['progress'] == 30 and got[3][2]['state'] == 'completed'
    ids = [i for i, _, _ in got]
    assert len(set(ids)) == 4 and ids == sorted(ids, key=lambda i: [int(n) for n in i.split('.')])


def test_one_item_alone(t):
    w = t.worker
    one, _ = w.add(t.type), w.add(t.type)
    stream = Stream(t, f'/v1/work/events?from=start&item={one["id"]}')
    w.claim(t.type, max=2)
    assert [e[2]['kind'] for e in stream.take(2)] == ['enqueued', 'claimed']
    stream.close()


def test_it_resumes_where_it_was_cut(t):
    w = t.worker
    stream = Stream(t, f'/v1/work/events?type={t.type}')
    made = [w.add(t.type)['id'] for _ in range(5)]
    seen = stream.take(2)
    stream.close()
    made += [w.add(t.type)['id'] for _ in range(3)]
    for name, again in [('Last-Event-ID', Stream(t, f'/v1/work/events?type={t.type}', last_event_id=seen[-1][0])),
                        ('from', Stream(t, f'/v1/work/events?type={t.type}&from={seen[-1][0]}'))]:
        with t.case(name):
            rest = again.take(6)
            assert [e[2]['id'] for e in seen + rest] == made
        again.close()


def test_a_batch_is_cut_in_its_middle(t):
    t.worker.post('/v1/work/batch', {'items': [{'type': t.type}] * 10}).expect(201)
    whole = Stream(t, f'/v1/work/events?from=start&type={t.type}').take(10)
    rest = Stream(t, f'/v1/work/events?type={t.type}', last_event_id=whole[3][0]).take(6)
    assert [e[0] for e in rest] == [e[0] for e in whole[4:]]


def test_it_resumes_over_a_restart(t):
    server = t.new_server()
    w = t.caller('worker', server)
    first = w.add(t.type)
    stream = Stream(t, '/v1/work/events?from=start', key=w.key, server=server)
    seen = stream.take(1)
    server.stop()
    assert stream.next() is None, 'a server that stops ends its streams'
    server.start()
    w.close()
    second = w.add(t.type)
    again = Stream(t, '/v1/work/events', last_event_id=seen[0][0], key=w.key, server=server)
    assert seen[0][2]['id'] == first['id'] and again.take(1)[0][2]['id'] == second['id']


def test_what_is_no_longer_kept_is_a_reset(t):
    server = t.new_server()
    w = t.caller('worker', server)
    for _ in range(4):
        w.add(t.type)
    old = Stream(t, '/v1/work/events?from=start', key=w.key, server=server).take(1)[0][0]
    server.stop()
    server.sql('DELETE FROM work_events WHERE seq < (SELECT max(seq) FROM work_events)')   # their time was over
    server.start()
    stream = Stream(t, '/v1/work/events', last_event_id=old, key=w.key, server=server)
    got = [stream.next(), stream.next()]
    assert got == [(None, 'reset', {}), None], got
    rest = Stream(t, '/v1/work/events?from=start', key=w.key, server=server).take(1)
    assert rest[0][1] == 'enqueued', "'start' means all that is kept"


def test_events_go_soon_after_their_time(t):
    server = t.new_server('--events-kept', '1s')
    w = t.caller('worker', server)
    w.add(t.type)
    end = time.monotonic() + 1.2
    until(lambda: time.monotonic() > end, what='the end of their time')
    kept = w.add(t.type)
    server.stop()
    server.start()   # memory had them for longer than the store promises
    assert Stream(t, '/v1/work/events?from=start', key=w.key, server=server).next()[2]['id'] == kept['id']


def test_a_store_that_fails_ends_the_stream(t):
    """It is no reset: the same client comes again with the id it has, and hears the rest."""
    server = t.new_server()
    w = t.caller('worker', server)
    made = [w.add(t.type)['id'] for _ in range(3)]
    seen = Stream(t, '/v1/work/events?from=start', key=w.key, server=server).take(1)[0]
    server.stop()
    w.close()
    server.args = ['--fault', 'fail@*']
    server.start(wait_for='up')   # what happened before is not in memory now
    failures = 'tenfold_store_errors_total{error="store_unavailable"}'

    def ends_at_once():
        stream = Stream(t, '/v1/work/events', last_event_id=seen[0], key=w.key, server=server)
        got = stream.next() if stream.status == 200 else ()   # an event: the faults had not begun
        assert not got or got[1] != 'reset'
        return got is None

    until(ends_at_once, what='the end of the stream')
    counted = server.metric(failures)
    assert counted > 0, 'a failure of the readers is counted'
    w.get(f'/v1/work/{made[0]}').expect(503, 'store_unavailable')
    assert server.metric(failures) > counted
    w.close()
    server.kill()
    server.args = []
    server.start()
    rest = Stream(t, '/v1/work/events', last_event_id=seen[0], key=w.key, server=server).take(2)
    assert [e[2]['id'] for e in rest] == made[1:]


def test_ids_that_are_none(t):
    for bad in ('nonsense', '1.x', '-1.0'):
        with t.case(bad):
            assert Stream(t, f'/v1/work/events?from={bad}').status in (400, 422)


def test_other_tenants_hear_nothing(t):
    theirs = t.caller('worker', tenant='listeners')
    stream = Stream(t, '/v1/work/events', key=theirs.key)
    t.worker.add(t.type)
    item = theirs.add(t.type)
    assert stream.next()[2]['id'] == item['id']
    stream.close()


def test_two_hundred_listeners_hear_the_same(t):
    streams = [Stream(t, f'/v1/work/events?type={t.type}') for _ in range(200)]
    made = [t.worker.add(t.type)['id'] for _ in range(5)]
    for stream in streams:
        assert [e[2]['id'] for e in stream.take(5)] == made
        stream.close()


def test_a_session_that_is_cut_releases_its_items(t):
    session = Stream(t, '/v1/work/session?agent=ann')
    assert session.status == 200
    name = session.next()[2]['session']
    w = t.worker
    item = w.add(t.type)
    ordinary = w.add(t.type + '.kept')
    w.claim(t.type + '.kept', agent='ann')
    claimed = w.claim(t.type, agent='ann', session=name)[0]
    assert claimed['id'] == item['id'] and w.state(item) == 'leased'
    session.close()
    until(lambda: w.state(item) == 'ready', what='the release')
    shown = w.show(item)
    assert shown['failures'] == 0
    assert w.state(ordinary) == 'leased', 'what was claimed outside the session stays'
    w.settle(claimed).expect(409)
