"""Agents: registration with and without a key, reading, changing, deleting, keys, lists."""

import concurrent.futures
import itertools
import json
import os

from agents import Agent, KeyPair, b64
from harness import Caller, until

COUNT = itertools.count()


def fresh(stem='a'):
    return f'{stem}-{next(COUNT)}-x'


def add(t, handle=None, caller=None, **members):
    handle = handle or fresh()
    return (caller or t.operator).post('/v1/agents', {'handle': handle, 'name': handle, **members}).expect(201).json


# ---- registration ----

def test_an_agent_is_answered_as_it_was_given(t):
    given = {'handle': 'echo-1', 'name': 'Écho 🦜', 'type': 'assistant', 'description': 'אומר שוב',
             'endpoint': 'wss://echo.example/ws', 'protocols': ['websocket', 'a2a'], 'tags': ['b', 'a', 'b', '🦜'],
             'capabilities': ['translation', 'memory', 'memory'], 'homepage': 'https://echo.example',
             'avatar': 'http://echo.example/a.png', 'operator': 'Echo & Co', 'visibility': 'public',
             'metadata': {'k': [1, None, {'deep': '\u202eabc'}]}}
    made = t.operator.post('/v1/agents', given).expect(201).json
    agent = made['agent']
    for name, value in given.items():
        if name not in ('tags', 'capabilities', 'protocols'):
            assert agent[name] == value, name
    assert agent['tags'] == ['b', 'a', '🦜'] and sorted(agent['protocols']) == ['a2a', 'websocket']
    assert agent['capabilities'] == [{'capability': c, 'endpoint': None} for c in ('memory', 'translation')]
    assert (agent['version'], agent['status'], agent['verification']) == (1, 'unknown', 'none')
    assert agent['proofs'] == {'key': None} and agent['public_key'] is None
    for ref in ('echo-1', agent['id'], agent['id'].upper().replace('AG_', 'ag_')):
        assert t.operator.get(f'/v1/agents/{ref}').expect(200).json == agent
    plain = add(t, name='x')['agent']
    assert (plain['type'], plain['visibility'], plain['tags'], plain['metadata']) == ('service', 'tenant', [], None)


def test_a_key_is_registered_by_who_holds_it(t):
    agent = Agent(t, fresh('proven'))
    assert agent.first['verification'] == 'claimed' and agent.first['proofs']['key']
    assert agent.first['public_key'] == agent.pair.public
    me = agent.caller.get('/v1/whoami').expect(200).json
    assert (me['scope'], me['agent'], me['key']) == ('agent', agent.id, agent.key['id'])
    assert agent.key['secret'] not in t.server.log()


def test_base64_of_either_alphabet(t):
    pair = KeyPair()
    for change in (lambda s: s, lambda s: s.rstrip('='), lambda s: s.replace('+', '-').replace('/', '_'),
                   lambda s: s.replace('+', '-').replace('/', '_').rstrip('=')):
        proof = t.operator.post('/v1/agents/challenge', {'public_key': change(pair.public)}).expect(201).json
        signature = change(pair.sign(proof['text']))
        made = add(t, public_key=change(pair.public), challenge_id=proof['challenge_id'], signature=signature)
        assert made['agent']['public_key'] == pair.public


def test_what_is_wrong_with_a_proof_is_named(t):
    pair, other = KeyPair(), KeyPair()
    operator = t.operator

    def refused(field, code='invalid', **members):
        body = {'handle': fresh(), 'name': 'x', **members}
        answer = operator.post('/v1/agents', body)
        assert answer.code == code, answer.body
        answer.names(field)

    def asked(of=pair):
        return operator.post('/v1/agents/challenge', {'public_key': of.public}).expect(201).json

    one = asked()
    good = {'public_key': pair.public, 'challenge_id': one['challenge_id'], 'signature': pair.sign(one['text'])}
    with t.case('without a challenge'):
        refused('signature', 'missing_field', public_key=pair.public)
        refused('challenge_id', 'missing_field', public_key=pair.public, signature=good['signature'])
    with t.case('without a key'):
        refused('public_key', 'missing_field', challenge_id=one['challenge_id'], signature=good['signature'])
    with t.case('a challenge of another key'):
        refused('challenge_id', **{**good, 'challenge_id': asked(other)['challenge_id']})
    with t.case('signed with another key'):
        refused('signature', **{**good, 'signature': other.sign(one['text'])})
    with t.case('another text signed'):
        refused('signature', **{**good, 'signature': pair.sign(one['text'] + ' ')})
    with t.case('a signature that is no base64'):
        refused('signature', **{**good, 'signature': '!' * 88})
    with t.case('a key that is no point'):
        for raw in (b'\0' * 32, b'\1' + b'\0' * 31, b'\xff' * 32, b'\xec' + b'\xff' * 30 + b'\x7f'):
            operator.post('/v1/agents/challenge', {'public_key': b64(raw)}).expect(422, 'invalid').names('public_key')
    with t.case('a challenge there never was'):
        refused('challenge_id', **{**good, 'challenge_id': 'ch_0000000000009'})
    with t.case('it is still good: nothing above used it up'):
        add(t, **good)
    with t.case('and counts once'):
        refused('challenge_id', **good)


def test_a_challenge_counts_once_under_a_race(t):
    pair = KeyPair()
    asked = t.operator.post('/v1/agents/challenge', {'public_key': pair.public}).expect(201).json
    proof = {'public_key': pair.public, 'challenge_id': asked['challenge_id'], 'signature': pair.sign(asked['text'])}
    callers = [t.caller('operator') for _ in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda c: c.post('/v1/agents', {'handle': fresh('race'), 'name': 'x', **proof}).status, callers))
    assert sorted(said) == [201] + [422] * 7, said


