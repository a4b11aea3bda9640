"""The calls of the queue: what each does when all is well, and what it says when it is not."""

import json
import time

from harness import Answer, until


def stamp(ms_from_now):
    at = time.time() + ms_from_now / 1000
    return time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at)) + f'.{int(at * 1000) % 1000:03d}Z'


def kinds(item):
    return [entry['kind'] for entry in item['history']]


# ---- enqueue ----

def test_everything_given_is_shown(t):
    given = {
        'title': 'Grüße an alle', 'team': 'blue', 'priority': 'high', 'description': 'Two lines,\nwith "quotes".',
        'key': 'everything', 'max_attempts': 7, 'lease_ms': 5000, 'estimated_ms': 1200, 'points': 2.5,
        'trace': '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'assignee': 'ann', 'created_by': 'bob',
        'labels': {'area': 'core', 'size': 's'}, 'payload': {'n': 1},
        'backoff': {'kind': 'linear', 'base_ms': 10, 'max_ms': 1000}, 'deadline': stamp(3_600_000),
    }
    made = t.worker.add(t.type, **given)
    assert made['state'] == 'ready'
    shown = t.worker.show(made)
    for name, value in given.items():
        assert shown[name] == value, f'{name}: {shown.get(name)!r} instead of {value!r}'
    assert shown['id'] == made['id'] and shown['type'] == t.type
    assert shown['attempt'] == 0 and shown['failures'] == 0 and shown['progress'] == 0
    assert kinds(shown) == ['enqueued']
    assert 'claimed_by' not in shown and 'finished_at' not in shown


def test_a_claim_carries_what_a_worker_decides_by(t):
    given = {'title': 'Claim me', 'description': 'Do it.', 'payload': {'n': 1}, 'key': 'k', 'team': 'blue',
             'labels': {'area': 'core', 'size': 's'}}
    t.worker.add(t.type, **given)
    claimed, = t.worker.claim(t.type)
    for name, value in given.items():
        assert claimed[name] == value, f'{name}: {claimed.get(name)!r} instead of {value!r}'


def test_defaults(t):
    shown = t.worker.show(t.worker.add(t.type))
    assert (shown['priority'], shown['max_attempts'], shown['lease_ms']) == ('medium', 5, 60000)
    assert shown['created_by'] == 'test worker', 'created_by is the name of the key'
    assert 'title' not in shown and 'payload' not in shown and 'deadline' not in shown


def test_payload_and_result_are_kept_byte_for_byte(t):
    odd = '{"b" : 1.0e+01,\t"a":[ ], "\\u00e9":"\\/", "big":123456789012345678901234567890 }'
    body = f'{{"type":"{t.type}","payload":{odd}}}'.encode()
    item = t.worker.post('/v1/work', body).expect(201).json
    claimed = t.worker.post('/v1/work/claim', {'agent': 'x', 'types': [t.type]}).expect(200)
    assert f'"payload":{odd}'.encode() in claimed.body, claimed.body
    token = claimed.items[0]['token']
    t.worker.post(f'/v1/work/{item["id"]}/complete', f'{{"token":"{token}","result":{odd}}}'.encode()).expect(200)
    shown = t.worker.get(f'/v1/work/{item["id"]}')
    assert f'"payload":{odd}'.encode() in shown.body and f'"result":{odd}'.encode() in shown.body, shown.body


def test_a_key_is_unique_among_live_items(t):
    w = t.worker
    first = w.add(t.type, key='k', title='first')
    again = w.post('/v1/work', {'type': t.type, 'key': 'k', 'title': 'other'}).expect(200).json
    assert again['id'] == first['id']
    assert w.add(t.type, key='k', team='other')['id'] != first['id'], 'another team is another queue'
    w.settle(w.claim(t.type, team='')[0]).expect(200)
    assert w.add(t.type, key='k')['id'] != first['id'], 'the first one is finished'


