"""PostgreSQL behind a pooler that shares a few sessions between all connections. What each call answers there is seen by
the other modules (harness.py --store pooler); here are many processes and connections, and a pooler that stands still."""

import os
import shutil
import signal
import tempfile
import threading
import time
import urllib.parse

from harness import Database, Server, Skip, tool, until

SESSIONS = 3


def pooler_of(t):
    """A pooler of this test's own, and a database behind it."""
    with_postgres = tool('with-postgres')
    user = with_postgres.server_user()
    server_folder = urllib.parse.parse_qs(urllib.parse.urlsplit(Database.from_env('TENFOLD_TEST_PG')).query)['host'][0]
    folder = tempfile.mkdtemp(prefix='tenfold-pooler.')
    t.cleanup.callback(shutil.rmtree, folder, True)
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)
    try:
        pooler = with_postgres.Pooler(folder, server_folder, with_postgres.as_user(user))
    except with_postgres.Unavailable as e:
        raise Skip(str(e)) from None
    pooler.start()
    t.cleanup.callback(pooler.stop)
    database = Database('pooler', pooler.url())
    t.cleanup.callback(database.drop)
    return pooler, database


class Load:
    """Clients that add, claim and complete until told to stop, each at one of the servers, dead or alive."""

    def __init__(self, t, servers, key, clients):
        self.servers, self.stopping = servers, threading.Event()
        self.done, self.added, self.lock = {}, set(), threading.Lock()
        self.callers = []
        for i in range(clients):
            caller = t.anonymous(servers[i % len(servers)])
            caller.key, caller.contract = key, None
            self.callers.append(caller)
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def run(self, number):
        while not self.stopping.is_set():
            try:
                self.turn(self.callers[number])
            except OSError:
                self.stopping.wait(0.01)   # killed

    def turn(self, caller):
        answer = caller.post('/v1/work', {'type': 'x', 'lease_ms': 60000})
        if answer.status == 201:
            with self.lock:
                self.added.add(answer.json['id'])
        for item in caller.post('/v1/work/claim', {'agent': 'a', 'types': ['x']}).json.get('items', []):
            if caller.settle(item).status == 200:
                with self.lock:
                    self.done[item['id']] = self.done.get(item['id'], 0) + 1

    def progress(self, more):
        """Waits until so many more items were completed."""
        wanted = len(self.done) + more
        until(lambda: len(self.done) >= wanted, 60, f'{more} more items completed')


def test_connections_of_two_processes_share_few_sessions(t):
    _, database = pooler_of(t)
    args = ['--owner-lease', '2000', '--pool-size', '12']
    first = t.new_server(*args, store_url=database.url)
    worker = t.caller('worker', first)
    second = t.new_server(*args, store_url=database.url)
    until(lambda: caller_at(t, second, worker).get('/v1/whoami').status == 200, 6, 'the new key, at the other process')
    with Load(t, [first, second], worker.key, 16) as load:
        load.progress(50)
        sessions = database.psql('SELECT count(*) FROM pg_stat_activity WHERE datname = '
                                 f"'{database.name}' AND application_name = 'tenfold'")
        assert 0 < int(sessions) <= SESSIONS, sessions
        first.kill()
        load.progress(50)
    kept = {item['id']: item['state'] for item in everything(caller_at(t, second, worker))}
    assert load.added <= set(kept), 'what was acknowledged is there'
    assert max(load.done.values()) == 1, 'nothing is completed twice'
    assert all(kept[i] == 'completed' for i in load.done)


def caller_at(t, server, worker):
    caller = t.anonymous(server)
    caller.key = worker.key
    return caller


def everything(caller):
    items, cursor = [], None
    while True:
        page = caller.get('/v1/work', query={'limit': 1000, **({'cursor': cursor} if cursor else {})}).expect(200).json
        items += page['items']
        cursor = page.get('next_cursor')
        if not cursor:
            return items


def test_nobody_waits_for_ever_while_the_pooler_stands_still(t):
    pooler, database = pooler_of(t)
    server = t.new_server('--pool-size', '2', '--pool-overflow', '1', '--pool-wait', '500ms', store_url=database.url)
    reader, item = t.caller('reader', server), t.caller('worker', server).add(t.type)
    statuses = []

    def read():
        caller, began = caller_at(t, server, reader), time.monotonic()
        statuses.append((caller.get(f'/v1/work/{item["id"]}').status, time.monotonic() - began))

    os.kill(pooler.process.pid, signal.SIGSTOP)
    threads = [threading.Thread(target=read) for _ in range(12)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: len(statuses) >= 9, 5, 'answers to those who wait')
        assert all(status == 503 and took < 3 for status, took in statuses), statuses
        assert server.health('/health/live') == 200
    finally:
        os.kill(pooler.process.pid, signal.SIGCONT)
    for thread in threads:
        thread.join()
    reader.get(f'/v1/work/{item["id"]}').expect(200)
    assert server.metric('tenfold_store_connection_timeouts_total') >= 9


def test_a_pooler_that_comes_again_is_found(t):
    pooler, database = pooler_of(t)
    server = t.new_server(store_url=database.url)
    worker = t.caller('worker', server)
    item = worker.add(t.type)
    pooler.stop()
    worker.get(f'/v1/work/{item["id"]}').expect(503, 'store_unavailable')
    until(lambda: server.health() == 503, what='health that says so')
    os.unlink(os.path.join(pooler.folder, '.s.PGSQL.6432'))
    pooler.start()
    until(lambda: server.health() == 200, 20, 'health')
    until(lambda: worker.get(f'/v1/work/{item["id"]}').status == 200, 5, 'the item')
    worker.add(t.type)
