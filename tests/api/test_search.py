"""Finding agents: plain words and filters, best first, with reasons; and nobody finds what is not theirs to see."""

import itertools
import json
import os
import re
import urllib.parse

from agents import Agent
from harness import ROOT, Skip, until

PATH = '/v1/search/agents'
WITHIN_S = 0.1     # a change is in the next search
words = (f'zw{n:04d}x' for n in itertools.count())     # each test has words nobody else uses


def search(caller, q='', **members):
    query = [('q', q)] + [(k, v) for k, given in members.items() for v in (given if isinstance(given, list) else [given])]
    return caller.get(PATH + '?' + urllib.parse.urlencode(query))


def found(caller, q='', **members):
    return search(caller, q, **members).expect(200).json


def handles(caller, q='', **members):
    return [hit['agent']['handle'] for hit in found(caller, q, **members)['items']]


def register(caller, *agents):
    out = caller.post('/v1/agents/batch', {'items': list(agents)}).expect(201).json['items']
    assert not [r for r in out if 'error' in r], out
    return [r['id'] for r in out]


def agent(handle, description='', **members):
    return {'handle': handle, 'name': members.pop('name', handle), 'description': description, **members}


def arrive(caller, q, n=1, **members):
    """What was written is found by the next search, or soon."""
    until(lambda: len(handles(caller, q, **members)) >= n, WITHIN_S, f'{n} hits for {q}')


def test_best_first_with_reasons(t):
    w = next(words)
    register(t.operator, agent(f'{w}-one', f'turns {w} into postcards', name='Postcards'),
             agent(f'{w}-two', 'paints', name=f'{w} painter', tags=['paint', w]),
             agent(f'{w}-three', f'{w} ' + 'and much else besides ' * 20, name='Other'))
    arrive(t.caller('reader'), w, 3)
    answer = found(t.caller('reader'), f'{w} paint')
    assert [h['agent']['handle'] for h in answer['items']][0] == f'{w}-two', answer
    assert answer['mode'] == 'text' and answer['next_cursor'] is None and 'count' not in answer and 'facets' not in answer
    first = answer['items'][0]
    scores = [h['score'] for h in answer['items']]
    assert scores == sorted(scores, reverse=True) and scores[-1] > 0
    assert {(x['asked'], x['found']) for x in first['why']['words']} >= {(w, w), ('paint', 'paint')}, first['why']
    assert {x['field'] for x in first['why']['words']} >= {'name', 'tags'}, first['why']
    points = [x['points'] for x in first['why']['words']]
    assert points == sorted(points, reverse=True) and sum(points) <= first['score'] + 0.001
    assert not first['why']['exact_name']
    assert first['agent'] == t.operator.get(f'/v1/agents/{w}-two').expect(200).json


def test_a_name_is_found_exactly_by_its_beginning_and_mistyped(t):
    w = next(words)
    register(t.operator, agent(f'{w}-forecast', name=f'{w} Weathervane'), agent(f'{w}-b', f'knows {w} weathervane well'))
    arrive(t.operator, w, 2)
    for q, exact in ((f'{w} weathervane', True), (f'{w}-forecast', True), (f'{w} weatherv', False), (f'{w} waethervane', False)):
        with t.case(q):
            hit = found(t.operator, q)['items'][0]
            assert hit['agent']['handle'] == f'{w}-forecast' and hit['why']['exact_name'] == exact, hit


