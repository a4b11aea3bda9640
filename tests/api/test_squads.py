"""Squads: what they are and who is in them."""

import concurrent.futures

from test_executions import Squad


def at_once(*calls):
    """What they answer, in their order."""
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def etag(answer):
    return {'If-Match': answer.headers['etag']}


def test_a_squad_is_changed(t):
    """Of the original's defects the third: changing or deleting a squad never worked."""
    operator = t.caller('operator')
    made = operator.post('/v1/squads', {'name': 'old', 'description': 'x', 'config': {'a': 1}}).expect(201)
    path = f'/v1/squads/{made.json["id"]}'
    changed = operator.call('PATCH', path, {'name': 'new'}, headers=etag(made)).expect(200)
    assert (changed.json['name'], changed.json['description'], changed.json['version']) == ('new', 'x', 2)
    assert operator.get(path).expect(200).json == changed.json
    operator.call('PATCH', path, {'name': 'late'}, headers=etag(made)).expect(412)
    bare = operator.call('PATCH', path, {'description': '', 'config': None}, headers=etag(changed)).expect(200).json
    assert (bare['name'], bare['description'], bare['config']) == ('new', '', None)
    operator.call('PATCH', path, {'name': ''}).expect(422).names('name')
    t.caller('worker').call('PATCH', path, {'name': 'mine'}).expect(403)


def test_changes_meet_in_one_batch(t):
    """A pause and a change of the name at the same time: neither takes the other back."""
    squad = Squad(t)
    path, operators = f'/v1/squads/{squad.id}', [t.caller('operator') for _ in range(4)]
    at_once(*[lambda o=o, i=i: o.call('PATCH', path, {'name': f'name {i}'}).expect(200) for i, o in enumerate(operators)],
            *[lambda o=o: o.post(path + '/pause').expect(200) for o in operators])
    shown = squad.operator.get(f'/v1/squads/{squad.id}').expect(200).json
    assert (shown['status'], shown['version']) == ('paused', 6) and shown['name'].startswith('name ')


def test_a_squad_is_archived_when_nothing_of_it_runs(t):
    squad = Squad(t)
    execution = squad.add({'name': 'a'})
    path = f'/v1/squads/{squad.id}'
    squad.operator.call('DELETE', path).expect(409, 'conflict')
    execution.call('cancel').expect(200)
    squad.operator.call('DELETE', path, headers={'If-Match': '"7"'}).expect(412)
    squad.operator.call('DELETE', path).expect(204)
    squad.operator.call('DELETE', path).expect(204)
    assert squad.operator.get(path).expect(200).json['status'] == 'archived'
    for method, url, body in (('POST', path + '/pause', None), ('POST', path + '/resume', None), ('PATCH', path, {'name': 'x'}),
                              ('POST', '/v1/executions', {'squad': squad.id, 'name': 'x', 'steps': [{'name': 'a'}]})):
        squad.operator.call(method, url, body).expect(409, 'conflict')


def test_squads_are_listed_by_status(t):
    kept, paused, archived = Squad(t, 'kept'), Squad(t, 'resting'), Squad(t, 'gone')
    paused.pause()
    archived.operator.call('DELETE', f'/v1/squads/{archived.id}').expect(204)

    def listed(status):
        return {squad['id'] for squad in kept.operator.get('/v1/squads', query={'status': status, 'limit': 1000}).expect(200).items}
    assert [kept.id in listed(s) for s in ('active', 'paused', 'archived')] == [True, False, False]
    assert [paused.id in listed(s) for s in ('active', 'paused', 'archived')] == [False, True, False]
    assert [archived.id in listed(s) for s in ('active', 'paused', 'archived')] == [False, False, True]
