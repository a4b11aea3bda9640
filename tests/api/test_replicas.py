"""Replicas of the store: reads go there, and who has written sees it in the next read, from whichever process, while
replicas lag, stop, come back or are promoted. The PostgreSQL servers are of this module's own."""

import atexit
import itertools
import os
import random
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse

from harness import BINARY, Skip, clean_env, tool, until



class Servers:
    """A primary and a replica, each behind a socket of its own, and databases on them."""

    def __init__(self):
        self.tools = tool('with-postgres')
        try:
            self.primary = self.tools.Cluster(self.tools.find_programs(), self.tools.server_user())
        except self.tools.Unavailable as why:
            raise Skip(str(why)) from None
        self.primary.start()
        self.replica = self.tools.Replica(self.primary)
        self.replica.start()
        self.made = 0

    def stop(self):
        self.replica.stop()
        self.primary.stop()

    def database(self):
        """A new one, as the addresses of its two copies."""
        self.made += 1
        name = f'tf{self.made}'
        ask(self.primary, f'CREATE DATABASE {name}')
        return self.address(self.primary, name), self.address(self.replica, name)

    @staticmethod
    def address(cluster, name):
        return cluster.url().replace('@/postgres?', f'@/{name}?')


def ask(cluster, statement):
    done = subprocess.run(['psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', cluster.url(), '-c', statement],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


SHARED = []


def servers(t, own=False):
    """Those of the module; own: for a test that spoils them."""
    t.needs_several_processes()
    if t.store == 'pooler':
        raise Skip('the servers of this module have poolers of their own')
    if own:
        made = Servers()
        t.cleanup.callback(made.stop)
        return made
    if not SHARED:
        SHARED.append(Servers())
        atexit.register(SHARED[0].stop)
    return SHARED[0]


def started(t, db, *args, count=1, replicas=None):
    """So many processes on the store, with the replica."""
    store, replica = db
    given = [word for url in (replicas or [replica]) for word in ('--replica', url)]
    return [t.new_server('--owner-lease', '2000', *given, *args, store_url=store) for _ in range(count)]


def used(server, replica=1):
    return server.metric(f'tenfold_replica_used{{replica="{replica}"}}')


def reads_at(server, target):
    return server.metric(f'tenfold_store_reads_total{{target="{target}"}}')


def await_use(server):
    until(lambda: used(server) == 1, 20, 'a replica that is read from')


class Session:
    """A caller that carries on what it has seen, as a client does, to whichever server it asks; or, with told=False,
    one that says nothing."""

    def __init__(self, t, key_of, at, told=True):
        self.callers, self.told, self.seen = {}, told, ''
        for server in at:
            caller = t.anonymous(server)
            caller.key, caller.contract = key_of.key, None
            self.callers[server] = caller

    def call(self, server, method, path, body=None, **more):
        headers = {'Tenfold-Seen': self.seen} if self.told and self.seen else {}
        answer = self.callers[server].call(method, path, body, headers=headers, **more)
        self.seen = max(self.seen, answer.headers.get('tenfold-seen', ''))
        return answer


def known_at(t, key_of, at):
    for server in at:
        until(lambda server=server: Session(t, key_of, [server]).call(server, 'GET', '/v1/whoami').status == 200, 6,
              'the key, at each process')
    return key_of


def paused(t, both):
    """Replay stands still until the test is over."""
    ask(both.replica, 'SELECT pg_wal_replay_pause()')
    t.cleanup.callback(lambda: ask(both.replica, 'SELECT pg_wal_replay_resume()'))


def add_project(caller, squad, name):
    return caller.post('/v1/projects', {'squad': squad, 'name': name}).expect(201).json


def add_squad(caller, name):
    return caller.post('/v1/squads', {'name': name}).expect(201).json['id']


# ---- where reads go ----

def test_reads_go_to_the_replica(t):
    both = servers(t)
    server, = started(t, both.database())
    await_use(server)
    operator, reader = t.caller('operator', server), t.caller('reader', server)
    squad = add_squad(operator, 'readers')
    project = add_project(operator, squad, 'one')
    until(lambda: reader.get(f'/v1/projects/{project["id"]}').status == 200, 5, 'the project, at the replica')
    before = reads_at(server, 'replica')
    for _ in range(20):
        reader.get('/v1/projects').expect(200)
    assert reads_at(server, 'replica') >= before + 20
    assert server.metric('tenfold_replica_lag_seconds') < 5


def test_what_only_the_primary_can_say_is_asked_there(t):
    """Numbers of changes go on at once, and an index in memory knows what no replica has yet."""
    both = servers(t)
    server, = started(t, both.database())
    await_use(server)
    paused(t, both)
    operator = t.caller('operator', server)
    operator.post('/v1/agents', {'handle': 'fresh-one', 'name': 'fresh'}).expect(201)
    seen = until(lambda: operator.get('/v1/changes').expect(200).items, 5, 'the change')
    t.caller('reader', server).get('/v1/changes', query={'since': seen[-1]['seq']}).expect(200)


# ---- one's own writes ----

def test_a_key_sees_its_own_writes_without_saying_anything(t):
    both = servers(t)
    server, = started(t, both.database())
    await_use(server)
    operator, reader = t.caller('operator', server), t.caller('reader', server)
    squad = add_squad(operator, 'own')
    paused(t, both)
    project = add_project(operator, squad, 'written while the replica stands still')
    operator.get(f'/v1/projects/{project["id"]}').expect(200)
    assert project['id'] in [p['id'] for p in operator.get('/v1/projects').items]
    reader.get(f'/v1/projects/{project["id"]}').expect(404)   # has seen nothing: the replica answers
    assert server.metric('tenfold_store_reads_diverted_total{cause="behind"}') >= 2
    assert server.metric('tenfold_store_read_wait_seconds_count') >= 2
    ask(both.replica, 'SELECT pg_wal_replay_resume()')
    until(lambda: reader.get(f'/v1/projects/{project["id"]}').status == 200, 5, 'the project, at the replica')


def test_what_was_seen_is_told_in_header_and_cookie(t):
    both = servers(t)
    first, second = started(t, both.database(), count=2)
    await_use(second)
    operator = known_at(t, t.caller('operator', first), [second])
    squad = add_squad(operator, 'told')
    paused(t, both)
    answer = operator.post('/v1/projects', {'squad': squad, 'name': 'told'}).expect(201)
    path, seen = f'/v1/projects/{answer.json["id"]}', answer.headers['tenfold-seen']
    cookie = answer.headers['set-cookie'].split(';')[0]
    assert cookie == f'tenfold_seen={seen}' and 'HttpOnly' in answer.headers['set-cookie']
    there = Session(t, operator, [second]).callers[second]
    there.get(path).expect(404)
    there.get(path, headers={'Tenfold-Seen': seen}).expect(200)
    there.get(path, headers={'Cookie': f'theme=dark; {cookie}; x=y'}).expect(200)
    for odd in ['nonsense', seen[:-1], seen.upper() + 'x', 'ffffffff' + seen[8:], seen.replace('-00000001-', '-00000007-')]:
        there.get(path, headers={'Tenfold-Seen': odd}).expect(200)   # the primary is asked
    assert second.metric('tenfold_store_reads_diverted_total{cause="timeline"}') >= 4
    assert 'tenfold-seen' not in there.get(path, headers={'Tenfold-Seen': seen}).headers, 'a read says nothing new'


def test_a_write_passed_on_to_the_owner_is_seen_where_it_was_made(t):
    both = servers(t)
    owner, standby = started(t, both.database(), count=2)
    await_use(standby)
    operator = known_at(t, t.caller('operator', owner), [standby])
    there = Session(t, operator, [standby], told=False)
    squad = there.call(standby, 'POST', '/v1/squads', {'name': 'passed on'}).expect(201).json['id']
    path = f'/v1/squads/{squad}'
    there.call(standby, 'GET', path).expect(200)
    paused(t, both)
    item = there.call(standby, 'POST', '/v1/work', {'type': 'x'}).expect(201)
    assert item.headers['tenfold-seen']
    there.call(standby, 'GET', f'/v1/work/{item.json["id"]}').expect(200)
    for n in range(10):
        there.call(standby, 'PATCH', path, {'name': f'passed on {n}'}).expect(200)
        assert there.call(standby, 'GET', path).expect(200).json['name'] == f'passed on {n}', 'kept or not'


def test_a_person_sees_the_account_that_was_just_made(t):
    """Who signs up is nobody yet; and has ever new tokens later."""
    both = servers(t)
    server, = started(t, both.database(), '--sign-up', 'open')
    await_use(server)
    paused(t, both)
    person = t.anonymous(server)
    made = person.post('/v1/account/sign-up', {'email': 'ada@example.org', 'password': 'a long enough phrase'}).expect(201).json
    person.key = made['access_token']
    assert person.get('/v1/account').expect(200).json['id'] == made['user']
    squad = add_squad(person, 'of a person')
    person.key = person.post('/v1/account/refresh', {'refresh_token': made['refresh_token']}).expect(200).json['access_token']
    assert squad in [s['id'] for s in person.get('/v1/squads').expect(200).items]


class Pairs(threading.Thread):
    """Writes at one of the servers and reads it back from any, over and over, of all the kinds of calls there are."""

    made = 0

    def __init__(self, t, key_of, servers_, seed, rounds, told=True):
        super().__init__()
        Pairs.made += 1
        self.session = Session(t, key_of, servers_, told)
        self.servers, self.rng, self.rounds, self.name = servers_, random.Random(seed), rounds, f'w{Pairs.made}'
        self.missed, self.done = [], 0

    def run(self):
        try:
            squad = self.call('POST', '/v1/squads', {'name': self.name}).expect(201).json['id']
            member = self.call('POST', f'/v1/squads/{squad}/members', {'role': 'tester'}).expect(201).json['id']
            agent = self.call('POST', '/v1/agents', {'handle': f'{self.name}-agent', 'name': 'x'}).expect(201)
            kinds = [self.project, self.item, self.renamed(f'/v1/squads/{squad}'), self.renamed(f'/v1/squad-members/{member}'),
                     self.renamed(f'/v1/agents/{agent.json["agent"]["id"]}')]
            self.squad = squad
            for n in range(self.rounds):
                self.rng.choice(kinds)(n)
                self.done += 1
        except Exception as trouble:  # pylint: disable=broad-except
            self.missed.append(repr(trouble))

    def call(self, method, path, body=None):
        return self.session.call(self.rng.choice(self.servers), method, path, body)

    def note(self, good, what):
        if not good:
            self.missed.append(what)

    def project(self, n):
        made = self.call('POST', '/v1/projects', {'squad': self.squad, 'name': f'{self.name} {n}'}).expect(201).json['id']
        self.note(self.call('GET', f'/v1/projects/{made}').status == 200, f'project {n}')
        listed = self.call('GET', '/v1/projects?limit=5').expect(200).items
        self.note(made in [p['id'] for p in listed] or len(listed) == 5 and listed[-1]['id'] > made, f'list {n}')

    def item(self, n):
        made = self.call('POST', '/v1/work', {'type': self.name}).expect(201).json['id']
        self.note(self.call('GET', f'/v1/work/{made}').status == 200, f'item {n}')

    def renamed(self, path):
        def rename(n):
            name = f'{self.name}-{n}'
            self.call('PATCH', path, {'name': name}).expect(200)
            got = self.call('GET', path).expect(200).json['name']
            self.note(got == name, f'{path} is {got} and not {name}')
        return rename


def run_pairs(t, key_of, at, threads=4, rounds=60, told=True, meanwhile=None):
    workers = [Pairs(t, key_of, at, seed, rounds, told) for seed in range(threads)]
    for worker in workers:
        worker.start()
    if meanwhile:
        meanwhile(lambda: any(w.is_alive() for w in workers))
    for worker in workers:
        worker.join()
    missed = [m for w in workers for m in w.missed]
    assert not missed, f'{len(missed)} of {threads * rounds}: {missed[:5]}'
    assert all(w.done == rounds for w in workers)


def delayed(t, both, ms):
    """The replica replays everything so much later."""
    def set_to(value):
        ask(both.replica, f"ALTER SYSTEM SET recovery_min_apply_delay = '{value}'")
        ask(both.replica, 'SELECT pg_reload_conf()')
    set_to(f'{ms}ms')
    t.cleanup.callback(set_to, 0)


def test_every_pair_of_write_and_read_at_two_servers_is_seen(t):
    both = servers(t)
    at = started(t, both.database(), count=2)
    for server in at:
        await_use(server)
    operator = known_at(t, t.caller('operator', at[0]), at)
    for ms in [0, 20, 120]:   # within the wait, within it mostly, never
        with t.case(f'with {ms} ms of delay'):
            delayed(t, both, ms)
            run_pairs(t, operator, at)
    for server in at:
        assert reads_at(server, 'replica') > 0 and reads_at(server, 'primary') > 0
    assert sum(s.metric('tenfold_store_reads_diverted_total{cause="behind"}') for s in at) > 0


def test_a_key_that_says_nothing_sees_its_writes_at_its_own_process(t):
    both = servers(t)
    server, = started(t, both.database())
    await_use(server)
    delayed(t, both, 30)
    run_pairs(t, t.caller('operator', server), [server], told=False)


# ---- replicas that lag, stop, come back, are promoted ----

def test_one_that_lags_is_left_out(t):
    both = servers(t)
    server, = started(t, both.database(), '--replica-lag', '1s')
    await_use(server)
    operator, reader = t.caller('operator', server), t.caller('reader', server)
    squad = add_squad(operator, 'lag')
    paused(t, both)
    project = add_project(operator, squad, 'lag')
    until(lambda: used(server) == 0, 10, 'leaving out the replica that lags')
    reader.get(f'/v1/projects/{project["id"]}').expect(200)
    assert server.metric('tenfold_replica_lag_seconds') >= 1
    assert server.metric('tenfold_store_reads_diverted_total{cause="none_sound"}') >= 1
    ask(both.replica, 'SELECT pg_wal_replay_resume()')
    await_use(server)


def read_on(t, server, reader, path, meanwhile):
    """Reads without pause while something happens; every read is answered."""
    stopping, statuses = threading.Event(), []

    def read():
        caller = Session(t, reader, [server]).callers[server]
        while not stopping.is_set():
            statuses.append(caller.get(path).status)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        meanwhile()
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    assert set(statuses) == {200}, {s: statuses.count(s) for s in set(statuses)}


def test_one_that_stops_is_done_without_and_taken_up_again(t):
    both = servers(t)
    server, = started(t, both.database())
    await_use(server)
    operator, reader = t.caller('operator', server), t.caller('reader', server)
    add_project(operator, add_squad(operator, 'stops'), 'stops')

    def stop_and_begin():
        both.replica.end()
        until(lambda: used(server) == 0, 10, 'doing without it')
        both.replica.begin()
        await_use(server)

    read_on(t, server, reader, '/v1/projects', stop_and_begin)
    run_pairs(t, operator, [server], threads=2, rounds=20)


def test_connections_to_it_that_are_cut_cost_nobody_an_answer(t):
    both = servers(t)
    db = both.database()
    server, = started(t, db)
    await_use(server)
    operator, reader = t.caller('operator', server), t.caller('reader', server)
    add_project(operator, add_squad(operator, 'cut'), 'cut')
    name = urllib.parse.urlsplit(db[1]).path[1:]

    def cut():
        for _ in range(30):
            ask(both.replica, f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'")

    read_on(t, server, reader, '/v1/projects', cut)
    await_use(server)


def processes_of(cluster):
    with open(os.path.join(cluster.data, 'postmaster.pid'), encoding='utf-8') as f:
        head = int(f.readline())
    with open(f'/proc/{head}/task/{head}/children', encoding='utf-8') as f:
        return [head] + [int(pid) for pid in f.read().split()]


def signal_all(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def test_one_that_stands_still_holds_nobody_up_for_long(t):
    both = servers(t)
    server, = started(t, both.database())
    await_use(server)
    operator, reader = t.caller('operator', server), t.caller('reader', server)
    add_project(operator, add_squad(operator, 'still'), 'still')
    still = processes_of(both.replica)
    signal_all(still, signal.SIGSTOP)
    try:
        began = time.monotonic()
        until(lambda: time.monotonic() - began > 1.3, 5, 'the end of a second without a word')
        began = time.monotonic()
        reader.get('/v1/projects').expect(200)
        assert time.monotonic() - began < 0.6, 'it is not asked, long before it is given up'
        until(lambda: used(server) == 0, 10, 'giving it up')
        began = time.monotonic()
        for _ in range(20):
            reader.get('/v1/projects').expect(200)
        assert time.monotonic() - began < 2, 'nobody waits for it any more'
    finally:
        signal_all(still, signal.SIGCONT)
    await_use(server)


def test_one_that_was_promoted_is_left_out(t):
    both = servers(t, own=True)
    server, = started(t, both.database())
    await_use(server)
    operator, reader = t.caller('operator', server), t.caller('reader', server)
    squad = add_squad(operator, 'promoted')
    add_project(operator, squad, 'before')

    def promote():
        both.replica.promote()
        until(lambda: used(server) == 0, 10, 'leaving out what is no replica any more')

    read_on(t, server, reader, '/v1/projects', promote)
    project = add_project(operator, squad, 'after')
    reader.get(f'/v1/projects/{project["id"]}').expect(200)
    run_pairs(t, operator, [server], threads=2, rounds=20)


def test_after_a_fail_over_what_was_seen_before_is_asked_of_the_primary(t):
    """The primary is gone for good, its replica takes over, and a second replica follows that."""
    both = servers(t, own=True)
    store, replica = both.database()
    hosts = ','.join(urllib.parse.quote(c.folder, safe='') for c in [both.primary, both.replica])
    either = store.split('?')[0] + f'?host={hosts}'
    server, = started(t, (either, replica))
    await_use(server)
    session = Session(t, t.caller('operator', server), [server])
    squad = session.call(server, 'POST', '/v1/squads', {'name': 'fail-over'}).expect(201).json['id']
    project = session.call(server, 'POST', '/v1/projects', {'squad': squad, 'name': 'before'}).expect(201).json['id']
    old = session.seen
    until(lambda: ask(both.replica, f"SELECT pg_last_wal_replay_lsn() >= '0/0'::pg_lsn + {int(old[18:], 16)}") == 't', 10,
          'replay of all that was written')
    both.primary.end()
    both.replica.promote()
    path = f'/v1/projects/{project}'
    until(lambda: session.call(server, 'GET', path).status == 200, 30, 'an answer of the new primary')
    until(lambda: server.health() == 200, 30, 'health')
    session.call(server, 'POST', '/v1/projects', {'squad': squad, 'name': 'after'}).expect(201)
    assert session.seen.split('-')[1] == '00000002' and session.seen > old
    until(lambda: server.metric('tenfold_store_reads_diverted_total{cause="timeline"}') is not None, 5, 'metrics')
    session.seen = old
    session.call(server, 'GET', path).expect(200)
    assert server.metric('tenfold_store_reads_diverted_total{cause="timeline"}') >= 1


class Switch(threading.Thread):
    """A socket that leads the first connection to one server and all others to another."""

    def __init__(self, t, first, others):
        super().__init__(daemon=True)
        self.folder, self.targets = tempfile.mkdtemp(prefix='tenfold-switch.'), [first, others]
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(self.folder, '.s.PGSQL.5432'))
        self.listener.listen(64)
        t.cleanup.callback(lambda: subprocess.run(['rm', '-r', self.folder], check=False))
        t.cleanup.callback(self.listener.close)

    def run(self):
        for n in itertools.count():
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(os.path.join(self.targets[min(n, 1)].folder, '.s.PGSQL.5432'))
            for a, b in [(client, server), (server, client)]:
                threading.Thread(target=self.pass_on, args=(a, b), daemon=True).start()

    @staticmethod
    def pass_on(source, target):
        while True:
            try:
                data = source.recv(65536)
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(data)
            except OSError:
                return


def test_behind_one_address_there_may_be_two_servers(t):
    """The one that is watched has replayed it, the one that is read from has not: it is asked itself."""
    both = servers(t, own=True)
    other = both.tools.Replica(both.primary)
    t.cleanup.callback(other.stop)
    other.start()
    switch = Switch(t, both.replica, other)
    switch.start()
    store, replica = both.database()
    server, = started(t, (store, replica.replace(urllib.parse.quote(both.replica.folder, safe=''),
                                                 urllib.parse.quote(switch.folder, safe=''))))
    await_use(server)
    operator, reader = t.caller('operator', server), t.caller('reader', server)
    squad = add_squad(operator, 'two')
    ask(other, 'SELECT pg_wal_replay_pause()')
    for n in range(5):
        project = add_project(operator, squad, f'two {n}')
        operator.get(f'/v1/projects/{project["id"]}').expect(200)
        reader.get(f'/v1/projects/{project["id"]}').expect(404)
    assert server.metric('tenfold_store_reads_diverted_total{cause="failed"}') >= 1


# ---- behind poolers ----

def pooler_before(t, both, cluster):
    folder = tempfile.mkdtemp(prefix='tenfold-pooler.')
    t.cleanup.callback(lambda: subprocess.run(['rm', '-r', folder], check=False))
    if both.primary.who:
        os.chown(folder, both.primary.who['user'], both.primary.who['group'])
    try:
        pooler = both.tools.Pooler(folder, cluster.folder, both.primary.who)
    except both.tools.Unavailable as why:
        raise Skip(str(why)) from None
    pooler.start()
    t.cleanup.callback(pooler.stop)
    return pooler.url()


def test_behind_poolers_it_is_the_same(t):
    both = servers(t)
    store, _ = both.database()
    name = urllib.parse.urlsplit(store).path[1:]
    db = [pooler_before(t, both, c).replace('@/postgres?', f'@/{name}?') for c in [both.primary, both.replica]]
    at = started(t, db, count=2)
    for server in at:
        await_use(server)
    delayed(t, both, 15)
    run_pairs(t, known_at(t, t.caller('operator', at[0]), at), at, threads=3, rounds=40)
    assert sum(reads_at(s, 'replica') for s in at) > 0


# ---- clients ----

def test_command_line_and_client_carry_it_by_themselves(t):
    both = servers(t)
    first, second = started(t, both.database(), count=2)
    await_use(second)
    operator = known_at(t, t.caller('operator', first), [second])
    squad = add_squad(operator, 'clients')
    until(lambda: operator.get('/v1/squads').items, 5, 'the squad')
    paused(t, both)
    above = tempfile.mkdtemp(prefix='tenfold-home.')
    t.cleanup.callback(lambda: subprocess.run(['rm', '-r', above], check=False))
    home = os.path.join(above, 'of', 'who only calls')   # nothing has made it

    def tenfold(server, *words):
        return subprocess.run([BINARY, '--url', server.url, '--key', operator.key, *words], capture_output=True,
                              text=True, check=False, env=clean_env(TENFOLD_HOME=home))

    with t.case('the command line'):
        made = tenfold(first, 'project', 'add', squad, 'by command', '--json')
        assert made.returncode == 0, made.stderr
        shown = tenfold(second, 'project', 'list')
        assert 'by command' in shown.stdout, shown.stdout + shown.stderr
        os.unlink(os.path.join(home, 'seen'))
        assert 'by command' not in tenfold(second, 'project', 'list').stdout, 'without it the replica answers'
    with t.case('the Python client'):
        from tenfold import Tenfold
        here, there = Tenfold(first.url, operator.key), Tenfold(second.url, operator.key)
        made = here.project_add(squad, 'by client')
        assert made['id'] not in [p['id'] for p in there.project_list()['items']]
        there.seen = here.seen
        assert made['id'] in [p['id'] for p in there.project_list()['items']]


# ---- what is wrong with it ----

def refused(store, *args):
    home = tempfile.mkdtemp(prefix='tenfold-home.')
    try:
        store_args = ['--store', store] if store else []
        done = subprocess.run([BINARY, 'serve', '--data', home, '--listen', '127.0.0.1:0', *store_args, *args],
                              capture_output=True, text=True, check=False, env=clean_env(), timeout=20)
        assert done.returncode == 2, (done.returncode, done.stderr)
        return done.stderr
    finally:
        subprocess.run(['rm', '-r', home], check=False)


def test_replicas_that_cannot_be(t):
    both = servers(t)
    store, replica = both.database()
    assert '--replica' in refused(None, '--replica', replica)
    assert '--replica must be postgres://' in refused(store, '--replica', 'sqlite:x')
    with t.case('the primary is no replica of itself, nor is that of another database'):
        own = servers(t, own=True)
        store, replica = own.database()
        ask(both.primary, 'CREATE TABLE IF NOT EXISTS much AS SELECT generate_series(1, 300000)')   # its log is longer
        server, = started(t, (store, replica), replicas=[store, both.replica.url(), replica])
        until(lambda: used(server, 3) == 1, 20, 'the one that is')
        assert used(server, 1) == 0 and used(server, 2) == 0


def test_one_that_is_away_at_the_start_is_taken_up_later(t):
    both = servers(t, own=True)
    db = both.database()
    both.replica.end()
    server, = started(t, db)
    reader = t.caller('reader', server)
    reader.get('/v1/projects').expect(200)
    assert used(server) == 0
    both.replica.begin()
    await_use(server)
    before = reads_at(server, 'replica')

    def read_there():   # the first ones may be waiting for the replica's place, and go to the primary
        reader.get('/v1/projects').expect(200)
        return reads_at(server, 'replica') > before
    until(read_there, 10, 'a read at the replica')