def test_filters_apply_before_the_limit(t):
    """One agent in a hundred passes; the ninety-nine others fit the words better."""
    w = next(words)
    register(t.operator, *[agent(f'{w}-{i}', f'{w} {w} {w}', name=f'{w} {i}') for i in range(99)])
    register(t.operator, agent(f'{w}-mcp', f'something long about many things and {w} among them ' * 3, name='Last', type='tool',
                               protocols=['mcp'], tags=[f'{w}-tag'], capabilities=['web-search']))
    arrive(t.operator, w, 1, type='tool')
    for members in ({'type': 'tool'}, {'protocol': 'mcp'}, {'tag': f'{w}-tag'}, {'capability': 'web-search'},
                    {'type': ['tool', 'assistant'], 'protocol': ['mcp', 'a2a'], 'status': 'unknown', 'verification': 'none'}):
        with t.case(str(members)):
            answer = found(t.operator, w, limit=1, count='true', **members)
            assert [h['agent']['handle'] for h in answer['items']] == [f'{w}-mcp'], answer
            assert answer['count'] == 1 and answer['next_cursor'] is None, answer
    for members in ({'type': 'assistant'}, {'status': 'online'}, {'tag': 'nobody-has-this'}, {'verification': 'claimed'},
                    {'type': 'tool', 'protocol': 'grpc'}):
        with t.case(f'none: {members}'):
            answer = found(t.operator, w, count='true', **members)
            assert answer['items'] == [] and answer['count'] == 0, answer


def test_totals_and_facets_are_told_when_asked(t):
    w = next(words)
    register(t.operator, *[agent(f'{w}-{i}', w, type='tool' if i % 3 else 'service', tags=[f'{w}-even'] if i % 2 == 0 else [],
                                 protocols=['http', 'mcp'] if i < 4 else []) for i in range(12)])
    arrive(t.operator, w, 12)
    answer = found(t.operator, w, limit=2, count='true', facets=['type', 'protocol', 'tag', 'status'])
    assert answer['count'] == 12 and len(answer['items']) == 2
    facets = [(f['facet'], f['value'], f['count']) for f in answer['facets']]
    assert facets == [('type', 'tool', 8), ('type', 'service', 4), ('status', 'unknown', 12), ('protocol', 'http', 4),
                      ('protocol', 'mcp', 4), ('tag', f'{w}-even', 6)], facets
    assert found(t.operator, w, facets='type', type='tool')['facets'] == [{'facet': 'type', 'value': 'tool', 'count': 8}]


def test_pages_add_up(t):
    w = next(words)
    ids = register(t.operator, *[agent(f'{w}-{i}', f'{w} ' * (1 + i % 5)) for i in range(57)])
    arrive(t.operator, w, 57, limit=100)
    for q in (w, ''):
        with t.case(q or 'no words'):
            seen, scores, cursor = [], [], None
            tag = {} if q else {'tag': []}
            while True:
                page = found(t.operator, q, limit=10, **tag, **({'cursor': cursor} if cursor else {}))
                seen += [h['agent']['id'] for h in page['items']]
                scores += [h['score'] for h in page['items']]
                cursor = page['next_cursor']
                if cursor is None:
                    break
            assert len(seen) == len(set(seen)) and set(ids) <= set(seen), seen
            assert scores == sorted(scores, reverse=True)
            assert not q or (len(seen) == 57 and seen == [h['agent']['id'] for h in found(t.operator, q, limit=100)['items']])


def test_a_cursor_that_was_edited_is_refused(t):
    w = next(words)
    register(t.operator, *[agent(f'{w}-{i}', w) for i in range(3)])
    arrive(t.operator, w, 3)
    cursor = found(t.operator, w, limit=1)['next_cursor']
    assert handles(t.operator, w, limit=5, cursor=cursor, count='true'), 'limit and count may change'
    edited = cursor[:-1] + ('0' if cursor[-1] != '0' else '1')
    for what, q, given, members in (('edited', w, edited, {}), ('cut', w, cursor[:-2], {}), ('first digit', w, '1' + cursor[1:], {}),
                                    ('another question', w + ' x', cursor, {}), ('another filter', w, cursor, {'type': 'tool'}),
                                    ('nonsense', w, 'c_0000000000009', {}), ('upper case', w, cursor.upper() + 'A', {})):
        with t.case(what):
            problem = search(t.operator, q, cursor=given, **members).expect(422, 'invalid').json
            assert problem['errors'][0]['field'] == 'cursor', problem


