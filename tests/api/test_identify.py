"""Who calls: agents that sign their requests instead of sending a key, and keys another process has made a moment ago."""

import base64
import concurrent.futures
import hashlib
import json
import threading
import time

from agents import Agent, KeyPair
from harness import Caller, raw, until
from test_changes import Psql, standing_feed
from test_owner import owns


SERVER_ARGS = ['--limit-anonymous', '0', '--limit-registered', '0']


def now_ms():
    return int(time.time() * 1000)


def plain(agent, method, path, body=b'', at_ms=None, who=None, pair=None):
    """X-Agent-Signature: what is signed is METHOD:path:timestamp:body."""
    at = str(at_ms or now_ms())
    text = f'{method}:{path}:{at}:'.encode() + body
    return {'X-Agent-Id': who or agent.id, 'X-Agent-Timestamp': at, 'X-Agent-Signature': (pair or agent.pair).sign(text)}


def message(agent, method, path, query='', body=b'', params='', who=None, pair=None, ahead_s=0):
    """RFC 9421, made by hand from its text."""
    target = [('@method', method), ('@path', path)] + ([('@query', '?' + query)] if query else [])
    headers = {}
    if body:
        headers['Content-Digest'] = 'sha-256=:' + base64.b64encode(hashlib.sha256(body).digest()).decode() + ':'
        target.append(('content-digest', headers['Content-Digest']))
    inner = f'({" ".join(json.dumps(name) for name, _ in target)});created={int(time.time()) + ahead_s};keyid="{who or agent.id}"{params}'
    base = ''.join(f'"{name}": {value}\n' for name, value in target) + f'"@signature-params": {inner}'
    headers['Signature-Input'] = 'sig1=' + inner
    headers['Signature'] = f'sig1=:{(pair or agent.pair).sign(base)}:'
    return headers


def settled(agent):
    """Signatures whose time is told in seconds are taken from the first whole second of a process on."""
    path, body = f'/v1/agents/{agent.id}/heartbeat', b'{}'
    nobody = caller_without_key(agent)
    until(lambda: nobody.post(path, body, headers=message(agent, 'POST', path, body=body)).status == 200, what='a whole second')


def caller_without_key(agent, server=None):
    return Caller(server or agent.operator.server, contract=agent.operator.contract)


def test_an_agent_signs_instead_of_sending_a_key(t):
    agent = Agent(t, 'signer')
    nobody = caller_without_key(agent)
    settled(agent)
    path = f'/v1/agents/{agent.id}'
    with t.case('reading'):
        nobody.get(path).expect(401, 'unauthenticated')
        assert nobody.get(path, headers=plain(agent, 'GET', path)).expect(200).json['handle'] == 'signer'
        assert nobody.get('/v1/whoami', headers=message(agent, 'GET', '/v1/whoami')).expect(200).json['scope'] == 'agent'
    with t.case('by handle'):
        nobody.get(path, headers=plain(agent, 'GET', path, who='signer')).expect(200)
        nobody.get(path, headers=message(agent, 'GET', path, who='signer')).expect(200)
    with t.case('a query'):
        headers = message(agent, 'GET', '/v1/agents', 'limit=1&visibility=tenant')
        nobody.get('/v1/agents?limit=1&visibility=tenant', headers=headers).expect(200)
        nobody.get('/v1/agents?limit=2&visibility=tenant', headers=headers).expect(401, 'unauthenticated')
        nobody.get('/v1/agents?limit=1', headers=plain(agent, 'GET', '/v1/agents')).expect(401, 'unauthenticated')
    with t.case('writing'):
        body = b'{"name":"signed"}'
        changed = nobody.call('PATCH', path, body, headers=plain(agent, 'PATCH', path, body)).expect(200).json
        assert changed['name'] == 'signed'
        body = b'{"name":"signed again"}'
        nobody.call('PATCH', path, body, headers=message(agent, 'PATCH', path, body=body)).expect(200)
        nobody.post(path + '/heartbeat', b'{}', headers=plain(agent, 'POST', path + '/heartbeat', b'{}')).expect(200)
    with t.case('what is another\'s stays another\'s'):
        other = Agent(t, 'signed-other')
        elsewhere = f'/v1/agents/{other.id}'
        body = b'{"name":"mine"}'
        nobody.call('PATCH', elsewhere, body, headers=plain(agent, 'PATCH', elsewhere, body)).expect(403, 'forbidden')
        nobody.post('/v1/keys', b'{"name":"x"}', headers=plain(agent, 'POST', '/v1/keys', b'{"name":"x"}')).expect(403, 'forbidden')


