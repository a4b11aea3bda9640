"""Hooks as those who send see them: signatures of GitHub, GitLab, Jira, Stripe and others, made by Python's hmac alone."""

import base64
import hashlib
import hmac
import itertools
import json
import time

from harness import Caller, raw, until
from webhook_receiver import verify  # noqa: F401  pylint: disable=unused-import

COUNT = itertools.count()
SECRET = "It's a Secret to Everybody"
STANDARD = 'whsec_' + base64.b64encode(bytes(range(32))).decode()


def hexmac(secret, data):
    return hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()


def github(body, secret=SECRET, delivery=None, event='push'):
    return {'X-Hub-Signature-256': 'sha256=' + hexmac(secret, body), 'X-GitHub-Event': event,
            'X-GitHub-Delivery': delivery or f'delivery-{next(COUNT)}'}


def gitlab(body, secret=SECRET, delivery=None, event='Push Hook'):
    return {'X-Gitlab-Token': secret, 'X-Gitlab-Event': event, 'Idempotency-Key': delivery or f'delivery-{next(COUNT)}'}


def jira(body, secret=SECRET, delivery=None, event=None):
    return {'X-Hub-Signature': 'sha256=' + hexmac(secret, body),
            'X-Atlassian-Webhook-Identifier': delivery or f'delivery-{next(COUNT)}'}


def stripe(body, secret=SECRET, delivery=None, event=None, at=None):
    at = at or int(time.time())
    return {'Stripe-Signature': f't={at},v1={"0" * 64},v1={hexmac(secret, f"{at}.".encode() + body)},v0=x'}


def standard(body, secret=STANDARD, delivery=None, event=None, at=None):
    at, delivery = at or int(time.time()), delivery or f'delivery-{next(COUNT)}'
    key = base64.b64decode(secret.removeprefix('whsec_'))
    signed = base64.b64encode(hmac.new(key, f'{delivery}.{at}.'.encode() + body, hashlib.sha256).digest()).decode()
    return {'webhook-id': delivery, 'webhook-timestamp': str(at), 'webhook-signature': 'v1,' + signed}


def generic(body, secret=SECRET, delivery=None, event='thing', at=None):
    at = at or int(time.time())
    return {'X-Sig': base64.b64encode(hmac.new(secret.encode(), f'{at}.'.encode() + body, hashlib.sha256).digest()).decode(),
            'X-At': str(at), 'X-Id': delivery or f'delivery-{next(COUNT)}', 'X-Event': event}


HEADERS = {'headers': {'signature': 'X-Sig', 'timestamp': 'X-At', 'id': 'X-Id', 'event': 'X-Event'}}
KINDS = {'github': (github, SECRET, {}), 'gitlab': (gitlab, SECRET, {}), 'jira': (jira, SECRET, {}),
         'stripe': (stripe, SECRET, {}), 'standard': (standard, STANDARD, {}), 'generic': (generic, SECRET, HEADERS)}


class Hook:
    def __init__(self, t, kind='github', secret=SECRET, server=None, tenant=None, **members):
        self.t, self.kind, self.secret = t, kind, secret
        self.operator = t.caller('operator', server=server or t.server, tenant=tenant)
        self.anonymous = Caller(self.operator.server, contract=self.operator.contract)
        self.name = f'{kind}-{next(COUNT)}-{time.time_ns() % 1000000}'
        given = {'name': self.name, 'kind': kind, **({'secret': secret} if secret else {}), **members}
        self.made = self.operator.post('/v1/hooks', given).expect(201).json

    def send(self, said, headers=None, **more):
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        sign = KINDS[self.kind][0]
        headers = sign(body, **({'secret': self.secret, **more})) if headers is None else headers
        return self.anonymous.call('POST', f'/v1/hooks/{self.name}', body, headers={'Content-Type': 'application/json', **headers})

    def deliveries(self, **query):
        return self.operator.get(f'/v1/hooks/{self.name}/deliveries', query=query).expect(200).items

    def ended(self, received):
        path = f'/v1/hook-deliveries/{received["id"]}'
        return until(lambda: (d := self.operator.get(path).expect(200).json)['state'] != 'waiting' and d)


def rule(t, **members):
    return {'rules': [{'type': t.type, **members}]}