def test_a_challenge_expires(t):
    pair = KeyPair()
    asked = t.operator.post('/v1/agents/challenge', {'public_key': pair.public}).expect(201).json
    ask(t, f"UPDATE challenges SET expires_ms = 1 WHERE public_key = {blob(t, pair.raw)}")
    body = {'handle': fresh(), 'name': 'x', 'public_key': pair.public, 'challenge_id': asked['challenge_id'],
            'signature': pair.sign(asked['text'])}
    t.operator.post('/v1/agents', body).expect(422, 'invalid').names('challenge_id')


def ask(t, statement):
    """Does something to the store behind the server's back."""
    if t.store != 'sqlite':
        return t.server.database.ask(statement)
    return t.server.sql(statement)


def blob(t, raw):
    return f"x'{raw.hex()}'" if t.store == 'sqlite' else f"'\\x{raw.hex()}'"


def test_handles(t):
    add(t, 'taken-1')
    refused = t.operator.post('/v1/agents', {'handle': 'taken-1', 'name': 'x'}).expect(409, 'already_exists').names('handle')
    assert refused.json['detail'] == "handle: 'taken-1' is taken; 'taken-1-2' is free"
    add(t, 'taken-1-2')
    again = t.operator.post('/v1/agents', {'handle': 'taken-1', 'name': 'x'}).expect(409).json['detail']
    assert again.endswith("'taken-1-3' is free"), again
    elsewhere = t.caller('operator', tenant='handles').post('/v1/agents', {'handle': 'taken-1', 'name': 'x'})
    assert elsewhere.expect(409).json['detail'].startswith("handle: 'taken-1' is taken"), 'unique in the whole deployment'
    for bad in ('-ab', 'ab-', 'Abc', 'a_b', 'a b', 'äbc', 'ag_0000000000009', 'admin', 'search', 'tenfold', 'a\u202eb'):
        with t.case(f'{bad!r} is no handle'):
            t.operator.post('/v1/agents', {'handle': bad, 'name': 'x'}).expect(422, 'invalid').names('handle')
    long = 'x' * 32
    add(t, long)
    hint = t.operator.post('/v1/agents', {'handle': long, 'name': 'x'}).expect(409).json['detail']
    assert hint.endswith(f"'{long[:30]}-2' is free"), hint


def test_a_handle_is_given_once_under_a_race(t):
    callers = [t.caller('operator') for _ in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda c: c.post('/v1/agents', {'handle': 'wanted-by-all', 'name': 'x'}).status, callers))
    assert sorted(said) == [201] + [409] * 7, said


def test_members_have_limits(t):
    cases = {
        'name': ['', '   ', 'x' * 129, 'a\0b'],
        'description': ['x' * 4097],
        'endpoint': ['ftp://x', 'https:/x', 'https://', 'javascript:alert(1)', 'https://a b', 'https:///x', 'x' * 2049, '//x'],
        'homepage': ['ws://x.example', 'mailto:x@example.org'],
        'avatar': ['data:image/png;base64,AA=='],
        'protocols': [['smoke-signals'], ['a2a'] * 2],
        'tags': [[''], ['  '], ['x' * 65], ['t'] * 10000, [f't{i}' for i in range(65)]],
        'capabilities': [['no-such-thing'], ['']],
        'type': ['human'],
        'visibility': ['world'],
        'metadata': ['x' * 16385],
    }
    for field, values in cases.items():
        for value in values:
            with t.case(f'{field} {str(value)[:20]!r}'):
                body = {'handle': fresh(), 'name': 'x', field: value}
                answer = t.operator.post('/v1/agents', body)
                assert answer.status in (400, 422), answer.body
                if '\0' not in str(value):
                    assert field in answer.body.decode(), answer.body
    t.operator.post('/v1/agents', {'handle': fresh(), 'name': 'x', 'nickname': 'y'}).expect(400, 'unknown_field').names('nickname')
    t.operator.post('/v1/agents', {'name': 'x'}).expect(400, 'missing_field').names('handle')
    made = add(t, tags=[f't{i}' for i in range(64)], capabilities=['memory'] * 64)['agent']
    assert len(made['tags']) == 64 and len(made['capabilities']) == 1


def test_a_secret_is_stored_nowhere(t):
    """Answers of Idempotency-Keys are stored; so registration takes none, and its handle says that it was done."""
    body = {'handle': fresh(), 'name': 'x'}
    secret = t.operator.post('/v1/agents', body, headers={'Idempotency-Key': 'reg-1'}).expect(201).json['key']['secret']
    t.operator.post('/v1/agents', body, headers={'Idempotency-Key': 'reg-1'}).expect(409, 'already_exists').names('handle')
    if t.store == 'postgres':
        said = t.server.database.ask("SELECT string_agg(response, '') FROM idempotency") + \
            t.server.database.ask("SELECT string_agg(k::text, '') FROM keys k")
        assert secret not in said
    else:
        for name in os.listdir(t.server.data):
            if name.startswith('tenfold.db'):
                with open(os.path.join(t.server.data, name), 'rb') as f:
                    assert secret.encode() not in f.read(), name


