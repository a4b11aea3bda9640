"""Organisations: who belongs to them, as what, and how people come in and go."""

import concurrent.futures

from harness import until
from people import PASSWORD, Person, colleague, email_of, invite, organisation, with_token

SERVER_ARGS = ['--sign-up', 'open', '--limit-sign-in', '0', '--limit-anonymous', '0']


def sign_up(t, invitation, email=None, server=None):
    body = {'email': email or email_of(), 'password': PASSWORD, 'invitation': invitation}
    return t.anonymous(server).post('/v1/account/sign-up', body)


def roles(person):
    return {u['id']: u['role'] for u in person.get('/v1/users').expect(200).items}


def change(who, user, role):
    return who.call('PATCH', f'/v1/users/{user.id}', {'role': role})


def test_by_invitation_only(t):
    """As it is unless told otherwise."""
    server = t.new_server('--limit-sign-in', '0')
    nobody = t.anonymous(server)
    refused = nobody.post('/v1/account/sign-up', {'email': email_of(), 'password': PASSWORD}).expect(403, 'forbidden')
    assert 'by invitation' in refused.json['detail'] and '--sign-up open' in refused.json['detail']
    nobody.post('/v1/account/sign-up', {'email': email_of(), 'password': PASSWORD, 'organisation': 'mine'}).expect(403)
    admin = t.caller('admin', server, tenant='acme')
    made = admin.post('/v1/invitations', {'role': 'owner'}).expect(201).json['invitation']
    owner = Person(t, server, invitation=made)
    assert owner.session['tenant_name'] == 'acme' and owner.session['role'] == 'owner'
    assert colleague(owner).session['role'] == 'member'
    owner.post('/v1/organisations', {'name': 'another'}).expect(403, 'forbidden')


def test_an_organisation(t):
    boss = organisation(t, name='rocket.co')
    assert boss.session['tenant_name'] == 'rocket.co' and boss.session['role'] == 'owner'
    with t.case('names are taken once, and are no ids'):
        for name, status in (('rocket.co', 409), ('t_0000000000009', 422), ('us_0000000000009', 422), ('a b', 422)):
            body = {'email': email_of(), 'password': PASSWORD, 'organisation': name}
            t.anonymous().post('/v1/account/sign-up', body).expect(status).names('organisation')
    with t.case('one more of somebody who has one'):
        boss.post('/v1/organisations', {'name': 'second.co'}).expect(201)
        boss.post('/v1/organisations', {'name': 'second.co'}).expect(409).names('name')
        assert [x['name'] for x in boss.get('/v1/account').json['tenants']] == ['rocket.co', 'second.co']
    with t.case('act in the other, from the next token on'):
        there = boss.refresh(tenant='second.co').expect(200).json
        assert there['tenant_name'] == 'second.co' and there['session'] == boss.session['session']
        assert with_token(t, there['access_token']).get('/v1/whoami').json['tenant_name'] == 'second.co'
        again = boss.refresh(there['refresh_token']).expect(200).json
        assert again['tenant_name'] == 'second.co', 'it stays there'
        boss.take(boss.refresh(again['refresh_token'], tenant='rocket.co').expect(200).json)
        assert boss.sign_in(tenant='second.co').expect(200).json['tenant_name'] == 'second.co'
        boss.sign_in(tenant='default').expect(404, 'not_found')
    with t.case('a refused tenant costs no token'):
        boss.refresh(tenant='default').expect(404, 'not_found')
        boss.take(boss.refresh().expect(200).json)
    with t.case('X-Tenant is not for people'):
        boss.get('/v1/whoami', headers={'X-Tenant': 'second.co'}).expect(403, 'forbidden')
        boss.get('/v1/whoami', headers={'X-Tenant': 'rocket.co'}).expect(200)