def test_an_event_becomes_work(t):
    hook = Hook(t, **rule(t, events=['issues'], when=['/action=opened'], key='/issue/id', title='/issue/title', team='triage',
                          priority='high', payload='/issue'))
    event = {'action': 'opened', 'issue': {'id': 17, 'title': 'Déjà vu', 'labels': ['a', 'b']}}
    received = hook.send(event, event='issues').expect(202).json
    assert received['duplicate'] is False
    ended = hook.ended(received)
    assert ended['state'] == 'done' and ended['event'] == 'issues' and ended['body'] == event and ended['processed_at']
    item = hook.operator.get(f'/v1/work/{ended["work"]}').expect(200).json
    assert (item['type'], item['team'], item['key'], item['title'], item['priority']) == (t.type, 'triage', '17', 'Déjà vu', 'high')
    assert item['payload'] == event['issue'] and item['created_by'] == f'hook {hook.name}'
    assert item['labels'] == {'hook': hook.name, 'event': 'issues'}
    with t.case('another event is kept and ignored'):
        assert hook.ended(hook.send({'action': 'closed'}, event='issues').json)['state'] == 'ignored'
        assert hook.ended(hook.send(event, event='pull_request').expect(200).json)['id'] == received['id'], 'the same body again'
    with t.case('while an item has the key, it is that one'):
        again = hook.ended(hook.send({**event, 'more': 1}, event='issues').expect(202).json)
        assert again['state'] == 'done' and again['work'] == ended['work']
    with t.case('what does not do is noted'):
        failed = hook.ended(hook.send({'action': 'opened'}, event='issues').json)
        assert failed['state'] == 'failed' and failed['work'] is None and '/issue/id' in failed['detail'], failed
        listed = hook.deliveries(state='failed')
        assert [d['id'] for d in listed] == [failed['id']] and 'body' not in listed[0]
    with t.case('and can be seen to again'):
        hook.operator.call('PATCH', f'/v1/hooks/{hook.name}', rule(t)).expect(200)
        hook.operator.post(f'/v1/hook-deliveries/{failed["id"]}/replay').expect(202)
        ended = hook.ended(failed)
        assert ended['state'] == 'done' and hook.operator.get(f'/v1/work/{ended["work"]}').json['title'] == f'issues from {hook.name}'


def test_every_kind(t):
    for kind, (sign, secret, members) in KINDS.items():
        hook = Hook(t, kind, secret, **rule(t, key='/id'), **members)
        event = {'id': f'{kind}-1', 'type': 'thing', 'webhookEvent': 'jira:issue_created'}
        body = json.dumps(event).encode()
        with t.case(f'{kind}: signed'):
            received = hook.send(event).expect(202).json
            ended = hook.ended(received)
            assert ended['state'] == 'done' and ended['event'] in ('push', 'Push Hook', 'jira:issue_created', 'thing')
            assert hook.operator.get(f'/v1/work/{ended["work"]}').json['key'] == f'{kind}-1'
        with t.case(f'{kind}: delivered again'):
            headers = sign(body, secret, delivery=ended['delivery'])
            again = hook.send(body, headers).expect(200).json
            assert again == {'id': received['id'], 'duplicate': True}
        with t.case(f'{kind}: changed on the way'):
            if kind != 'gitlab':
                hook.send(body.replace(b'thing', b'thong'), sign(body, secret)).expect(401, 'unauthenticated')
        with t.case(f'{kind}: another secret'):
            other = 'whsec_' + base64.b64encode(bytes(32)).decode()
            hook.send(body, sign(body, other)).expect(401, 'unauthenticated')
        with t.case(f'{kind}: no signature'):
            refused = hook.send(body, {}).expect(401, 'unauthenticated').json
            assert 'is missing' in refused['detail'], refused
        with t.case(f'{kind}: garbage'):
            for garbage in ('', 'x', 'sha256=', 'sha256=zz', 't=1', 'v1,', '=' * 100, '\xe9' * 40, 't=-1,v1=0', 't=99999999999999999999,v1=00'):
                hook.send(body, {name: garbage.encode('latin-1') for name in sign(body, secret)}).expect(401)
        with t.case(f'{kind}: it came once'):
            assert [d['state'] for d in hook.deliveries()] == ['done']