def test_many_that_register_at_once(t):
    """On PostgreSQL they share transactions: each gets its own answer, and of one handle only one gets it."""
    pair = KeyPair()
    good, bad = Agent(t, fresh('crowd')), {**Agent(t, fresh('crowd')).proof(), 'signature': pair.sign('x')}
    bodies = [{'handle': f'crowd-{i}-{kind}', 'name': f'{i}', **members} for i in range(12)
              for kind, members in (('plain', {'capabilities': ['memory'], 'tags': [str(i)]}), ('bad', bad), ('cap', {'capabilities': ['nope']}))]
    bodies += [{'handle': 'crowd-same', 'name': str(i)} for i in range(12)] + [{'handle': good.handle, 'name': 'x'}] * 3
    callers = [t.caller('operator') for _ in range(24)]
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        said = list(pool.map(lambda n: callers[n % 24].post('/v1/agents', bodies[n]), range(len(bodies))))
    for body, answer in zip(bodies, said, strict=True):
        kind = body['handle'].rsplit('-', 1)[1]
        if kind == 'plain':
            agent = answer.expect(201).json['agent']
            assert (agent['name'], agent['tags'], agent['capabilities'][0]['capability']) == (body['name'], [body['name']], 'memory')
            assert t.operator.get(f'/v1/agents/{body["handle"]}').json == agent
            own = Caller(t.server, answer.json['key']['secret'], None, t.operator.contract)
            assert own.get('/v1/whoami').json['agent'] == agent['id']
        elif kind in ('bad', 'cap'):
            answer.expect(422, 'invalid').names('signature' if kind == 'bad' else 'capabilities')
    same = [a.status for b, a in zip(bodies, said, strict=True) if b['handle'] in ('crowd-same', good.handle)]
    assert sorted(same) == [201] + [409] * 14, same


# ---- reading ----

def test_the_card_comes_back_byte_for_byte(t):
    card = b'{ "name" :"\\u00e9",  "b":1.0,\n"a":[1e2 , {"z":null,"a":""}] }'
    body = b'{"handle":"card-1","name":"x","card":' + card + b'}'
    t.operator.post('/v1/agents', body).expect(201)
    shown = t.operator.get('/v1/agents/card-1/card').expect(200)
    assert shown.body == card and shown.headers['content-type'] == 'application/json'
    assert t.operator.get('/v1/agents/card-1').json['metadata'] is None
    add(t, 'card-2')
    t.operator.get('/v1/agents/card-2/card').expect(404, 'not_found')
    changed = t.operator.call('PATCH', '/v1/agents/card-1', b'{"card":{ "v":2 }}').expect(200)
    assert t.operator.get('/v1/agents/card-1/card').body == b'{ "v":2 }' and changed.json['version'] == 2
    t.operator.call('PATCH', '/v1/agents/card-1', {'card': None}).expect(200)
    t.operator.get('/v1/agents/card-1/card').expect(404, 'not_found')
    t.operator.post('/v1/agents', {'handle': 'card-3', 'name': 'x', 'card': [1]}).expect(422, 'invalid').names('card')
    t.operator.post('/v1/agents', {'handle': 'card-3', 'name': 'x', 'card': {'x': 'x' * 262144}}).expect(422, 'invalid').names('card')


def test_an_etag_spares_the_answer(t):
    add(t, 'tagged')
    first = t.operator.get('/v1/agents/tagged').expect(200)
    same = t.operator.get('/v1/agents/tagged', headers={'If-None-Match': first.headers['etag']}).expect(304)
    assert same.body == b'' and same.headers['etag'] == first.headers['etag']
    t.operator.call('PATCH', '/v1/agents/tagged', {'name': 'y'}).expect(200)
    assert t.operator.get('/v1/agents/tagged', headers={'If-None-Match': first.headers['etag']}).expect(200).json['name'] == 'y'


def test_public_agents_are_seen_by_all_tenants_and_changed_by_their_own(t):
    own = add(t, 'seen-by-all', visibility='public', card={})['agent']
    hidden = add(t, 'seen-by-us')['agent']
    others = t.caller('admin', tenant='others')
    assert others.get(f'/v1/agents/{own["id"]}').expect(200).json == own
    others.get('/v1/agents/seen-by-all/card').expect(200)
    others.get('/v1/agents/seen-by-us').expect(404, 'not_found')
    for method, path, body in (('PATCH', '', {'name': 'mine now'}), ('DELETE', '', None), ('POST', '/keys', {}),
                               ('PUT', '/tier', {'tier': 'partner'}), ('POST', '/capabilities', {'capability': 'memory'}),
                               ('DELETE', '/capabilities?capability=memory', None)):
        with t.case(f'{method} {path} is forbidden to another tenant'):
            others.call(method, f'/v1/agents/{own["id"]}{path}', body).expect(403, 'forbidden')
            others.call(method, f'/v1/agents/{hidden["id"]}{path}', body).expect(404, 'not_found')
    assert t.operator.get('/v1/agents/seen-by-all').json == own
    t.operator.call('PATCH', '/v1/agents/seen-by-all', {'visibility': 'tenant'}).expect(200)
    others.get('/v1/agents/seen-by-all').expect(404, 'not_found')


def pages(caller, **query):
    """Every page of a list, with the cursor from each to the next."""
    found, cursor = [], None
    while True:
        page = caller.get('/v1/agents', query={**query, **({'cursor': cursor} if cursor else {})}).expect(200).json
        found.append([a['handle'] for a in page['items']])
        cursor = page['next_cursor']
        if cursor is None:
            return found


