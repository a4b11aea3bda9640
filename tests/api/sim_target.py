"""A target for simulated populations: says what each request was, when it came, and answers as a test wants.

    with SimTarget(answer) as target: ...      answer(request, number) is a coroutine that gives (status, headers, body)
"""

import asyncio
import collections
import json
import threading
import time

Seen = collections.namedtuple('Seen', 'at agent session connection method path')
GOOD = (200, {}, b'{}')


async def good(_seen, _number):
    return GOOD


class SimTarget:
    def __init__(self, answer=good):
        self.answer, self.seen, self.now, self.most = answer, [], 0, 0
        self.loop, self.ready = asyncio.new_event_loop(), threading.Event()
        self.connections = 0

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        assert self.ready.wait(10)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def serve(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self.peer, '127.0.0.1', 0, backlog=2048))
        self.url = f'http://127.0.0.1:{server.sockets[0].getsockname()[1]}'
        self.ready.set()
        self.loop.run_forever()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()

    async def peer(self, reader, writer):
        self.connections += 1
        connection = self.connections
        try:
            while True:
                head = (await reader.readuntil(b'\r\n\r\n')).decode('latin-1').split('\r\n')
                fields = dict(line.lower().split(': ', 1) for line in head[1:] if line)
                await reader.readexactly(int(fields.get('content-length', 0)))
                await self.exchange(head[0], fields, connection, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def exchange(self, line, fields, connection, writer):
        method, path, _ = line.split(' ')
        seen = Seen(time.monotonic(), fields.get('x-agent'), fields.get('x-session'), connection, method, path)
        self.seen.append(seen)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            status, headers, body = await self.answer(seen, len(self.seen))
        finally:
            self.now -= 1
        headers = {'Content-Length': len(body), **headers}
        writer.write(f'HTTP/1.1 {status} So\r\n'.encode() + b''.join(f'{n}: {v}\r\n'.encode() for n, v in headers.items()) + b'\r\n' + body)
        await writer.drain()


def scenario(calls=1, **changes):
    """Every agent has a session in every cycle, of so many requests."""
    text = {
        'tenfold_scenario': 1, 'name': 'plain', 'assumes': {'active_share': 1, 'calls_per_agent': calls},
        'model': 'population', 'begin': 'together',
        'population': {'attributes': [{'name': 'luck', 'kind': 'number', 'uniform': {'min': 0, 'max': 1}}]},
        'schedule': {'sessions_per_week': 168, 'seasons': [{'name': 'always', 'from': '01-01', 'to': '12-31', 'factor': 1000}]},
        'headers': {'X-Agent': '{{agent.id}}', 'X-Session': '{{session.id}}'},
        'variables': [{'name': 'total', 'value': 0}],
        'keep': [{'name': 'total', 'value': 'total'}],
        'outcomes': [{'name': 'completed', 'kind': 'completed'}, {'name': 'failed', 'kind': 'failed'}],
        'start': 'go', 'on_fail': 'give_up', 'cleanup': {'state': 'tidy_up'},
        'states': [
            {'name': 'go', 'steps': [
                {'name': 'GET /thing', 'repeat': str(calls), 'request': {'method': 'GET', 'path': '/thing'},
                 'set': [{'to': 'total', 'value': 'total + integer(1, 1000)'}], 'event': {'type': 'got', 'fields': [{'name': 'total', 'value': 'total'}]}}],
             'end': 'completed'},
            {'name': 'give_up', 'steps': [], 'end': 'failed'},
            {'name': 'tidy_up', 'steps': [{'name': 'DELETE /thing', 'request': {'method': 'DELETE', 'path': '/thing'}}], 'end': 'completed'}]}
    text.update(changes)
    return json.dumps(text, indent=1)