def test_signatures_are_of_bytes(t):
    hook = Hook(t, **rule(t, payload=''))
    body = b'{ "b" : 1.50,\r\n "a":"\\u00e9\xc3\xa9" }'
    ended = hook.ended(hook.send(body).expect(202).json)
    shown = hook.operator.get(f'/v1/hook-deliveries/{ended["id"]}').body
    assert b'1.50' in shown and b'\\u00e9\xc3\xa9' in shown, 'kept byte for byte'
    with t.case('any media type'):
        body = b'{"n":2}'
        hook.anonymous.call('POST', f'/v1/hooks/{hook.name}', body, headers={**github(body), 'Content-Type': 'text/plain'}).expect(202)


def test_times_must_be_near(t):
    for kind in ('stripe', 'standard', 'generic'):
        sign, secret, members = KINDS[kind]
        hook = Hook(t, kind, secret, tolerance_ms=60000, **members)
        for off, good in [(-3600, False), (-65, False), (-50, True), (50, True), (70, False)]:
            with t.case(f'{kind}: {off} s'):
                body = json.dumps({'id': f'x{off}', 'type': 'x'}).encode()
                answer = hook.send(body, sign(body, secret, at=int(time.time()) + off))
                assert answer.status == (202 if good else 401), answer.body
                assert good or 'refused' in answer.json['detail']


def test_a_replay_makes_nothing(t):
    """GitHub does not sign the delivery's id: the same body with another one is the same."""
    hook = Hook(t, **rule(t))
    body = b'{"ref":"main"}'
    first = hook.send(body, github(body, delivery='one')).expect(202).json
    hook.ended(first)
    assert hook.send(body, github(body, delivery='two')).expect(200).json == {'id': first['id'], 'duplicate': True}
    assert hook.send(b'{"other":1}', github(b'{"other":1}', delivery='one')).expect(200).json['duplicate']
    assert len(hook.operator.get('/v1/work', query={'type': t.type}).items) == 1


def test_without_a_secret_everything_is_refused(t):
    hook = Hook(t, secret=None, **rule(t))
    assert hook.made['has_secret'] is False
    body = b'{}'
    for headers in (github(body, ''), github(body, SECRET), {}):
        assert 'no secret yet' in hook.send(body, headers).expect(403, 'forbidden').json['detail']
    made = hook.operator.post(f'/v1/hooks/{hook.name}/secret', {}).expect(200).json
    hook.secret = made['secret']
    hook.send({'n': 1}).expect(202)
    with t.case('the old one counts too for a while'):
        renewed = hook.operator.post(f'/v1/hooks/{hook.name}/secret', {'secret': 'another-secret'}).expect(200).json
        assert 'secret' not in renewed and renewed['old_secret_until']
        hook.send({'n': 2}).expect(202)
        hook.send({'n': 3}, **{'secret': 'another-secret'}).expect(202)
    with t.case('or not'):
        hook.operator.post(f'/v1/hooks/{hook.name}/secret', {'secret': 'a-third-secret', 'overlap_ms': 0}).expect(200)
        hook.send({'n': 4}, **{'secret': 'another-secret'}).expect(401)
        hook.send({'n': 5}, **{'secret': 'a-third-secret'}).expect(202)
    with t.case('disabled it takes nothing'):
        hook.operator.call('PATCH', f'/v1/hooks/{hook.name}', {'state': 'disabled'}).expect(200)
        assert 'disabled' in hook.send({'n': 6}, **{'secret': 'a-third-secret'}).expect(403).json['detail']
    with t.case('secrets are not shown'):
        shown = hook.operator.get(f'/v1/hooks/{hook.name}').body.decode() + hook.operator.get('/v1/hooks').body.decode()
        assert made['secret'] not in shown and 'third' not in shown and made['secret'] not in t.server.log()


