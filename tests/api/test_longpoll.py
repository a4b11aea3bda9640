"""Claims that wait: woken at once, in order, given up cleanly."""

import json
import socket
import threading
import time

from harness import SLOW, until

SERVER_ARGS = ['--max-waiting', '150']


def in_threads(functions):
    threads = [threading.Thread(target=f) for f in functions]
    for thread in threads:
        thread.start()
    return threads


def waiting(t, server=None):
    return (server or t.server).metric('tenfold_work_claims_waiting')


def test_a_waiting_claim_is_woken_at_once(t):
    """From the answer of the enqueue to the answer of the claim: nothing looks again after a while. How fast it is on a
    quiet machine is for the benchmark to say."""
    worker, waiter = t.caller('worker'), t.caller('worker')
    rounds, late = 300, []
    got = {}

    def wait():
        for _ in range(rounds):
            items = waiter.claim(t.type, wait_ms=30000)
            got[items[0]['id']] = time.monotonic()
            turn.release()

    turn = threading.Semaphore(0)
    threads = in_threads([wait])
    for _ in range(rounds):
        until(lambda: waiting(t) == 1, what='the waiting claim')
        item = worker.add(t.type)
        answered = time.monotonic()
        turn.acquire()
        late.append(got[item['id']] - answered)
    threads[0].join()
    late.sort()
    p50 = late[len(late) // 2] * 1000
    print(f'# claim after enqueue: p50 {p50:.2f} ms, p99 {late[int(len(late) * 0.99)] * 1000:.2f} ms')
    assert p50 < 20 * SLOW


def test_first_come_first_served(t):
    served, lock = [], threading.Lock()

    def wait(n):
        def run():
            items = t.caller('worker').claim(t.type, wait_ms=30000)
            with lock:
                served.append((items[0]['id'], n))
        return run

    threads = []
    for n in range(8):
        before = waiting(t)
        threads += in_threads([wait(n)])
        until(lambda: waiting(t) == before + 1, what=f'waiter {n}')
    made = [t.worker.add(t.type)['id'] for _ in range(8)]
    for thread in threads:
        thread.join()
    assert [n for item in made for i, n in served if i == item] == list(range(8))


def test_one_item_wakes_one(t):
    results = []
    threads = in_threads([lambda: results.append(t.caller('worker').claim(t.type, wait_ms=1500))] * 3)
    until(lambda: waiting(t) == 3, what='three waiters')
    t.worker.add(t.type)
    for thread in threads:
        thread.join()
    assert sorted(len(r) for r in results) == [0, 0, 1]


def test_its_time_is_over(t):
    began = time.monotonic()
    assert t.worker.claim(t.type, wait_ms=500) == []
    assert 0.4 < time.monotonic() - began < 3
    t.worker.post('/v1/work/claim', {'agent': 'a', 'wait_ms': 30001}).expect(422, 'invalid').names('wait_ms')


def test_who_hung_up_gets_nothing(t):
    server = t.server
    body = json.dumps({'agent': 'gone', 'types': [t.type], 'wait_ms': 30000}).encode()
    gone = socket.create_connection(server.address)
    gone.sendall(b'POST /v1/work/claim HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ' + t.worker.key.encode() +
                 b'\r\nContent-Type: application/json\r\nContent-Length: ' + str(len(body)).encode() + b'\r\n\r\n' + body)
    until(lambda: waiting(t) == 1, what='the waiting claim')
    gone.close()
    until(lambda: waiting(t) == 0, what='the hang-up')
    item = t.worker.add(t.type)
    got = t.worker.claim(t.type)
    assert [i['id'] for i in got] == [item['id']] and got[0]['attempt'] == 1


def test_hanging_up_as_it_is_served_costs_no_attempt(t):
    """The race: enqueue and hang-up at once. Whoever wins, the item is claimable again soon, unlapsed."""
    for _ in range(20):
        before = waiting(t)
        body = json.dumps({'agent': 'gone', 'types': [t.type], 'wait_ms': 30000}).encode()
        gone = socket.create_connection(t.server.address)
        gone.sendall(b'POST /v1/work/claim HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ' + t.worker.key.encode() +
                     b'\r\nContent-Type: application/json\r\nContent-Length: ' + str(len(body)).encode() + b'\r\n\r\n' + body)
        until(lambda: waiting(t) == before + 1, what='the waiting claim')
        threads = in_threads([gone.close])
        item = t.worker.add(t.type)
        threads[0].join()
        taken = until(lambda: t.worker.claim(t.type), what='the item') \
            if t.worker.state(item) != 'leased' else None
        if taken is None:   # the answer was on its way when the socket closed: it comes back by itself
            taken = until(lambda: t.worker.claim(t.type), 20, 'the item that was sent to nobody')
        shown = t.worker.show(item)
        assert shown['failures'] == 0 and taken[0]['id'] == item['id']
        t.worker.settle(taken[0]).expect(200)


def test_so_many_per_key_and_in_the_process(t):
    threads = []
    one, other = t.caller('worker'), t.caller('operator')
    waits = {'agent': 'a', 'types': [t.type], 'wait_ms': 30000}

    def wait(caller):
        return lambda: caller.post('/v1/work/claim', waits).expect(200)

    threads += in_threads([wait(t.caller('worker')) for _ in range(100)])
    until(lambda: waiting(t) == 100, what='a hundred waiters')
    refused = one.post('/v1/work/claim', waits).expect(429, 'too_many')
    assert int(refused.headers['retry-after']) >= 1 and '100' in refused.json['detail']
    threads += in_threads([wait(t.caller('operator')) for _ in range(50)])
    until(lambda: waiting(t) == 150, what='as many as the process takes')
    other.post('/v1/work/claim', waits).expect(429, 'too_many')
    made = t.worker.post('/v1/work/batch', {'items': [{'type': t.type}] * 150}).expect(201)
    for thread in threads:
        thread.join()
    assert len(made.items) == 150 and waiting(t) == 0


def test_stopping_answers_whoever_waits(t):
    server = t.new_server()
    answers = []
    threads = in_threads([lambda: answers.append(
        t.caller('worker', server).post('/v1/work/claim', {'agent': 'a', 'wait_ms': 30000}))] * 5)
    until(lambda: waiting(t, server) == 5, what='five waiters')
    began = time.monotonic()
    server.stop()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < 5
    assert [(a.status, a.json) for a in answers] == [(200, {'items': []})] * 5
