"""Tickets for streams that a browser opens, and streams whose caller is no more."""

import concurrent.futures
import json
import subprocess
import time

from harness import SLOW, until
from people import Person, colleague, organisation, with_token
from test_events import Stream

SERVER_ARGS = ['--sign-up', 'open', '--limit-sign-in', '0', '--limit-anonymous', '0']


def execution(caller):
    """The path of the events of one that waits for ever."""
    squad = caller.post('/v1/squads', {'name': 'streams'}).expect(201).json['id']
    made = caller.post('/v1/executions', {'squad': squad, 'name': 'x', 'steps': [{'name': 'ask', 'kind': 'approval'}]})
    return f'/v1/executions/{made.expect(202).json["id"]}/events', f'/v1/squads/{squad}/events'


def ticket_for(caller, path):
    return caller.post('/v1/tickets', {'path': path}).expect(201).json['ticket']


def curl(server, path, seconds=1):
    """(status, body) of what a client that sends no header but its own is answered."""
    done = subprocess.run(['curl', '-sN', '-m', str(seconds * SLOW), '-w', '\n%{http_code}', server.url + path],
                          capture_output=True, text=True, check=False)
    body, _, status = done.stdout.rpartition('\n')
    return int(status), body


def opened(t, path, key, server=None):
    stream = Stream(t, path, key=key, server=server)
    assert stream.status == 200, stream.status
    return stream


def last_event(stream):
    """The last event before the end of the stream."""
    last, event = None, stream.next()
    while event:
        last, event = event, stream.next()
    return last


def test_a_ticket_opens_one_stream_once(t):
    ada = Person(t)
    for path in execution(ada):
        with t.case(path.split('/')[2]):
            ticket = ticket_for(ada, path)
            assert curl(t.server, path)[0] == 401, 'nobody comes in without'
            separator = '?from=start&' if 'squads' in path else '?'
            status, body = curl(t.server, f'{path}{separator}ticket={ticket}')
            assert status == 200 and 'event: execution_started' in body, (status, body)
            status, body = curl(t.server, f'{path}?ticket={ticket}')
            assert status == 401 and 'was used' in json.loads(body)['detail'], body
    path = execution(ada)[0]
    with t.case('not another path, and then none'):
        ticket, other = ticket_for(ada, path), execution(ada)[0]
        status, body = curl(t.server, f'{other}?ticket={ticket}')
        assert status == 401 and 'another path' in json.loads(body)['detail'], body
        assert curl(t.server, f'{path}?ticket={ticket}')[0] == 401
    with t.case('nothing but a stream'):
        for bad in ('/v1/work', '/v1/executions', path + '?from=0', path[:-1], '/v1/executions//events', '/v1/work/events', 'x'):
            ada.post('/v1/tickets', {'path': bad}).expect(422, 'invalid').names('path')
        status, body = curl(t.server, f'/v1/account?ticket={ticket_for(ada, path)}')
        assert status == 401 and 'send a key' in json.loads(body)['detail'], body
    with t.case('what is none'):
        for bad in ('x', 'tt_' + '0' * 52, ada.session['access_token'], '%74t'):
            assert curl(t.server, f'{path}?ticket={bad}')[0] == 401, bad
    with t.case('no more than its key'):
        stranger = Person(t)
        assert curl(t.server, f'{path}?ticket={ticket_for(stranger, path)}')[0] == 404
    with t.case('of an API key, and of an admin in the tenant that was selected'):
        path = execution(t.operator)[0]
        assert curl(t.server, f'{path}?ticket={ticket_for(t.worker, path)}')[0] == 200
        path = execution(t.caller('operator', tenant='elsewhere'))[0]
        made = t.admin.post('/v1/tickets', {'path': path}, headers={'X-Tenant': 'elsewhere'}).expect(201).json['ticket']
        assert curl(t.server, f'{path}?ticket={made}')[0] == 200
    with t.case('a key counts before it'):
        assert Stream(t, f'{path}?ticket=x', key=t.caller('worker', tenant='elsewhere').key).status == 200


def test_of_eight_at_once_one_comes_in(t):
    ada = Person(t)
    path = execution(ada)[0]
    ticket = ticket_for(ada, path)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: curl(t.server, f'{path}?ticket={ticket}')[0], range(8)))
    assert sorted(statuses) == [200] + 7 * [401], statuses


def test_a_ticket_goes_with_its_session(t):
    ada = Person(t)
    path = execution(ada)[0]
    ticket = ticket_for(ada, path)
    ada.post('/v1/account/sign-out').expect(204)
    status, body = curl(t.server, f'{path}?ticket={ticket}')
    assert status == 401 and 'works no more' in json.loads(body)['detail'], body