def test_another_tenant_finds_nothing_of_it(t):
    w = next(words)
    mine, other = t.operator, t.caller('operator', tenant='elsewhere')
    register(mine, agent(f'{w}-mine', f'{w} {w}xyz', tags=[f'{w}-secret'], capabilities=['web-search']),
             agent(f'{w}-open', f'{w} open', visibility='public', tags=[f'{w}-open']))
    arrive(mine, w, 2)
    seen = found(other, w, count='true', facets=['tag', 'type', 'capability'])
    assert [h['agent']['handle'] for h in seen['items']] == [f'{w}-open'] and seen['count'] == 1
    assert f'{w}-mine' not in str(seen) and f'{w}-secret' not in str(seen) and 'xyz' not in str(seen), seen
    assert [f['count'] for f in seen['facets'] if f['facet'] == 'type'] == [1]
    assert handles(other, f'{w}xyz') == [] or f'{w}-mine' not in str(found(other, f'{w}xyz'))
    for members in ({'tag': f'{w}-secret'}, {'capability': 'web-search'}):
        with t.case(str(members)):
            assert found(other, w, count='true', **members)['count'] == 0
    for _ in range(40):
        mine.call('PATCH', f'/v1/agents/{w}-open', {'visibility': 'public'}).expect(200)
        mine.call('PATCH', f'/v1/agents/{w}-open', {'visibility': 'tenant'}).expect(200)
        assert handles(other, w) == [], 'not even before the index has heard of it'
    until(lambda: found(other, w, count='true')['count'] == 0, WITHIN_S, 'the count')
    mine.call('PATCH', f'/v1/agents/{w}-mine', {'visibility': 'public'}).expect(200)
    until(lambda: handles(other, w) == [f'{w}-mine'], WITHIN_S, 'the public one')


def test_words_of_another_tenant_change_nothing_of_what_is_found(t):
    mine, other = t.operator, t.caller('operator', tenant='elsewhere')
    register(mine, agent('reach-mistyped', 'quagmirelod'), agent('reach-begun', 'plinthwardly'))
    arrive(mine, 'quagmirelod')
    arrive(mine, 'plinthwardly')
    with t.case('a word that only others have is looked for as a typo all the same'):
        assert handles(mine, 'quagmirelox') == ['reach-mistyped']
        register(other, *[agent(f'reach-hidden-{n}', 'quagmirelox') for n in range(4)])
        arrive(other, 'quagmirelox', 4)
        assert handles(mine, 'quagmirelox') == ['reach-mistyped']
    with t.case('words of others do not crowd out what a mistyped or unfinished one is meant for'):
        register(other, *[agent(f'reach-crowd-{c}{n}', f'plinthwardl{c} plinthwarl{c}y')
                          for c in 'abcdefghijklmnopqrstuvwx' for n in range(2)])
        arrive(other, 'plinthwardlx', 2)
        assert handles(mine, 'plinthward') == ['reach-begun']
        assert handles(mine, 'plinthwarly zwnothing') == ['reach-begun']


def test_changes_are_seen_in_the_next_search(t):
    w, v = next(words), next(words)
    register(t.operator, agent(f'{w}-a', f'about {w}', capabilities=['web-search']))
    arrive(t.operator, w)
    with t.case('a change'):
        t.operator.call('PATCH', f'/v1/agents/{w}-a', {'description': f'about {v}', 'type': 'tool'}).expect(200)
        arrive(t.operator, v, type='tool')
        assert w not in str([h['why'] for h in found(t.operator, f'{w} about')['items'] if h['agent']['handle'] == f'{w}-a']
                            ).replace(f'{w}-a', '') or handles(t.operator, w) == [f'{w}-a']
    with t.case('a capability'):
        t.operator.post(f'/v1/agents/{w}-a/capabilities', {'capability': 'translation'}).expect(200)
        arrive(t.operator, v, capability='translation')
        t.operator.call('DELETE', f'/v1/agents/{w}-a/capabilities?capability=web-search').expect(204)
        until(lambda: not handles(t.operator, v, capability='web-search'), WITHIN_S, 'its absence')
    with t.case('its end'):
        t.operator.call('DELETE', f'/v1/agents/{w}-a').expect(204)
        assert handles(t.operator, v) == [], 'not even before the index has heard of it'
        until(lambda: found(t.operator, v, count='true')['count'] == 0, WITHIN_S, 'the count')