def test_signatures_that_are_not_taken(t):
    agent, other = Agent(t, 'refused'), KeyPair()
    nobody = caller_without_key(agent)
    path, body = f'/v1/agents/{agent.id}', b'{"name":"x"}'

    def patch(headers, sent=body):
        return nobody.call('PATCH', path, sent, headers=headers)

    bad = {
        'another key': plain(agent, 'PATCH', path, body, pair=other),
        'nobody\'s name': plain(agent, 'PATCH', path, body, who='nobody-here'),
        'an id of nothing': plain(agent, 'PATCH', path, body, who='ag_0000000000009'),
        'too old': plain(agent, 'PATCH', path, body, at_ms=now_ms() - 301000),
        'too far ahead': plain(agent, 'PATCH', path, body, at_ms=now_ms() + 310000),
        'no time': {**plain(agent, 'PATCH', path, body), 'X-Agent-Timestamp': 'noon'},
        'no base64': {**plain(agent, 'PATCH', path, body), 'X-Agent-Signature': '?'},
        'another method': plain(agent, 'PUT', path, body),
        'a message of another key': message(agent, 'PATCH', path, body=body, pair=other),
        'a message that is too old': message(agent, 'PATCH', path, body=body, ahead_s=-301),
        'a message too far ahead': message(agent, 'PATCH', path, body=body, ahead_s=310),
        'a message that has expired': message(agent, 'PATCH', path, body=body, params=';expires=1'),
        'a message without its signature': {'Signature-Input': message(agent, 'PATCH', path, body=body)['Signature-Input']},
    }
    for what, headers in bad.items():
        with t.case(what):
            assert patch(headers).expect(401, 'unauthenticated').json['detail']
    with t.case('another body'):
        patch(plain(agent, 'PATCH', path, body), b'{"name":"y"}').expect(401, 'unauthenticated')
        patch(message(agent, 'PATCH', path, body=body), b'{"name":"y"}').expect(401, 'unauthenticated')
    with t.case('used before'):
        headers = plain(agent, 'PATCH', path, body)
        patch(headers).expect(200)
        assert 'used before' in patch(headers).expect(401, 'unauthenticated').json['detail']
        headers = message(agent, 'PATCH', path, body=body, params=';nonce="n1"')
        patch(headers).expect(200)
        patch(headers).expect(401, 'unauthenticated')
        patch(message(agent, 'PATCH', path, body=body, params=';nonce="n2"')).expect(200)
    with t.case('a body that is large'):
        large = json.dumps({'metadata': 'x' * 70000}).encode()
        patch(plain(agent, 'PATCH', path, large), large).expect(401, 'unauthenticated')
        chunked = b'PATCH ' + path.encode() + b' HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n'
        chunked += ''.join(f'{k}: {v}\r\n' for k, v in plain(agent, 'PATCH', path, large).items()).encode() + b'\r\n'
        chunked += f'{len(large):x}\r\n'.encode() + large + b'\r\n0\r\n\r\n'
        assert b' 401 ' in raw(t.server, chunked, until_bytes=b'}').split(b'\r\n')[0]
    with t.case('a header twice'):
        lines = ''.join(f'{k}: {v}\r\n' for k, v in plain(agent, 'GET', path).items())
        twice = raw(t.server, f'GET {path} HTTP/1.1\r\nHost: x\r\n{lines}X-Agent-Id: signer\r\n\r\n'.encode(), until_bytes=b'}')
        assert b' 400 ' in twice.split(b'\r\n')[0]
    with t.case('after a transfer'):
        patch(plain(agent, 'PATCH', path, body)).expect(200)
        agent.operator.post(path + '/transfer', agent.proof(other)).expect(200)
        patch(plain(agent, 'PATCH', path, body)).expect(401, 'unauthenticated')
        patch(plain(agent, 'PATCH', path, body, pair=other)).expect(200)
    with t.case('after its end'):
        agent.operator.call('DELETE', path).expect(204)
        patch(plain(agent, 'PATCH', path, body, pair=other)).expect(401, 'unauthenticated')


def test_a_signature_from_before_a_restart(t):
    """On one machine what was taken is remembered in memory; what may have been taken before a restart is not taken."""
    server = t.new_server(*SERVER_ARGS)
    agent = Agent(t, 'restarted', operator=t.caller('operator', server))
    path, body = f'/v1/agents/{agent.id}', b'{"name":"x"}'
    headers = plain(agent, 'PATCH', path, body)
    caller_without_key(agent).call('PATCH', path, body, headers=headers).expect(200)
    server.stop()
    server.start()
    nobody = caller_without_key(agent, server)
    nobody.call('PATCH', path, body, headers=headers).expect(401, 'unauthenticated')
    nobody.call('PATCH', path, body, headers=plain(agent, 'PATCH', path, body)).expect(200)


