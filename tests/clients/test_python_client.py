"""clients/python/tenfold.py: every call, errors, retries, streams."""

import socket
import threading

from harness import raw, until
from tenfold import NULL, Tenfold, TenfoldError


def client(t, **more):
    return Tenfold(t.server.url, more.pop('key', t.operator.key), **more)


def refused(function, *args, **more):
    try:
        function(*args, **more)
    except TenfoldError as error:
        return error
    raise AssertionError('it was not refused')


def test_a_life(t):
    c = client(t)
    item = c.work_add(t.type, title='a life', payload={'n': 1}, priority='high', idempotency_key='life')
    claimed = c.work_claim('me', types=[t.type], max=2, wait_ms=1000)['items'][0]
    assert claimed['id'] == item['id'] and claimed['payload'] == {'n': 1}
    c.work_progress(item['id'], claimed['token'], 50, note='half')
    c.work_extend([{'id': item['id'], 'token': claimed['token']}], 60000)
    assert c.work_complete(item['id'], claimed['token'], result=[1])['state'] == 'completed'
    assert c.work_show(item['id'])['result'] == [1]
    assert [i['id'] for i in c.work_list(type=t.type, state='completed')['items']] == [item['id']]


def test_the_other_calls(t):
    c = client(t)
    made = c.work_batch([{'type': t.type}] * 4)['items']
    a, b, d = c.work_claim('me', types=[t.type], max=3)['items']
    assert c.work_fail(a['id'], a['token'], 'no', retry=False)['state'] == 'failed'
    assert c.work_retry(a['id'])['state'] == 'ready'
    assert c.work_release(b['id'], b['token'])['state'] == 'ready'
    settled = c.work_settle([{'id': d['id'], 'token': d['token'], 'outcome': 'completed'}])['items']
    assert settled[0]['state'] == 'completed'
    assert c.work_cancel(made[3]['id'], reason='x')['state'] == 'cancelled'
    admin = client(t, key=t.admin.key)
    assert admin.tenant_add('python')['name'] == 'python' and len(admin.tenant_list()['items']) >= 2
    key = admin.key_add('k', scope='reader')
    assert any(k['id'] == key['id'] for k in admin.key_list()['items'])
    assert admin.key_revoke(key['id']) is None
    assert c.whoami()['scope'] == 'operator' and c.health_live()['status'] == 'ok'
    assert c.health()['status'] == c.health_ready()['status'] == 'ok'
    assert 'tenfold_' in c.metrics() and c.openapi()


def test_a_list_in_a_query_is_all_of_its_values(t):
    c = client(t)
    for kind in ('tool', 'service', 'assistant'):
        c.agent_add(f'listed-{kind}', 'Listed', type=kind, tags=['listed'])
    found = until(lambda: (hits := c.agent_search(tag=['listed'], type=['tool', 'service'], count=True)['items'])[1:] and hits)
    assert {hit['agent']['type'] for hit in found} == {'tool', 'service'}


def test_a_change_may_take_away_and_be_held_to_a_version(t):
    c = client(t)
    made = c.agent_add('versioned', 'Versioned', description='d', endpoint='https://a.example/')['agent']
    changed = c.agent_change('versioned', endpoint=NULL, if_match=made['version'])
    assert changed['endpoint'] is None and changed['description'] == 'd' and changed['version'] == made['version'] + 1
    assert refused(c.agent_change, 'versioned', name='late', if_match=made['version']).code == 'precondition_failed'
    assert refused(c.agent_delete, 'versioned', if_match='"1-1"').status == 412
    assert c.agent_delete('versioned', if_match=changed['version']) is None


def test_errors_tell_everything(t):
    error = refused(client(t).work_add, t.type, priority='urgent')
    assert (error.status, error.code, error.errors[0]['field']) == (422, 'invalid', 'priority')
    assert error.request_id and 'priority' in str(error) and not error.retryable
    assert refused(client(t).work_show, 'w_0000000000009').code == 'not_found'
    assert refused(client(t, key='nonsense').whoami).status == 401
    lost = refused(Tenfold('http://127.0.0.1:1', 'k').whoami)
    assert (lost.status, lost.code, lost.retryable) == (0, 'unreachable', True)