def test_lists_are_paged_newest_first(t):
    mine, theirs = t.caller('operator', tenant='pagers'), t.caller('operator', tenant='pagers-b')
    own = [add(t, caller=mine, type='tool' if i % 3 else 'service', name='Twin' if i % 5 == 0 else f'n{i}',
               visibility='public' if i % 4 == 0 else 'tenant')['agent'] for i in range(23)]
    public = [add(t, caller=theirs, visibility='public' if i % 2 else 'tenant', type='tool')['agent'] for i in range(12)]
    newest = sorted(own + [a for a in public if a['visibility'] == 'public'], key=lambda a: a['id'], reverse=True)
    wanted = [a['handle'] for a in newest]

    def listed(**query):
        flat = sum(pages(mine, **query), [])
        assert len(flat) == len(set(flat)), 'nobody stands on two pages'
        return [h for h in flat if h in wanted], flat

    for limit in (1, 2, 7, 100):
        with t.case(f'{limit} a page'):
            assert listed(limit=limit)[0] == wanted
    with t.case('filters'):
        assert listed(type='service', limit=3)[0] == [a['handle'] for a in newest if a['type'] == 'service']
        assert listed(name='Twin', limit=2)[0] == [a['handle'] for a in newest if a['name'] == 'Twin']
        assert listed(status='online')[0] == [] and listed(status='unknown', limit=9)[0] == wanted
        assert listed(visibility='tenant', limit=5)[1] == [a['handle'] for a in newest if a in own]
        assert listed(visibility='public', limit=5)[0] == [a['handle'] for a in newest if a['visibility'] == 'public']
        assert listed(name='Twin', type='tool', status='unknown')[0] == \
            [a['handle'] for a in newest if (a['name'], a['type']) == ('Twin', 'tool')]
    with t.case('counted only when asked'):
        assert mine.get('/v1/agents').json.get('count') is None
        for query in ({}, {'type': 'tool'}, {'name': 'Twin'}, {'visibility': 'tenant'}, {'visibility': 'public'}, {'status': 'online'}):
            said = mine.get('/v1/agents', query={**query, 'count': 'true', 'limit': 1}).expect(200).json['count']
            assert said == len(sum(pages(mine, **query), [])), query
    with t.case('deleted ones are not listed'):
        mine.call('DELETE', f'/v1/agents/{own[-1]["id"]}').expect(204)
        assert own[-1]['handle'] not in listed()[1]


def test_cursors_edited_by_hand(t):
    add(t)
    for bad in ('x', 'c_', 'c_zzz', 'ag_0000000000009', 'c_000000000000u', 'c_0000000000009x', '%00', "c_' OR 1=1"):
        with t.case(f'{bad!r}'):
            t.operator.get('/v1/agents', query={'cursor': bad}).expect(422, 'invalid').names('cursor')
    assert t.operator.get('/v1/agents', query={'cursor': 'c_0000000000001'}).expect(200).items == []
    assert t.operator.get('/v1/agents', query={'cursor': 'c_7zzzzzzzzzzzz'}).expect(200).items


def test_a_list_visits_a_bounded_number_of_rows(t):
    """What fits stands far down: pages are short, but each goes on where the last one ended, and it is found, once and in
    its place among those of other tenants."""
    mine = t.caller('operator', tenant='visitors')
    star = add(t, type='assistant', name='needle', visibility='public')['agent']
    needle = add(t, caller=mine, type='assistant', name='needle')['agent']
    for base in range(0, 6000, 1000):
        items = [{'handle': f'v{base + i}-hay', 'name': 'needle'} for i in range(1000)]
        mine.post('/v1/agents/batch', {'items': items}).expect(201)
    seen, cursor, calls = [], None, 0
    while calls == 0 or cursor:
        query = {'name': 'needle', 'type': 'assistant', **({'cursor': cursor} if cursor else {})}
        page = mine.get('/v1/agents', query=query).expect(200).json
        seen += [a['id'] for a in page['items']]
        cursor, calls = page['next_cursor'], calls + 1
    assert seen == [needle['id'], star['id']] and 2 <= calls < 10, (seen, calls)


# ---- changing ----

def test_a_patch_changes_what_it_names(t):
    made = add(t, 'patched', description='d', endpoint='https://a.example', tags=['x'], protocols=['mcp'], operator='o',
               metadata={'keep': 1, 'go': 2, 'deep': {'a': 1, 'b': 2}})['agent']
    patch = {'description': None, 'endpoint': 'grpc://b.example:1', 'tags': ['y', 'z'], 'protocols': None,
             'metadata': {'go': None, 'new': [None], 'deep': {'a': None, 'c': {'n': None}}}, 'type': 'tool', 'name': 'Two'}
    done = t.operator.call('PATCH', '/v1/agents/patched', patch).expect(200)
    changed = done.json
    assert changed['metadata'] == {'keep': 1, 'deep': {'b': 2, 'c': {}}, 'new': [None]}
    assert {k: changed[k] for k in ('description', 'endpoint', 'tags', 'protocols', 'type', 'name', 'operator')} == {
        'description': None, 'endpoint': 'grpc://b.example:1', 'tags': ['y', 'z'], 'protocols': [], 'type': 'tool',
        'name': 'Two', 'operator': 'o'}
    assert changed['version'] == 2 and changed['updated_at'] >= made['updated_at'] and changed['created_at'] == made['created_at']
    assert t.operator.get('/v1/agents/patched').json == changed
    assert t.operator.get('/v1/agents/patched').headers['etag'] == done.headers['etag']
    emptied = t.operator.call('PATCH', '/v1/agents/patched', {'tags': None, 'metadata': None, 'endpoint': None}).expect(200).json
    assert (emptied['tags'], emptied['metadata'], emptied['endpoint']) == ([], None, None)
    merge = {'Content-Type': 'application/merge-patch+json'}
    t.operator.call('PATCH', '/v1/agents/patched', {'name': 'Three'}, headers=merge).expect(200)
    for field, value, code in (('name', None, 'mistyped'), ('handle', 'x', 'invalid'), ('handle', 'admin', 'invalid'),
                               ('id', 'ag_0000000000009', 'unknown_field'), ('tags', ['t'] * 10000, 'invalid'),
                               ('public_key', 'x', 'unknown_field'), ('verification', 'verified', 'unknown_field')):
        with t.case(f'{field} {str(value)[:12]}'):
            refused = t.operator.call('PATCH', '/v1/agents/patched', {field: value})
            assert refused.code == code, refused.body
    grown = {f'k{i}': 'x' * 1000 for i in range(15)}
    t.operator.call('PATCH', '/v1/agents/patched', {'metadata': grown}).expect(200)
    more = {f'l{i}': 'x' * 1000 for i in range(15)}
    t.operator.call('PATCH', '/v1/agents/patched', {'metadata': more}).expect(422, 'invalid').names('metadata')


