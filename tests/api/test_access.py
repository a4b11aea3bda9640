"""Who may do what: every call with every kind of key, and nobody sees another tenant's things."""

import os
import re
import socket
import time

from harness import ROOT, SCOPES, SLOW, until

ROUTE = re.compile(r'^ROUTE\((\w+),\s*\w+,\s*(\w+),\s*"([^"]+)",\s*(\w+),\s*(\w+),\s*(\w+),\s*(\w+),', re.M)


def routes():
    """name, method, path, scope, runs of each row of api/routes.def."""
    with open(os.path.join(ROOT, 'api/routes.def'), encoding='utf-8') as f:
        for name, method, path, _, _, scope, runs in ROUTE.findall(f.read()):
            yield name, method, path, scope.lower(), runs


def status_of(server, method, path, key):
    """Only the status: a stream does not end by itself."""
    with socket.create_connection(server.address, 10 * SLOW) as connection:
        bearer = f'Authorization: Bearer {key}\r\n' if key else ''
        body = '{}' if method == 'POST' else ''
        connection.sendall(f'{method} {path} HTTP/1.1\r\nHost: x\r\n{bearer}Content-Type: application/json\r\n'
                           f'Content-Length: {len(body)}\r\n\r\n{body}'.encode())
        return int(connection.recv(4096).split(b' ')[1])


def test_every_call_with_every_kind_of_key(t):
    unknown = {'w': 'w_0000000000009', 'k': 'k_0000000000009'}
    keys = {scope: t.caller(scope).key for scope in SCOPES}
    for name, method, path, scope, _ in routes():
        path = path.replace('{id}', unknown['k' if '/keys/' in path else 'w'])
        path += '?agent=me' if name == 'work_session' else ''
        for held in SCOPES:
            with t.case(f'{name} with {held}'):
                status = status_of(t.server, method, path, keys[held])
                if scope == 'none' or SCOPES.index(held) >= SCOPES.index(scope):
                    assert status not in (401, 403), status
                else:
                    assert status == 403, status
        for held, key in [('no key', None), ('a wrong key', 'tf_' + '0' * 52), ('nonsense', 'x')]:
            with t.case(f'{name} with {held}'):
                status = status_of(t.server, method, path, key)
                if scope == 'none' and key is None:
                    assert status not in (401, 403), status
                elif scope != 'none':
                    assert status == 401, status


def test_refusals_say_what_is_needed(t):
    reader = t.caller('reader')
    assert 'worker' in reader.post('/v1/work', {'type': 'x'}).expect(403, 'forbidden').json['detail']
    answer = t.anonymous().get('/v1/work').expect(401, 'unauthenticated')
    assert answer.headers.get('www-authenticate', '').startswith('Bearer')


def test_another_tenants_things_are_not_there(t):
    mine, theirs = t.caller('operator'), t.caller('operator', tenant='theirs')
    item = mine.add('isolation', key='shared')
    held = mine.claim('isolation')[0]
    for verb, more in [('complete', {}), ('fail', {'error': 'x'}), ('release', {}), ('progress', {'percent': 5}),
                       ('cancel', None), ('retry', None)]:
        with t.case(verb):
            body = {'token': held['token'], **more} if more is not None else {}
            theirs.post(f'/v1/work/{item["id"]}/{verb}', body).expect(404, 'not_found')
    with t.case('show'):
        theirs.get(f'/v1/work/{item["id"]}').expect(404, 'not_found')
    with t.case('extend and settle in bulk'):
        one = {'id': item['id'], 'token': held['token']}
        assert theirs.post('/v1/work/extend', {'lease_ms': 5000, 'items': [one]}).items[0]['error']['code'] == 'not_found'
        assert theirs.post('/v1/work/settle', {'items': [{**one, 'outcome': 'completed'}]}
                           ).items[0]['error']['code'] == 'not_found'
    with t.case('lists'):
        assert item['id'] in [i['id'] for i in mine.get('/v1/work', query={'type': 'isolation'}).items]
        assert theirs.get('/v1/work').items == []
    with t.case('claims'):
        mine.add('isolation')
        assert theirs.claim('isolation') == []
    with t.case('unique keys'):
        assert theirs.add('isolation', key='shared')['id'] != item['id']
    with t.case('nothing changed'):
        mine.settle(held).expect(200)


