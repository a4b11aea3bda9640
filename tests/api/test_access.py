"""Who may do what: every call with every kind of key, and nobody sees another tenant's things."""

import itertools
import json
import os
import re
import socket
import time

from agents import Agent
from harness import Caller, SCOPES, SLOW, until
from people import Person
from test_events import Stream

# Every call is tried with keys that are wrong, which are more than an address may guess in a minute.
SERVER_ARGS = ['--limit-anonymous', '0']

# What nothing has.
NOWHERE = {**{p: p + '0000000000009'
              for p in ('w_', 'k_', 's_', 't_', 'ag_', 'ch_', 'att_', 'wh_', 'wd_', 'hk_', 'hd_', 'sc_', 'sq_', 'sm_', 'pj_', 'tk_', 'ex_', 'st_', 'qn_', 'rr_',
                        'us_', 'si_', 'iv_', 'ar_')},
           'agent-ref': 'ag_0000000000009', 'capability-ref': 'nobody-can', 'hook-ref': 'hk_0000000000009'}


def status_of(server, method, url, key, body=None):
    """Only the status: a stream does not end by itself."""
    with socket.create_connection(server.address, 10 * SLOW) as connection:
        bearer = f'Authorization: Bearer {key}\r\n' if key else ''
        body = json.dumps(body) if body is not None else ''
        connection.sendall(f'{method} {url} HTTP/1.1\r\nHost: x\r\n{bearer}Content-Type: application/json\r\n'
                           f'Content-Length: {len(body)}\r\n\r\n{body}'.encode())
        return int(connection.recv(4096).split(b' ')[1])


def reaches(held, scope):
    return scope == 'none' or SCOPES.index(held) >= SCOPES.index(scope)


def test_every_call_with_every_kind_of_key(t):
    keys = {scope: t.caller(scope).key for scope in SCOPES}
    for o in t.operations():
        url, body = o.url(NOWHERE), {} if o.method == 'POST' else None
        for held in SCOPES:
            with t.case(f'{o.name} with {held}'):
                status = status_of(t.server, o.method, url, keys[held], body)
                if reaches(held, o.scope):
                    assert status not in (401, 403), status
                else:
                    assert status == 403, status
        for held, key in [('no key', None), ('a wrong key', 'tf_' + '0' * 52), ('nonsense', 'x')]:
            with t.case(f'{o.name} with {held}'):
                status = status_of(t.server, o.method, url, key, body)
                if o.scope != 'none':
                    assert status == 401, status
                elif key is None:
                    assert status not in (401, 403), status


def test_refusals_say_what_is_needed(t):
    reader = t.caller('reader')
    assert 'worker' in reader.post('/v1/work', {'type': 'x'}).expect(403, 'forbidden').json['detail']
    nobody = t.anonymous()
    answer = nobody.get('/v1/work').expect(401, 'unauthenticated')
    assert answer.headers.get('www-authenticate', '').startswith('Bearer')
    assert answer.json['detail'] == 'send a key as Authorization: Bearer KEY'
    nobody.key = 'tf_' + '0' * 52
    wrong = nobody.get('/v1/work').expect(401, 'unauthenticated').json
    assert wrong['detail'] == 'the server does not know this key, or it has expired or been revoked'


