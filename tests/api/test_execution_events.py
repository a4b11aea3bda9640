"""Streams of executions: every event once, in order, over any number of cuts."""

import multiprocessing
import random
import threading

from harness import SLOW, until
from test_events import Stream
from test_executions import Squad, chain


def events_of(t, execution, **more):
    return Stream(t, f'/v1/executions/{execution.id}/events', key=execution.squad.operator.key, **more)


def carry_out(squad, count=1):
    for _ in range(count):
        squad.settle(squad.claim(wait_ms=5000)).expect(200)


def numbers(events):
    return [data['number'] for _, _, data in events]


def test_an_execution_is_told_from_its_first_event_to_its_end(t):
    squad = Squad(t)
    execution = squad.add(*chain('plan', 'build'))
    stream = events_of(t, execution)
    assert stream.headers['content-type'].startswith('text/event-stream')
    carry_out(squad, 2)
    got = list(iter(stream.next, None))
    assert numbers(got) == list(range(1, len(got) + 1)) and [i for i, _, _ in got] == [str(n) for n in numbers(got)]
    assert [kind for _, kind, _ in got][0] == 'execution_started' and got[-1][1] == 'completed'
    moves = [(data['old_status'], data['new_status']) for _, kind, data in got if kind == 'status_update']
    assert moves == [('pending', 'queued'), ('queued', 'in_progress'), ('in_progress', 'completed')]
    plan = execution.step('plan')['id']
    assert [data['new_status'] for _, _, data in got if data.get('step') == plan] == ['ready', 'running', 'completed']
    assert {data['execution'] for _, _, data in got} == {execution.id}
    with t.case('204 when all was heard'):
        assert events_of(t, execution, last_event_id=got[-1][0]).status == 204
    with t.case('the rest when not'):
        assert numbers(iter(events_of(t, execution, last_event_id='3').next, None)) == numbers(got)[3:]


def test_what_happens_while_somebody_listens_comes_at_once(t):
    squad = Squad(t)
    execution = squad.add({'name': 'ask', 'kind': 'approval'})
    stream = events_of(t, execution)
    heard = [stream.next() for _ in range(3)]
    assert heard[-1][2]['new_status'] == 'blocked'
    execution.call('approve', {'step': execution.step('ask')['id'], 'approve': True}).expect(200)
    assert [kind for _, kind, _ in iter(stream.next, None)] == ['task_status_updated', 'status_update', 'completed']


def test_nothing_is_missed_and_nothing_comes_twice_over_many_cuts(t):
    squad = Squad(t)
    execution = squad.add(*chain(*[f's{n}' for n in range(60)]))
    worker = threading.Thread(target=carry_out, args=(squad, 60))
    dice, got, cuts, ended = random.Random(7), [], 0, False
    worker.start()
    while not ended:
        stream = events_of(t, execution, last_event_id=got[-1][0] if got else None)
        if stream.status == 204:
            break
        for _ in range(dice.randint(1, 3)):
            event = stream.next()
            ended = event is None
            if ended:
                break
            got.append(event)
        stream.close()
        cuts += 1
    worker.join()
    assert numbers(got) == list(range(1, execution.show()['last_event'] + 1)) and cuts > 60, cuts


def say(worker, path, token, who, answers):
    """200 notes of one process, in calls of one to four; which number each has by its answer."""
    numbered, said = [], 0
    for call in range(80):
        texts = [f'{who} {said + k}' for k in range(call % 4 + 1)]
        said += len(texts)
        last = worker.post(path, {**token, 'notes': [{'text': text} for text in texts]}).expect(200).json['last_event']
        numbered += zip(range(last - len(texts) + 1, last + 1), texts)
    answers.put(numbered)


