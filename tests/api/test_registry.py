"""What registries of agents are known to get wrong, and what their users ask for."""

import concurrent.futures

from agents import Agent
from harness import NotHere, until
from test_agents import add, fresh
from test_capabilities import every
from test_kept import from_memory
from test_search import agent, arrive, found, register, words


def test_an_agent_is_found_by_the_plain_words_of_what_it_can_do(t):
    """Each common capability, and not those that somebody thought of when writing a list of words."""
    operator = t.caller('operator', tenant='plain-words')
    slugs = [c['slug'] for c in every(operator, '/v1/capabilities', 1000) if c['common']]
    register(operator, *[agent(f'cap-{i}-x', name=f'Number {i}', capabilities=[slug]) for i, slug in enumerate(slugs)])
    arrive(operator, 'number', 50, limit=100)
    for slug in slugs:
        with t.case(slug):
            plain = slug.replace('-', ' ')
            best = found(operator, plain, limit=1)['items'][0]
            assert best['agent']['capabilities'][0]['capability'] == slug, best
            assert 'capabilities' in {word['field'] for word in best['why']['words']}, best


def test_the_total_is_that_of_all_pages(t):
    w = next(words)
    register(t.operator, *[agent(f'{w}-{i}', w, name=w, type='tool') for i in range(7)])
    arrive(t.operator, w, 7)
    for what, path in (('searched', f'/v1/search/agents?q={w}&type=tool'), ('listed', f'/v1/agents?name={w}&type=tool')):
        with t.case(what):
            seen, cursor = 0, ''
            while cursor is not None:
                page = t.operator.get(f'{path}&limit=3&count=true{cursor and "&cursor=" + cursor}').expect(200).json
                assert page['count'] == 7, page
                seen, cursor = seen + len(page['items']), page['next_cursor']
            assert seen == 7


def test_every_read_has_a_tag_that_spares_the_next(t):
    one, other = Agent(t, fresh('tagged'), card={'v': 1}, capabilities=['legal'], tags=['unlike']), Agent(t, fresh('tagged'))
    said = one.attest(other).expect(201).json
    arrive(t.operator, one.handle)
    paths = ['/v1/agents', f'/v1/agents/{one.id}', f'/v1/agents/{one.handle}', f'/v1/agents/{one.id}/card', '/v1/capabilities',
             '/v1/capabilities/legal', '/v1/capabilities/legal/agents', f'/v1/attestations?subject={other.id}',
             f'/v1/attestations/{said["id"]}', f'/v1/search/agents?q={one.handle}&tag=unlike']
    tags = {}
    for path in paths:
        with t.case(path):
            first = t.operator.get(path).expect(200)
            tags[path] = {'If-None-Match': first.headers['etag']}
            spared = t.operator.get(path, headers=tags[path]).expect(304)
            assert spared.body == b'' and spared.headers['etag'] == first.headers['etag']
            assert first.headers['cache-control'] == spared.headers['cache-control'] and 'max-age' not in first.headers['cache-control'], \
                first.headers['cache-control']
    one.change({'name': 'changed', 'card': {'v': 2}}).expect(200)
    one.caller.post(f'/v1/attestations/{said["id"]}/revoke').expect(200)
    t.operator.post('/v1/capabilities', {'slug': fresh('cap'), 'description': 'x'}).expect(201)
    for path in paths:
        if path != '/v1/capabilities/legal':
            with t.case(f'{path}, changed'):
                until(lambda p=path: t.operator.get(p, headers=tags[p]).status == 200, 1, 'the changed answer')


def changes_until_now(t):
    """All that was told, once the server itself has heard of it."""
    told, since = [], 0
    marker = t.operator.post('/v1/capabilities', {'slug': fresh('marker'), 'description': 'x'}).expect(201).json['id']
    while not told or told[-1]['id'] != marker:
        page = until(lambda s=since: (p := t.operator.get(f'/v1/changes?since={s}&limit=1000').json)['next_since'] != s and p)
        told, since = told + page['items'], page['next_since']
    until(lambda: t.server.metric('tenfold_changes_applied') >= since, 5, 'the news')
    return told


