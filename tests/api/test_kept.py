"""Answers that are kept ready: never older than what was promised, whoever changed what, with Redis and without."""

import contextlib
import itertools
import os
import signal
import socket
import threading
import time

from harness import Caller, until
from test_changes import standing_feed
from test_owner import at

PROMISE_S = 1.0     # what one process commits another never answers older than this later


def add(caller, handle, **members):
    return caller.post('/v1/agents', {'handle': handle, 'name': handle, **members}).expect(201).json['agent']


def name_of(caller, agent):
    return caller.get(f'/v1/agents/{agent["id"]}').expect(200).json['name']


def rename(caller, agent, name):
    return caller.call('PATCH', f'/v1/agents/{agent["id"]}', {'name': name}).expect(200).json


def hits(server):
    return server.metric('tenfold_cache_hits_total') or 0


def from_memory(server, ask):
    """Asks until an answer came from memory (the feed's own news of a change may void the first), and returns it."""
    def once():
        before = hits(server)
        answer = ask()
        return answer if hits(server) > before else None
    return until(once, 5, 'an answer from memory')


def test_an_agent_comes_from_memory_until_it_changes(t):
    agent = add(t.operator, 'kept-one')
    path = f'/v1/agents/{agent["id"]}'
    first = t.worker.get(path).expect(200)
    again = from_memory(t.server, lambda: t.worker.get(path).expect(200))
    assert again.body == first.body and again.headers['etag'] == first.headers['etag']
    assert t.worker.get(path, headers={'If-None-Match': first.headers['etag']}).expect(304).body == b''
    for n in range(20):
        assert rename(t.operator, agent, f'name {n}')['name'] == f'name {n}'
        seen = t.worker.get(path, headers={'If-None-Match': first.headers['etag']}).expect(200)
        assert seen.json['name'] == f'name {n}', 'what was answered is what is read next'
    t.operator.call('DELETE', path).expect(204)
    t.worker.get(path).expect(410, 'gone')


def test_what_is_kept_is_shown_to_nobody_else(t):
    theirs = t.caller('worker', tenant='kept-others')
    agent = add(t.operator, 'kept-private')
    path = f'/v1/agents/{agent["id"]}'
    from_memory(t.server, lambda: t.worker.get(path).expect(200))
    theirs.get(path).expect(404, 'not_found')
    t.operator.call('PATCH', path, {'visibility': 'public'}).expect(200)
    assert theirs.get(path).expect(200).json == theirs.get(path).expect(200).json
    t.operator.call('PATCH', path, {'visibility': 'tenant'}).expect(200)
    theirs.get(path).expect(404, 'not_found')
    t.worker.get(path).expect(200)


def test_lists_are_kept_until_one_of_theirs_changes(t):
    operator = t.caller('operator', tenant='kept-lists')
    agents = [add(operator, f'kept-list-{n}') for n in range(3)]

    def listed():
        return [a['name'] for a in operator.get('/v1/agents?visibility=tenant').expect(200).items]

    assert listed() == ['kept-list-2', 'kept-list-1', 'kept-list-0']
    assert from_memory(t.server, listed) == ['kept-list-2', 'kept-list-1', 'kept-list-0']
    rename(operator, agents[1], 'other')
    assert listed() == ['kept-list-2', 'other', 'kept-list-0']
    add(operator, 'kept-list-3')
    assert len(listed()) == 4
    operator.call('DELETE', f'/v1/agents/{agents[0]["id"]}').expect(204)
    assert len(listed()) == 3
    with t.case('a public agent of another tenant'):
        everybodys = '/v1/agents?visibility=public&name=kept-for-all'
        assert operator.get(everybodys).expect(200).items == []
        add(t.operator, 'kept-public', visibility='public')
        agent = [a for a in operator.get('/v1/agents?visibility=public').expect(200).items if a['handle'] == 'kept-public']
        rename(t.operator, agent[0], 'kept-for-all')
        assert len(operator.get(everybodys).expect(200).items) == 1
    with t.case('capabilities'):
        before = len(operator.get('/v1/capabilities?limit=1000').expect(200).items)
        operator.post('/v1/capabilities', {'slug': 'kept-flying', 'description': 'It flies.'}).expect(201)
        assert len(operator.get('/v1/capabilities?limit=1000').expect(200).items) == before + 1