def test_an_address_that_guesses_is_limited_and_who_is_known_is_not(t):
    server = t.new_server('--limit-anonymous', '5', '--limit-registered', '40')
    agent = Agent(t, 'guessed', operator=t.caller('operator', server))
    nobody, other = caller_without_key(agent), KeyPair()
    path = f'/v1/agents/{agent.id}'
    said = [nobody.get(path, headers=plain(agent, 'GET', path, pair=other)).status for _ in range(8)]
    assert said == [401] * 5 + [429] * 3, said
    refused = nobody.get(path, headers=plain(agent, 'GET', path)).expect(429, 'rate_limited')
    assert int(refused.headers['retry-after']) >= 1, 'nothing is looked up for it any more'
    agent.caller.get(path).expect(200)
    with t.case('known agents have limits of their own'):
        fresh = t.new_server('--limit-anonymous', '5', '--limit-registered', '40')
        signer = Agent(t, 'counted', operator=t.caller('operator', fresh))
        path = f'/v1/agents/{signer.id}'
        said = [caller_without_key(signer).get(path, headers=plain(signer, 'GET', path)).status for _ in range(42)]
        assert said == [200] * 40 + [429] * 2, said


def test_a_store_that_fails_does_not_count_against_the_address(t):
    server = t.new_server('--limit-anonymous', '5', '--limit-registered', '0')
    agent = Agent(t, 'unlooked', operator=t.caller('operator', server))
    server.stop()
    server.args += ['--fault', 'fail@*']
    server.start(wait_for='up')
    nobody, path = caller_without_key(agent, server), f'/v1/agents/{agent.id}'
    ask = lambda: nobody.get(path, headers=plain(agent, 'GET', path))
    until(lambda: ask().status != 200, what='the first fault')
    for _ in range(12):
        ask().expect(503)


def test_a_key_works_at_the_other_process_at_once(t):
    first, second = t.pair(*SERVER_ARGS)
    admin = t.caller('first', first)
    for n in range(30):
        made = admin.post('/v1/keys', {'name': f'k{n}', 'scope': 'worker'}).expect(201).json
        there = Caller(second, made['secret'])
        assert there.get('/v1/whoami').expect(200).json['key_name'] == f'k{n}'
        Caller(second, made['secret']).post('/v1/work', {'type': 'x'}).expect(201)
    with t.case('of a tenant that is new'):
        admin.post('/v1/tenants', {'name': 'fresh'}).expect(201)
        made = admin.post('/v1/keys', {'name': 'theirs'}, headers={'X-Tenant': 'fresh'}).expect(201).json
        assert Caller(second, made['secret']).get('/v1/whoami').expect(200).json['tenant_name'] == 'fresh'
        admin.post('/v1/tenants', {'name': 'fresher'}).expect(201)
        there = Caller(second, admin.key)
        assert there.get('/v1/whoami', headers={'X-Tenant': 'fresher'}).expect(200).json['tenant_name'] == 'fresher'
        there.get('/v1/whoami', headers={'X-Tenant': 'nowhere'}).expect(404, 'not_found')
    with t.case('one that nobody made'):
        Caller(second, 'tf_' + '0' * 52).get('/v1/whoami').expect(401, 'unauthenticated')
    with t.case('and ends there soon after it is revoked here'):
        admin.call('DELETE', f'/v1/keys/{made["id"]}', headers={'X-Tenant': 'fresh'}).expect(204)
        until(lambda: Caller(second, made['secret']).get('/v1/whoami').status == 401, what='the end of the key')
    with t.case('streams, and what runs on the loop'):
        made = admin.post('/v1/keys', {'name': 'stream', 'scope': 'worker'}).expect(201).json
        head = raw(second, f'GET /v1/work/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {made["secret"]}\r\n\r\n'.encode(),
                   until_bytes=b'retry')
        assert b' 200 ' in head.split(b'\r\n')[0]
        assert owns(first) or owns(second)