def test_what_is_proven_narrows(t):
    w = next(words)
    Agent(t, f'{w}-proven', description=w)
    register(t.operator, agent(f'{w}-plain', w))
    arrive(t.operator, w, 2)
    assert handles(t.operator, w, verification='claimed') == [f'{w}-proven']
    assert handles(t.operator, w, verification=['none']) == [f'{w}-plain']


def test_an_agent_is_found_by_whether_it_is_alive(t):
    w = next(words)
    alive = Agent(t, f'{w}-alive', description=w)
    register(t.operator, agent(f'{w}-silent', w))
    arrive(t.operator, w, 2)
    assert handles(t.operator, w, status=['online', 'suspect']) == []
    alive.caller.post(f'/v1/agents/{alive.id}/heartbeat').expect(200)
    until(lambda: handles(t.operator, w, status='online') == [f'{w}-alive'], WITHIN_S, 'the live one')
    assert found(t.operator, w, status='online')['items'][0]['agent']['status'] == 'online'
    alive.caller.post(f'/v1/agents/{alive.id}/status', {'status': 'maintenance'}).expect(200)
    until(lambda: handles(t.operator, w, status='maintenance') == [f'{w}-alive'], WITHIN_S, 'it in maintenance')
    assert handles(t.operator, w, status='online') == [] and handles(t.operator, w, status='unknown') == [f'{w}-silent']


def test_everybody_finds_public_agents_where_the_server_is_told_so(t):
    w = next(words)
    server = t.new_server('--public-directory')
    operator = t.caller('operator', server)
    register(operator, agent(f'{w}-open', w, visibility='public'), agent(f'{w}-closed', w))
    arrive(operator, w, 2)
    seen = found(t.anonymous(server), w, count='true')
    assert [h['agent']['handle'] for h in seen['items']] == [f'{w}-open'] and seen['count'] == 1
    search(t.anonymous(), w).expect(401)


def test_odd_questions_get_clear_answers(t):
    w = next(words)
    register(t.operator, agent(f'{w}-rtl', f'يبحث عن الطقس {w}', name='طقس'), agent(f'{w}-emoji', f'🚀 {w} größe', name='Rakete 🚀'))
    arrive(t.operator, w, 2)
    for q, first in (('طقس', f'{w}-rtl'), (f'GROSSE {w}', f'{w}-emoji'), (f'“{w}”!? rakete', f'{w}-emoji')):
        with t.case(q):
            assert handles(t.operator, q)[0] == first
    for q in ('the of and', '🚀🚀', '\u202e\u200f', '---', '"', "'; drop table agents; --", '%', '\\', '*', 'a' * 2048):
        with t.case(repr(q[:20])):
            assert found(t.operator, q)['mode'] == 'text'
    with t.case('many words'):
        assert found(t.operator, ' '.join(f'many{n}' for n in range(40)))['words_left_out'] == 8
    with t.case('too long'):
        assert search(t.operator, 'a' * 2049).expect(422, 'invalid').json['errors'][0]['field'] == 'q'
    with t.case('a NUL'):
        assert 'query string' in search(t.operator, 'a\0b').expect(400, 'malformed').json['detail']
    with t.case('no UTF-8'):
        answer = t.operator.get(PATH + '?q=%ff')
        assert answer.status in (400, 422), answer.status
    for members, field in (({'limit': 0}, 'limit'), ({'limit': 101}, 'limit'), ({'type': 'robot'}, 'type'), ({'facets': 'name'}, 'facets'),
                           ({'tag': ['t'] * 17}, 'tag'), ({'mode': 'magic'}, 'mode'), ({'count': 'maybe'}, 'count')):
        with t.case(f'{members}'):
            answer = search(t.operator, w, **members)
            assert answer.status in (400, 422) and answer.json['errors'][0]['field'].split('[')[0] == field, answer.json


