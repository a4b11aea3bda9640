"""Accounts of people: signing up and in, the two tokens, passwords, sessions."""

import concurrent.futures
import contextlib
import os
import sqlite3
import statistics
import threading
import time

from harness import Caller, until
from people import PASSWORD, Person, colleague, email_of, invite, organisation, with_token

SERVER_ARGS = ['--sign-up', 'open', '--limit-sign-in', '0', '--limit-anonymous', '0']
OTHER = 'a quiet river under snow'


def says(answer, *words, status=401):
    detail = answer.expect(status).json['detail']
    assert all(w in detail for w in words), detail
    return detail


def me(caller):
    return caller.get('/v1/whoami')


def test_sign_up_and_sign_in(t):
    ada = Person(t, name='Ada', client='a test')
    with t.case('an access token works wherever a key does'):
        said = me(ada).expect(200).json
        assert (said['user'], said['session'], said['scope']) == (ada.id, ada.session['session'], 'operator'), said
        assert said['tenant_name'] == ada.id and said['expires_at'] == ada.session['expires_at'], said
        item = ada.caller.add('greet')
        assert ada.caller.show(item)['state'] == 'ready'
        t.worker.get(f'/v1/work/{item["id"]}').expect(404)
    with t.case('the account'):
        shown = ada.get('/v1/account').expect(200).json
        assert (shown['email'], shown['name'], shown['role']) == (ada.email, 'Ada', 'owner'), shown
        assert [(x['kind'], x['role']) for x in shown['tenants']] == [('person', 'owner')], shown
        assert ada.get('/v1/plan').expect(200).json['plan'] == 'pro'
        assert 'admin of the server' in ada.call('PUT', '/v1/plan', {'plan': 'enterprise'}).expect(403).json['detail']
    with t.case('capitals of an address do not count'):
        again = t.anonymous().post('/v1/account/sign-in', {'email': ada.email.upper(), 'password': PASSWORD}).expect(200).json
        assert again['user'] == ada.id and again['session'] != ada.session['session']
        taken = t.anonymous().post('/v1/account/sign-up', {'email': ada.email.title(), 'password': OTHER})
        taken.expect(409, 'already_exists').names('email')
    with t.case('what is no address'):
        for bad in ('ada', 'a@b', '@example.org', 'a b@example.org', 'ada@exämple.org', 'a..b@example.org', 'ada@example..org',
                    'ada@' + 'x' * 64 + '.org', 'a@b@example.org', '"ada"@example.org'):
            t.anonymous().post('/v1/account/sign-up', {'email': bad, 'password': PASSWORD}).expect(422, 'invalid').names('email')
    with t.case('a key that is no person\'s has no account'):
        for method, path in (('GET', '/v1/account'), ('GET', '/v1/account/sessions'), ('POST', '/v1/account/sign-out')):
            t.worker.call(method, path, {} if method == 'POST' else None).expect(404, 'not_found')
    with t.case('names'):
        plain = Person(t)
        assert plain.get('/v1/account').json['name'] == plain.email.split('@')[0]


def test_the_plan_of_new_tenants_is_a_setting(t):
    server = t.new_server(*SERVER_ARGS, '--plan', 'starter')
    admin = Caller(server, server.admin_key)
    admin.post('/v1/tenants', {'name': 'made'}).expect(201)
    for who, caller in (('a person', Person(t, server).caller), ('an organisation', organisation(t, server).caller),
                        ('the first tenant', admin)):
        with t.case(who):
            assert caller.get('/v1/plan').expect(200).json == {'plan': 'starter', 'active_members': 3}
    with t.case('one made by an admin'):
        assert admin.get('/v1/plan', headers={'X-Tenant': 'made'}).expect(200).json['plan'] == 'starter'