def test_many_write_and_read_at_once(t):
    """No reader sees a name older than one that was answered before it asked."""
    agent = add(t.operator, 'kept-busy')
    rename(t.operator, agent, '0')
    answered, stop, wrong = [0], threading.Event(), []

    def read():
        caller = t.caller('reader')
        while not stop.is_set():
            least = answered[0]
            seen = int(name_of(caller, agent))
            if seen < least:
                wrong.append((least, seen))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for r in readers:
        r.start()
    for n in range(1, 200):
        rename(t.operator, agent, str(n))
        answered[0] = n
    stop.set()
    for r in readers:
        r.join()
    assert not wrong, wrong[:5]


# ---- two processes ----

def pair(t, *args):
    """An operator's key at two processes of one store."""
    first, second = t.pair(*args)
    here = t.caller('operator', first)
    return here, at(t, second, here)


def changes_are_seen(here, there, agent, rounds, start=0):
    """Changes at one are read at the other within the promise, and it never goes back; how long each took."""
    took = []
    for n in range(start, start + rounds):
        writer, reader = (here, there) if n % 2 else (there, here)
        name_of(reader, agent)      # so that it is kept there
        rename(writer, agent, str(n))
        assert name_of(writer, agent) == str(n)
        committed, last = time.monotonic(), -1
        while True:
            name = name_of(reader, agent)
            seen = int(name) if name.isdigit() else -1     # the one it was registered with
            assert seen >= last, f'it read {seen} after {last}'
            last = seen
            if seen == n:
                break
            assert time.monotonic() - committed < PROMISE_S + 1, f'{seen} is still read {PROMISE_S} s after {n} was written'
        took.append(time.monotonic() - committed)
    return sorted(took)


def tell(took):
    print(f'# seen at the other process: p50 {took[len(took) // 2] * 1000:.1f} ms, most {took[-1] * 1000:.1f} ms')


def test_a_change_at_one_process_is_seen_at_the_other(t):
    here, there = pair(t)
    agent = add(here, 'kept-two')
    tell(changes_are_seen(here, there, agent, 60))


def all_is_heard(server):
    """No news of what is committed will void an answer any more."""
    until(lambda: server.database.ask('SELECT (SELECT count(*) FROM changes_new), (SELECT max(seq) FROM changes)').strip() ==
          f'0|{server.metric("tenfold_changes_applied"):.0f}', 5, 'the news')


def test_what_a_process_has_answered_itself_it_never_takes_back(t):
    """Though it has not heard of it from the feed yet."""
    here, _ = pair(t)
    agent = add(here, 'kept-own')
    for ask in (lambda: name_of(here, agent), lambda: here.get('/v1/agents?visibility=tenant').expect(200).items[0]['name']):
        rename(here, agent, 'before')
        all_is_heard(here.server)
        from_memory(here.server, ask)
        feed = standing_feed(here.server)
        rename(here, agent, 'after')
        assert ask() == 'after'
        feed.end()


def test_a_process_that_hears_nothing_of_the_store_sends_nothing_kept(t):
    here, _ = pair(t)
    agent, database = add(here, 'kept-alone'), here.server.database
    path = f'/v1/agents/{agent["id"]}'
    all_is_heard(here.server)
    from_memory(here.server, lambda: here.get(path).expect(200))
    database.psql(f'ALTER DATABASE {database.name} ALLOW_CONNECTIONS false')
    database.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database.name}'")
    until(lambda: here.get(path).status == 503, PROMISE_S + 4, 'no more answers from memory')
    here.get(path).expect(503, 'store_unavailable')
    database.psql(f'ALTER DATABASE {database.name} ALLOW_CONNECTIONS true')
    until(lambda: here.get(path).status == 200, 10, 'the store')
    from_memory(here.server, lambda: here.get(path).expect(200))