def test_delay_and_run_at(t):
    w = t.worker
    delayed = w.add(t.type, delay_ms=400)
    assert delayed['state'] == 'scheduled'
    assert w.claim(t.type) == []
    began = time.monotonic()
    got = w.claim(t.type, wait_ms=10000)
    assert [i['id'] for i in got] == [delayed['id']]
    assert time.monotonic() - began < 5, 'a waiting claim is woken when the time comes'
    at = stamp(300)
    later = w.add(t.type, run_at=at)
    assert later['state'] == 'scheduled' and w.show(later)['run_at'] == at
    assert w.claim(t.type, wait_ms=10000)[0]['id'] == later['id']
    assert w.add(t.type, run_at=stamp(-60000))['state'] == 'ready', 'a time that has passed is no delay'


def test_deadline_fails_what_is_not_finished(t):
    waiting = t.worker.add(t.type, deadline=stamp(300))
    until(lambda: t.worker.state(waiting) == 'failed', what='the deadline')
    assert 'deadline' in t.worker.show(waiting)['error']


def test_order_is_priority_then_age(t):
    w = t.worker
    made = {p: w.add(t.type, priority=p, title=p)['id'] for p in ['low', 'medium', 'critical', 'high']}
    second = w.add(t.type, priority='critical')['id']
    got = [i['id'] for i in w.claim(t.type, max=10)]
    assert got == [made['critical'], second, made['high'], made['medium'], made['low']]


def test_batch_takes_each_on_its_own(t):
    answer = t.worker.post('/v1/work/batch', {'items': [
        {'type': t.type, 'title': 'good'},
        {'type': t.type, 'key': 'b', 'depends_on': [{'key': 'a'}]},
        {'type': t.type, 'key': 'a'},
        {'type': t.type, 'depends_on': [{'key': 'nobody'}]},
        {'type': t.type, 'key': 'x', 'depends_on': [{'key': 'y'}]},
        {'type': t.type, 'key': 'y', 'depends_on': [{'key': 'x'}]},
    ]}).expect(201)
    good, b, a, orphan, x, y = answer.items
    assert good['state'] == 'ready' and a['state'] == 'ready' and b['state'] == 'blocked'
    assert orphan['error']['code'] == 'invalid' and 'nobody' in orphan['error']['detail']
    for refused in (x, y):
        assert refused['error']['code'] == 'cycle'
        assert 'x' in refused['error']['detail'] and 'y' in refused['error']['detail'], 'the path is named'


def test_a_batch_says_what_was_there_already(t):
    first = t.worker.add(t.type, key='k')
    answer = t.worker.post('/v1/work/batch', {'items': [
        {'type': t.type, 'key': 'k'}, {'type': t.type, 'key': 'new'}, {'type': t.type, 'key': 'new'}, {'type': t.type},
        {'type': 'tf.reserved'}]}).expect(201)
    old, new, again, plain, refused = answer.items
    assert old['id'] == first['id'] and again['id'] == new['id']
    assert [i['existed'] for i in (old, new, again, plain)] == [True, False, True, False]
    assert list(refused) == ['error']


def test_a_thousand_at_once(t):
    items = [{'type': t.type, 'title': f'number {i}'} for i in range(1000)]
    made = t.worker.post('/v1/work/batch', {'items': items}).expect(201).items
    assert len({i['id'] for i in made}) == 1000
    claimed = t.worker.claim(t.type, max=1000)
    assert [i['title'] for i in claimed] == [i['title'] for i in items]
    settled = t.worker.post('/v1/work/settle', {'items': [
        {'id': i['id'], 'token': i['token'], 'outcome': 'completed'} for i in claimed]}).expect(200).items
    assert {i['state'] for i in settled} == {'completed'}
    refused = t.worker.post('/v1/work/batch', {'items': items + items[:1]}).expect(422, 'invalid').names('items')
    assert '1000' in refused.json['detail']


# ---- dependencies ----

def test_dependencies_hold_back_and_let_go(t):
    w = t.worker
    first, second = w.add(t.type), w.add(t.type)
    last = w.add(t.type + '.last', depends_on=[{'id': first['id']}, {'id': second['id']}])
    assert last['state'] == 'blocked'
    one, two = w.claim(t.type, max=2)
    w.settle(one).expect(200)
    assert w.state(last) == 'blocked'
    w.settle(two).expect(200)
    assert w.state(last) == 'ready'
    done = w.add(t.type, depends_on=[{'id': first['id']}])
    assert done['state'] == 'ready', 'what is finished already counts at once'