def test_invitations(t):
    boss = organisation(t)
    with t.case('once'):
        token = invite(boss)
        sign_up(t, token).expect(201)
        assert 'was used' in sign_up(t, token).expect(422).names('invitation').json['detail']
    with t.case('of eight at once one is let in'):
        token = invite(boss)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            statuses = [a.status for a in pool.map(lambda _: sign_up(t, token), range(8))]
        assert sorted(statuses) == [201] + 7 * [422], statuses
    with t.case('for one address'):
        email = email_of('bob')
        token = invite(boss, email=email.upper())
        assert 'another address' in sign_up(t, token).expect(422).names('invitation').json['detail']
        sign_up(t, token, email).expect(201)
    with t.case('what is none'):
        for bad in ('ti_' + '0' * 52, 'x', boss.session['access_token']):
            sign_up(t, bad).expect(422).names('invitation')
        body = {'email': email_of(), 'password': PASSWORD, 'invitation': invite(boss), 'organisation': 'x'}
        t.anonymous().post('/v1/account/sign-up', body).expect(422).names('organisation')
    with t.case('listed, without their tokens, and taken back'):
        made = boss.post('/v1/invitations', {'role': 'admin', 'email': 'eve@example.org'}).expect(201).json
        newest = boss.get('/v1/invitations?limit=1').expect(200).items[0]
        assert (newest['id'], newest['role'], newest['email'], newest['made_by']) == (made['id'], 'admin', 'eve@example.org', boss.id)
        assert made['invitation'] not in str(boss.get('/v1/invitations').json)
        boss.call('DELETE', f'/v1/invitations/{made["id"]}').expect(204)
        assert 'taken back' in sign_up(t, made['invitation'], 'eve@example.org').expect(422).json['detail']
        boss.call('DELETE', f'/v1/invitations/{made["id"]}').expect(404)
        assert organisation(t).get('/v1/invitations').items == []
    with t.case('taken up by somebody with an account'):
        ada = Person(t)
        token = invite(boss, 'admin')
        assert ada.post('/v1/account/invitations', {'invitation': token}).expect(200).json['role'] == 'admin'
        ada.post('/v1/account/invitations', {'invitation': invite(boss)}).expect(409, 'already_exists')
        ada.post('/v1/account/invitations', {'invitation': token}).expect(422).names('invitation')
        assert [x['role'] for x in ada.get('/v1/account').json['tenants']] == ['owner', 'admin']
        t.worker.post('/v1/account/invitations', {'invitation': token}).expect(404)
    with t.case('or while signing in'):
        bob = Person(t)
        assert bob.sign_in(invitation=invite(boss)).expect(200).json['tenant'] == boss.session['tenant']
    with t.case('into the tenant of one person there are none'):
        Person(t).post('/v1/invitations', {}).expect(409, 'conflict')


def test_roles_and_scopes(t):
    boss = organisation(t)
    admin, member = colleague(boss, 'admin'), colleague(boss)
    for person, scope in ((boss, 'operator'), (admin, 'operator'), (member, 'worker')):
        with t.case(f'{person.session["role"]} has the scope {scope}'):
            assert person.get('/v1/whoami').json['scope'] == scope
    assert roles(member) == {boss.id: 'owner', admin.id: 'admin', member.id: 'member'}
    with t.case('who manages makes keys, no wider than their own scope'):
        for person in (boss, admin):
            person.post('/v1/keys', {'name': 'ci', 'scope': 'operator'}).expect(201)
            person.post('/v1/keys', {'name': 'ci', 'scope': 'admin'}).expect(403, 'forbidden').names('scope')
        made = admin.post('/v1/keys', {'name': 'ci'}).expect(201).json
        assert with_token(t, made['secret']).get('/v1/whoami').json['tenant'] == boss.session['tenant']
        assert made['id'] in [k['id'] for k in boss.get('/v1/keys').items]
        boss.call('DELETE', f'/v1/keys/{made["id"]}').expect(204)
    with t.case('a member does not'):
        for method, path, body in (('POST', '/v1/keys', {'name': 'x'}), ('GET', '/v1/keys', None), ('POST', '/v1/invitations', {}),
                                   ('GET', '/v1/invitations', None), ('PATCH', f'/v1/users/{admin.id}', {'role': 'member'}),
                                   ('DELETE', f'/v1/users/{admin.id}', None)):
            member.call(method, path, body).expect(403, 'forbidden')
    with t.case('nobody is the server\'s admin'):
        for method, path, body in (('GET', '/v1/tenants', None), ('POST', '/v1/tenants', {'name': 'x'}), ('PUT', '/v1/plan', {'plan': 'enterprise'}),
                                   ('POST', f'/v1/users/{member.id}/password-reset', None)):
            boss.call(method, path, body).expect(403, 'forbidden')
    with t.case('a key of the server\'s admin may do it all'):
        server_admin = t.caller('admin', tenant=boss.session['tenant_name'])
        change(server_admin, member, 'admin').expect(200)
        change(server_admin, member, 'member').expect(200)