def test_passwords_that_are_refused(t):
    def sign_up(password, email=None):
        return t.anonymous().post('/v1/account/sign-up', {'email': email or email_of(), 'password': password})
    for bad in ('fourteen chars', 'x' * 129):
        with t.case(f'length {len(bad)}'):
            sign_up(bad).expect(422, 'invalid').names('password')
    for bad in ('a' * 15, 'abcabcabcabcabc', '123456789012345', 'qwertyuiopasdfghj', 'Password12345678!', 'p4ssw0rd-2026-2027',
                'passwordpassword', 'correcthorsebatterystaple', '1q2w3e4r5t6y7u8i', 'zyxwvutsrqponmlkji', 'TenfoldTenfoldTenfold'):
        with t.case(f'{bad!r} is tried first'):
            assert 'tried first' in sign_up(bad).expect(422, 'invalid').names('password').json['detail']
    with t.case('the name of the address'):
        refused = sign_up('I am Grace2, that is me', 'grace2@example.org').expect(422).names('password').json
        assert 'name of the address' in refused['detail'], refused
        sign_up('I am Grace2, that is me', email_of('bob')).expect(201)
    for good in ('fifteen letters', 'x y' * 5 + ' 12', 'Пароль на русском языке', '日本語の長いパスワードです、本当に', ' ' * 14 + '☃', 'l' * 127 + 'x'):
        with t.case(f'{good[:20]!r} is as good as any'):
            email = email_of('carol')
            sign_up(good, email).expect(201)
            t.anonymous().post('/v1/account/sign-in', {'email': email, 'password': good}).expect(200)
            t.anonymous().post('/v1/account/sign-in', {'email': email, 'password': good[:-1] + '!'}).expect(401)
    with t.case('is nowhere told'):
        assert PASSWORD not in t.server.log() and OTHER not in t.server.log()


def test_nobody_learns_who_has_an_account(t):
    ada, nobody = Person(t), t.anonymous()

    def attempt(email, password):
        began = time.monotonic()
        answer = nobody.post('/v1/account/sign-in', {'email': email, 'password': password}).expect(401, 'unauthenticated')
        return time.monotonic() - began, {k: v for k, v in answer.json.items() if k != 'request_id'}
    known, unknown = [], []
    for _ in range(12):   # in turns, so that both meet what else the machine does
        known.append(attempt(ada.email, OTHER))
        unknown.append(attempt('nobody@example.org', OTHER))
    assert len({str(said) for _, said in known + unknown}) == 1, 'the same words'
    fastest = [min(took for took, _ in group) for group in (known, unknown)]
    middle = [statistics.median(took for took, _ in group) for group in (known, unknown)]
    assert min(fastest) > 0.6 * max(fastest), (fastest, middle)


def test_each_token_for_what_it_is(t):
    ada = Person(t, organisation='tokens')
    ticket = ada.post('/v1/tickets', {'path': '/v1/executions/ex_0000000000009/events'}).expect(201).json['ticket']
    invitation = invite(ada)
    reset = t.admin.post(f'/v1/users/{ada.id}/password-reset', headers={'X-Tenant': 'tokens'}).expect(201).json['reset_token']
    for token, name in ((ada.session['refresh_token'], 'a refresh token'), (ticket, 'a ticket'), (invitation, 'an invitation'),
                        (reset, 'a password reset token')):
        with t.case(f'{name} is no access token'):
            says(me(with_token(t, token)), f'this is {name}')
    for token, name in ((ada.session['access_token'], 'an access token'), (t.worker.key, 'an API key'), (ticket, 'a ticket'),
                        ('x', 'no token')):
        with t.case(f'{name} is no refresh token'):
            says(ada.refresh(token), f'this is {name}')
    for token, name in ((ada.session['access_token'], 'an access token'), (ada.session['refresh_token'], 'a refresh token')):
        with t.case(f'{name} is no reset token'):
            says(t.anonymous().post('/v1/account/password-reset', {'reset_token': token, 'new_password': OTHER}), f'this is {name}')
    with t.case('unknown ones say so'):
        says(me(with_token(t, 'ta_' + '0' * 52)), 'does not know this access token')
        says(ada.refresh('tr_' + '0' * 52), 'does not know this refresh token')
    me(ada).expect(200)


def test_refresh_tokens_follow_each_other(t):
    ada = Person(t)
    first = ada.session
    second = ada.take(ada.refresh().expect(200).json)
    assert second['session'] == first['session'] and second['user'] == first['user']
    assert second['access_token'] != first['access_token'] and second['refresh_token'] != first['refresh_token']
    with t.case('the access token of before works until it expires'):
        me(with_token(t, first['access_token'])).expect(200)
    elsewhere = ada.sign_in().expect(200).json
    with t.case('one that comes a second time ends its session'):
        says(ada.refresh(first['refresh_token']), 'used before', 'session was ended')
        for token in (first['access_token'], second['access_token']):
            says(me(with_token(t, token)), 'revoked')
    with t.case('whose newest token says so'):
        says(ada.refresh(second['refresh_token']), 'session of this refresh token was ended')
        says(ada.refresh(first['refresh_token']), 'session of this refresh token was ended')
    with t.case('and no other session'):
        me(with_token(t, elsewhere['access_token'])).expect(200)
        ada.refresh(elsewhere['refresh_token']).expect(200)
    assert 'account.refresh_replayed' in t.server.log()