def test_beats_leave_alone_what_is_kept(t):
    a = Agent(t, fresh('beating'))
    a.caller.post(f'/v1/agents/{a.id}/heartbeat').expect(200)
    changes_until_now(t)
    for path in (f'/v1/agents/{a.id}', '/v1/agents?visibility=tenant&limit=3'):
        with t.case(path):
            before = from_memory(t.server, lambda p=path: t.operator.get(p).expect(200))
            missed = t.server.metric('tenfold_cache_misses_total')
            for _ in range(20):
                a.caller.post(f'/v1/agents/{a.id}/heartbeat').expect(200)
                assert t.operator.get(path).expect(200).body == before.body
            assert t.server.metric('tenfold_cache_misses_total') == missed, 'each of them came from memory'


def test_beats_move_no_row_and_no_index(t):
    if t.store != 'postgres':
        raise NotHere('it keeps no such figures')
    server = t.new_server()
    a = Agent(t, 'hot', operator=t.caller('operator', server))

    def figures(table):
        return [int(n) for n in server.database.ask(f"SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables "
                                                    f"WHERE relname = '{table}'").split('|')]
    a.caller.post(f'/v1/agents/{a.id}/heartbeat').expect(200)
    for _ in range(200):
        a.caller.post(f'/v1/agents/{a.id}/heartbeat').expect(200)
    a.operator.close()
    a.caller.close()
    server.stop()     # so that its sessions have told their figures
    updated, hot = figures('liveness')
    assert updated >= 200 and updated - hot <= 3, (updated, hot)   # the flip, and whoever makes room
    assert figures('agents')[0] == 0


def test_what_many_add_at_once_is_all_there_and_no_more(t):
    made = add(t, fresh('many'))['agent']
    slugs = [c['slug'] for c in every(t.operator, '/v1/capabilities', 1000) if c['common']]
    path = f'/v1/agents/{made["id"]}'
    own = [t.operator.post('/v1/capabilities', {'slug': fresh('own'), 'description': 'x'}).expect(201).json['slug'] for _ in range(4)]

    def add_one(slug):
        return t.caller('operator').post(f'{path}/capabilities', {'capability': slug}).status

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(add_one, slugs[:60])) == [200] * 60
        said = sorted(pool.map(add_one, slugs[60:] + own))
    shown = t.operator.get(path).expect(200).json
    assert said == [200] * 4 + [409] * 4 and len(shown['capabilities']) == 64, said
    assert shown['version'] == made['version'] + 64


def test_one_attestation_is_taken_back_once(t):
    one, other = Agent(t, fresh('sorry')), Agent(t, fresh('sorry'))
    made = one.attest(other).expect(201).json
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda _: t.caller('operator').post(f'/v1/attestations/{made["id"]}/revoke').expect(200).json, range(8)))
    assert len({a['revoked_at'] for a in said}) == 1, said
    assert [(c['op'], c['version']) for c in changes_until_now(t) if c['id'] == made['id']] == [('put', 1), ('delete', 2)]


def test_an_agent_that_is_deleted_while_its_keys_are_made_keeps_none(t):
    for n in range(5):
        a = Agent(t, fresh('ending'))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            keys = [pool.submit(t.caller('operator').post, f'/v1/agents/{a.id}/keys', {}) for _ in range(6)]
            gone = pool.submit(t.caller('operator').call, 'DELETE', f'/v1/agents/{a.id}')
        gone.result().expect(204)
        for made in (k.result() for k in keys):
            if made.status == 201:
                nobody = t.anonymous()
                nobody.key = made.json['secret']
                until(lambda c=nobody: c.get('/v1/whoami').status == 401, 5, 'the end of its keys')
            else:
                made.expect(410, 'gone')
