"""Drives DBOS: squads_dbos.py POSTGRES_URL UNDER_WAY SECONDS. Prints {started, completed} a second."""

import json
import sys
import threading
import time

from dbos import DBOS

url, under_way, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
DBOS(config={'name': 'bench', 'system_database_url': url, 'log_level': 'ERROR', 'run_admin_server': False})


@DBOS.step()
def step(value):
    return value + 1


@DBOS.workflow()
def three_steps(value):
    for _ in range(3):
        value = step(value)
    return value


def many(call):
    """How often a second `call` returns, from so many threads."""
    counts, end = [0] * under_way, time.monotonic() + seconds

    def loop(nth):
        while time.monotonic() < end:
            call()
            counts[nth] += 1

    threads = [threading.Thread(target=loop, args=(n,)) for n in range(under_way)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def whole():
    if three_steps(1) != 4:
        raise RuntimeError('three steps make four')


DBOS.launch()
queue = DBOS.register_queue('waiting', worker_concurrency=1, polling_interval_sec=3600)    # nobody takes them meanwhile
whole()
completed = many(whole)
started = many(lambda: queue.enqueue(three_steps, 1))
print(json.dumps({'started': started, 'completed': completed}), flush=True)
DBOS.destroy()