def test_redis_may_be_there_stop_freeze_forget_and_come_back(t):
    """It makes things slower at most: what is read stays right all the while."""
    t.needs_several_processes()
    redis = t.redis()
    here, there = pair(t, '--redis', redis.url())
    agent, n = add(here, 'kept-shared'), 1000
    rename(here, agent, '0')
    with t.case('with Redis'):
        tell(changes_are_seen(here, there, agent, 30, n))
    with t.case('flushed'):
        assert redis.says_ok('FLUSHALL')
        changes_are_seen(here, there, agent, 10, n + 100)
    with t.case('frozen'):
        os.kill(redis.child.pid, signal.SIGSTOP)
        changes_are_seen(here, there, agent, 10, n + 200)
        os.kill(redis.child.pid, signal.SIGCONT)
    with t.case('gone'):
        redis.end()
        changes_are_seen(here, there, agent, 10, n + 300)
    with t.case('back, and empty'):
        redis.start()
        changes_are_seen(here, there, agent, 20, n + 400)


def test_a_redis_that_cannot_be_one(t):
    server = t.new_server('--redis', 'http://127.0.0.1:6379', start=False)
    server.start(wait_for=None)
    assert server.process.wait(20) == 2 and 'redis' in server.log(), server.log()
    server.process = None
    with t.case('nobody there: it serves all the same'):
        other = t.new_server('--redis', 'redis://127.0.0.1:1')
        caller = t.caller('operator', other)
        agent = add(caller, 'kept-none')
        assert name_of(caller, agent) == 'kept-none' == name_of(Caller(other, caller.key), agent)