def test_a_failure_fells_its_dependents(t):
    w = t.worker
    first = w.add(t.type)
    felled = w.add(t.type + '.b', depends_on=[{'id': first['id']}])
    deeper = w.add(t.type + '.c', depends_on=[{'id': felled['id']}])
    spared = w.add(t.type + '.d', depends_on=[{'id': first['id'], 'on_failure': 'ignore'}])
    w.settle(w.claim(t.type)[0], 'fail', error='broken', retry=False).expect(200)
    shown = w.show(felled)
    assert shown['state'] == 'failed' and shown['cause'] == first['id']
    assert w.state(deeper) == 'failed' and w.state(spared) == 'ready'
    t.operator.post(f'/v1/work/{first["id"]}/retry').expect(200)
    assert w.state(first) == 'ready'
    assert w.state(felled) == 'blocked' and w.state(deeper) == 'blocked', 'a retry revives what failed because of it'


def test_dependencies_that_cannot_be(t):
    w = t.worker
    w.post('/v1/work', {'type': t.type, 'depends_on': [{'key': 'nobody'}]}).expect(422, 'invalid')
    w.post('/v1/work', {'type': t.type, 'depends_on': [{'id': 'w_0000000000009'}]}).expect(422, 'invalid')
    w.post('/v1/work', {'type': t.type, 'depends_on': [{}]}).expect(422, 'invalid')
    theirs = t.caller('worker', tenant='dependencies').add(t.type)
    w.post('/v1/work', {'type': t.type, 'depends_on': [{'id': theirs['id']}]}).expect(422, 'invalid')
    w.post('/v1/work', {'type': t.type, 'key': 'me', 'depends_on': [{'key': 'me'}]}).expect(422)


# ---- claims ----

def test_the_life_of_an_item(t):
    w = t.worker
    made = w.add(t.type, title='a life', payload=[1, 2])
    claimed = w.claim(t.type, agent='ann')[0]
    assert (claimed['id'], claimed['title'], claimed['payload'], claimed['attempt']) == (made['id'], 'a life', [1, 2], 1)
    w.settle(claimed, 'progress', percent=40, note='compiling').expect(200)
    shown = w.show(made)
    assert (shown['state'], shown['progress'], shown['note'], shown['claimed_by']) == ('leased', 40, 'compiling', 'ann')
    done = w.settle(claimed, result={'ok': True}, used={'agent': 'cc', 'model': 'm', 'effort': 'high'}).expect(200).json
    assert done == {'id': made['id'], 'state': 'completed'}
    shown = w.show(made)
    assert shown['result'] == {'ok': True} and shown['used']['model'] == 'm' and shown['finished_at']
    assert kinds(shown) == ['enqueued', 'claimed', 'completed'], 'progress is told by events and kept as its last state'


def test_a_claim_finds_only_what_it_asked_for(t):
    w = t.worker
    w.add(t.type, team='red')
    w.add(t.type, assignee='bob')
    w.add(t.type + '.other')
    assert w.claim(t.type, team='blue') == []
    assert w.claim(t.type, agent='ann', team='') == [], 'only its assignee may take it'
    assert len(w.claim(t.type, agent='bob', max=10)) == 2
    assert len(w.post('/v1/work/claim', {'agent': 'x', 'types': [t.type, t.type + '.other'], 'max': 9}).items) == 1


def test_a_lease_lapses_and_its_token_with_it(t):
    w = t.worker
    made = w.add(t.type, backoff={'kind': 'fixed', 'base_ms': 0})
    old = w.claim(t.type, agent='slow', lease_ms=1000)[0]
    new = w.claim(t.type, agent='quick', wait_ms=10000)[0]
    assert new['id'] == made['id'] and new['attempt'] == 2 and new['token'] != old['token']
    before = w.show(made)
    for verb, more in [('complete', {}), ('fail', {'error': 'x'}), ('release', {}), ('progress', {'percent': 9})]:
        w.settle(old, verb, **more).expect(409, 'stale_token')
    assert w.show(made) == before, 'a refused call changes nothing'
    assert before['failures'] == 1 and 'lapsed' in kinds(before)
    w.settle(new).expect(200)


