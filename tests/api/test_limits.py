"""How much callers may ask: agents by tier, callers without a key by their address."""

import re

from agents import Agent
from harness import Caller, until
from people import Person, with_token
from test_identify import caller_without_key, plain
from test_kept import pair

SERVER_ARGS = ['--public-directory', '--open-registration', '--proxy-hops', '1', '--limit-anonymous', '3',
               '--limit-registered', '4', '--limit-verified', '6']


def from_(address):
    return {'X-Forwarded-For': f'203.0.113.99, {address}'}


def left(answer):
    """(policy, what a full bucket holds, what is left) as the headers say."""
    said = re.fullmatch(r'"(\w+)";q=(\d+);w=60', answer.headers['ratelimit-policy'])
    now = re.fullmatch(r'"(\w+)";r=(\d+);t=\d+', answer.headers['ratelimit'])
    assert said[1] == now[1], answer.headers
    return said[1], int(said[2]), int(now[2])


def agent(t, handle):
    made = t.operator.post('/v1/agents', {'handle': handle, 'name': handle}).expect(201).json
    return Caller(t.server, made['key']['secret'], None, t.operator.contract)


def refused(answer):
    answer.expect(429, 'rate_limited')
    assert 1 <= int(answer.headers['retry-after']) <= 61 and answer.json['detail'], answer.headers
    return answer


def test_an_agent_is_told_what_is_left_and_then_to_wait(t):
    caller = agent(t, 'busy')
    for rest in (3, 2, 1, 0):
        assert left(caller.get('/v1/whoami').expect(200)) == ('agent', 4, rest)
    assert left(refused(caller.get('/v1/whoami'))) == ('agent', 4, 0)
    refused(caller.call('PATCH', '/v1/agents/busy', {'name': 'x'}))
    agent(t, 'idle').get('/v1/whoami').expect(200)
    assert t.server.metric('tenfold_http_requests_rejected_total{error="rate_limited"}') >= 2


def test_all_keys_of_an_agent_share_its_bucket(t):
    first = agent(t, 'twins')
    made = first.post('/v1/agents/twins/keys').expect(201).json
    second = Caller(t.server, made['secret'], None, first.contract)
    assert left(second.get('/v1/whoami').expect(200)) == ('agent', 4, 2)


def test_all_sessions_of_a_person_share_a_bucket(t):
    """The tenth defect: who had signed in was never seen, and all were limited together by their address."""
    server = t.new_server('--sign-up', 'open', '--limit-anonymous', '0', '--limit-verified', '6')
    ada, bob = Person(t, server), Person(t, server)
    again = with_token(t, ada.sign_in().expect(200).json['access_token'], server)
    assert left(ada.get('/v1/whoami').expect(200)) == ('user', 6, 5)
    assert left(again.get('/v1/whoami').expect(200)) == ('user', 6, 4)
    assert left(bob.get('/v1/whoami').expect(200)) == ('user', 6, 5)
    for _ in range(4):
        ada.get('/v1/whoami').expect(200)
    refused(again.get('/v1/whoami'))
    bob.get('/v1/whoami').expect(200)


def test_a_higher_tier_may_ask_for_more(t):
    caller = agent(t, 'trusted')
    caller.get('/v1/whoami').expect(200)
    t.operator.call('PUT', '/v1/agents/trusted/tier', {'tier': 'verified'}).expect(204)
    assert left(caller.get('/v1/whoami').expect(200))[1] == 6


def test_who_signs_has_the_tier_of_the_agent(t):
    signer = Agent(t, 'trusted-signer')
    t.operator.call('PUT', '/v1/agents/trusted-signer/tier', {'tier': 'verified'}).expect(204)
    nobody, path = caller_without_key(signer), f'/v1/agents/{signer.id}'
    assert left(nobody.get(path, headers=plain(signer, 'GET', path)).expect(200)) == ('agent', 6, 5)
    assert left(signer.caller.get(path).expect(200)) == ('agent', 6, 4), 'and one bucket'


def test_callers_without_a_key_are_told_apart_by_address(t):
    nobody = t.anonymous()
    for rest in (2, 1, 0):
        assert left(nobody.get('/v1/agents', headers=from_('192.0.2.1')).expect(200)) == ('address', 3, rest)
    refused(nobody.get('/v1/agents', headers=from_('192.0.2.1')))
    refused(nobody.get('/v1/agents', headers={'X-Forwarded-For': '198.51.100.7, 192.0.2.1'}))   # a tale of its own
    assert left(nobody.get('/v1/agents', headers=from_('192.0.2.2')).expect(200)) == ('address', 3, 2)
    with t.case('of IPv6 the network counts'):
        assert left(nobody.get('/v1/agents', headers=from_('2001:db8::1')).expect(200))[2] == 2
        assert left(nobody.get('/v1/agents', headers=from_('[2001:db8::2]:80')).expect(200))[2] == 1


def test_who_shares_an_address_with_one_that_asks_too_much_is_answered(t):
    at, nobody = from_('192.0.2.77'), t.anonymous()
    while nobody.get('/v1/agents', headers=at).status == 200:
        pass
    first, second = agent(t, 'neighbour-a'), agent(t, 'neighbour-b')
    for rest in (3, 2, 1, 0):
        assert left(first.get('/v1/whoami', headers=at).expect(200)) == ('agent', 4, rest)
    refused(first.get('/v1/whoami', headers=from_('192.0.2.78')))      # another address is no way out
    assert left(second.get('/v1/whoami', headers=at).expect(200)) == ('agent', 4, 3)
    t.worker.get('/v1/whoami', headers=at).expect(200)


def test_keys_of_admins_have_no_limit(t):
    for _ in range(20):
        assert 'ratelimit' not in t.worker.get('/v1/whoami').expect(200).headers
    for _ in range(20):
        t.anonymous().get('/health').expect(200)


def test_processes_with_a_redis_share_what_was_used(t):
    t.needs_several_processes()
    redis = t.redis()
    here, there = pair(t, '--redis', redis.url(), '--limit-registered', '60')
    made = here.post('/v1/agents', {'handle': 'spread', 'name': 'x'}).expect(201).json
    first, second = (Caller(c.server, made['key']['secret'], None, c.contract) for c in (here, there))
    for _ in range(40):
        first.get('/v1/whoami').expect(200)
    taken = 0

    def knows():
        nonlocal taken
        answer = second.get('/v1/whoami')   # refused until it has heard of the key
        taken += answer.status == 200
        return answer.status == 200 and left(answer)[2] + taken < 60 - 20
    until(knows, what='the word of the other process')
