"""A server that shows its public agents to everybody and lets agents register themselves."""

from agents import KeyPair
from harness import Caller

SERVER_ARGS = ['--public-directory', '--open-registration']


def register(caller, handle, **members):
    """As anybody: a key pair, a challenge for it, and what was answered."""
    pair = KeyPair()
    asked = caller.post('/v1/agents/challenge', {'public_key': pair.public}).expect(201).json
    return caller.post('/v1/agents', {'handle': handle, 'name': handle, 'public_key': pair.public,
                                      'challenge_id': asked['challenge_id'], 'signature': pair.sign(asked['text']),
                                      **members})


def test_an_agent_registers_itself_and_goes_on_with_its_own_key(t):
    made = register(t.anonymous(), 'itself').expect(201).json
    own = Caller(t.server, made['key']['secret'], None, t.anonymous().contract)
    assert own.get('/v1/whoami').expect(200).json['tenant_name'] == 'default'
    own.call('PATCH', '/v1/agents/itself', {'name': 'Itself'}).expect(200)
    t.operator.get('/v1/agents/itself').expect(200)


def test_everybody_reads_public_agents_and_no_others(t):
    nobody = t.anonymous()
    slug = nobody.get('/v1/capabilities').expect(200).json['items'][0]['slug']
    register(nobody, 'seen', visibility='public', capabilities=[slug]).expect(201)
    register(nobody, 'unseen', capabilities=[slug]).expect(201)
    assert nobody.get('/v1/agents/seen').expect(200).headers['cache-control'].startswith('public')
    nobody.get('/v1/agents/unseen').expect(404, 'not_found')
    for path in ('/v1/agents', f'/v1/capabilities/{slug}/agents'):
        with t.case(path):
            handles = [agent['handle'] for agent in nobody.get(path).expect(200).json['items']]
            assert 'seen' in handles and 'unseen' not in handles, handles
    assert nobody.get('/v1/attestations?subject=seen').expect(200).json['items'] == []
    nobody.get('/v1/attestations?subject=unseen').expect(404)


def test_what_is_not_opened_stays_shut(t):
    nobody = t.anonymous()
    register(nobody, 'shut', visibility='public').expect(201)
    nobody.call('PATCH', '/v1/agents/shut', {'name': 'taken'}).expect(401, 'unauthenticated')
    nobody.call('DELETE', '/v1/agents/shut').expect(401, 'unauthenticated')
    nobody.post('/v1/agents/batch', {'items': []}).expect(401, 'unauthenticated')
    nobody.get('/v1/work').expect(401, 'unauthenticated')
    Caller(t.server, 'tf_wrong', None, nobody.contract).get('/v1/agents/shut').expect(401, 'unauthenticated')


def test_nobody_is_answered_what_another_was(t):
    """Else who guesses an Idempotency-Key of another registration would be given the new agent's key."""
    nobody, key = t.anonymous(), {'Idempotency-Key': 'guessed'}
    body = {'handle': 'first-come', 'name': 'x'}
    nobody.post('/v1/agents', body, headers=key).expect(201)
    again = nobody.post('/v1/agents', body, headers=key).expect(409, 'already_exists')
    assert 'idempotency-replayed' not in again.headers


def test_a_cache_keeps_public_agents_for_others_only_where_no_key_is_needed(t):
    """A signed request has no Authorization, and what it was answered would be found by who has nothing."""
    shut = t.caller('operator', t.new_server())
    shut.post('/v1/agents', {'handle': 'kept', 'name': 'kept', 'visibility': 'public'}).expect(201)
    assert shut.get('/v1/agents/kept').expect(200).headers['cache-control'] == 'private, no-cache'
    register(t.anonymous(), 'kept', visibility='public').expect(201)
    assert t.anonymous().get('/v1/agents/kept').expect(200).headers['cache-control'] == 'public, max-age=60'


def test_without_the_flags_a_key_is_needed(t):
    nobody = t.anonymous(t.new_server())
    nobody.get('/v1/agents').expect(401, 'unauthenticated')
    nobody.post('/v1/agents', {'handle': 'x-y-z', 'name': 'x'}).expect(401, 'unauthenticated')
