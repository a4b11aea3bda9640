"""HTTP itself: methods, paths, headers, limits, slow and rude clients."""

import socket
import time

from harness import SLOW, raw, until

SERVER_ARGS = ['--idle-timeout', '2000', '--max-connections', '400']


def status(answer):
    return int(answer.split(b' ', 2)[1])


def test_paths_and_methods(t):
    w = t.worker
    assert w.get('/v1/wrok?a=b').expect(404, 'no_route').json['detail'] == 'there is no GET /v1/wrok'
    w.get('/').expect(404, 'no_route')
    w.get('/v1/work/').expect(404)
    long = w.get('/v1/' + 'x' * 1000).expect(404, 'no_route').json['detail']
    assert long.startswith('there is no GET /v1/xxx') and len(long) < 200, long
    refused = w.call('PUT', '/v1/work', {}).expect(405, 'method_not_allowed')
    assert {m.strip() for m in refused.headers['allow'].split(',')} >= {'GET', 'POST'}
    assert refused.json['detail'] == 'this path takes GET, POST', refused.json
    w.call('DELETE', '/health/live').expect(405, 'method_not_allowed')


def test_request_ids(t):
    given = t.worker.get('/v1/whoami', headers={'X-Request-Id': 'my-own_1'}).expect(200)
    assert given.headers['x-request-id'] == 'my-own_1'
    made = [t.worker.get('/v1/whoami').headers['x-request-id'] for _ in range(3)]
    assert len(set(made)) == 3 and all(made)
    refused = t.worker.get('/v1/nothing', headers={'X-Request-Id': 'mine'})
    assert refused.json['request_id'] == 'mine' and refused.json['instance'] == '/v1/nothing'
    odd = t.worker.get('/v1/whoami', headers={'X-Request-Id': 'x' * 500})
    assert odd.headers['x-request-id'] != 'x' * 500, 'an id out of bounds is not echoed'


def test_problems_have_their_members(t):
    problem = t.worker.post('/v1/work', {'type': 5}).expect(400, 'mistyped')
    assert problem.headers['content-type'] == 'application/problem+json'
    assert problem.json['type'] == '/problems/mistyped' and problem.json['title'] and problem.json['detail']


def test_what_is_as_before_is_not_sent_again(t):
    item = t.worker.add(t.type)
    for path, cache in (('/openapi.json', 'public, max-age=300'), (f'/v1/work/{item["id"]}', 'private, no-cache')):
        with t.case(path):
            whole = t.worker.get(path).expect(200)
            assert whole.headers['cache-control'] == cache, whole.headers
            again = t.worker.get(path, headers={'If-None-Match': f'"other", {whole.headers["etag"]}'}).expect(304)
            assert not again.body and again.headers['etag'] == whole.headers['etag'], again.headers
            assert again.headers['cache-control'] == cache and again.headers.get('vary') == whole.headers.get('vary')
            assert t.worker.call('HEAD', path, headers={'If-None-Match': '*'}).status == 304
    before = t.worker.get(f'/v1/work/{item["id"]}').headers['etag']
    t.worker.claim(t.type)
    changed = t.worker.get(f'/v1/work/{item["id"]}', headers={'If-None-Match': before}).expect(200)
    assert changed.headers['etag'] != before and changed.headers['vary'] == 'Authorization, X-Tenant'


def test_many_calls_on_one_connection(t):
    key = t.worker.key.encode()
    one = b'GET /v1/whoami HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ' + key + b'\r\n\r\n'
    last = one.replace(b'\r\n\r\n', b'\r\nConnection: close\r\n\r\n')
    answer = raw(t.server, one * 9 + last)
    assert answer.count(b'HTTP/1.1 200') == 10, 'pipelined calls are answered in order'