def test_of_eight_at_once_one_is_given_the_next(t):
    ada = Person(t)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ada.refresh(), range(8)))
    given = [a for a in answers if a.status == 200]
    assert len(given) == 1 and all(a.status in (200, 401) for a in answers), [a.status for a in answers]
    says(ada.refresh(given[0].json['refresh_token']), 'was ended')
    token = with_token(t, given[0].json['access_token'])   # which was on its way to this process when it was revoked
    until(lambda: me(token).status == 401, 5, 'the end of the access token')
    says(me(token), 'revoked')


def test_tokens_expire(t):
    server = t.new_server(*SERVER_ARGS, '--access-token-life', '1500ms', '--refresh-token-life', '3s', '--session-life', '5s')
    ada = Person(t, server)
    me(ada).expect(200)
    until(lambda: me(ada).status == 401, 5, 'the end of the access token')
    says(me(ada), 'has expired', '/v1/account/refresh')
    ada.take(ada.refresh().expect(200).json)
    assert ada.session['refresh_expires_at'] <= max(s['expires_at'] for s in ada.get('/v1/account/sessions').expect(200).items)
    me(ada).expect(200)
    with t.case('a session that is not refreshed'):
        eve = Person(t, server)
        kept = eve.session['refresh_token']
        until(lambda: time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime()) > eve.session['refresh_expires_at'][:19], 10, 'its time')
        says(eve.refresh(kept), 'expired')
    with t.case('no session outlives its time'):
        bob = Person(t, server)

        def over():
            answer = bob.refresh()
            if answer.status == 200:
                bob.take(answer.json)
            return answer.status == 401 and answer
        says(until(over, 10, 'the end of the session'), 'is over')
        assert t.anonymous(server).post('/v1/account/sign-in', {'email': bob.email, 'password': PASSWORD}).status == 200


def test_sessions_and_signing_out(t):
    ada = Person(t, client='here')
    there = ada.sign_in(client='there').expect(200).json
    third = ada.sign_in().expect(200).json
    listed = ada.get('/v1/account/sessions').expect(200).items
    assert [s['id'] for s in listed] == [third['session'], there['session'], ada.session['session']], listed
    assert [(s['current'], s['client']) for s in listed] == [(False, ''), (False, 'there'), (True, 'here')], listed
    with t.case('pages'):
        page = ada.get('/v1/account/sessions?limit=2').expect(200).json
        rest = ada.get(f'/v1/account/sessions?limit=2&cursor={page["next_cursor"]}').expect(200).json
        assert [s['id'] for s in page['items'] + rest['items']] == [s['id'] for s in listed] and rest['next_cursor'] is None
    with t.case('one is ended from another'):
        ada.call('DELETE', f'/v1/account/sessions/{there["session"]}').expect(204)
        says(me(with_token(t, there['access_token'])), 'revoked')
        says(ada.refresh(there['refresh_token']), 'ended')
        ada.call('DELETE', f'/v1/account/sessions/{there["session"]}').expect(404, 'not_found')
        Person(t).call('DELETE', f'/v1/account/sessions/{third["session"]}').expect(404, 'not_found')
    with t.case('here'):
        ada.post('/v1/account/sign-out').expect(204)
        says(me(ada), 'revoked')
        says(ada.refresh(), 'ended')
        me(with_token(t, third['access_token'])).expect(200)
    with t.case('everywhere'):
        fourth = ada.take(ada.sign_in().expect(200).json)
        ada.post('/v1/account/sign-out', {'everywhere': True}).expect(204)
        for session in (third, fourth):
            says(me(with_token(t, session['access_token'])), 'revoked')
            says(ada.refresh(session['refresh_token']), 'ended')
        ada.sign_in().expect(200)