def test_extending_keeps_a_lease_alive(t):
    w = t.worker
    made = w.add(t.type)
    claimed = w.claim(t.type, lease_ms=1000)[0]
    first = claimed['lease_until']
    longer = w.post('/v1/work/extend', {'lease_ms': 60000, 'percent': 10, 'items': [
        {'id': made['id'], 'token': claimed['token']}, {'id': made['id'], 'token': '0' * 26},
        {'id': 'w_0000000000009', 'token': claimed['token']}]}).expect(200).items
    assert longer[0]['lease_until'] > first
    assert longer[1]['error']['code'] == 'stale_token' and longer[2]['error']['code'] == 'not_found'
    assert w.show(made)['progress'] == 10
    until(lambda: stamp(0) > first, what='the first lease\'s end')
    w.settle(claimed, 'progress', percent=50, extend_ms=90000).expect(200)
    w.settle(claimed).expect(200)


def test_failing_backs_off_and_ends_as_a_dead_letter(t):
    w = t.worker
    made = w.add(t.type, max_attempts=2, backoff={'kind': 'fixed', 'base_ms': 50})
    first = w.claim(t.type)[0]
    assert w.settle(first, 'fail', error='once').expect(200).json['state'] == 'scheduled'
    second = w.claim(t.type, wait_ms=10000)[0]
    assert second['attempt'] == 2
    assert w.settle(second, 'fail', error='twice').expect(200).json['state'] == 'failed'
    shown = w.show(made)
    assert (shown['error'], shown['failures']) == ('twice', 2)
    assert kinds(shown) == ['enqueued', 'claimed', 'retrying', 'ready', 'claimed', 'failed']
    revived = t.operator.post(f'/v1/work/{made["id"]}/retry').expect(200).json
    assert revived['state'] == 'ready' and w.show(made)['failures'] == 0
    assert w.claim(t.type)[0]['attempt'] == 3, 'attempts only grow'


def test_fail_for_good(t):
    w = t.worker
    made = w.add(t.type)
    assert w.settle(w.claim(t.type)[0], 'fail', error='no use', retry=False).json['state'] == 'failed'
    assert w.show(made)['error'] == 'no use'


def test_release_counts_as_nothing_and_keeps_the_place(t):
    w = t.worker
    first = w.add(t.type)
    w.add(t.type)
    claimed = w.claim(t.type)[0]
    assert w.settle(claimed, 'release').expect(200).json['state'] == 'ready'
    shown = w.show(first)
    assert shown['failures'] == 0 and 'released' in kinds(shown)
    assert w.claim(t.type)[0]['id'] == first['id'], 'it is still the oldest'


def test_settling_twice(t):
    w = t.worker
    w.add(t.type)
    claimed = w.claim(t.type)[0]
    first = w.settle(claimed, result=1).expect(200)
    assert w.settle(claimed, result=1).expect(200).json == first.json
    w.settle(claimed, 'fail', error='changed my mind').expect(409, 'already_settled')
    assert w.show(claimed)['result'] == 1


def test_settle_many_each_on_its_own(t):
    w = t.worker
    for _ in range(4):
        w.add(t.type)
    a, b, c, d = w.claim(t.type, max=4)
    answer = w.post('/v1/work/settle', {'items': [
        {'id': a['id'], 'token': a['token'], 'outcome': 'completed', 'result': {'n': 1}},
        {'id': b['id'], 'token': b['token'], 'outcome': 'failed', 'error': 'no', 'retry': False},
        {'id': c['id'], 'token': c['token'], 'outcome': 'released'},
        {'id': d['id'], 'token': a['token'], 'outcome': 'completed'},
        {'id': 'w_0000000000009', 'token': a['token'], 'outcome': 'completed'},
    ]}).expect(200).items
    assert [i.get('state') for i in answer[:3]] == ['completed', 'failed', 'ready']
    assert answer[3]['error']['code'] == 'stale_token' and answer[4]['error']['code'] == 'not_found'
    assert w.state(d) == 'leased'