def test_another_role(t):
    boss = organisation(t)
    admin, member = colleague(boss, 'admin'), colleague(boss)
    with t.case('tokens of before stop working, and a refresh gives others'):
        assert change(admin, member, 'admin').expect(200).json['role'] == 'admin'
        assert 'may do has changed' in member.get('/v1/whoami').expect(401).json['detail'].replace('\n', ' ')
        member.take(member.refresh().expect(200).json)
        assert member.session['role'] == 'admin' and member.get('/v1/whoami').json['scope'] == 'operator'
    with t.case('only owners make and unmake owners'):
        change(admin, member, 'owner').expect(403, 'forbidden')
        change(admin, boss, 'member').expect(403, 'forbidden')
        admin.call('DELETE', f'/v1/users/{boss.id}').expect(403, 'forbidden')
        admin.post('/v1/invitations', {'role': 'owner'}).expect(403, 'forbidden')
    with t.case('the last owner stays'):
        change(boss, boss, 'member').expect(409, 'conflict')
        boss.call('DELETE', f'/v1/users/{boss.id}').expect(409, 'conflict')
        change(boss, boss, 'owner').expect(200)
        boss.take(boss.refresh().expect(200).json)
    with t.case('nobody else\'s'):
        stranger = Person(t)
        change(boss, stranger, 'admin').expect(404, 'not_found')
        boss.call('DELETE', f'/v1/users/{stranger.id}').expect(404, 'not_found')
    with t.case('two owners that unmake each other at once: one is left'):
        for _ in range(5):
            change(boss, admin, 'owner').expect(200)
            admin.take(admin.refresh().expect(200).json)
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                pair = ((boss, admin), (admin, boss))
                statuses = sorted(a.status for a in pool.map(lambda p: change(p[0], p[1], 'member'), pair))
            # Whoever comes second is no owner any more: refused for the token, the role, or as the last one.
            assert statuses[0] == 200 and statuses[1] in (401, 403, 409), statuses
            for person in (boss, admin):
                person.take(person.refresh().expect(200).json)
            left = [p for p in (boss, admin) if p.session['role'] == 'owner']
            assert len(left) == 1, [p.session['role'] for p in (boss, admin)]
            boss, admin = left[0], admin if left[0] is boss else boss


def test_taken_out(t):
    boss = organisation(t)
    member, both = colleague(boss), Person(t)
    both.post('/v1/account/invitations', {'invitation': invite(boss)}).expect(200)
    there = both.sign_in(tenant=boss.session['tenant_name']).expect(200).json
    boss.call('DELETE', f'/v1/users/{member.id}').expect(204)
    boss.call('DELETE', f'/v1/users/{both.id}').expect(204)
    assert list(roles(boss)) == [boss.id]
    with t.case('tokens there stop working, others do not'):
        member.get('/v1/whoami').expect(401)
        with_token(t, there['access_token']).get('/v1/whoami').expect(401)
        both.get('/v1/whoami').expect(200)
        assert both.refresh(there['refresh_token']).expect(200).json['tenant_name'] == both.id
    with t.case('who belongs nowhere comes in by an invitation'):
        member.refresh().expect(403, 'forbidden')
        member.sign_in().expect(403, 'forbidden')
        member.take(member.sign_in(invitation=invite(boss, 'admin')).expect(200).json)
        assert member.session['role'] == 'admin'


def test_people_are_listed_in_pages(t):
    boss = organisation(t)
    ids = [boss.id] + [colleague(boss).id for _ in range(4)]
    seen, path = [], '/v1/users?limit=2'
    while path:
        page = boss.get(path).expect(200).json
        seen += [u['id'] for u in page['items']]
        path = page['next_cursor'] and f'/v1/users?limit=2&cursor={page["next_cursor"]}'
    assert seen == ids[::-1]
    boss.get('/v1/users?cursor=nonsense').expect(422).names('cursor')


def test_a_role_at_another_process(t):
    first, second = t.pair(*SERVER_ARGS)
    boss = organisation(t, first)
    member = colleague(boss)
    assert member.at(second).get('/v1/whoami').json['scope'] == 'worker'
    boss.at(second).call('DELETE', f'/v1/users/{member.id}').expect(204)
    until(lambda: member.get('/v1/whoami').status == 401, 5, 'the end of the token')