def test_bad_bodies(t):
    hook = Hook(t, **rule(t))
    for body in (b'', b'{', b'{"nul":"\\u0000"}', b'nope', b'{"a":1,}', b'\xff', b'payload=%7B%7D', b'[' * 100 + b']' * 100):
        with t.case(repr(body[:20])):
            answer = hook.send(body)
            assert answer.status in (400, 413), answer.body
    with t.case('a form, as GitHub sends unless told otherwise, is told from bad JSON'):
        assert 'choose the content type application/json' in hook.send(b'payload=%7B%7D').expect(400, 'malformed').json['detail']
    with t.case('a megabyte is taken'):
        large = json.dumps({'x': 'y' * ((1 << 20) - 100)}).encode()
        ended = hook.ended(hook.send(large).expect(202).json)
        assert ended['state'] == 'failed' and 'payload' in ended['detail'], ended['detail']
    with t.case('ten megabytes are not'):
        body = b'{"x":"' + b'y' * 10_000_000 + b'"}'
        head = ''.join(f'{k}: {v}\r\n' for k, v in github(body).items())
        answer = raw(t.server, f'POST /v1/hooks/{hook.name} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n'.encode() + body[:1 << 16],
                     until_bytes=b'too_large')
        assert b' 413 ' in answer.split(b'\r\n')[0] and b'1048576' in answer, answer[:500]
    with t.case('nor in chunks, whose length nobody said'):
        chunks = (b'10000\r\n' + b'y' * 65536 + b'\r\n') * 24
        answer = raw(t.server, f'POST /v1/hooks/{hook.name} HTTP/1.1\r\nHost: x\r\n{head}Transfer-Encoding: chunked\r\n\r\n'.encode() + chunks,
                     until_bytes=b'too_large')
        assert b' 413 ' in answer.split(b'\r\n')[0], answer[:500]
    with t.case('a header twice is none'):
        body = b'{"twice":1}'
        line = 'X-Hub-Signature-256: ' + github(body)['X-Hub-Signature-256'] + '\r\n'
        answer = raw(t.server, f'POST /v1/hooks/{hook.name} HTTP/1.1\r\nHost: x\r\n{line}{line}Content-Length: {len(body)}\r\n\r\n'.encode() + body,
                     until_bytes=b'unauthenticated')
        assert b' 401 ' in answer.split(b'\r\n')[0]
    with t.case('no such hook'):
        hook.anonymous.call('POST', '/v1/hooks/no-such-hook', b'{}', headers={'Content-Type': 'application/json'}).expect(404)
    with t.case('the id does too'):
        body = b'{"by":"id"}'
        hook.anonymous.call('POST', f'/v1/hooks/{hook.made["id"]}', body, headers=github(body)).expect(202)


def test_what_is_refused_names_its_member(t):
    operator = t.operator
    good = {'name': 'refused', 'kind': 'github', 'secret': SECRET}
    for members, field in [({'name': 'A'}, 'name'), ({'name': '-a'}, 'name'), ({'name': 'a_b'}, 'name'), ({'secret': 'short'}, 'secret'),
                           ({'kind': 'standard', 'secret': 'not-base64'}, 'secret'), ({'kind': 'gitea'}, 'kind'),
                           ({'headers': {'signature': 'X'}}, 'headers'), ({'rules': [{'type': '/a~2'}]}, 'rules[0].type'),
                           ({'rules': [{'type': 'x'}, {'type': 'x', 'key': '/~'}]}, 'rules[1].key'),
                           ({'rules': [{'type': 'x', 'payload': 'issue'}]}, 'rules[0].payload'),
                           ({'rules': [{'type': 'x', 'when': ['x']}]}, 'rules[0].when'), ({'rules': [{}]}, 'type'),
                           ({'tolerance_ms': 1}, 'tolerance_ms')]:
        with t.case(f'{field}: {members}'):
            answer = operator.post('/v1/hooks', {**good, **members})
            assert answer.status in (400, 422) and field in answer.body.decode(), answer.body
    operator.post('/v1/hooks', good).expect(201)
    operator.post('/v1/hooks', good).expect(409, 'already_exists').names('name')
    t.caller('operator', tenant='hookers').post('/v1/hooks', good).expect(409)
    etag = operator.get('/v1/hooks/refused').expect(200).headers['etag']
    operator.call('PATCH', '/v1/hooks/refused', {'tolerance_ms': 5000}, headers={'If-Match': etag}).expect(200)
    operator.call('PATCH', '/v1/hooks/refused', {'tolerance_ms': 6000}, headers={'If-Match': etag}).expect(412)
    operator.call('DELETE', '/v1/hooks/refused').expect(204)
    operator.get('/v1/hooks/refused').expect(404)


