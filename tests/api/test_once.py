"""Each item once: many workers on one queue, and a worker that sleeps through its lease."""

import collections
import contextlib
import signal
import subprocess
import sys
import threading

from harness import ROOT, clean_env, until

WORKERS, ITEMS = 64, 10_000


def test_64_workers_10000_items_each_once(t):
    made = []
    for _ in range(ITEMS // 1000):
        made += [i['id'] for i in t.worker.post('/v1/work/batch', {'items': [{'type': t.type}] * 1000}).expect(201).items]
    claims, errors, lock = collections.Counter(), [], threading.Lock()

    def work(n):
        caller = t.caller('worker')
        caller.contract = None   # ten thousand schemas say no more than ten
        mine = []
        try:
            while True:
                items = caller.claim(t.type, agent=f'worker-{n}', max=3)
                if not items:
                    break
                mine += [i['id'] for i in items]
                for item in items:
                    caller.settle(item, result=n).expect(200)
        except Exception as error:  # pylint: disable=broad-except
            errors.append(error)
        with lock:
            claims.update(mine)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors[0]
    assert set(claims) == set(made), f'{len(claims)} of {len(made)} were claimed'
    assert set(claims.values()) == {1}, [i for i, n in claims.items() if n > 1][:5]
    assert t.worker.claim(t.type) == []


SLEEPER = '''
import sys
sys.path.insert(0, sys.argv[1])
from tenfold import Tenfold, TenfoldError
tenfold = Tenfold(sys.argv[2], sys.argv[3])
item = tenfold.work_claim('sleeper', types=[sys.argv[4]], lease_ms=1000)['items'][0]
print('claimed', flush=True)
sys.stdin.readline()
try:
    tenfold.work_complete(item['id'], item['token'], result='the sleeper')
    print('completed')
except TenfoldError as error:
    print(error.code)
'''


@contextlib.contextmanager
def sleeper_of(t, worker):
    """A process that has claimed an item and waits; ended with all it holds, also while it is stopped."""
    sleeper = subprocess.Popen([sys.executable, '-c', SLEEPER, ROOT + '/clients/python', t.server.url, worker.key, t.type],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean_env())
    try:
        assert sleeper.stdout.readline() == 'claimed\n'
        yield sleeper
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_worker_that_was_stopped_past_its_lease_is_refused(t):
    w = t.worker
    made = w.add(t.type, backoff={'kind': 'fixed', 'base_ms': 0})
    with sleeper_of(t, w) as sleeper:
        sleeper.send_signal(signal.SIGSTOP)
        other = until(lambda: w.claim(t.type, agent='other', wait_ms=5000), what='the lapse')[0]
        w.settle(other, result='the other').expect(200)
        sleeper.send_signal(signal.SIGCONT)
        said, _ = sleeper.communicate('\n', timeout=30)
    assert said == 'stale_token\n', said
    shown = w.show(made)
    assert (shown['state'], shown['result'], shown['attempt']) == ('completed', 'the other', 2)


def test_a_dead_workers_items_come_back(t):
    w = t.worker
    made = w.add(t.type, backoff={'kind': 'fixed', 'base_ms': 0})
    with sleeper_of(t, w) as sleeper:
        sleeper.kill()
    again = until(lambda: w.claim(t.type, wait_ms=5000), what='the lapse')[0]
    assert again['id'] == made['id'] and again['attempt'] == 2