def test_another_handle(t):
    made = add(t, 'old-name')['agent']
    add(t, 'in-use')
    refused = t.operator.call('PATCH', '/v1/agents/old-name', {'handle': 'in-use'}).expect(409, 'already_exists').names('handle')
    assert "'in-use-2' is free" in refused.json['detail']
    t.operator.call('PATCH', '/v1/agents/old-name', {'handle': 'old-name'}).expect(200)
    assert t.operator.call('PATCH', '/v1/agents/old-name', {'handle': 'new-name'}).expect(200).json['handle'] == 'new-name'
    t.operator.get('/v1/agents/old-name').expect(404)
    assert t.operator.get('/v1/agents/new-name').json['id'] == made['id']
    add(t, 'old-name')


def test_if_match(t):
    add(t, 'matched')
    etag = t.operator.get('/v1/agents/matched').headers['etag']
    t.operator.call('PATCH', '/v1/agents/matched', {'name': '2'}, headers={'If-Match': etag}).expect(200)
    t.operator.call('PATCH', '/v1/agents/matched', {'name': '3'}, headers={'If-Match': etag}).expect(412, 'precondition_failed')
    t.operator.call('DELETE', '/v1/agents/matched', headers={'If-Match': etag}).expect(412, 'precondition_failed')
    assert t.operator.get('/v1/agents/matched').json['name'] == '2'
    t.operator.call('PATCH', '/v1/agents/matched', {'name': '4'}, headers={'If-Match': '*'}).expect(200)


def test_of_two_writers_with_one_etag_one_wins(t):
    add(t, 'contended')
    for turn in range(5):
        etag = t.operator.get('/v1/agents/contended').headers['etag']
        callers = [t.caller('operator') for _ in range(6)]

        def write(i, etag=etag, turn=turn, callers=callers):
            body = {'name': f'{turn}-{i}'}
            return callers[i].call('PATCH', '/v1/agents/contended', body, headers={'If-Match': etag}).status

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            said = sorted(pool.map(write, range(6)))
        assert said == [200] + [412] * 5, said
    assert t.operator.get('/v1/agents/contended').json['version'] == 6


def test_writers_without_an_etag_lose_nothing(t):
    add(t, 'busy', metadata={})
    callers = [t.caller('operator') for _ in range(8)]

    def write(i):
        return callers[i].call('PATCH', '/v1/agents/busy', {'metadata': {f'k{i}': i}}).expect(200)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    shown = t.operator.get('/v1/agents/busy').json
    assert shown['metadata'] == {f'k{i}': i for i in range(8)} and shown['version'] == 9


def test_an_agent_changes_itself_and_nobody_else(t):
    one, other = Agent(t, fresh('one')), Agent(t, fresh('other'))
    assert one.change({'description': 'by myself'}).expect(200).json['description'] == 'by myself'
    for method, path, body in (('PATCH', '', {'name': 'x'}), ('DELETE', '', None), ('POST', '/keys', {}),
                               ('POST', '/capabilities', {'capability': 'memory'}),
                               ('DELETE', '/capabilities?capability=memory', None),
                               ('POST', '/transfer', one.proof())):
        with t.case(f'{method} {path} of another'):
            one.caller.call(method, f'/v1/agents/{other.id}{path}', body).expect(403, 'forbidden')
            t.caller('worker').call(method, f'/v1/agents/{other.id}{path}', body).expect(403, 'forbidden')
    with t.case('its own tier'):
        one.caller.call('PUT', f'/v1/agents/{one.id}/tier', {'tier': 'partner'}).expect(403, 'forbidden')
    assert other.show() == other.first


# ---- deleting ----