class Things:
    """One of everything that has an id, of one tenant. A new kind of thing is made, and looked at, here."""

    def __init__(self, t):
        self.operator, self.admin = t.caller('operator'), t.caller('admin')
        self.operator.add('isolation', key='shared')
        self.held = self.operator.claim('isolation')[0]
        self.key = self.admin.post('/v1/keys', {'name': 'isolation'}).expect(201).json
        self.session = Stream(t, '/v1/work/session?agent=isolation')
        slug = f'isolation-{next(Things.number)}'
        self.capability = self.operator.post('/v1/capabilities', {'slug': slug, 'description': 'x'}).expect(201).json
        self.agent = Agent(t, slug, capabilities=[slug])
        self.attestation = self.agent.attest(Agent(t, slug + '-b')).expect(201).json
        self.webhook, self.delivery = self.quiet_webhook()
        self.schedule = self.operator.post('/v1/schedules', {'name': slug, 'cron': '@yearly', 'type': 'x'}).expect(201).json
        self.hook, self.arrival = self.hook_with_one(slug)
        self.ids = {'sc_': self.schedule['id'], 'w_': self.held['id'], 'k_': self.key['id'], 's_': self.session.next()[2]['session'],
                    't_': self.admin.get('/v1/whoami').json['tenant'], 'token': self.held['token'],
                    'ag_': self.agent.id, 'agent-ref': self.agent.id, 'capability-ref': slug,
                    'att_': self.attestation['id'], 'ch_': self.agent.challenge()['challenge_id'],
                    'wh_': self.webhook['id'], 'wd_': self.delivery['id'], 'hook-ref': self.hook['id'],
                    'hk_': self.hook['id'], 'hd_': self.arrival['id'], **self.execution(), **self.people(t)}

    number = itertools.count()

    def quiet_webhook(self):
        """With a delivery that failed; it is disabled, so nothing of it changes any more."""
        webhook = self.operator.post('/v1/webhooks', {'url': 'http://192-0-2-1.invalid/'}).expect(201).json['webhook']
        path = f'/v1/webhooks/{webhook["id"]}'
        sent = self.operator.post(path + '/test').expect(202).json
        until(lambda: self.operator.get(f'/v1/webhook-deliveries/{sent["id"]}').expect(200).json['last_at'], 30)
        return self.operator.call('PATCH', path, {'state': 'disabled'}).expect(200).json, sent

    def execution(self):
        squad = self.operator.post('/v1/squads', {'name': 'isolation'}).expect(201).json['id']
        steps = [{'name': 'ask', 'kind': 'approval'}, {'name': 'hear', 'kind': 'wait', 'event': 'x'}, {'name': 'wonder'}]
        made = self.operator.post('/v1/executions', {'squad': squad, 'name': 'x', 'steps': steps}).expect(202).json['id']
        step = self.operator.get(f'/v1/executions/{made}').expect(200).json['steps'][0]['id']
        member = self.operator.post(f'/v1/squads/{squad}/members', {'role': 'tester'}).expect(201).json['id']
        project = self.operator.post('/v1/projects', {'squad': squad, 'name': 'isolation'}).expect(201).json['id']
        task = self.operator.post('/v1/tasks', {'project': project, 'title': 'isolation'}).expect(201).json['id']
        rule = self.operator.post('/v1/routing-rules', {'squad': squad, 'to': ['tester']}).expect(201).json['id']
        item = self.operator.post('/v1/work/claim', {'agent': 'isolation', 'team': squad}).expect(200).json['items'][0]
        asked = {'step': item['payload']['step'], 'token': item['token'], 'text': 'isolation', 'wait_ms': 3600000}
        question = self.operator.post(f'/v1/executions/{made}/questions', asked).expect(202).json['id']
        return {'ar_': self.archive(squad), 'pj_': project, 'tk_': task, 'sq_': squad, 'sm_': member, 'ex_': made, 'st_': step, 'qn_': question, 'rr_': rule}

    def archive(self, squad):
        """Of an execution that was cancelled."""
        ended = self.operator.post('/v1/executions', {'squad': squad, 'name': 'ended', 'steps': [{'name': 'a', 'kind': 'approval'}]}).expect(202).json['id']
        self.operator.post(f'/v1/executions/{ended}/cancel').expect(200)
        before = time.time() + 0.01
        until(lambda: time.time() > before)
        now = time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(before)) + f'.{int(before * 1000) % 1000:03d}Z'
        self.operator.post('/v1/archives', {'before': now}).expect(202)
        kept = lambda: [a['id'] for a in self.operator.get('/v1/archives').expect(200).items if a['state'] == 'kept']
        return until(lambda: self.operator.get(f'/v1/executions/{ended}').json['archived'] and kept())[0]

    def people(self, t):
        """Somebody who belongs to the tenant, signed in, and an invitation that nobody has used."""
        first, second = [self.admin.post('/v1/invitations', {'valid_ms': 600000}).expect(201).json for _ in range(2)]
        self.person = Person(t, invitation=first['invitation'])
        return {'us_': self.person.id, 'si_': self.person.session['session'], 'iv_': second['id']}

    def hook_with_one(self, name):
        """With something that came in."""
        given = {'name': name, 'kind': 'gitlab', 'secret': 'the-secret-itself'}
        hook = self.operator.post('/v1/hooks', given).expect(201).json
        sent = Caller(self.operator.server).post(f'/v1/hooks/{name}', headers={'X-Gitlab-Token': given['secret']}).expect(202).json
        path = f'/v1/hook-deliveries/{sent["id"]}'
        until(lambda: self.operator.get(path).expect(200).json['state'] == 'ignored')
        return hook, sent

    def look(self):
        """Everything of them that can be seen: it must not change."""
        keys = self.admin.get('/v1/keys', query={'limit': 1000}).expect(200).items
        own = [k for k in keys if k['id'] in (self.key['id'], self.agent.key['id'])]
        assert len(own) == 2
        places = [f'/v1/agents/{self.agent.id}', f'/v1/attestations/{self.attestation["id"]}',
                  f'/v1/schedules/{self.schedule["id"]}', f'/v1/schedules/{self.schedule["id"]}/fires',
                  f'/v1/attestations?revoked=true&subject={self.attestation["subject"]}',
                  f'/v1/hooks/{self.hook["id"]}/deliveries', f'/v1/webhooks/{self.webhook["id"]}', f'/v1/webhooks/{self.webhook["id"]}/deliveries',
                  f'/v1/squads/{self.ids["sq_"]}', f'/v1/squad-members/{self.ids["sm_"]}',
                  f'/v1/archives/{self.ids["ar_"]}', f'/v1/projects/{self.ids["pj_"]}', f'/v1/tasks/{self.ids["tk_"]}', f'/v1/executions/{self.ids["ex_"]}',
                  f'/v1/questions/{self.ids["qn_"]}', f'/v1/routing-rules/{self.ids["rr_"]}', f'/v1/executions/{self.ids["ex_"]}/messages',
                  '/v1/users', f'/v1/capabilities/{self.capability["slug"]}', f'/v1/capabilities/{self.capability["slug"]}/agents']
        return self.operator.show(self.held), own, self.person.get('/v1/account').expect(200).json, [self.operator.get(p).expect(200).json for p in places]