def test_an_admin_selects_a_tenant(t):
    theirs = t.caller('worker', tenant='selected')
    item = theirs.add('x')
    admin = t.admin
    admin.get(f'/v1/work/{item["id"]}').expect(404, 'not_found')
    there = {'X-Tenant': 'selected'}
    assert admin.get(f'/v1/work/{item["id"]}', headers=there).expect(200).json['id'] == item['id']
    assert admin.get('/v1/whoami', headers=there).json['tenant_name'] == 'selected'
    admin.get('/v1/whoami', headers={'X-Tenant': 'nobody'}).expect(404, 'not_found')
    worker = t.worker.get('/v1/whoami', headers=there)
    assert worker.status in (403, 404), 'only an admin may look into another tenant'


def test_whoami(t):
    said = t.worker.get('/v1/whoami').expect(200).json
    assert (said['tenant_name'], said['scope'], said['key_name']) == ('default', 'worker', 'test worker')
    assert said['expires_at'] is None
    assert t.caller('first').get('/v1/whoami').json['scope'] == 'admin'


def test_tenants(t):
    made = t.admin.post('/v1/tenants', {'name': 'acme-1.x_y'}).expect(201).json
    assert made['name'] == 'acme-1.x_y' and made['id'].startswith('t_')
    listed = t.admin.get('/v1/tenants').expect(200).json
    assert [i['name'] for i in listed['items']][0] == 'default' and made in listed['items'] and listed['next_cursor'] is None
    t.admin.post('/v1/tenants', {'name': 'acme-1.x_y'}).expect(409, 'already_exists')
    for bad in ('', 'a b', 'a/b', 'x' * 65, 'é'):
        with t.case(f'{bad!r} is no name'):
            t.admin.post('/v1/tenants', {'name': bad}).expect(422, 'invalid').names('name')


def test_keys(t):
    admin = t.admin
    made = admin.post('/v1/keys', {'name': 'ci', 'scope': 'reader'}).expect(201).json
    assert made['secret'].startswith('tf_') and len(made['secret']) > 50
    listed = admin.get('/v1/keys').expect(200)
    mine = next(k for k in listed.items if k['id'] == made['id'])
    assert (mine['name'], mine['scope'], mine['revoked_at']) == ('ci', 'reader', None)
    assert made['secret'].encode() not in listed.body and made['secret'] not in t.server.log(), 'a secret is shown once'
    reader = t.anonymous()
    reader.key = made['secret']
    reader.get('/v1/whoami').expect(200)
    admin.call('DELETE', f'/v1/keys/{made["id"]}').expect(204)
    until(lambda: reader.get('/v1/whoami').status == 401, 5, 'the revocation')
    assert next(k for k in admin.get('/v1/keys').items if k['id'] == made['id'])['revoked_at']
    admin.call('DELETE', '/v1/keys/k_0000000000009').expect(404, 'not_found')
    admin.post('/v1/keys', {'name': 'x', 'scope': 'god'}).expect(422, 'invalid').names('scope')
    assert admin.post('/v1/keys', {'name': 'plain'}).expect(201).json['scope'] == 'worker'


def test_a_key_expires(t):
    at = time.time() + 1
    text = time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at)) + f'.{int(at * 1000) % 1000:03d}Z'
    made = t.admin.post('/v1/keys', {'name': 'short', 'expires_at': text}).expect(201).json
    short = t.anonymous()
    short.key = made['secret']
    assert made['expires_at'] == text and short.get('/v1/whoami').status == 200
    until(lambda: short.get('/v1/whoami').status == 401, 10, 'the end of the key')


def test_keys_live_through_a_restart(t):
    server = t.new_server()
    worker = t.caller('worker', server)
    worker.get('/v1/whoami').expect(200)
    first = server.admin_key
    server.stop()
    server.start()
    worker.close()
    worker.get('/v1/whoami').expect(200)
    assert server.admin_key == first
    mode = os.stat(os.path.join(server.data, 'admin.key')).st_mode & 0o777
    assert mode == 0o600, oct(mode)
