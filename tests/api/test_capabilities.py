"""Capabilities: the common ones, a tenant's own, and who has them."""

import concurrent.futures

from test_agents import add, fresh


def every(caller, path, limit, **query):
    """All items of a list, page by page."""
    found, cursor = [], None
    while True:
        page = caller.get(path, query={**query, 'limit': limit, **({'cursor': cursor} if cursor else {})}).expect(200).json
        assert len(page['items']) <= limit
        found += page['items']
        cursor = page['next_cursor']
        if cursor is None:
            return found


def test_every_tenant_has_the_common_ones(t):
    for caller in (t.caller('reader'), t.caller('reader', tenant='fresh-tenant')):
        common = [c for c in every(caller, '/v1/capabilities', 1000) if c['common']]
        assert len(common) == 64 and len({c['description'] for c in common}) == 64
        shown = caller.get('/v1/capabilities/code-review').expect(200).json
        assert shown in common and shown['common'] and shown['version'] == '1.0.0'
    caller.get('/v1/capabilities/no-such-thing').expect(404, 'not_found')


def test_who_has_no_key_sees_the_common_ones_once(t):
    server = t.new_server('--public-directory')
    t.caller('operator', server).post('/v1/capabilities', {'slug': 'not-for-you', 'description': 'x'}).expect(201)
    seen = [c['slug'] for c in every(t.anonymous(server), '/v1/capabilities', 50)]
    assert len(seen) == len(set(seen)) == 64 and 'not-for-you' not in seen


def test_a_tenant_adds_its_own(t):
    schema = b'{ "type":"object" , "properties":{} }'
    made = t.operator.post('/v1/capabilities', b'{"slug":"fold-paper","description":"Folds.","version":"2.1.0","input_schema":'
                           + schema + b'}').expect(201).json
    assert made['slug'] == 'fold-paper' and not made['common'] and made['output_schema'] is None
    shown = t.operator.get('/v1/capabilities/fold-paper').expect(200)
    assert shown.json == made and schema in shown.body
    t.operator.post('/v1/capabilities', {'slug': 'fold-paper', 'description': 'x'}).expect(409, 'already_exists')
    t.operator.post('/v1/capabilities', {'slug': 'memory', 'description': 'x'}).expect(409, 'already_exists')
    others = t.caller('operator', tenant='folders')
    others.get('/v1/capabilities/fold-paper').expect(404, 'not_found')
    theirs = others.post('/v1/capabilities', {'slug': 'fold-paper', 'description': 'theirs'}).expect(201).json
    assert theirs['id'] != made['id'] and t.operator.get('/v1/capabilities/fold-paper').json == made
    add(t, caller=others, capabilities=['fold-paper'])
    for bad in ('x', 'Fold', '-x', 'x-', 'a b', 'a/b', 'é-x', 'x' * 65):
        with t.case(f'{bad!r} is no slug'):
            t.operator.post('/v1/capabilities', {'slug': bad, 'description': 'x'}).expect(422, 'invalid').names('slug')


def test_one_slug_under_a_race(t):
    callers = [t.caller('operator') for _ in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda c: c.post('/v1/capabilities', {'slug': 'raced', 'description': 'x'}).status, callers))
    assert sorted(said) == [201] + [409] * 7, said


def test_the_list_is_one_by_slug(t):
    mine = t.caller('operator', tenant='sorters')
    for slug in ('zz-top', 'aa-first', 'memory2', 'memory-1', 'a0', 'planning-x'):
        mine.post('/v1/capabilities', {'slug': slug, 'description': 'x'}).expect(201)
    whole = [c['slug'] for c in every(mine, '/v1/capabilities', 1000)]
    assert whole == sorted(whole) and len(whole) == 70
    for limit in (1, 3, 64, 69, 70):
        assert [c['slug'] for c in every(mine, '/v1/capabilities', limit)] == whole, limit
    for bad in ('-', 'A', 'c_0000000000009', 'x' * 129):
        mine.get('/v1/capabilities', query={'cursor': bad}).expect(422, 'invalid').names('cursor')


def test_who_has_one(t):
    mine, others = t.caller('operator', tenant='holders'), t.caller('operator', tenant='holders-b')
    own = [add(t, fresh('holder'), caller=mine, capabilities=['robotics'])['agent']['id'] for _ in range(7)]
    public = [add(t, fresh('holder'), caller=others, capabilities=['robotics'], visibility='public')['agent']['id'] for _ in range(3)]
    hidden = add(t, fresh('holder'), caller=others, capabilities=['robotics'])['agent']['id']
    wanted = sorted(own + public, reverse=True)
    for limit in (1, 4, 10, 100):
        listed = [a['id'] for a in every(mine, '/v1/capabilities/robotics/agents', limit)]
        assert [i for i in listed if i in wanted] == wanted and hidden not in listed, limit
    mine.get('/v1/capabilities/robotics/agents', query={'cursor': 'x'}).expect(422, 'invalid').names('cursor')
    mine.get('/v1/capabilities/no-such-thing/agents').expect(404, 'not_found')


def test_an_agent_gains_and_loses_one(t):
    made = add(t, 'learner')['agent']
    got = t.operator.post('/v1/agents/learner/capabilities', {'capability': 'weather', 'endpoint': 'https://w.example'}).expect(200)
    assert got.json['capabilities'] == [{'capability': 'weather', 'endpoint': 'https://w.example'}]
    assert got.json['version'] == made['version'] + 1 and got.headers['etag'] == t.operator.get('/v1/agents/learner').headers['etag']
    moved = t.operator.post('/v1/agents/learner/capabilities', {'capability': 'weather'}).expect(200).json
    assert moved['capabilities'] == [{'capability': 'weather', 'endpoint': None}]
    t.operator.post('/v1/agents/learner/capabilities', {'capability': 'no-such-thing'}).expect(404, 'not_found')
    t.operator.post('/v1/agents/learner/capabilities', {'capability': 'news', 'endpoint': 'file:///etc'}).expect(422, 'invalid').names('endpoint')
    t.operator.call('DELETE', '/v1/agents/learner/capabilities?capability=weather').expect(204)
    t.operator.call('DELETE', '/v1/agents/learner/capabilities?capability=weather').expect(404, 'not_found')
    t.operator.call('DELETE', '/v1/agents/learner/capabilities').expect(400, 'missing_field').names('capability')
    after = t.operator.get('/v1/agents/learner').json
    assert after['capabilities'] == [] and after['version'] == made['version'] + 3
    slugs = [c['slug'] for c in every(t.operator, '/v1/capabilities', 1000) if c['common']]
    t.operator.post('/v1/agents/batch', {'items': [{'handle': 'learner', 'name': 'x', 'capabilities': slugs}], 'on_existing': 'update'}).expect(201)
    t.operator.post('/v1/capabilities', {'slug': 'one-more', 'description': 'x'}).expect(201)
    t.operator.post('/v1/agents/learner/capabilities', {'capability': 'one-more'}).expect(409, 'conflict')
    assert len(t.operator.get('/v1/agents/learner').json['capabilities']) == 64