def test_a_tenant_can_be_selected(t):
    t.caller('worker', tenant='chosen')
    assert client(t, key=t.admin.key, tenant='chosen').whoami()['tenant_name'] == 'chosen'


def test_events_are_resumed_after_a_cut(t):
    c = client(t)
    first = c.work_add(t.type)
    stream = c.work_events(type=t.type, from_='start')
    seen = next(stream)
    assert (seen.event, seen.data['id']) == ('enqueued', first['id']) and seen.id
    stream.close()
    second = c.work_add(t.type)
    again = next(c.work_events(type=t.type, last_event_id=seen.id))
    assert again.data['id'] == second['id']


class Flaky:
    """Stands before the server: answers so many calls itself, passes the others on."""

    def __init__(self, server, answers):
        self.server, self.answers = server, list(answers)
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.url = 'http://127.0.0.1:%d' % self.listener.getsockname()[1]
        self.calls = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                request = connection.recv(65536)
                head, _, body = request.partition(b'\r\n\r\n')
                length = next((int(h.split(b':')[1]) for h in head.split(b'\r\n') if h.lower().startswith(b'content-length')), 0)
                while len(body) < length:
                    body += connection.recv(65536)
                self.calls += 1
                if self.answers:
                    connection.sendall(self.answers.pop(0))
                else:
                    head = head.replace(b'HTTP/1.1\r\n', b'HTTP/1.1\r\nConnection: close\r\n', 1)
                    connection.sendall(raw(self.server, head + b'\r\n\r\n' + body))


BUSY = (b'HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 0\r\nConnection: close\r\n'
        b'Content-Length: 35\r\n\r\n{"code":"overloaded","status":503} ')


def test_retries_are_chosen(t):
    with t.case('none unless asked for'):
        assert refused(Tenfold(Flaky(t.server, [BUSY]).url, t.worker.key).whoami).code == 'overloaded'
    with t.case('a refusal that may be retried'):
        flaky = Flaky(t.server, [BUSY, BUSY])
        assert Tenfold(flaky.url, t.worker.key, retries=3).whoami()['scope'] == 'worker' and flaky.calls == 3
    with t.case('no more than asked for'):
        flaky = Flaky(t.server, [BUSY] * 9)
        assert refused(Tenfold(flaky.url, t.worker.key, retries=2).whoami).code == 'overloaded' and flaky.calls == 3
    with t.case('a lost answer to a call that creates: the Idempotency-Key makes it safe'):
        flaky = Flaky(t.server, [b''])
        assert Tenfold(flaky.url, t.worker.key, retries=2).work_add(t.type)['state'] == 'ready' and flaky.calls == 2
    with t.case('a lost answer to a call that does not create is told, not repeated'):
        item = t.worker.add(t.type + '.b')
        flaky = Flaky(t.server, [b''])
        lost = refused(Tenfold(flaky.url, t.worker.key, retries=2).work_release, item['id'], '0' * 26)
        assert lost.code == 'unreachable' and flaky.calls == 1
    with t.case('a refusal for good is not repeated'):
        flaky = Flaky(t.server, [])
        assert refused(Tenfold(flaky.url, t.worker.key, retries=5).work_show, 'w_0000000000009').status == 404
        assert flaky.calls == 1


def test_threads_have_their_own_connections(t):
    c, ids = client(t), []
    threads = [threading.Thread(target=lambda: ids.extend(c.work_add(t.type)['id'] for _ in range(20))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 160


def test_a_kept_connection_may_have_gone(t):
    server = t.new_server()
    c = Tenfold(server.url, server.admin_key)
    c.whoami()
    server.stop()
    server.listen = '%s:%d' % server.address
    server.start()
    until(lambda: c.whoami()['scope'] == 'admin', what='the new connection')


def test_it_finds_the_server_of_the_machine(t):
    import os
    before = dict(os.environ)
    os.environ['TENFOLD_HOME'] = t.server.data
    os.environ.pop('TENFOLD_URL', None)
    try:
        assert Tenfold().whoami()['key_name'] == 'admin'
    finally:
        os.environ.clear()
        os.environ.update(before)