def test_a_deleted_agent_is_gone(t):
    agent = Agent(t, fresh('doomed'), visibility='public', capabilities=['memory'], card={'a': 1})
    hidden = Agent(t, fresh('doomed'))
    agent.caller.call('DELETE', f'/v1/agents/{agent.id}').expect(204)
    until(lambda: agent.caller.get('/v1/whoami').status == 401, 5, 'the end of its key')
    for ref in (agent.id, agent.handle):
        for method, path, body in (('GET', '', None), ('GET', '/card', None), ('PATCH', '', {'name': 'x'}), ('DELETE', '', None),
                                   ('POST', '/keys', {}), ('POST', '/capabilities', {'capability': 'memory'}),
                                   ('DELETE', '/capabilities?capability=memory', None), ('PUT', '/tier', {'tier': 'partner'})):
            with t.case(f'{method} {path}'):
                t.operator.call(method, f'/v1/agents/{ref}{path}', body).expect(410, 'gone')
    others = t.caller('reader', tenant='mourners')
    others.get(f'/v1/agents/{agent.id}').expect(410, 'gone')
    hidden.caller.call('DELETE', f'/v1/agents/{hidden.id}').expect(204)
    others.get(f'/v1/agents/{hidden.id}').expect(404, 'not_found')
    holders = t.operator.get('/v1/capabilities/memory/agents', query={'limit': 100}).items
    assert agent.id not in [a['id'] for a in holders]
    kept = t.operator.post('/v1/agents', {'handle': agent.handle, 'name': 'x'}).expect(409, 'already_exists')
    kept.names('handle')
    assert t.operator.post('/v1/agents/batch', {'items': [{'handle': agent.handle, 'name': 'x'}], 'on_existing': 'update'}) \
        .expect(201).items[0]['error']['code'] == 'already_exists'


# ---- its keys ----

def test_keys_rotate_with_overlap(t):
    agent = Agent(t, fresh('rotating'))
    second = agent.caller.post(f'/v1/agents/{agent.id}/keys', {'overlap_ms': 3600000}).expect(201).json
    both = [agent.caller, Caller(t.server, second['secret'], None, t.operator.contract)]
    assert [c.get('/v1/whoami').expect(200).json['agent'] for c in both] == [agent.id] * 2
    assert agent.caller.get('/v1/whoami').json['expires_at'] and not both[1].get('/v1/whoami').json['expires_at']
    third = both[1].post(f'/v1/agents/{agent.id}/keys', {'overlap_ms': 0}).expect(201).json
    for caller in both:
        until(lambda c=caller: c.get('/v1/whoami').status == 401, 5, 'the end of the old keys')
    latest = Caller(t.server, third['secret'], None, t.operator.contract)
    assert latest.get('/v1/whoami').expect(200).json['agent'] == agent.id
    latest.post(f'/v1/agents/{agent.id}/keys', {'overlap_ms': 2592000001}).expect(422, 'invalid').names('overlap_ms')


def test_a_tier_stays_with_the_agent(t):
    agent = Agent(t, fresh('tiered'))

    def tier_of(key):
        return next(k for k in t.admin.get('/v1/keys', query={'limit': 1000}).items if k['id'] == key['id'])['tier']

    assert tier_of(agent.key) == 'registered'
    t.operator.call('PUT', f'/v1/agents/{agent.id}/tier', {'tier': 'partner'}).expect(204)
    assert tier_of(agent.key) == 'partner'
    assert tier_of(t.operator.post(f'/v1/agents/{agent.id}/keys').expect(201).json) == 'partner'
    for tier in ('unlimited', 'anonymous', 'royal'):
        t.operator.call('PUT', f'/v1/agents/{agent.id}/tier', {'tier': tier}).expect(422, 'invalid').names('tier')
    keyless = t.operator.post('/v1/agents/batch', {'items': [{'handle': fresh(), 'name': 'x'}]}).expect(201).items[0]['id']
    t.operator.call('PUT', f'/v1/agents/{keyless}/tier', {'tier': 'partner'}).expect(409, 'conflict')


def test_transfer(t):
    agent, buyer = Agent(t, fresh('sold')), KeyPair()
    proof = agent.proof(buyer)
    with t.case('a signature of the old key'):
        asked = agent.challenge(buyer)
        bad = {'public_key': buyer.public, 'challenge_id': asked['challenge_id'], 'signature': agent.pair.sign(asked['text'])}
        agent.caller.post(f'/v1/agents/{agent.id}/transfer', bad).expect(422, 'invalid').names('signature')
    with t.case('to whom it belongs'):
        agent.caller.post(f'/v1/agents/{agent.id}/transfer', agent.proof()).expect(409, 'conflict').names('public_key')
    with t.case('by somebody else'):
        thief = Agent(t, fresh('thief'))
        thief.caller.post(f'/v1/agents/{agent.id}/transfer', proof).expect(403, 'forbidden')
    key = agent.caller.post(f'/v1/agents/{agent.id}/transfer', proof).expect(200).json
    until(lambda: agent.caller.get('/v1/whoami').status == 401, 5, 'the end of the old keys')
    owner = Caller(t.server, key['secret'], None, t.operator.contract)
    shown = owner.get(f'/v1/agents/{agent.id}').expect(200).json
    assert (shown['public_key'], shown['version']) == (buyer.public, 2)
    owner.call('PATCH', f'/v1/agents/{agent.id}', {'name': 'bought'}).expect(200)
    with t.case('again with the same challenge'):
        again = {**proof, 'public_key': agent.pair.public}
        owner.post(f'/v1/agents/{agent.id}/transfer', again).expect(422, 'invalid').names('challenge_id')


def test_keys_are_listed_in_pages(t):
    admin = t.caller('admin', tenant='keyring')
    made = [admin.post('/v1/keys', {'name': f'k{i}'}).expect(201).json['id'] for i in range(7)]
    found, cursor = [], None
    while cursor or not found:
        page = admin.get('/v1/keys', query={'limit': 3, **({'cursor': cursor} if cursor else {})}).expect(200).json
        assert len(page['items']) <= 3
        found += [k['id'] for k in page['items']]
        cursor = page['next_cursor']
    assert [k for k in found if k in made] == made and len(found) == len(set(found))
    admin.get('/v1/keys', query={'cursor': 'nonsense'}).expect(422, 'invalid').names('cursor')