def test_notes_of_many_processes_at_once_are_told_once_each_in_the_order_of_their_numbers(t):
    squad = Squad(t)
    execution = squad.add({'name': 'build'})
    item = squad.claim(lease_ms=600000)
    live = events_of(t, execution)
    path, token = f'/v1/executions/{execution.id}/notes', {'item': item['id'], 'token': item['token']}
    fork = multiprocessing.get_context('fork')
    answers = fork.Queue()
    tellers = [fork.Process(target=say, args=(t.caller('worker'), path, token, who, answers)) for who in range(8)]
    for teller in tellers:
        t.cleanup.callback(teller.kill)
        teller.start()
    numbered = [pair for _ in tellers for pair in answers.get(timeout=60 * SLOW)]
    squad.settle(item).expect(200)
    got = list(iter(live.next, None))
    assert numbers(got) == list(range(1, len(got) + 1))
    notes = [(data['number'], data['message']) for _, kind, data in got if kind == 'log']
    assert len(notes) == 1600 and notes == sorted(numbered)
    for who in range(8):
        assert [text for _, text in notes if text.startswith(f'{who} ')] == [f'{who} {n}' for n in range(200)]
    with t.case('and so they are kept'):
        assert list(iter(events_of(t, execution).next, None)) == got


def test_a_squad_tells_of_all_its_executions(t):
    squad, other = Squad(t), Squad(t, 'others')
    path = f'/v1/squads/{squad.id}/events'
    live = Stream(t, path, key=squad.operator.key)
    first, _ = squad.add({'name': 'a'}), other.add({'name': 'a'})
    second = squad.add({'name': 'a'})
    carry_out(squad, 2)
    total = first.show()['last_event'] + second.show()['last_event']
    heard = live.take(total)
    again = Stream(t, path + '?from=start', key=squad.operator.key).take(total)
    assert again == heard
    for execution in (first, second):
        assert [n for _, _, data in heard for n in [data['number']] if data['execution'] == execution.id] == \
            list(range(1, execution.show()['last_event'] + 1))
    rest = Stream(t, path, key=squad.operator.key, last_event_id=heard[4][0]).take(total - 5)
    assert rest == heard[5:]


def test_a_stream_says_when_to_come_back_and_passes_through_proxies(t):
    squad = Squad(t)
    execution = squad.add({'name': 'a'})
    for path in (f'/v1/executions/{execution.id}/events', f'/v1/squads/{squad.id}/events'):
        with t.case(path):
            stream = Stream(t, path, key=squad.operator.key)
            assert (stream.headers['x-accel-buffering'], stream.headers['cache-control']) == ('no', 'no-store')
            assert stream.line() == 'retry: 2000'


def test_bad_places_are_refused(t):
    squad = Squad(t)
    execution = squad.add({'name': 'a'})
    squad.operator.get(f'/v1/executions/{execution.id}/events', headers={'Last-Event-ID': 'x'}).expect(422).names(
        'Last-Event-ID')
    squad.operator.get(f'/v1/squads/{squad.id}/events', query={'from': '7'}).expect(422).names('from')
    squad.operator.get('/v1/executions/ex_0000000000009/events').expect(404)


def test_events_outlive_the_server(t):
    server = t.new_server()
    server.listen = '{}:{}'.format(*server.address)
    squad = Squad(t, server=server)
    execution = squad.add(*chain('plan', 'build'))
    carry_out(squad)
    before = Stream(t, f'/v1/executions/{execution.id}/events', key=server.admin_key, server=server).take(4)
    server.kill()
    squad.operator.close()
    squad.worker.close()
    server.start()
    until(lambda: squad.operator.get('/health/ready').status == 200)
    stream = Stream(t, f'/v1/executions/{execution.id}/events', key=server.admin_key, server=server,
                    last_event_id=before[-1][0])
    carry_out(squad)
    assert numbers(before + list(iter(stream.next, None))) == list(range(1, execution.show()['last_event'] + 1))


def test_any_process_tells_what_happens(t):
    """At the one that does not own the queue, and on over the death of the one that does."""
    owner, other = t.pair()
    squad = Squad(t, server=owner)
    execution = squad.add(*chain('plan', 'build', 'test'))
    path = f'/v1/executions/{execution.id}/events'
    stream = Stream(t, path, key=owner.admin_key, server=other)
    got = stream.take(3)
    carry_out(squad)
    got += stream.take(4)
    assert got[-1][2]['new_status'] in ('completed', 'ready')
    carry_out(squad, 2)
    got += list(iter(stream.next, None))
    assert numbers(got) == list(range(1, execution.show()['last_event'] + 1))
    of_squad = Stream(t, f'/v1/squads/{squad.id}/events?from=start', key=owner.admin_key, server=other)
    assert numbers(of_squad.take(len(got))) == numbers(got)