def test_cancel(t):
    w, o = t.worker, t.operator
    w.add(t.type)
    claimed = w.claim(t.type)[0]
    assert o.post(f'/v1/work/{claimed["id"]}/cancel', {'reason': 'not wanted'}).expect(200).json['state'] == 'cancelled'
    shown = w.show(claimed)
    assert shown['state'] == 'cancelled' and shown['error'] == 'not wanted'
    for verb, more in [('complete', {}), ('progress', {'percent': 1})]:
        w.settle(claimed, verb, **more).expect(409, 'cancelled')
    done = w.add(t.type + '.done')
    w.settle(w.claim(t.type + '.done')[0]).expect(200)
    o.post(f'/v1/work/{done["id"]}/cancel').expect(409, 'conflict')
    o.post(f'/v1/work/{done["id"]}/retry').expect(409, 'conflict')
    o.post('/v1/work/w_0000000000009/cancel').expect(404, 'not_found')
    o.post('/v1/work/w_0000000000009/retry').expect(404, 'not_found')
    assert o.post(f'/v1/work/{claimed["id"]}/retry').expect(200).json['state'] == 'ready'


# ---- bad input: each gets its own word ----

def test_malformed_json_names_line_and_column(t):
    for text, line, column in [('{"type": }', 1, 10), ('{\n "type":"x",\n "title": tru }', 3, 11), ('[1', 1, 3),
                               ('{"type":"x"} x', 1, 14), ('{"type":"x","type":"y"}', 1, 13), ('{"type":"\\x"}', 1, 10)]:
        with t.case(repr(text)):
            said = t.worker.post('/v1/work', text.encode()).expect(400, 'malformed').json
            assert (said['line'], said['column']) == (line, column), said
    with t.case('bytes that are no UTF-8'):
        t.worker.post('/v1/work', b'{"type":"\xff\xfe"}').expect(400, 'malformed')
    with t.case('nested too deep'):
        t.worker.post('/v1/work', b'{"type":"x","payload":' + b'[' * 5000 + b']' * 5000 + b'}').expect(400, 'malformed')


BAD_ITEMS = [
    # members besides type, status, code, field
    ({'colour': 'red'}, 400, 'unknown_field', 'colour'),
    ({'backoff': {'knid': 'fixed'}}, 400, 'unknown_field', 'backoff.knid'),
    ({'title': 5}, 400, 'mistyped', 'title'),
    ({'max_attempts': '5'}, 400, 'mistyped', 'max_attempts'),
    ({'max_attempts': 1.5}, 400, 'mistyped', 'max_attempts'),
    ({'depends_on': {}}, 400, 'mistyped', 'depends_on'),
    ({'depends_on': [5]}, 400, 'mistyped', 'depends_on[0]'),
    ({'priority': 3}, 400, 'mistyped', 'priority'),
    ({'type': None}, 400, 'mistyped', 'type'),
    ({'priority': 'urgent'}, 422, 'invalid', 'priority'),
    ({'max_attempts': 0}, 422, 'invalid', 'max_attempts'),
    ({'max_attempts': 1001}, 422, 'invalid', 'max_attempts'),
    ({'lease_ms': 999}, 422, 'invalid', 'lease_ms'),
    ({'lease_ms': 86400001}, 422, 'invalid', 'lease_ms'),
    ({'title': 'x' * 257}, 422, 'invalid', 'title'),
    ({'type': ''}, 422, 'invalid', 'type'),
    ({'type': 'x' * 65}, 422, 'invalid', 'type'),
    ({'key': 'k' * 257}, 422, 'invalid', 'key'),
    ({'run_at': 'tomorrow'}, 422, 'invalid', 'run_at'),
    ({'deadline': '2026-02-30T00:00:00Z'}, 422, 'invalid', 'deadline'),
    ({'payload': 'x' * 262144}, 422, 'invalid', 'payload'),
    ({'labels': {f'l{i}': 'v' for i in range(17)}}, 422, 'invalid', 'labels'),
    ({'labels': {'l': 5}}, 400, 'mistyped', 'labels.l'),
    ({'depends_on': [{'id': 'nonsense'}]}, 422, 'invalid', 'depends_on[0].id'),
    ({'points': -1}, 422, 'invalid', 'points'),
]


