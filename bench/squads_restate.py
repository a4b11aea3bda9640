"""Drives Restate: squads_restate.py INGRESS_PORT ADMIN_PORT SERVICE_PORT UNDER_WAY SECONDS. It is the service and the clients,
in two processes. Prints {started, completed} a second."""

import asyncio
import http.client
import json
import multiprocessing
import sys
import threading
import time

ingress, admin, port, under_way = map(int, sys.argv[1:5])
seconds = float(sys.argv[5])


def serve():
    import hypercorn.asyncio
    import hypercorn.config
    import restate

    three = restate.Service('ThreeSteps')

    @three.handler()
    async def run(ctx: restate.Context, value: int) -> int:
        for n in range(3):
            value = await ctx.run_typed(f'step{n}', lambda v=value: v + 1)
        return value

    config = hypercorn.config.Config()
    config.bind = [f'127.0.0.1:{port}']
    asyncio.run(hypercorn.asyncio.serve(restate.app([three]), config))


def call(connection, path, body):
    connection.request('POST', path, json.dumps(body), {'Content-Type': 'application/json'})
    answer = connection.getresponse()
    said = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f'{path}: {answer.status} {said[:200]}')
    return json.loads(said)


def many(path, check):
    """How often a second the call is answered, from so many threads."""
    counts, end = [0] * under_way, time.monotonic() + seconds

    def loop(nth):
        connection = http.client.HTTPConnection('127.0.0.1', ingress)
        while time.monotonic() < end:
            check(call(connection, path, 1))
            counts[nth] += 1

    threads = [threading.Thread(target=loop, args=(n,)) for n in range(under_way)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def four(answer):
    if answer != 4:
        raise RuntimeError('three steps make four')


def register():
    for _ in range(300):
        try:
            return call(http.client.HTTPConnection('127.0.0.1', admin), '/deployments', {'uri': f'http://127.0.0.1:{port}'})
        except (OSError, RuntimeError):
            time.sleep(0.1)
    raise RuntimeError('the service cannot be registered')


if __name__ == '__main__':
    service = multiprocessing.Process(target=serve, daemon=True)
    service.start()
    register()
    completed = many('/ThreeSteps/run', four)
    started = many('/ThreeSteps/run/send', lambda answer: None)
    print(json.dumps({'started': started, 'completed': completed}), flush=True)
    service.kill()      # it would wait for what was only begun