def test_a_body_byte_by_byte(t):
    body = f'{{"type":"{t.type}"}}'.encode()
    with socket.create_connection(t.server.address, 10 * SLOW) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in (b'POST /v1/work HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ' + t.worker.key.encode() +
                     b'\r\nContent-Type: application/json\r\nContent-Length: ' + str(len(body)).encode() + b'\r\n\r\n' + body):
            s.sendall(bytes([byte]))
        assert status(s.recv(4096)) == 201


def test_a_chunked_body(t):
    body = f'{{"type":"{t.type}"}}'.encode()
    chunks = b''.join(b'1\r\n' + bytes([b]) + b'\r\n' for b in body) + b'0\r\n\r\n'
    answer = raw(t.server, b'POST /v1/work HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ' +
                 t.worker.key.encode() + b'\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n' + chunks)
    assert status(answer) == 201, answer


def test_expect_continue(t):
    body = f'{{"type":"{t.type}"}}'.encode()
    head = (b'POST /v1/work HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nAuthorization: Bearer ' + t.worker.key.encode() +
            b'\r\nContent-Type: application/json\r\nContent-Length: ' + str(len(body)).encode() + b'\r\n\r\n')
    with socket.create_connection(t.server.address, 10 * SLOW) as s:
        s.sendall(head)
        assert status(s.recv(4096)) == 100
        s.sendall(body)
        assert status(s.recv(4096)) == 201


def test_rude_requests(t):
    cases = {
        'no HTTP at all': b'hello\r\n\r\n',
        'a bad length': b'POST /v1/work HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n',
        'headers without end': b'GET / HTTP/1.1\r\nHost: x\r\n' + b'X-Filler: ' + b'y' * 70000 + b'\r\n\r\n',
        'many headers': b'GET / HTTP/1.1\r\nHost: x\r\n' + b''.join(b'X-%d: y\r\n' % i for i in range(5000)) + b'\r\n',
        'a long path': b'GET /' + b'a' * 70000 + b' HTTP/1.1\r\nHost: x\r\n\r\n',
        'no host in 1.1': b'GET /health/live HTTP/1.1\r\n\r\n',
        'a NUL in the path': b'GET /v1/work/\0 HTTP/1.1\r\nHost: x\r\n\r\n',
    }
    for what, request in cases.items():
        with t.case(what):
            try:
                answer = raw(t.server, request, 10, b'\r\n\r\n')
            except ConnectionError:
                answer = b''
            assert not answer or 400 <= status(answer) < 500 or status(answer) in (501, 505), answer[:200]
            t.anonymous().get('/health/live').expect(200)


def test_a_body_that_is_announced_too_large_is_refused_at_once(t):
    with socket.create_connection(t.server.address, 10 * SLOW) as s:
        s.sendall(b'POST /v1/work HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ' + t.worker.key.encode() +
                  b'\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n')
        assert status(s.recv(4096)) == 413


def test_a_silent_client_is_closed(t):
    with socket.create_connection(t.server.address, 20 * SLOW) as s:
        s.sendall(b'GET /v1/whoami HTTP/1.1\r\nHost:')
        began = time.monotonic()
        s.recv(4096)
        assert 1 < time.monotonic() - began < 15 * SLOW


def test_too_many_connections_are_refused_and_room_comes_back(t):
    held = []
    try:
        for _ in range(500):
            s = socket.create_connection(t.server.address, 5 * SLOW)
            held.append(s)
    except OSError:
        pass
    for s in held:
        s.close()
    until(lambda: t.server.health('/health/live') == 200, what='room')


def test_128_connections_ready_at_once(t):
    """libmicrohttpd's own epoll thread stalls at exactly this number; our loops must not."""
    for count in (127, 128, 129, 256):
        with t.case(str(count)):
            held = [socket.create_connection(t.server.address, 10 * SLOW) for _ in range(count)]
            began = time.monotonic()
            for _ in range(5):
                for s in held:
                    s.sendall(b'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n')
                for s in held:
                    assert status(s.recv(4096)) == 200
            took = time.monotonic() - began
            for s in held:
                s.close()
            assert took < 3 * SLOW, f'{5 * count} requests took {took:.1f} s'
