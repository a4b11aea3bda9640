"""One tenant's burst does not starve another."""

import threading
import time

from harness import SLOW
from test_executions import STEP, Squad

BURST = 100_000


def p99_ms(caller, type_, seconds=None, until_event=None):
    """The p99 of single enqueues, for so long."""
    took, end = [], time.monotonic() + (seconds or 60)
    while time.monotonic() < end and not (until_event and until_event.is_set()):
        began = time.monotonic()
        caller.add(type_)
        took.append((time.monotonic() - began) * 1000)
    took.sort()
    return took[int(len(took) * 0.99)], len(took)


def test_a_burst_of_another_tenant(t):
    mine, theirs = t.caller('worker', tenant='small'), t.caller('worker', tenant='big')
    for caller in (mine, theirs):
        caller.contract = None
    alone, n = p99_ms(mine, t.type, seconds=2)
    over = threading.Event()

    def burst():
        """Ten connections, a hundred items a call."""
        def send():
            caller = t.caller('worker', tenant='big')
            caller.contract = None
            for _ in range(BURST // 1000):
                caller.post('/v1/work/batch', {'items': [{'type': t.type}] * 100}).expect(201)
        threads = [threading.Thread(target=send) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        over.set()

    sender = threading.Thread(target=burst)
    sender.start()
    beside, m = p99_ms(mine, t.type, until_event=over)
    sender.join()
    print(f'# p99 alone {alone:.1f} ms ({n} calls), beside the burst {beside:.1f} ms ({m} calls)')
    # The load generator is one Python on the same two cores: what it adds to each call is granted. The turns
    # themselves are tested in test_store_executor, and the figures are the benchmark's.
    assert beside < (2 * alone + 250) * SLOW


def test_nobody_waits_behind_a_queue_of_one_tenant(t):
    """Between calls of the burst there is always a turn for the other."""
    mine = t.caller('worker', tenant='small')
    began = time.monotonic()
    mine.add(t.type)
    assert time.monotonic() - began < 2 * SLOW


def beside_another_tenant(t, work):
    """Runs work() while another tenant adds single items."""
    over = threading.Event()

    def add():
        caller = t.caller('worker', tenant='small')
        while not over.is_set():
            caller.add(t.type)
    adding = threading.Thread(target=add)
    adding.start()
    try:
        return work()
    finally:
        over.set()
        adding.join()


def test_a_large_batch_is_done_in_parts_beside_others(t):
    """Dependencies reach over the parts, in whatever order they are named."""
    big = t.caller('worker', tenant='big')
    items = [{'type': t.type, 'key': f'k{n}', 'depends_on': [{'key': f'k{n - 1}'}] if n else []} for n in range(1000)]
    answer = beside_another_tenant(
        t, lambda: big.post('/v1/work/batch', {'items': list(reversed(items))}).expect(201).json['items'])
    assert [i['state'] for i in answer] == ['blocked'] * 999 + ['ready']
    assert len({i['id'] for i in answer}) == 1000
    one = big.get(f'/v1/work/{answer[0]["id"]}').expect(200).json
    assert [d['id'] for d in one['depends_on']] == [answer[1]['id']]


def test_many_settled_and_extended_in_parts_beside_others(t):
    big = t.caller('worker', tenant='big')
    big.post('/v1/work/batch', {'items': [{'type': t.type}] * 1000}).expect(201)
    got = big.post('/v1/work/claim', {'agent': 'a', 'types': [t.type], 'max': 1000}).expect(200).json['items']
    assert len(got) == 1000
    refs = [{'id': i['id'], 'token': i['token']} for i in got]
    refs[500] = {'id': refs[500]['id'], 'token': refs[501]['token']}

    def work():
        extended = big.post('/v1/work/extend', {'items': refs, 'lease_ms': 60000}).expect(200).json['items']
        settled = big.post('/v1/work/settle', {'items': [{**r, 'outcome': 'completed'} for r in refs]}).expect(200).json['items']
        return extended, settled
    for answer in beside_another_tenant(t, work):
        assert [i['id'] for i in answer] == [r['id'] for r in refs]
        assert [n for n, i in enumerate(answer) if 'error' in i] == [500]
        assert answer[500]['error']['code'] == 'stale_token'


def test_a_squad_with_a_long_queue_does_not_starve_another(t):
    """Where workers take the steps of any squad, and so claim by type alone: 2,000 came before a single execution."""
    busy, small = Squad(t, 'busy'), Squad(t, 'small')
    for _ in range(2):
        busy.add(*[{'name': f's{n}'} for n in range(1000)])
    execution = small.add({'name': 'first'}, {'name': 'second', 'needs': ['first']})
    before = 0
    while execution.state != 'completed':
        item = t.worker.claim(STEP)[0]
        before += item['payload']['squad'] == busy.id
        t.worker.settle(item).expect(200)
    print(f'# {before} steps of the busy squad came before and between the two of the other')
    assert before <= 2
