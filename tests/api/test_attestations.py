"""Attestations: what is signed, what is refused, who sees them, and that they stay."""

import concurrent.futures
import itertools
import json
import secrets

from agents import Agent, KeyPair, canonical, stamp
from test_capabilities import every

COUNT = itertools.count()


def pair_of(t, **members):
    number = next(COUNT)
    return Agent(t, f'attester-{number}', **members), Agent(t, f'subject-{number}', **members)


def test_what_one_says_of_another(t):
    attester, subject = pair_of(t)
    for members in ({'claim': 'behavior', 'value': 0}, {'claim': 'behavior', 'value': 100, 'capability': 'memory'},
                    {'claim': 'capability', 'capability': 'memory', 'value': True},
                    {'claim': 'capability', 'capability': 'weather', 'value': False},
                    {'claim': 'identity', 'value': 'Ada "der Große" \\ \u202e🦜\n\t\x7f'},
                    {'evidence': 'https://proof.example/é', 'expires_at': stamp(3600)}):
        with t.case(str(members)):
            said = attester.statement(subject, **members)
            made = attester.caller.post('/v1/attestations', said).expect(201).json
            assert {k: made[k] for k in said} == said and made['revoked_at'] is None
            assert attester.caller.get(f'/v1/attestations/{made["id"]}').expect(200).json == made
    with t.case('an operator brings it'):
        t.operator.post('/v1/attestations', attester.statement(subject)).expect(201)
    with t.case('spelled otherwise, it is the same'):
        said = {**attester.statement(subject, value=70), 'value': 7.0e1}
        body = str(said).replace("'", '"').replace('70.0', '7.0e1').encode()
        assert attester.caller.post('/v1/attestations', body).expect(201).json['value'] == 70


def test_what_is_refused_names_its_member(t):
    attester, subject = pair_of(t)
    keyless = t.operator.post('/v1/agents', {'handle': 'keyless', 'name': 'x'}).expect(201).json['agent']['id']
    cases = [
        ('value', {'value': 101}), ('value', {'value': -1}), ('value', {'value': 50.5}), ('value', {'value': '50'}),
        ('value', {'value': True}), ('value', {'value': None, 'raw': 'null'}), ('value', {'value': 1e999, 'raw': '1e999'}),
        ('value', {'claim': 'capability', 'capability': 'memory', 'value': 1}),
        ('value', {'claim': 'identity', 'value': 7}), ('value', {'claim': 'identity', 'value': ''}),
        ('value', {'claim': 'identity', 'value': {'a': 1}}), ('value', {'claim': 'identity', 'value': 'x' * 1025}),
        ('capability', {'claim': 'capability', 'value': True}),
        ('capability', {'claim': 'capability', 'value': True, 'capability': 'no-such-thing'}),
        ('capability', {'claim': 'identity', 'value': 'x', 'capability': 'memory'}),
        ('issued_at', {'issued_at': stamp(-302)}), ('issued_at', {'issued_at': stamp(302)}),
        ('expires_at', {'expires_at': stamp(-1)}), ('expires_at', {'issued_at': stamp(60), 'expires_at': stamp(30)}),
        ('subject', {'subject': attester.id}), ('subject', {'subject': 'ag_0000000000009'}),
        ('attester', {'attester': 'ag_0000000000009'}), ('attester', {'attester': keyless}),
        ('nonce', {'nonce': 'short'}), ('nonce', {'nonce': 'x' * 129}),
        ('claim', {'claim': 'gossip'}), ('evidence', {'evidence': 'x' * 2049}),
        ('signature', {'signature': 'x' * 88}),
    ]
    for field, members in cases:
        with t.case(f'{field}: {str(members)[:60]}'):
            raw = members.pop('raw', None)
            said = {**attester.statement(subject, **{k: v for k, v in members.items() if k != 'signature'}),
                    **{k: v for k, v in members.items() if k == 'signature'}}
            if raw:
                said.pop('value', None)
                said['value'] = 'RAW'
                said = json.dumps(said).replace('"RAW"', raw).encode()
            answer = t.operator.post('/v1/attestations', said)
            assert answer.status in (400, 422), answer.body
            answer.names(field)


def test_every_member_is_signed(t):
    attester, subject = pair_of(t)
    third = Agent(t, f'third-{next(COUNT)}', pair=attester.pair)
    good = attester.statement(subject, claim='behavior', capability='memory', value=50, evidence='seen', expires_at=stamp(600))
    changed = {'attester': third.id, 'subject': third.id, 'capability': 'weather', 'value': 51, 'evidence': 'heard',
               'issued_at': stamp(1), 'expires_at': stamp(601), 'nonce': secrets.token_hex(8)}
    for member, value in changed.items():
        with t.case(f'{member} changed'):
            t.operator.post('/v1/attestations', {**good, member: value}).expect(422, 'invalid').names('signature')
    for member in ('capability', 'evidence', 'expires_at'):
        with t.case(f'{member} taken away'):
            t.operator.post('/v1/attestations', {k: v for k, v in good.items() if k != member}).expect(422).names('signature')
    with t.case('another type of document'):
        form = canonical(good).replace(b'tenfold.attestation.v1', b'tenfold.attestation.v2')
        t.operator.post('/v1/attestations', {**good, 'signature': attester.pair.sign(form)}).expect(422).names('signature')
    with t.case('another key'):
        t.operator.post('/v1/attestations', {**good, 'signature': KeyPair().sign(canonical(good))}).expect(422).names('signature')
    t.operator.post('/v1/attestations', good).expect(201)


