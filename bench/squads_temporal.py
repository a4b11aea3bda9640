"""Drives Temporal: squads_temporal.py HOST:PORT UNDER_WAY SECONDS. Prints {started, completed} a second."""

import asyncio
import json
import sys
import time
import uuid
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker


@activity.defn
async def step(value: int) -> int:
    return value + 1


@workflow.defn
class ThreeSteps:
    @workflow.run
    async def run(self, value: int) -> int:
        for _ in range(3):
            value = await workflow.execute_activity(step, value, start_to_close_timeout=timedelta(seconds=30))
        return value


async def many(call, under_way, seconds):
    """How often a second `call` returns, so many at once."""
    end, count = time.monotonic() + seconds, 0

    async def loop():
        nonlocal count
        while time.monotonic() < end:
            await call()
            if time.monotonic() < end:
                count += 1

    await asyncio.gather(*(loop() for _ in range(under_way)))
    return count / seconds


async def connected(host):
    for _ in range(300):
        try:
            return await Client.connect(host)
        except RuntimeError:
            await asyncio.sleep(0.1)
    raise RuntimeError('the server does not answer')


async def main():
    host, under_way, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    client = await connected(host)

    async def whole():
        if await client.execute_workflow(ThreeSteps.run, 1, id=uuid.uuid4().hex, task_queue='bench') != 4:
            raise RuntimeError('three steps make four')

    async def begin():
        await client.start_workflow(ThreeSteps.run, 1, id=uuid.uuid4().hex, task_queue='nobody')

    async with Worker(client, task_queue='bench', workflows=[ThreeSteps], activities=[step]):
        await whole()
        completed = await many(whole, under_way, seconds)
    started = await many(begin, under_way, seconds)
    print(json.dumps({'started': started, 'completed': completed}))


if __name__ == '__main__':    # the worker reads this file again, apart from the rest
    asyncio.run(main())
