"""Drives DBOS: squads_dbos.py POSTGRES_URL UNDER_WAY SECONDS. Prints {started, completed} a second."""

import json
import sys

from dbos import DBOS
from squads_many import many

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


def whole():
    if three_steps(1) != 4:
        raise RuntimeError('three steps make four')


DBOS.launch()
queue = DBOS.register_queue('waiting', worker_concurrency=1, polling_interval_sec=3600)    # nobody takes them meanwhile
whole()
completed = many(lambda: whole, under_way, seconds)
started = many(lambda: lambda: queue.enqueue(three_steps, 1), under_way, seconds)
print(json.dumps({'started': started, 'completed': completed}), flush=True)
DBOS.destroy()