def test_types_of_the_servers_own_are_not_made(t):
    hook = Hook(t, **{'rules': [{'type': '/t'}]})
    for event, word in [({'t': 'tf.secret'}, 'tf.'), ({'t': 'x' * 65}, 'type'), ({'t': {}}, 'type'), ({'t': ''}, 'type'),
                        ({'u': 1}, '/t')]:
        with t.case(str(event)[:40]):
            ended = hook.ended(hook.send(event).expect(202).json)
            assert ended['state'] == 'failed' and word in ended['detail'], ended


def test_guessing_is_limited(t):
    server = t.new_server('--limit-anonymous', '5')
    hook = Hook(t, server=server, **rule(t))
    for _ in range(12):
        hook.send({'good': next(COUNT)}).expect(202)
    statuses = [hook.send({'bad': i}, secret='wrong-secret').status for i in range(8)]
    assert statuses[0] == 401 and statuses[-1] == 429, statuses


def test_acknowledged_at_once(t):
    hook = Hook(t, **rule(t))
    times = []
    for i in range(60):
        body = json.dumps({'n': i, 'x': 'y' * 20000}).encode()
        headers = github(body)
        began = time.monotonic()
        hook.send(body, headers).expect(202)
        times.append(time.monotonic() - began)
    assert sorted(times)[30] < 0.05, sorted(times)
    until(lambda: all(d['state'] == 'done' for d in hook.deliveries(limit=100)))


def test_killed_after_it_was_acknowledged(t):
    """Each delivery makes its item once, whatever happens in between."""
    server = t.new_server()
    hook = Hook(t, server=server, **rule(t))
    count = 0
    for _ in range(4):
        for _ in range(10):
            hook.send({'n': count}).expect(202)
            count += 1
        server.kill()
        hook.operator.close()
        hook.anonymous.close()
        server.start()
    until(lambda: [d['state'] for d in hook.deliveries(limit=100)] == ['done'] * count, 30)
    items = hook.operator.get('/v1/work', query={'type': t.type, 'limit': 100}).items
    payloads = [hook.operator.show(i)['payload']['n'] for i in items]
    assert sorted(payloads) == list(range(count))


def test_two_processes(t):
    first, second = t.pair('--owner-lease', '2s')
    hooks = Hook(t, server=first, **rule(t))
    name, count = hooks.name, 0
    senders = [hooks.anonymous, Caller(second, contract=hooks.anonymous.contract)]
    for i in range(40):
        body = json.dumps({'n': i}).encode()
        for sender in senders[::1 if i % 2 else -1]:   # both are sent the same
            sender.call('POST', f'/v1/hooks/{name}', body, headers=github(body, delivery=f'same-{i}'))
            count += 1
    until(lambda: [d['state'] for d in hooks.deliveries(limit=100)] == ['done'] * 40, 10)
    items = hooks.operator.get('/v1/work', query={'type': t.type, 'limit': 100}).items
    assert sorted(hooks.operator.show(i)['payload']['n'] for i in items) == list(range(40))
    with t.case('another takes the queue over'):
        first.kill()
        body = b'{"n":99}'
        received = senders[1].call('POST', f'/v1/hooks/{name}', body, headers=github(body)).expect(202).json
        operator = t.caller('operator', server=second)
        until(lambda: operator.get(f'/v1/hook-deliveries/{received["id"]}').expect(200).json['state'] == 'done', 30)


def test_tenfolds_own_webhooks(t):
    """What one tenfold tells, another takes: Standard Webhooks on both sides."""
    server = t.new_server('--webhook-allow', '127.0.0.0/8')
    operator = t.caller('operator', server=server)
    hook = Hook(t, 'standard', None, server=server, **rule(t, events=['agent.registered'], key='/data/handle'))
    made = operator.post('/v1/webhooks', {'url': f'{server.url}/v1/hooks/{hook.name}', 'events': ['agent.registered']}).expect(201).json
    operator.post(f'/v1/hooks/{hook.name}/secret', {'secret': made['secret']}).expect(200)
    operator.post('/v1/agents', {'handle': 'round-trip', 'name': 'x'}).expect(201)
    items = until(lambda: operator.get('/v1/work', query={'type': t.type}).items)
    assert operator.show(items[0])['key'] == 'round-trip'