def test_another_password(t):
    ada = Person(t)
    other = ada.sign_in().expect(200).json

    def change(password, new):
        return ada.call('PUT', '/v1/account/password', {'password': password, 'new_password': new})
    with t.case('not without the one there is'):
        change(OTHER, OTHER).expect(403, 'forbidden').names('password')
        change(PASSWORD, 'password12345678').expect(422, 'invalid').names('new_password')
        change(PASSWORD, ada.email.split('@')[0] + ' is my name').expect(422, 'invalid').names('new_password')
        ada.sign_in().expect(200)
    change(PASSWORD, OTHER).expect(204)
    with t.case('ends all other sessions and keeps this one'):
        me(ada).expect(200)
        ada.take(ada.refresh().expect(200).json)
        says(me(with_token(t, other['access_token'])), 'revoked')
        says(ada.refresh(other['refresh_token']), 'ended')
        assert len(ada.get('/v1/account/sessions').items) == 1
    with t.case('the old one is no more'):
        ada.sign_in().expect(401)
        ada.password = OTHER
        ada.sign_in().expect(200)


def test_a_forgotten_password(t):
    boss = organisation(t, name='forgetful')
    ada = colleague(boss)
    there = {'X-Tenant': 'forgetful'}

    def make():
        return t.admin.post(f'/v1/users/{ada.id}/password-reset', headers=there).expect(201).json

    def use(token, password=OTHER):
        return t.anonymous().post('/v1/account/password-reset', {'reset_token': token, 'new_password': password})
    with t.case('is made by an admin of the server alone'):
        boss.post(f'/v1/users/{ada.id}/password-reset').expect(403, 'forbidden')
        t.admin.post(f'/v1/users/{ada.id}/password-reset').expect(404)
    first, second = make(), make()
    says(use(first['reset_token']), 'another took its place')
    use(second['reset_token'], 'passwordpassword').expect(422).names('new_password')
    use(second['reset_token']).expect(204)
    with t.case('works once'):
        says(use(second['reset_token']), 'was used')
    with t.case('ends all sessions, and does not sign in'):
        says(me(ada), 'revoked')
        says(ada.refresh(), 'ended')
        ada.sign_in().expect(401)
        ada.password = OTHER
        ada.take(ada.sign_in().expect(200).json)
    with t.case('a change of the password voids it'):
        third = make()
        ada.call('PUT', '/v1/account/password', {'password': OTHER, 'new_password': PASSWORD}).expect(204)
        says(use(third['reset_token']), 'was used, or another took its place')
    with t.case('of two at once one sets it'):
        token = make()['reset_token']
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            statuses = [a.status for a in pool.map(lambda i: use(token, f'{OTHER} {i}'), range(4))]
        assert sorted(statuses) == [204, 401, 401, 401], statuses
    with t.case('expires'):
        until_expired(t, boss)


def until_expired(t, boss):
    """A reset and an invitation whose time was over when the server was looking elsewhere."""
    server = t.new_server(*SERVER_ARGS)
    ada = organisation(t, server, 'late')
    token = t.caller('admin', server, 'late').post(f'/v1/users/{ada.id}/password-reset').expect(201).json['reset_token']
    invitation = invite(ada)
    server.stop()
    now_ms = int(time.time() * 1000)
    server.sql(f'UPDATE password_resets SET expires_ms = {now_ms}')
    server.sql(f'UPDATE invitations SET expires_ms = {now_ms}')
    server.start()
    nobody = t.anonymous(server)
    answer = nobody.post('/v1/account/password-reset', {'reset_token': token, 'new_password': OTHER}).expect(401)
    assert 'has expired' in answer.json['detail'] or 'does not know' in answer.json['detail'], answer.json   # or cleared away
    late = nobody.post('/v1/account/sign-up', {'email': email_of(), 'password': PASSWORD, 'invitation': invitation})
    assert 'has expired' in late.expect(422).names('invitation').json['detail']


def test_tries_are_limited(t):
    server = t.new_server('--sign-up', 'open', '--limit-sign-in', '3')
    ada = Person(t, server)

    def attempt(email, password=OTHER):
        return t.anonymous(server).post('/v1/account/sign-in', {'email': email, 'password': password})
    for email in (ada.email, 'nobody@example.org'):
        with t.case(f'at the account of {"somebody" if email == ada.email else "nobody"}'):
            assert [attempt(email.title() if i else email).status for i in range(4)] == [401, 401, 401, 429]
            refused = attempt(email).expect(429, 'rate_limited')
            assert 0 < int(refused.headers['retry-after']) <= 60, refused.headers
    with t.case('the right one too, while sessions go on'):
        attempt(ada.email, PASSWORD).expect(429)
        ada.take(ada.refresh().expect(200).json)
        me(ada).expect(200)
    with t.case('and from one address'):
        statuses = [attempt(email_of()).status for _ in range(40)]
        assert 401 in statuses and statuses[-1] == 429, statuses
        assert 'from this address' in attempt(email_of()).expect(429).json['detail']


