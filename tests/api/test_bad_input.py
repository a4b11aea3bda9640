"""What is given wrongly to the directory, wherever it can be given: each is refused with a sentence, and the member that is
wrong is named."""

import re
import socket
import urllib.parse

from agents import Agent, KeyPair, b64
from harness import Caller
from test_agents import add, fresh
from test_search import PATH, agent, arrive, found, handles, register, search, words

CURSORS = ['x', '0', '-1', 'c_', 'c_000000000000u', 'ag_0000000000009', "c_' OR 1=1", '../..', '%', '\u202e', '🦜', 'c' * 64]
LISTS = ['/v1/agents', '/v1/capabilities', '/v1/capabilities/memory/agents', '/v1/attestations?subject={agent}', PATH]


def with_member(path, name, value):
    return path + ('&' if '?' in path else '?') + urllib.parse.urlencode({name: value})


def test_every_list_refuses_what_is_no_cursor_and_no_limit(t):
    paths = [path.format(agent=add(t)['agent']['id']) for path in LISTS]
    for path in paths:
        for bad in CURSORS:
            with t.case(f'{path}: {bad!r} is no cursor'):
                # The list of capabilities goes on behind a slug, and 'x' to 'c' * 64 could be one.
                answer = t.operator.get(with_member(path, 'cursor', bad))
                if path == '/v1/capabilities' and re.fullmatch('[a-z0-9](-?[a-z0-9]+)*', bad):
                    assert answer.status in (200, 422), answer.body
                else:
                    answer.expect(422, 'invalid').names('cursor')
        for bad in ('0', '-1', '1.5', 'ten', '', '99999999999999999999', '1001'):
            with t.case(f'{path}: {bad!r} is no limit'):
                answer = t.operator.get(with_member(path, 'limit', bad))
                assert answer.status in (400, 422), answer.body
                answer.names('limit')
        with t.case(f'{path}: a cursor of 10 KB'):
            t.operator.get(with_member(path, 'cursor', 'c' * 10000)).expect(422, 'invalid').names('cursor')
        with t.case(f'{path}: a member that there is not'):
            t.operator.get(with_member(path, 'offset', 20)).expect(400, 'unknown_field').names('offset')


def test_ten_thousand_tags(t):
    tags = [f'tag-{i}' for i in range(10000)]
    made = add(t)['agent']
    for what, answer in (
            ('registered', t.operator.post('/v1/agents', {'handle': fresh(), 'name': 'x', 'tags': tags})),
            ('changed', t.operator.call('PATCH', f'/v1/agents/{made["id"]}', {'tags': tags}))):
        with t.case(what):
            answer.expect(422, 'invalid').names('tags')
            assert '64' in answer.json['detail'], answer.json
    with t.case('in a batch'):
        items = [{'handle': fresh(), 'name': 'x'}, {'handle': fresh(), 'name': 'x', 'tags': tags}]
        t.operator.post('/v1/agents/batch', {'items': items}).expect(422, 'invalid').names('items[1].tags')
    with t.case('looked for'):
        search(t.operator, 'x', tag=tags[:17]).expect(422, 'invalid').names('tag')
        nobody = Caller(t.server, t.operator.key)   # what does not fit a request's head is answered by libmicrohttpd
        assert search(nobody, 'x', tag=tags).status == 414
    assert t.operator.get(f'/v1/agents/{made["id"]}').json == made


def test_a_deleted_agent_is_gone_for_every_call(t):
    doomed, other = Agent(t, fresh('gone'), visibility='public', card={'a': 1}), Agent(t, fresh('stays'))
    stranger = t.caller('admin', tenant='undertakers')
    t.operator.call('DELETE', f'/v1/agents/{doomed.id}').expect(204)
    for o in [o for o in t.operations() if '/agents/{' in o.path]:
        for ref in (doomed.id, doomed.handle):
            bodies = {'/transfer': {**other.proof(KeyPair())}, '/status': {'status': 'online'}, '/tier': {'tier': 'partner'},
                      '/capabilities': {'capability': 'memory'}}
            tail = o.path.rsplit('}', 1)[1]
            path = o.path.replace('{id}', ref) + ('?capability=memory' if o.method == 'DELETE' and tail else '')
            body = None if o.method in ('GET', 'DELETE') else bodies.get(tail, {})
            with t.case(f'{o.method} {path}'):
                assert t.operator.call(o.method, path, body).expect(410, 'gone').json['detail'] == 'this agent was deleted'
                stranger.call(o.method, path, body).expect(410, 'gone')
    with t.case('as subject and as attester'):
        other.attest(doomed).expect(422, 'invalid').names('subject')
        t.operator.post('/v1/attestations', doomed.statement(other)).expect(422, 'invalid').names('attester')
        t.operator.get(f'/v1/attestations?attester={doomed.id}').expect(410, 'gone')
    with t.case('by its own key'):
        doomed.caller.get('/v1/whoami').expect(401, 'unauthenticated')