def test_a_signature_is_used_once_at_all_processes(t):
    """Whoever sends it, and wherever at the same time, one is taken. A process without breath (503) says no more of it."""
    first, second = t.pair(*SERVER_ARGS)
    agent, said = Agent(t, 'once', operator=t.caller('operator', first)), []
    path, body = f'/v1/agents/{agent.id}', b'{"name":"x"}'

    def send(server, headers):
        return caller_without_key(agent, server).call('PATCH', path, body, headers=headers)

    def taken():
        headers = plain(agent, 'PATCH', path, body)
        return headers if send(first, headers).status == 200 else None

    headers = until(taken, what='a signature to be taken')
    until(lambda: said.append(send(second, headers)) or said[-1].status != 503, what='the other process to answer')
    assert 'used before' in said[-1].expect(401, 'unauthenticated').json['detail']
    for _ in range(10):
        headers = plain(agent, 'PATCH', path, body)
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            statuses = [answer.status for answer in pool.map(lambda server, h=headers: send(server, h), [first, second] * 3)]
        assert statuses.count(200) <= 1 and set(statuses) <= {200, 401, 503}, statuses
        assert 200 in statuses or 503 in statuses, statuses


def test_an_agent_of_a_new_tenant_signs_at_the_other_process_at_once(t):
    first, second = t.pair(*SERVER_ARGS)
    t.cleanup.callback(standing_feed(first).end)
    agent = Agent(t, 'newcomer', operator=t.caller('operator', first, tenant='new-here'))
    path, body = f'/v1/agents/{agent.id}', b'{"name":"x"}'
    headers = plain(agent, 'PATCH', path, body)
    assert caller_without_key(agent, second).call('PATCH', path, body, headers=headers).expect(200).json['name'] == 'x'


def test_who_was_disowned_elsewhere_a_moment_ago_takes_nothing_along(t):
    """The other process still takes the old key for good; what outlives the moment, it asks the store for."""
    first, second = t.pair(*SERVER_ARGS)
    operator, admin = t.caller('operator', first), t.caller('first', first)
    sold, ended = Agent(t, 'sold-elsewhere', operator=operator), Agent(t, 'ended-elsewhere', operator=operator)
    dismissed = admin.post('/v1/keys', {'name': 'dismissed', 'scope': 'admin'}).expect(201).json
    buyer = KeyPair()
    old, own, master = (Caller(second, key) for key in (sold.key['secret'], ended.key['secret'], dismissed['secret']))
    for caller in (old, own, master):
        until(lambda c=caller: c.get('/v1/whoami').status == 200, what='the key, at the other process')
    path = f'/v1/agents/{sold.id}'
    bought, regained = sold.proof(buyer), sold.proof(KeyPair())
    t.cleanup.callback(standing_feed(first).end)
    operator.post(f'{path}/transfer', bought).expect(200)
    operator.post(f'/v1/agents/{ended.id}/keys', {'overlap_ms': 0}).expect(201)
    admin.call('DELETE', f'/v1/keys/{dismissed["id"]}').expect(204)
    for method, url, body, caller in (('POST', f'{path}/keys', {}, old), ('POST', f'{path}/transfer', regained, old),
                                      ('PATCH', path, {'name': 'still mine'}, old), ('DELETE', path, None, old),
                                      ('POST', f'/v1/agents/{ended.id}/keys', {}, own),
                                      ('POST', '/v1/keys', {'name': 'back door', 'scope': 'admin'}, master),
                                      ('POST', '/v1/agents', {'handle': 'back-door', 'name': 'x'}, master)):
        with t.case(f'{method} {url}'):
            caller.call(method, url, body).expect(401, 'unauthenticated')
    assert operator.get(path).expect(200).json['public_key'] == buyer.public


# Not what other databases of the cluster, or jobs, wait for.
CHANGE_WAITS = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event IN ('transactionid', 'tuple')"


def test_an_agent_given_away_while_its_signature_was_looked_at(t):
    """The signature was good when it was looked at; when the change is written, the agent has another key."""
    first, _ = t.pair(*SERVER_ARGS)
    agent, said = Agent(t, 'given-away', operator=t.caller('operator', first)), []
    path, body = f'/v1/agents/{agent.id}', b'{"name":"still mine"}'
    session = Psql(first.store_url)
    session.ask("BEGIN; SELECT 1 FROM agents WHERE handle = 'given-away' FOR UPDATE")
    writer = threading.Thread(target=lambda: said.append(caller_without_key(agent).call(
        'PATCH', path, body, headers=plain(agent, 'PATCH', path, body))))
    writer.start()
    until(lambda: first.database.ask(CHANGE_WAITS), what='the change at the lock')
    session.ask("UPDATE agents SET key_proved_ms = key_proved_ms + 1 WHERE handle = 'given-away' RETURNING 1; COMMIT")
    session.end()
    writer.join()
    said[0].expect(401, 'unauthenticated')
    assert agent.show()['name'] == 'given-away'