def test_a_nonce_counts_once(t):
    attester, subject = pair_of(t)
    said = attester.statement(subject)
    callers = [t.caller('operator') for _ in range(6)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        race = list(pool.map(lambda c: c.post('/v1/attestations', said), callers))
    assert sorted(a.status for a in race) == [201] + [409] * 5
    attester.caller.post('/v1/attestations', said).expect(409, 'already_exists').names('nonce')
    attester.attest(subject, value=3, nonce=said['nonce']).expect(409, 'already_exists').names('nonce')
    other = Agent(t, f'same-nonce-{next(COUNT)}')
    other.attest(subject, nonce=said['nonce']).expect(201)
    with t.case('unless it is a repetition of the same request'):
        key, fresh = {'Idempotency-Key': 'attest-1'}, attester.statement(subject)
        first = attester.caller.post('/v1/attestations', fresh, headers=key).expect(201).json
        assert attester.caller.post('/v1/attestations', fresh, headers=key).expect(201).json == first


def test_only_in_ones_own_name(t):
    attester, subject = pair_of(t)
    thief = Agent(t, f'ghostwriter-{next(COUNT)}')
    thief.caller.post('/v1/attestations', attester.statement(subject)).expect(403, 'forbidden')
    t.caller('worker').post('/v1/attestations', attester.statement(subject)).expect(403, 'forbidden')
    public, _ = pair_of(t, visibility='public')
    others = t.caller('operator', tenant='scribes')
    others.post('/v1/attestations', public.statement(subject)).expect(403, 'forbidden')
    others.post('/v1/attestations', attester.statement(subject)).expect(422, 'invalid').names('attester')


def test_who_sees_them(t):
    others = t.caller('operator', tenant='gossips')
    attester, subject = pair_of(t)
    public, star = pair_of(t, visibility='public')
    guest = Agent(t, f'guest-{next(COUNT)}', operator=others)
    hidden = attester.attest(subject).expect(201).json
    half = attester.attest(star).expect(201).json
    shown = public.attest(star).expect(201).json
    theirs = guest.attest(star).expect(201).json
    assert others.get(f'/v1/attestations/{shown["id"]}').expect(200).json == shown
    for unseen in (hidden, half):
        others.get(f'/v1/attestations/{unseen["id"]}').expect(404, 'not_found')
    assert t.operator.get(f'/v1/attestations/{theirs["id"]}').expect(200).json == theirs, 'the subject sees who speaks of it'
    assert {a['id'] for a in others.get(f'/v1/attestations?subject={star.handle}').items} == {shown['id'], theirs['id']}
    assert {a['id'] for a in t.operator.get(f'/v1/attestations?subject={star.id}').items} == {half['id'], shown['id'], theirs['id']}
    others.get(f'/v1/attestations?subject={subject.id}').expect(404, 'not_found')
    guest.attest(subject).expect(422, 'invalid').names('subject')


def test_one_is_taken_back(t):
    attester, subject = pair_of(t, visibility='public')
    made = attester.attest(subject).expect(201).json
    with t.case('not by others'):
        subject.caller.post(f'/v1/attestations/{made["id"]}/revoke').expect(403, 'forbidden')
        t.caller('admin', tenant='censors').post(f'/v1/attestations/{made["id"]}/revoke').expect(403, 'forbidden')
    gone = attester.caller.post(f'/v1/attestations/{made["id"]}/revoke').expect(200).json
    assert gone['revoked_at'] and {**gone, 'revoked_at': None} == made
    assert t.operator.post(f'/v1/attestations/{made["id"]}/revoke').expect(200).json == gone, 'once is enough'
    assert t.operator.get(f'/v1/attestations/{made["id"]}').json == gone
    assert t.operator.get(f'/v1/attestations?subject={subject.id}').items == []
    assert t.operator.get(f'/v1/attestations?revoked=true&subject={subject.id}').items == [gone]
    attester.caller.post('/v1/attestations', {k: made[k] for k in attester.statement(subject) if made[k] is not None}) \
        .expect(409, 'already_exists').names('nonce')


def test_lists(t):
    attester, subject = pair_of(t)
    second = Agent(t, f'second-{next(COUNT)}')
    made = [(attester if i % 2 else second).attest(subject, value=i).expect(201).json for i in range(11)]
    made.append(subject.attest(attester).expect(201).json)
    of_subject = [a['id'] for a in reversed(made[:11])]
    for limit in (1, 4, 100):
        assert [a['id'] for a in every(t.operator, '/v1/attestations', limit, subject=subject.handle)] == of_subject
        by = [a['id'] for a in reversed(made[:11]) if a['attester'] == attester.id]
        assert [a['id'] for a in every(t.operator, '/v1/attestations', limit, attester=attester.id)] == by
        assert [a['id'] for a in every(t.operator, '/v1/attestations', limit, attester=attester.id, subject=subject.id)] == by
    t.operator.get('/v1/attestations').expect(400, 'missing_field').names('subject')
    t.operator.get('/v1/attestations?subject=nobody-there').expect(404, 'not_found')
    t.operator.get(f'/v1/attestations?subject={subject.id}&cursor=c_x').expect(422, 'invalid').names('cursor')


def test_they_outlive_whom_they_speak_of(t):
    attester, subject = pair_of(t)
    made = attester.attest(subject).expect(201).json
    t.operator.call('DELETE', f'/v1/agents/{subject.id}').expect(204)
    assert t.operator.get(f'/v1/attestations/{made["id"]}').expect(200).json == made
    attester.attest(subject).expect(422, 'invalid').names('subject')
    t.operator.get(f'/v1/attestations?subject={subject.id}').expect(410, 'gone')
    assert t.operator.get(f'/v1/attestations?attester={attester.id}').items == [made]