def test_if_match_that_cannot_be_read(t):
    made = add(t)['agent']
    for method, body in (('PATCH', {'name': 'y'}), ('DELETE', None)):
        for bad in ('x', '"', '"1', '1-0', "'1-0'", '"9", 1-0'):
            with t.case(f'{method} If-Match: {bad}'):
                t.operator.call(method, f'/v1/agents/{made["id"]}', body, headers={'If-Match': bad}) \
                    .expect(422, 'invalid').names('If-Match')
        for other in ('W/"1-0"', '"x-0"', '"-"', '""', '"' + '9' * 300 + '"'):
            with t.case(f'{method} If-Match: {other[:20]} is a tag, and not its'):
                said = t.operator.call(method, f'/v1/agents/{made["id"]}', body, headers={'If-Match': other})
                assert 'version 1' in said.expect(412, 'precondition_failed').json['detail']
    assert t.operator.get(f'/v1/agents/{made["id"]}').json == made


def test_a_private_key_is_not_taken(t):
    """The scheme that sent it in a header or a body is none of ours, and what was sent stands in no log."""
    a, secret = Agent(t, fresh('careless')), b64(b'private' * 9)
    nobody = Caller(t.server, contract=t.operator.contract)
    nobody.get(f'/v1/agents/{a.id}', headers={'X-Agent-Private-Key': secret, 'X-Agent-Id': a.id}).expect(401, 'unauthenticated')
    t.operator.post('/v1/agents', {'handle': fresh(), 'name': 'x', 'private_key': secret}).expect(400, 'unknown_field').names('private_key')
    t.operator.post('/v1/agents/challenge', {'public_key': a.pair.public, 'private_key': secret}).expect(400, 'unknown_field')
    assert secret not in t.server.log()


def test_nobody_says_of_itself_that_it_is_verified(t):
    for member, value in (('verification', 'verified'), ('verified', True), ('proofs', {'key': '2026-01-01T00:00:00.000Z'}),
                          ('status', 'online'), ('version', 7), ('tier', 'partner'), ('tenant', 'default'), ('id', 'ag_0000000000009')):
        with t.case(member):
            body = {'handle': fresh(), 'name': 'x', member: value}
            t.operator.post('/v1/agents', body).expect(400, 'unknown_field').names(member)
    said = add(t, metadata={'verified': True, 'verification': 'organization'})['agent']
    assert said['verification'] == 'none' and said['proofs'] == {'key': None}
    assert handles(t.operator, said['handle'], verification='organization') == []


def test_no_handle_hides_a_call(t):
    """A word that stands in a path where a handle may stand can be nobody's handle."""
    for o in t.operations():
        for word in re.findall(r'/agents/([a-z-]+)', o.path):
            with t.case(f'{o.method} {o.path}'):
                t.operator.post('/v1/agents', {'handle': word, 'name': 'x'}).expect(422, 'invalid').names('handle')
    made = add(t)['agent']
    t.operator.call('PATCH', f'/v1/agents/{made["id"]}', {'handle': 'challenge'}).expect(422, 'invalid').names('handle')
    assert Caller(t.server, t.operator.key).get('/v1/agents/batch').status == 405, 'it is the call, and no agent'


def test_a_capability_there_is_not(t):
    made, other = Agent(t, fresh('able')), Agent(t, fresh('able'))
    slug = 'travel-booking'
    t.operator.get(f'/v1/capabilities/{slug}').expect(404, 'not_found')
    t.operator.get(f'/v1/capabilities/{slug}/agents').expect(404, 'not_found')
    t.operator.post('/v1/agents', {'handle': fresh(), 'name': 'x', 'capabilities': [slug]}).expect(422, 'invalid').names('capabilities')
    said = t.operator.post(f'/v1/agents/{made.id}/capabilities', {'capability': slug}).expect(404, 'not_found')
    assert slug in said.json['detail'], said.json
    made.attest(other, claim='capability', capability=slug, value=True).expect(422, 'invalid').names('capability')
    assert found(t.operator, '', capability=slug, count='true')['count'] == 0


# ---- searching ----