def test_a_stream_ends_with_its_caller(t):
    ada = Person(t)
    path = execution(ada)[0]

    def ends(stream, *words):
        name, data = last_event(stream)[1:]
        assert name == 'unauthenticated' and data['code'] == 'unauthenticated', (name, data)
        assert all(w in data['detail'] for w in words), data
    with t.case('signed out'):
        session = ada.sign_in().expect(200).json
        streams = [opened(t, p, session['access_token']) for p in (path, '/v1/work/events', '/v1/changes/stream')]
        kept = opened(t, path, ada.session['access_token'])
        ada.call('DELETE', f'/v1/account/sessions/{session["session"]}').expect(204)
        for stream in streams:
            ends(stream, 'revoked')
        assert kept.next()[1] == 'execution_started', 'another session goes on'
    with t.case('opened by a ticket'):
        session = ada.sign_in().expect(200).json
        caller = with_token(t, session['access_token'])
        reader = subprocess.Popen(['curl', '-sN', '-m', str(20 * SLOW), f'{t.server.url}{path}?ticket={ticket_for(caller, path)}'],
                                  stdout=subprocess.PIPE, text=True)
        assert reader.stdout.readline().startswith('retry')
        caller.post('/v1/account/sign-out').expect(204)
        said = reader.communicate(timeout=20 * SLOW)[0]
        assert 'event: unauthenticated' in said and 'revoked' in said, said
    with t.case('an API key that is revoked'):
        made = t.admin.post('/v1/keys', {'name': 'x', 'scope': 'reader'}).expect(201).json
        stream = opened(t, '/v1/work/events', made['secret'])
        t.admin.call('DELETE', f'/v1/keys/{made["id"]}').expect(204)
        ends(stream, 'this key was revoked')
    with t.case('another role'):
        boss = organisation(t)
        member = colleague(boss)
        stream = opened(t, '/v1/work/events', member.session['access_token'])
        boss.call('PATCH', f'/v1/users/{member.id}', {'role': 'admin'}).expect(200)
        ends(stream, 'revoked')


def test_a_stream_ends_when_its_token_expires(t):
    """At that time, though nothing happens and no heartbeat is due; one that is refreshed is another."""
    server = t.new_server(*SERVER_ARGS, '--access-token-life', '2s')
    ada = Person(t, server)
    began = time.monotonic()
    stream = opened(t, '/v1/work/events', ada.session['access_token'], server)
    name, data = last_event(stream)[1:]
    took = time.monotonic() - began
    assert name == 'unauthenticated' and 'has expired' in data['detail'], data
    assert took < 2.5 * SLOW, took
    assert ada.get('/v1/whoami').status == 401


def test_tickets_and_streams_at_another_process(t):
    first, second = t.pair(*SERVER_ARGS)
    ada = Person(t, first)
    path = execution(ada.caller)[0]
    with t.case('a ticket of one is used at the other, once'):
        ticket = ticket_for(ada.caller, path)
        statuses = sorted(curl(server, f'{path}?ticket={ticket}')[0] for server in (second, first))
        assert statuses == [200, 401], statuses
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            ticket = ticket_for(ada.caller, path)
            statuses = list(pool.map(lambda i: curl((first, second)[i % 2], f'{path}?ticket={ticket}')[0], range(8)))
        assert sorted(statuses) == [200] + 7 * [401], statuses
    with t.case('of a key that the other has not heard of'):
        for _ in range(5):
            session = ada.sign_in().expect(200).json
            ticket = ticket_for(with_token(t, session['access_token'], first), path)
            assert curl(second, f'{path}?ticket={ticket}', 0.5)[0] == 200
    with t.case('a stream ends where its session did not'):
        session = ada.sign_in().expect(200).json
        stream = opened(t, path, session['access_token'], second)
        ada.call('DELETE', f'/v1/account/sessions/{session["session"]}').expect(204)
        assert last_event(stream)[1] == 'unauthenticated'
    with t.case('an expired ticket'):
        ticket = ticket_for(ada.caller, path)
        first.database.ask(f'UPDATE tickets SET expires_ms = {int(time.time() * 1000) - 1}')
        status, body = curl(second, f'{path}?ticket={ticket}')
        assert status == 401 and 'has expired' in json.loads(body)['detail'], body
    until(lambda: first.metric('tenfold_event_stream_subscribers') == 0, 10, 'the end of the streams')
