"""Drives Restate: squads_restate.py INGRESS_PORT ADMIN_PORT SERVICE_PORT UNDER_WAY SECONDS. It is the service and the clients,
in two processes. Prints {started, completed} a second."""

import asyncio
import http.client
import json
import multiprocessing
import sys
import time

from squads_many import many

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


def client(path, check):
    """A connection of its own; its call."""
    connection = http.client.HTTPConnection('127.0.0.1', ingress)
    return lambda: check(call(connection, path, 1))


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
    completed = many(lambda: client('/ThreeSteps/run', four), under_way, seconds)
    started = many(lambda: client('/ThreeSteps/run/send', lambda answer: None), under_way, seconds)
    print(json.dumps({'started': started, 'completed': completed}), flush=True)
    service.kill()      # it would wait for what was only begun