def test_hashing_holds_nobody_up(t):
    """More than can wait is refused at once, and the queue and the loops go on meanwhile."""
    ada, worker, stop = Person(t), t.worker, threading.Event()
    slowest = []

    def work():
        while not stop.is_set():
            began = time.monotonic()
            worker.add(t.type)
            slowest.append(time.monotonic() - began)
    thread = threading.Thread(target=work)
    thread.start()
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        statuses = [a.status for a in pool.map(lambda _: ada.sign_in(), range(100))]
    took = time.monotonic() - began
    stop.set()
    thread.join()
    assert set(statuses) == {200, 503} and statuses.count(200) >= 60, statuses
    assert statistics.median(slowest) < took / 10, (statistics.median(slowest), took)


def stored(t):
    if t.store == 'sqlite':
        with contextlib.closing(sqlite3.connect(os.path.join(t.server.data, 'tenfold.db'))) as db:
            return '\n'.join(db.iterdump())
    tables = t.server.database.ask("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'").split()
    return '\n'.join(t.server.database.ask(f'SELECT * FROM {table}') for table in tables)


def test_only_hashes_are_kept(t):
    ada = organisation(t, name='hashes')
    ticket = ada.post('/v1/tickets', {'path': '/v1/squads/sq_0000000000009/events'}).expect(201).json['ticket']
    secrets = [ada.session['access_token'], ada.session['refresh_token'], ticket, invite(ada), PASSWORD]
    everything = stored(t)
    assert ada.email in everything and '$argon2id$v=19$m=65536,t=2,p=1$' in everything
    for secret in secrets:
        assert secret not in everything and secret[3:] not in everything and secret not in t.server.log()
    shown = ada.get('/v1/keys').expect(200).items
    assert shown == [], 'access tokens are not listed as keys'


def test_two_processes(t):
    first, second = t.pair(*SERVER_ARGS)
    ada = Person(t, first)
    with t.case('a token works at once everywhere'):
        for _ in range(5):
            session = ada.sign_in(second).expect(200).json
            assert with_token(t, session['access_token'], first).get('/v1/whoami').status == 200
    with t.case('and is refreshed anywhere'):
        ada.take(ada.refresh(server=second).expect(200).json)
        me(ada).expect(200)
    with t.case('what one process ends, the other learns'):
        ada.at(second).post('/v1/account/sign-out', {'everywhere': True}).expect(204)
        until(lambda: me(ada).status == 401, 5, 'the end of the session')
        says(me(ada), 'revoked')
        says(ada.refresh(), 'ended')
    with t.case('of eight at once at both one is given the next'):
        ada.take(ada.sign_in().expect(200).json)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda i: ada.refresh(server=(first, second)[i % 2]), range(8)))
        assert sorted(a.status for a in answers) == [200] + 7 * [401], [a.status for a in answers]


def test_a_crash_loses_no_session(t):
    """What a refresh was answered with works after kill -9, and no token of before works again."""
    server = t.new_server(*SERVER_ARGS)
    people = [Person(t, server) for _ in range(4)]
    used, stop = {p.id: [] for p in people}, threading.Event()

    def go_on(person):
        with contextlib.suppress(OSError, Exception):
            while not stop.is_set():
                before = person.session['refresh_token']
                person.take(person.refresh().expect(200).json)
                used[person.id].append(before)
    threads = [threading.Thread(target=go_on, args=(p,)) for p in people]
    for thread in threads:
        thread.start()
    until(lambda: all(len(tokens) > 20 for tokens in used.values()), 20, 'twenty refreshes of each')
    server.kill()
    stop.set()
    for thread in threads:
        thread.join()
    server.start()
    for person in people:
        answer = t.anonymous(server).post('/v1/account/refresh', {'refresh_token': person.session['refresh_token']})
        # The last one may have been used by a refresh whose answer was lost: then it is a replay.
        assert answer.status == 200 or 'used before' in answer.json['detail'], answer.json
        says(t.anonymous(server).post('/v1/account/refresh', {'refresh_token': used[person.id][-1]}), 'ended' if answer.status == 401 else 'used before')