def test_modes(t):
    for mode in ('text', 'hybrid'):
        with t.case(mode):
            assert found(t.operator, 'x', mode=mode)['mode'] == 'text'
    with t.case('semantic'):
        answer = search(t.operator, 'x', mode='semantic').expect(503, 'embedder_unavailable')
        assert 'mode=text' in answer.json['detail'] and int(answer.headers['retry-after']) >= 1


def test_a_server_that_starts_reads_all_agents(t):
    server = t.new_server()
    operator = t.caller('operator', server)
    w = next(words)
    for lot in range(3):
        register(operator, *[agent(f'{w}-{lot}-{i}', w, tags=[f'{w}-{i % 2}']) for i in range(1000)])
    operator.call('DELETE', f'/v1/agents/{w}-0-0').expect(204)
    server.stop()
    server.start()
    operator = t.caller('operator', server)
    health = until(lambda: (h := t.anonymous(server).get('/health/ready').expect(200).json)['index']['status'] == 'ok' and h,
                   what='the index')
    assert health['index'] == {'status': 'ok', 'agents': 2999, 'total': 2999}, health
    register(operator, agent(f'{w}-late', 'arrived afterwards'))
    until(lambda: t.anonymous(server).get('/health/ready').json['index'] == {'status': 'ok', 'agents': 3000, 'total': 3000},
          what='the one that came since')
    answer = found(operator, w, count='true', facets='tag', limit=1, tag=[f'{w}-0', f'{w}-1'])
    assert answer['count'] == 2999
    assert [(f['value'], f['count']) for f in answer['facets']] == [(f'{w}-1', 1500), (f'{w}-0', 1499)]
    assert server.metric('tenfold_agent_index_agents') == 3000 and server.metric('tenfold_agent_index_bytes') > 100000


def test_every_process_finds_what_one_of_them_wrote(t):
    first, second = t.pair()
    w = next(words)
    here, there = t.caller('operator', first), t.caller('operator', second)
    register(here, agent(f'{w}-a', w))
    until(lambda: handles(there, w) == [f'{w}-a'], 2, 'the agent')
    there.call('PATCH', f'/v1/agents/{w}-a', {'tags': [f'{w}-t']}).expect(200)
    until(lambda: handles(here, w, tag=f'{w}-t') == [f'{w}-a'], 2, 'the tag')


def servers_of_the_registry():
    """As agents; each handle is the end of the server's name, with a number where that is taken."""
    path = os.environ.get('TENFOLD_MCP_SERVERS', os.path.join(ROOT, '../shared/data/mcp_servers_2025-05-16.json'))
    if not os.path.exists(path):
        raise Skip('this machine has no list of MCP servers (TENFOLD_MCP_SERVERS names one)')
    with open(path, encoding='utf-8') as f:
        listed = [s for s in json.load(f) if s['name']]
    for i, server in enumerate(listed):
        tail = re.sub('[^a-z0-9]+', '-', server['name'].rsplit('/', 1)[-1].lower()).strip('-')[:27].strip('-')
        yield agent(f'{tail}-{i}', server['description'], name=server['name'], protocols=['mcp'], type='tool')


def judged():
    with open(os.path.join(ROOT, 'tests/data/mcp_judged.txt'), encoding='utf-8') as f:
        for line in f:
            if not line.startswith('#'):
                question, names = line.split('|')
                yield question.strip(), {f'io.github.{name}' for name in names.split()}


def test_real_servers_are_found_in_plain_words(t):
    """The obvious one first. What shares no word with its question, as a todo list with Todoist, words cannot find."""
    operator, first, missed = t.caller('operator', tenant='registry'), 0, []
    register(operator, *servers_of_the_registry())
    until(lambda: found(operator, '', count='true')['count'] >= 460, 5, 'the servers')
    questions = list(judged())
    for question, names in questions:
        hits = [hit['agent']['name'] for hit in found(operator, question, limit=3)['items']]
        first += hits[0] in names if hits else 0
        if not names & set(hits):
            missed.append(question)
    print(f'# {len(questions)} questions: {first} with the right one first; not among three: {missed}')
    assert first >= 0.88 * len(questions) and len(missed) <= 4, missed