def test_another_tenants_things_are_not_there(t):
    """Every call, its ids those of another tenant's things: in the path 404, elsewhere as if nothing had them."""
    mine = Things(t)
    theirs = {scope: t.caller(scope, tenant='theirs') for scope in SCOPES}
    they_see_nothing(t, mine, theirs, 'while at work')
    mine.operator.settle(mine.held).expect(200)
    mine.ids.update({'agent-ref': mine.agent.handle, 'hook-ref': mine.hook['name']})
    they_see_nothing(t, mine, theirs, 'when finished')
    assert mine.operator.claim('isolation', session=mine.ids['s_']) == []


def they_see_nothing(t, mine, theirs, when):
    before = mine.look()
    nowhere = {**NOWHERE, 'token': mine.ids['token']}
    for o in t.operations():
        for held in SCOPES if o.scope != 'none' else []:
            with t.case(f'{o.name} with {held} {when}'):
                if not reaches(held, o.scope):
                    assert status_with(theirs[held], o, mine.ids) == 403
                elif o.has_id_in_path:
                    assert status_with(theirs[held], o, mine.ids) == 404
                elif o.has_id_elsewhere():
                    assert said_with(theirs[held], o, mine.ids) == said_with(theirs[held], o, nowhere)
    with t.case(f'nothing changed {when}'):
        assert mine.look() == before


def status_with(caller, o, things):
    return status_of(caller.server, o.method, o.url(things), caller.key, o.body(things))


def said_with(caller, o, things):
    """The whole answer, without what names the request."""
    if o.streams:
        return status_with(caller, o, things)
    answer = caller.call(o.method, o.url(things), o.body(things))
    text = answer.body.decode().replace(answer.headers['x-request-id'], '')
    return answer.status, re.sub(r'\b([a-z]+_)[0-9a-z]{13}\b', r'\1', text)


def test_lists_are_of_the_tenant(t):
    mine, theirs = Things(t), {scope: t.caller(scope, tenant='listers') for scope in SCOPES}
    own = theirs['worker'].add('isolation', key='shared')
    assert own['id'] != mine.ids['w_'], 'a unique key is unique in its tenant'
    hidden = [v for k, v in mine.ids.items() if k != 't_']   # an admin may list the tenants
    for o in t.operations():
        if o.method != 'GET' or o.has_id_in_path or not o.answers_json or o.scope == 'none':
            continue
        for held in [s for s in SCOPES if reaches(s, o.scope)]:
            with t.case(f'{o.name} with {held}'):
                # The town is the server's and no tenant's; this server has none. Nobody says anything of nobody. A key is no
                # person's, and has no account.
                none = ('role_resolve', 'attestation_list', 'account_show', 'account_session_list')
                status = 404 if o.name in none else 200
                shown = theirs[held].get(o.url(NOWHERE)).expect(status).body.decode()
                assert not [i for i in hidden if i in shown], shown
    with t.case('a list has what is theirs'):
        assert [i['id'] for i in theirs['reader'].get('/v1/work').items] == [own['id']]
    with t.case('a claim takes what is theirs'):
        mine.operator.add('isolation')
        assert [i['id'] for i in theirs['worker'].claim('isolation', max=9)] == [own['id']]


def test_an_admin_selects_a_tenant(t):
    theirs = t.caller('worker', tenant='selected')
    item = theirs.add('x')
    admin = t.admin
    admin.get(f'/v1/work/{item["id"]}').expect(404, 'not_found')
    there = {'X-Tenant': 'selected'}
    assert admin.get(f'/v1/work/{item["id"]}', headers=there).expect(200).json['id'] == item['id']
    assert admin.get('/v1/whoami', headers=there).json['tenant_name'] == 'selected'
    unknown = admin.get('/v1/whoami', headers={'X-Tenant': 'nobody'}).expect(404, 'not_found').json
    assert unknown['detail'] == "there is no tenant 'nobody'; 'tenfold tenant list' shows them"
    for name in ('selected', 'nobody'):   # who may not know learns nothing
        refused = t.worker.get('/v1/whoami', headers={'X-Tenant': name}).expect(403, 'forbidden').json
        assert refused['detail'] == 'this key belongs to another tenant; --tenant (X-Tenant) is for admin keys'


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