# ---- many at once ----

def batch(t, items, caller=None, **members):
    return (caller or t.operator).post('/v1/agents/batch', {'items': items, **members}).expect(201).items


def test_a_batch_takes_each_on_its_own(t):
    add(t, 'there-already')
    pair = KeyPair()
    asked = t.operator.post('/v1/agents/challenge', {'public_key': pair.public}).expect(201).json
    said = batch(t, [
        {'handle': 'batch-1', 'name': 'x', 'capabilities': ['memory', 'weather'], 'card': {'c': 1}, 'tags': ['t']},
        {'handle': 'there-already', 'name': 'x'},
        {'handle': 'root', 'name': 'x'},
        {'handle': 'batch-2', 'name': 'x', 'capabilities': ['memory', 'no-such-thing']},
        {'handle': 'batch-1', 'name': 'again'},
        {'handle': 'batch-3', 'name': 'x', 'endpoint': 'nowhere'},
        {'handle': 'batch-4', 'name': 'x', 'public_key': pair.public, 'challenge_id': asked['challenge_id'],
         'signature': pair.sign(asked['text'])},
        {'handle': 'batch-5', 'name': 'x', 'public_key': pair.public, 'challenge_id': asked['challenge_id'],
         'signature': pair.sign(asked['text'])}])
    assert [i.get('error', {}).get('code') for i in said] == \
        [None, 'already_exists', 'invalid', 'invalid', 'already_exists', 'invalid', None, 'invalid'], said
    assert 'no-such-thing' in said[3]['error']['detail'] and 'challenge_id' in said[7]['error']['detail']
    shown = t.operator.get('/v1/agents/batch-1').expect(200).json
    assert shown['id'] == said[0]['id'] and [c['capability'] for c in shown['capabilities']] == ['memory', 'weather']
    assert t.operator.get('/v1/agents/batch-1/card').body == b'{"c": 1}'
    assert t.operator.get('/v1/agents/batch-4').json['verification'] == 'claimed'
    t.operator.get('/v1/agents/batch-5').expect(404)
    assert batch(t, []) == []
    t.operator.post('/v1/agents/batch', {'items': [{'handle': 'x-1', 'name': 'x'}] * 1001}).expect(422, 'invalid').names('items')


def test_a_batch_skips_or_updates_what_is_there(t):
    add(t, 'sync-1', description='old', tags=['a'], capabilities=['memory'], metadata={'a': 1}, card={'v': 1})
    t.operator.post('/v1/agents/sync-1/capabilities', {'capability': 'memory', 'endpoint': 'https://m.example'}).expect(200)
    others = t.caller('operator', tenant='syncers')
    add(t, 'sync-theirs', caller=others, visibility='public')
    with t.case('skip'):
        said = batch(t, [{'handle': 'sync-1', 'name': 'skipped', 'capabilities': ['nobody-knows']},
                         {'handle': 'sync-theirs', 'name': 'x'}, {'handle': 'sync-2', 'name': 'x'}], on_existing='skip')
        assert [(i.get('existed'), i.get('changed')) for i in said] == [(True, False), (True, False), (False, False)], said
        assert 'id' not in said[1] and t.operator.get('/v1/agents/sync-1').json['name'] == 'sync-1'
    before = t.operator.get('/v1/agents/sync-1').json
    same = {'handle': 'sync-1', 'name': 'sync-1', 'description': 'old', 'tags': ['a'], 'capabilities': ['memory'],
            'metadata': {'a': 1}, 'card': {'v': 1}}
    with t.case('update with the same'):
        said = batch(t, [same, {'handle': 'sync-theirs', 'name': 'x'}], on_existing='update')
        assert (said[0]['existed'], said[0]['changed']) == (True, False) and said[1]['error']['code'] == 'already_exists'
        assert t.operator.get('/v1/agents/sync-1').json == before
    with t.case('update with less leaves the rest'):
        said = batch(t, [{'handle': 'sync-1', 'name': 'renamed'}], on_existing='update')[0]
        after = t.operator.get('/v1/agents/sync-1').json
        assert said['changed'] and after['version'] == before['version'] + 1
        assert {**after, 'version': 0, 'updated_at': 0} == {**before, 'name': 'renamed', 'version': 0, 'updated_at': 0}
    with t.case('update of lists, metadata and card'):
        said = batch(t, [{**same, 'name': 'renamed', 'capabilities': ['memory', 'weather'], 'metadata': {'b': None},
                          'card': {'v': 2}}], on_existing='update')[0]
        after = t.operator.get('/v1/agents/sync-1').json
        assert said['changed'] and after['metadata'] == {'b': None}, 'it is brought to what is given'
        assert after['capabilities'] == [{'capability': 'memory', 'endpoint': 'https://m.example'},
                                         {'capability': 'weather', 'endpoint': None}]
        assert json.loads(t.operator.get('/v1/agents/sync-1/card').body) == {'v': 2}
    with t.case('a key is not changed so'):
        agent = Agent(t, 'sync-keyed')
        assert not batch(t, [{'handle': 'sync-keyed', 'name': 'sync-keyed', 'public_key': agent.pair.public}], on_existing='update')[0]['changed']
        refused = batch(t, [{'handle': 'sync-keyed', 'name': 'x', 'public_key': KeyPair().public}], on_existing='update')
        assert 'transfer' in refused[0]['error']['detail']