def test_bad_members_are_named(t):
    for members, status, code, field in BAD_ITEMS:
        with t.case(f'{str(members)[:50]} is {status} {code}'):
            t.worker.post('/v1/work', {'type': t.type, **members}).expect(status, code).names(field)
    with t.case('no body is one without members'):
        t.worker.post('/v1/work', b'').expect(400, 'missing_field').names('type')
    with t.case('a missing type'):
        t.worker.post('/v1/work', {}).expect(400, 'missing_field').names('type')
    with t.case('a type of the server\'s own'):
        answer = t.worker.post('/v1/work', {'type': 'tf.timer'})
        assert answer.status in (403, 422), answer.body
    with t.case('run_at together with delay_ms'):
        t.worker.post('/v1/work', {'type': t.type, 'run_at': stamp(1000), 'delay_ms': 5}).expect(422, 'invalid')
    with t.case('a NUL in a text'):
        answer = t.worker.post('/v1/work', {'type': t.type, 'title': 'a\0b'})
        assert answer.status in (400, 422), answer.body
    with t.case('in an entry of a batch, with its place'):
        t.worker.post('/v1/work/batch', {'items': [{'type': 'x'}, {'type': 'x', 'priority': 'urgent'}]}
                      ).expect(422, 'invalid').names('items[1].priority')


def test_bad_progress_is_refused(t):
    w = t.worker
    w.add(t.type)
    claimed = w.claim(t.type)[0]
    for percent in (-1, 101):
        w.settle(claimed, 'progress', percent=percent).expect(422, 'invalid').names('percent')
    w.settle(claimed, 'progress', percent='half').expect(400, 'mistyped').names('percent')
    assert w.show(claimed)['progress'] == 0


def test_bad_queries_are_named(t):
    for query, status, code, field in [({'colour': 'red'}, 400, 'unknown_field', 'colour'),
                                       ({'state': 'lost'}, 422, 'invalid', 'state'),
                                       ({'limit': '0'}, 422, 'invalid', 'limit'),
                                       ({'limit': '1001'}, 422, 'invalid', 'limit'),
                                       ({'limit': 'many'}, 400, 'mistyped', 'limit')]:
        with t.case(str(query)):
            t.worker.get('/v1/work', query=query).expect(status, code).names(field)
    with t.case('a cursor nobody gave out'):
        t.worker.get('/v1/work', query={'cursor': 'nonsense'}).expect(422, 'invalid')


def test_ids(t):
    w = t.worker
    made = w.add(t.type)
    with t.case('in capitals it is the same'):
        assert w.get('/v1/work/' + made['id'].upper()).expect(200).json['id'] == made['id']
    for id_ in ('w_0000000000009', 't_' + made['id'][2:], made['id'][:-1], made['id'] + '0', 'w_' + 'u' * 13, '9'):
        with t.case(f'{id_} is nobody'):
            w.get(f'/v1/work/{id_}').expect(404, 'not_found')


def test_unknown_tokens(t):
    w = t.worker
    made = w.add(t.type)
    waiting = {'id': made['id'], 'token': '0' * 26}
    w.settle(waiting).expect(409, 'stale_token')
    w.settle({'id': made['id'], 'token': 'what is this'}).expect(409, 'stale_token')
    w.settle({'id': 'w_0000000000009', 'token': '0' * 26}).expect(404, 'not_found')
    assert w.state(made) == 'ready'


def test_limits_of_size(t):
    w = t.worker
    with t.case('a body over its limit is 413 and says the limit'):
        assert '1048576' in w.post('/v1/work', b'{"type":"' + b'x' * (1 << 20) + b'"}').expect(413, 'too_large').json['detail']
    with t.case('the biggest payload there may be'):
        made = w.add(t.type, payload='x' * 262142)
        assert len(w.show(made)['payload']) == 262142
    with t.case('a batch of 15 MiB goes through'):
        items = [{'type': t.type + '.big', 'payload': 'x' * 250000} for _ in range(60)]
        assert len(w.post('/v1/work/batch', {'items': items}).expect(201).items) == 60
    with t.case('a reply carries at most 4 MiB of bodies'):
        got = w.claim(t.type + '.big', max=60)
        assert 1 <= len(got) <= 17, len(got)
        assert len(w.claim(t.type + '.big', max=60)) >= 1, 'the rest is still there'


def test_media_type(t):
    answer = t.worker.post('/v1/work', b'type=x', headers={'Content-Type': 'application/x-www-form-urlencoded'})
    answer.expect(415, 'media_type')
    charset = {'Content-Type': 'application/json; charset=utf-8'}
    assert isinstance(t.worker.post('/v1/work', json.dumps({'type': t.type}).encode(), headers=charset), Answer)