def test_questions_that_are_too_long(t):
    w = next(words)
    register(t.operator, agent(f'{w}-a', w))
    arrive(t.operator, w)
    with t.case('10 KB'):
        said = search(t.operator, 'a' * 10240).expect(422, 'invalid').names('q')
        assert '2048' in said.json['detail'], said.json
        search(t.operator, 'a b ' * 2560).expect(422, 'invalid').names('q')
    with t.case('1,000 words'):
        said = found(t.operator, ' '.join([w] + ['z'] * 999))     # within the bytes: one word over and over
        assert [h['agent']['handle'] for h in said['items']] == [f'{w}-a'], said
        said = found(t.operator, ' '.join([w] + [f'{i:x}' for i in range(256, 656)]))
        assert said['words_left_out'] > 300 and said['items'][0]['agent']['handle'] == f'{w}-a', said
        search(t.operator, ' '.join(f'word{i}' for i in range(1000))).expect(422, 'invalid').names('q')


def test_questions_of_nothing_to_look_for(t):
    w = next(words)
    register(t.operator, agent(f'{w}-percent', f'{w} fifty percent'), agent(f'{w}-other', f'{w} something else'))
    arrive(t.operator, w, 2)
    for q in ('%', '_', '*', '?', '.*', '%percent%zz', 'perc%', "';--", '🦜🦜', '\u202e', '\u200f\u200f'):
        with t.case(f'{q!r} is no pattern'):
            hits = handles(t.operator, f'{q} {w}', limit=100)
            assert set(hits) == {f'{w}-percent', f'{w}-other'}, hits
    for q in ('%', '_', '*', '---', '\u202e', '\u200f', '"', '\\'):
        with t.case(f'{q!r} has no word: it finds nobody, and not everybody'):
            said = found(t.operator, q, count='true')
            assert (said['items'], said['count'], said['next_cursor']) == ([], 0, None), said
    with t.case('only stop words are words'):
        register(t.operator, agent(f'{w}-stop', f'whether or not {w}'))
        arrive(t.operator, w, 3)
        hits = found(t.operator, 'or not', limit=100)['items']
        assert hits[0]['agent']['handle'] == f'{w}-stop', hits
        assert {x['asked'] for x in hits[0]['why']['words']} == {'or', 'not'}, hits[0]
    with t.case('emoji, and from right to left'):
        register(t.operator, agent(f'{w}-dodo', f'🦤🦤 {w} ציפור'))
        arrive(t.operator, w, 4)
        assert handles(t.operator, '🦤') == handles(t.operator, '\u202eציפור\u202c') == [f'{w}-dodo']


def test_a_nul_is_refused_where_texts_are_taken(t):
    made = Agent(t, fresh('nul'))
    for member in ('name', 'description', 'operator', 'endpoint', 'homepage', 'avatar'):
        with t.case(member):
            t.operator.post('/v1/agents', {'handle': fresh(), 'name': 'x', member: 'a\0b'}).expect(400, 'malformed')
            made.change({member: 'a\0b'}).expect(400, 'malformed')
    with t.case('tags'):
        t.operator.post('/v1/agents', {'handle': fresh(), 'name': 'x', 'tags': ['a\0b']}).expect(400, 'malformed')
    with t.case('metadata'):
        said = t.operator.post('/v1/agents', {'handle': fresh(), 'name': 'x', 'metadata': {'a': 'b\0c'}})
        assert said.status in (400, 422), said.body
    with t.case('a path'):
        for path in ('/v1/agents/a%00b', '/v1/capabilities/a%00b'):
            assert t.operator.get(path).status in (400, 404), path
    with t.case('a query'):
        for path in LISTS[:3] + [PATH]:
            t.operator.get(with_member(path, 'cursor', 'a\0b')).expect(400, 'malformed')
    assert made.show() == made.first


# ---- what is given is looked at by nobody ----

def test_no_url_is_ever_fetched(t):
    """Endpoints, pictures and evidence are words to tenfold."""
    with socket.socket() as trap:
        trap.bind(('127.0.0.1', 0))
        trap.listen()
        trap.setblocking(False)
        url = f'http://127.0.0.1:{trap.getsockname()[1]}/'
        one, other = (Agent(t, fresh('trap'), endpoint=url, homepage=url, avatar=url, visibility='public',
                            card={'url': url}, capabilities=['memory']) for _ in range(2))
        one.attest(other, evidence=url).expect(201)
        one.caller.post(f'/v1/agents/{one.id}/capabilities', {'capability': 'memory', 'endpoint': url}).expect(200)
        one.caller.post(f'/v1/agents/{one.id}/heartbeat').expect(200)
        arrive(t.operator, one.handle)
        for path in ('/v1/agents', f'/v1/agents/{one.id}', f'/v1/agents/{one.id}/card', f'/v1/agents/{one.id}/liveness',
                     '/v1/capabilities/memory/agents', f'/v1/attestations?subject={other.id}'):
            t.operator.get(path).expect(200)
        try:
            raise AssertionError(f'{trap.accept()} was called')
        except BlockingIOError:
            pass