def test_batches_that_meet(t):
    """Many at once want overlapping handles: each handle is given once, and nobody is told otherwise."""
    handles = [f'meet-{i}' for i in range(60)]
    callers = [t.caller('operator') for _ in range(6)]

    def write(k):
        wanted = handles[k * 5:] + handles[:k * 5]
        return list(zip(wanted, batch(t, [{'handle': h, 'name': f'by {k}'} for h in wanted], caller=callers[k])))

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        said = list(pool.map(write, range(6)))
    for handle in handles:
        won = [k for k, answers in enumerate(said) for h, a in answers if h == handle and 'id' in a]
        assert len(won) == 1 and t.operator.get(f'/v1/agents/{handle}').json['name'] == f'by {won[0]}', handle


# ---- the feed ----

def changes_of(caller, since):
    """What the feed tells beyond a number: (entity, op, id, version) of each, once it has told all of it."""
    page = caller.get('/v1/changes', query={'since': since, 'limit': 1000}).expect(200).json
    return [(c['entity'], c['op'], c['id'], c['version']) for c in page['items']], page['next_since']


def test_every_write_is_told(t):
    admin, others = t.caller('admin', tenant='feeders'), t.caller('reader', tenant='eaters')
    since = until(lambda: changes_of(admin, 0), 5, 'the feed')[1]

    def told(*expected, by=admin):
        """Exactly these were written since the last time, in this order."""
        nonlocal since
        until(lambda: len(changes_of(by, since)[0]) >= len(expected), 10, f'{expected} in the feed')
        found, since = changes_of(by, since)
        assert found == list(expected), found

    agent = Agent(t, fresh('told'), operator=admin)
    told(('key', 'put', agent.key['id'], 0), ('agent', 'put', agent.id, 1))
    agent.change({'name': 'x', 'visibility': 'public'}).expect(200)
    told(('agent', 'put', agent.id, 2))
    admin.post(f'/v1/agents/{agent.id}/capabilities', {'capability': 'memory'}).expect(200)
    admin.call('DELETE', f'/v1/agents/{agent.id}/capabilities?capability=memory').expect(204)
    told(('agent', 'put', agent.id, 3), ('agent', 'put', agent.id, 4))
    second = agent.caller.post(f'/v1/agents/{agent.id}/keys', {}).expect(201).json
    told(('key', 'put', second['id'], 0), ('key', 'put', agent.key['id'], 0))
    batch(t, [{'handle': agent.handle, 'name': 'x'}], caller=admin, on_existing='update')
    made = batch(t, [{'handle': agent.handle, 'name': 'y'}, {'handle': fresh('told'), 'name': 'y'}], caller=admin, on_existing='update')
    told(('agent', 'put', agent.id, 5), ('agent', 'put', made[1]['id'], 1))
    slug = fresh('told')
    able = admin.post('/v1/capabilities', {'slug': slug, 'description': 'x'}).expect(201).json
    told(('capability', 'put', able['id'], 1))
    subject = Agent(t, fresh('told'), operator=admin)
    said = agent.attest(subject).expect(201).json
    agent.caller.post(f'/v1/attestations/{said["id"]}/revoke').expect(200)
    agent.caller.post(f'/v1/attestations/{said["id"]}/revoke').expect(200)
    told(('key', 'put', subject.key['id'], 0), ('agent', 'put', subject.id, 1),
         ('attestation', 'put', said['id'], 1), ('attestation', 'delete', said['id'], 2))
    admin.call('PUT', f'/v1/agents/{subject.id}/tier', {'tier': 'verified'}).expect(204)
    told(('key', 'put', subject.key['id'], 0))
    third = subject.caller.post(f'/v1/agents/{subject.id}/transfer', subject.proof(KeyPair())).expect(200).json
    told(('key', 'delete', subject.key['id'], 0), ('key', 'put', third['id'], 0), ('agent', 'put', subject.id, 2))
    admin.call('PATCH', f'/v1/agents/{agent.id}', {'name': 'z', 'visibility': 'tenant'}).expect(200)
    told(('agent', 'put', agent.id, 6))
    admin.call('DELETE', f'/v1/agents/{subject.id}').expect(204)
    told(('key', 'delete', third['id'], 0), ('agent', 'delete', subject.id, 3))
    with t.case('another tenant is told of the public ones, and that one is no longer public'):
        seen = [c for c in changes_of(others, 0)[0] if c[2] in (agent.id, subject.id, said['id'], agent.key['id'])]
        assert seen == [('agent', 'put', agent.id, n) for n in (2, 3, 4, 5, 6)], seen
    with t.case('what was refused is not told'):
        admin.post('/v1/agents', {'handle': agent.handle, 'name': 'x'}).expect(409)
        agent.attest(agent).expect(422)
        admin.call('PATCH', f'/v1/agents/{agent.id}', {'name': ' '}).expect(422)
        admin.post('/v1/capabilities', {'slug': fresh('told'), 'description': 'x'}).expect(201)
        until(lambda: changes_of(admin, since)[0], 10, 'the next change')
        assert [c[0] for c in changes_of(admin, since)[0]] == ['capability']


# ---- restarts ----

def test_agents_live_through_a_restart(t):
    server = t.new_server()
    operator = t.caller('operator', server)
    made = add(t, 'durable', caller=operator, tags=['x'])
    own = Caller(server, made['key']['secret'], None, operator.contract)
    server.kill()
    server.start()
    operator.close()
    own.close()
    assert operator.get('/v1/agents/durable').expect(200).json == made['agent']
    assert own.get('/v1/whoami').expect(200).json['agent'] == made['agent']['id']
    assert add(t, 'durable-2', caller=operator)['agent']['id'] > made['agent']['id']
