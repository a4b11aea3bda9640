"""Idempotency-Key: the same request again has its effect once and its answer again."""

import threading


def keyed(key):
    return {'Idempotency-Key': key}


def count(t, type_):
    return len(t.worker.get('/v1/work', query={'type': type_, 'limit': 1000}).items)


def test_a_replay_gives_the_stored_answer(t):
    body = {'type': t.type, 'title': 'once'}
    first = t.worker.post('/v1/work', body, headers=keyed('a')).expect(201)
    again = t.worker.post('/v1/work', body, headers=keyed('a')).expect(201)
    assert again.json == first.json and again.headers.get('idempotency-replayed') == 'true'
    assert 'idempotency-replayed' not in first.headers
    assert count(t, t.type) == 1


def test_another_body_is_refused(t):
    t.worker.post('/v1/work', {'type': t.type}, headers=keyed('b')).expect(201)
    t.worker.post('/v1/work', {'type': t.type, 'title': 'x'}, headers=keyed('b')).expect(422, 'idempotency_key_reused')
    assert count(t, t.type) == 1


def test_it_is_per_tenant_and_per_call(t):
    body = {'type': t.type}
    mine = t.worker.post('/v1/work', body, headers=keyed('c')).expect(201).json
    theirs = t.caller('worker', tenant='idem').post('/v1/work', body, headers=keyed('c')).expect(201)
    assert theirs.json['id'] != mine['id'] and 'idempotency-replayed' not in theirs.headers
    t.worker.post('/v1/work/batch', {'items': [body]}, headers=keyed('c')).expect(201)
    assert count(t, t.type) == 2


def test_errors_are_not_stored(t):
    bad = {'type': t.type, 'depends_on': [{'key': 'later'}]}
    t.worker.post('/v1/work', bad, headers=keyed('d')).expect(422)
    t.worker.add(t.type, key='later')
    t.worker.post('/v1/work', bad, headers=keyed('d')).expect(201)


def test_batches(t):
    body = {'items': [{'type': t.type, 'title': str(i)} for i in range(10)] + [{'type': t.type, 'depends_on': [{'key': '?'}]}]}
    first = t.worker.post('/v1/work/batch', body, headers=keyed('e')).expect(201)
    again = t.worker.post('/v1/work/batch', body, headers=keyed('e')).expect(201)
    assert [i.get('id') for i in again.items] == [i.get('id') for i in first.items]
    assert again.headers.get('idempotency-replayed') == 'true' and count(t, t.type) == 10


def test_a_claim_gives_its_leases_again(t):
    for _ in range(3):
        t.worker.add(t.type)
    body = {'agent': 'a', 'types': [t.type], 'max': 2}
    first = t.worker.post('/v1/work/claim', body, headers=keyed('f')).expect(200)
    assert len(first.items) == 2
    again = t.worker.post('/v1/work/claim', body, headers=keyed('f')).expect(200)
    assert [(i['id'], i['token']) for i in again.items] == [(i['id'], i['token']) for i in first.items]
    t.worker.settle(first.items[0]).expect(200)
    left = t.worker.post('/v1/work/claim', body, headers=keyed('f')).expect(200)
    assert [i['id'] for i in left.items] == [first.items[1]['id']], 'only leases that are still valid'


def test_two_at_once_have_one_effect(t):
    body = {'type': t.type, 'title': 'race'}
    answers, gate = [], threading.Barrier(16)

    def send():
        caller = t.caller('worker')
        gate.wait()
        answers.append(caller.post('/v1/work', body, headers=keyed('g')))

    threads = [threading.Thread(target=send) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {a.status for a in answers} == {201} and len({a.json['id'] for a in answers}) == 1
    assert sum('idempotency-replayed' not in a.headers for a in answers) == 1
    assert count(t, t.type) == 1


def test_it_lives_through_a_crash(t):
    server = t.new_server()
    worker = t.caller('worker', server)
    body = {'type': t.type}
    first = worker.post('/v1/work', body, headers=keyed('h')).expect(201)
    server.kill()
    server.start()
    worker.close()
    again = worker.post('/v1/work', body, headers=keyed('h')).expect(201)
    assert again.json['id'] == first.json['id'] and again.headers.get('idempotency-replayed') == 'true'


def test_keys_that_are_none(t):
    with t.case('too long'):
        answer = t.worker.post('/v1/work', {'type': t.type}, headers=keyed('k' * 300))
        assert answer.status in (400, 422), answer.status
    with t.case('a call that creates nothing ignores it'):
        t.worker.get('/v1/work', headers=keyed('i')).expect(200)