class Between:
    """Stands between a client and a server, and passes on what the server answers as spoil() makes it, after a pause."""

    def __init__(self, port):
        self.port, self.pause_s, self.spoil = port, 0, lambda data: data
        self.passed = self.spoilt = 0
        self.asked = b''
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.stopping = threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.stopping.is_set():
            try:
                near = self.listener.accept()[0]
                far = socket.create_connection(('127.0.0.1', self.port))
            except OSError:
                continue
            threading.Thread(target=self.pass_on, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self.pass_on, args=(far, near, True), daemon=True).start()

    def pass_on(self, source, to, answers):
        with contextlib.suppress(OSError), source, to:
            while data := source.recv(65536):
                if answers:
                    self.stopping.wait(self.pause_s)
                    was, data = data, self.spoil(data)
                    self.passed, self.spoilt = self.passed + 1, self.spoilt + (data != was)
                else:
                    self.asked += data
                to.sendall(data)
            to.shutdown(socket.SHUT_RDWR)

    def stop(self):
        self.stopping.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def test_a_redis_that_is_slow_or_talks_nonsense_makes_nothing_wrong(t):
    """What it could say of answers in words that are well formed is tried in tests/unit/test_cache_shared.c: a server that
    has begun believes nothing of it for five minutes."""
    redis = t.redis()
    between = Between(redis.port)
    t.cleanup.callback(between.stop)
    server = t.new_server('--redis', redis.url().replace(f':{redis.port}', f':{between.listener.getsockname()[1]}'),
                          '--cache-bytes', '65536')     # little of its own, so that it asks Redis
    caller, turns = t.caller('operator', server), itertools.count()
    agents = [add(caller, f'kept-lie-{n}', description='x' * 3000) for n in range(26)]

    def seconds_for_right_answers():
        turn = next(turns)
        for a in agents:
            assert rename(caller, a, f'{a["handle"]} {turn}')['version'] == turn + 2
        began = time.monotonic()
        for a in agents:
            said = caller.get(f'/v1/agents/{a["id"]}').expect(200).json
            assert (said['id'], said['name']) == (a['id'], f'{a["handle"]} {turn}'), said
        return (time.monotonic() - began) / len(agents)

    def plain(data):
        return data

    for what, spoil in (('bits turned', lambda data: data[:4] + bytes(b ^ 1 for b in data[4:])),
                        ('cut short', lambda data: data[:len(data) // 2]), ('another language', lambda _: b'HTTP/1.1 200 OK\r\n\r\n'),
                        ('a number without end', lambda _: b':' + b'9' * 70000), ('much promised', lambda _: b'$99999999999\r\nx')):
        with t.case(what):
            between.spoil, between.spoilt = spoil, 0
            until(lambda: seconds_for_right_answers() and between.spoilt, 20, 'nonsense from Redis')
    with t.case('slow'):
        between.spoil, between.pause_s = plain, 0.3
        assert seconds_for_right_answers() < 0.06, 'it is waited for 50 ms at most'
    with t.case('well again'):
        between.pause_s, between.passed = 0, 0
        until(lambda: seconds_for_right_answers() and between.passed > len(agents), 20, 'Redis, asked again')


def saved(server, answer):
    return server.metric(f'tenfold_cache_statements_saved_total{{answer="{answer}"}}')


def squad_of(operator):
    """A squad and a member of it."""
    squad = operator.post('/v1/squads', {'name': 'kept'}).expect(201).json['id']
    return squad, operator.post(f'/v1/squads/{squad}/members', {'role': 'tester', 'system_prompt': 'be strict'}).expect(201).json['id']


def test_what_squads_are_read_for_comes_from_memory_until_it_changes(t):
    operator, admin = t.caller('operator', tenant='kept-squads'), t.caller('admin', tenant='kept-squads')
    squad, member = squad_of(operator)
    reads = {  # what is asked, for how many statements, and what changes it
        'squad_show': (f'/v1/squads/{squad}', 1, ('PATCH', f'/v1/squads/{squad}', {'config': {'n': 1}})),
        'squad_member_list': (f'/v1/squads/{squad}/members?active=true', 2, ('POST', f'/v1/squads/{squad}/members', {'role': 'designer'})),
        'squad_member_show': (f'/v1/squad-members/{member}', 1, ('PATCH', f'/v1/squad-members/{member}', {'system_prompt': 'be kind'})),
        'plan_show': ('/v1/plan', 1, ('PUT', '/v1/plan', {'plan': 'enterprise'})),
    }
    for name, (path, statements, (method, changed, body)) in reads.items():
        with t.case(name):
            first = operator.get(path).expect(200)
            before = saved(t.server, name)
            assert from_memory(t.server, lambda path=path: operator.get(path).expect(200)).body == first.body
            assert (saved(t.server, name) - before) % statements == 0 and saved(t.server, name) > before
            admin.call(method, changed, body)
            assert operator.get(path).expect(200).body != first.body, 'what was changed is what is read next'
            t.caller('operator').get(path) if name == 'plan_show' else t.caller('operator').get(path).expect(404)
    operator.call('DELETE', f'/v1/squad-members/{member}').expect(204)
    operator.get(f'/v1/squad-members/{member}').expect(404)
    wanted = {('squad', 'put', squad), ('squad_member', 'put', member), ('squad_member', 'delete', member)}

    def told():
        found = {(c['entity'], c['op'], c['id']) for c in admin.get('/v1/changes').expect(200).items}
        return wanted <= found and 'plan' in [entity for entity, _, _ in found]
    until(told, what='the feed of changes, which follows commits')


def test_squads_changed_at_another_process_are_changed_here(t):
    first, second = t.pair('--owner-lease', '2000')
    here = t.caller('operator', first)
    there = at(t, second, here)
    squad, member = squad_of(here)
    until(lambda: there.get(f'/v1/squad-members/{member}').status == 200, 5, 'the member')
    for n in range(10):
        name = f'name-{n}'
        for path in [f'/v1/squads/{squad}', f'/v1/squad-members/{member}']:
            there.get(path).expect(200)
            here.call('PATCH', path, {'name': name}).expect(200)
            until(lambda path=path, name=name: there.get(path).json['name'] == name, PROMISE_S, 'the change, from there')
        name = f'there-{n}'
        there.call('PATCH', f'/v1/squads/{squad}', {'name': name}).expect(200)
        assert there.get(f'/v1/squads/{squad}').json['name'] == name, 'what was passed on is not read from memory'
