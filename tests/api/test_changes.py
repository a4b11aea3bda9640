"""The feed of changes: nothing missed, nothing twice, nothing out of order, whatever dies meanwhile."""

import subprocess
import threading

from agents import Agent
from harness import Caller, NotHere, clean_env, until
from test_events import Stream

SERVER_ARGS = ['--owner-lease', '1s']


def page(caller, since=0, **more):
    return caller.get('/v1/changes', query={'since': since, **more}).expect(200).json


def everything(caller, since=0):
    """All changes behind `since`."""
    found = []
    while True:
        got = page(caller, since, limit=1000)
        found += got['items']
        if got['next_since'] == since:
            return found
        since = got['next_since']


def last(caller):
    changes = everything(caller)
    return changes[-1]['seq'] if changes else 0


def told(caller, since, wanted):
    """What the feed tells behind `since`, as soon as there are so many; and no more come."""
    until(lambda: len(everything(caller, since)) >= wanted, what=f'{wanted} changes')
    found = everything(caller, since)
    assert len(found) == wanted, found
    return found


def test_every_write_is_told_in_order(t):
    since = last(t.admin)
    agent, other = Agent(t, 'told'), Agent(t, 'told-of')
    agent.change({'name': 'new'}).expect(200)
    agent.caller.post(f'/v1/agents/{agent.id}/heartbeat').expect(200)
    said = agent.attest(other).expect(201).json
    made = t.operator.post('/v1/capabilities', {'slug': 'told-slug', 'description': 'x'}).expect(201).json
    t.operator.call('DELETE', f'/v1/agents/{agent.id}').expect(204)
    until(lambda: (agent.id, 'delete') in [(c['id'], c['op']) for c in everything(t.admin, since)])
    found = everything(t.admin, since)
    assert [c['seq'] for c in found] == list(range(since + 1, since + 1 + len(found)))
    of_agent = [(c['entity'], c['op'], c['version']) for c in found if c['id'] == agent.id]
    assert of_agent == [('agent', 'put', 1), ('agent', 'put', 2), ('liveness', 'put', 1), ('agent', 'delete', 3)], of_agent
    ids = [c['id'] for c in found]
    assert said['id'] in ids and made['id'] in ids and agent.key['id'] in ids
    with t.case('page by page'):
        first = page(t.admin, since, limit=2)
        assert len(first['items']) == 2 and first['next_since'] == since + 2
        assert first['items'] + page(t.admin, since + 2, limit=1000)['items'] == found


def test_each_sees_what_concerns_it(t):
    since = last(t.admin)
    theirs = t.caller('operator', tenant='feed-other')
    mine = Agent(t, 'mine-alone')
    public = Agent(t, 'for-all', visibility='public')
    hidden = Agent(t, 'theirs-alone', operator=theirs)
    until(lambda: hidden.id in [c['id'] for c in everything(theirs, since)])
    assert {c['id'] for c in everything(theirs, since)} == {public.id, hidden.id}
    seen = {c['id'] for c in everything(t.caller('reader'), since)}
    assert {mine.id, public.id} <= seen and not {hidden.id, mine.key['id']} & seen
    assert mine.key['id'] in {c['id'] for c in everything(t.admin, since)}
    with t.case('in a stream too'):
        stream = Stream(t, f'/v1/changes/stream?since={since}', key=theirs.key)
        assert [data['id'] for _, _, data in stream.take(2)] == [public.id, hidden.id]
        stream.close()


def test_a_stream_tells_at_once_and_resumes(t):
    w = t.caller('reader')
    stream = Stream(t, '/v1/changes/stream', key=w.key)
    agent = Agent(t, 'streamed')
    seq, event, data = stream.next()
    assert event == 'change' and data['id'] == agent.id and int(seq) == data['seq']
    stream.close()
    for n in range(5):
        agent.change({'name': f'n{n}'}).expect(200)
    again = Stream(t, '/v1/changes/stream?since=1', last_event_id=seq, key=w.key)
    assert [data['version'] for _, _, data in again.take(5)] == [2, 3, 4, 5, 6]
    again.close()
    bad = Stream(t, '/v1/changes/stream', last_event_id='1.5', key=w.key)
    assert bad.status == 422
    bad.close()


def test_what_is_no_longer_in_memory_is_read_from_the_store(t):
    server = t.new_server()
    operator = t.caller('operator', server=server)
    agents = [Agent(t, f'stored-{n}', operator=operator) for n in range(20)]
    until(lambda: len(everything(operator)) == 20)
    server.stop()
    server.start()
    operator.close()
    stream = Stream(t, '/v1/changes/stream?since=0', key=operator.key, server=server)
    assert [data['id'] for _, _, data in stream.take(20)] == [a.id for a in agents]
    agents[0].change({'name': 'now'}).expect(200)
    assert stream.next()[2]['version'] == 2
    stream.close()


def test_who_is_too_far_behind_is_told_so(t):
    server = t.new_server('--changes-kept', '1h')
    operator = t.caller('operator', server=server)
    for n in range(5):
        Agent(t, f'old-{n}', operator=operator)
    until(lambda: len(everything(operator)) == 5)
    newest = last(operator)
    operator.close()
    server.stop()
    server.sql('UPDATE changes SET at_ms = 1')
    server.start()
    until(lambda: len(everything(operator)) == 1, what='all but the last cleared away')
    assert everything(operator)[0]['seq'] == newest
    answer = operator.get('/v1/changes?since=1').expect(410, 'gone')
    assert f'since={newest}' in answer.json['detail']
    stream = Stream(t, '/v1/changes/stream?since=1', key=operator.key, server=server)
    assert stream.next()[1] == 'reset' and stream.next() is None
    stream.close()
    with t.case('numbers go on'):
        Agent(t, 'new', operator=operator)
        until(lambda: len(everything(operator)) == 2)
        assert everything(operator)[1]['seq'] > newest


def test_a_number_that_has_not_come_yet_belongs_to_another_store(t):
    beyond = last(t.admin) + 1000
    t.admin.get(f'/v1/changes?since={beyond}').expect(410, 'gone')
    stream = Stream(t, f'/v1/changes/stream?since={beyond}', key=t.admin.key)
    assert stream.next()[1] == 'reset' and stream.next() is None
    stream.close()
    t.admin.get('/v1/changes?since=-1').expect(422).names('since')


# ---- whoever dies meanwhile ----

class Writers:
    """Threads that each change an agent of their own over and over; `done` holds the versions that were answered."""

    def __init__(self, t, server, operator, count=6):
        self.agents = [Agent(t, f'writer-{n}-{id(server) % 1000}', operator=operator) for n in range(count)]
        self.done = {a.id: 1 for a in self.agents}
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.write, args=(a, server)) for a in self.agents]
        for thread in self.threads:
            thread.start()

    def write(self, agent, server):
        caller, n = Caller(server, agent.key['secret']), 0
        while not self.stop.is_set():
            n += 1
            try:
                answer = caller.call('PATCH', f'/v1/agents/{agent.id}', {'name': f'name {n}'})
                if answer.status == 200:
                    self.done[agent.id] = answer.json['version']
            except OSError:
                caller.close()
                self.stop.wait(0.01)

    def join(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


class Reader:
    """Follows the feed page by page, as a client does, and notes all it was told."""

    def __init__(self, caller):
        self.caller, self.since, self.found = caller, 0, []

    def read(self):
        try:
            got = page(self.caller, self.since, limit=100)
        except OSError:
            self.caller.close()
            return False
        self.found += got['items']
        self.since = got['next_since']
        return True

    def check(self, done):
        """Numbers grow by one; of each agent every version was told, in order, once; nothing answered is missing."""
        numbers = [c['seq'] for c in self.found]
        assert numbers == list(range(1, len(numbers) + 1)), 'a number is missing, twice, or out of order'
        for agent, version in done.items():
            versions = [c['version'] for c in self.found if c['id'] == agent and c['entity'] == 'agent']
            assert versions == list(range(1, len(versions) + 1)), (agent, versions)
            assert len(versions) >= version, f'{agent}: version {version} was answered and {len(versions)} were told'


def answered(writers, count):
    before = sum(writers.done.values())
    return lambda: sum(writers.done.values()) >= before + count


def test_nothing_is_missed_while_the_server_dies_and_comes_back(t):
    server = t.new_server('--owner-lease', '1s')
    admin = t.caller('first', server=server)
    reader = Reader(admin)
    writers = Writers(t, server, t.caller('operator', server=server))
    for _ in range(3):
        until(lambda ready=answered(writers, 60): reader.read() and ready(), 60)
        server.kill()
        server.start()
        admin.close()
    until(lambda ready=answered(writers, 60): reader.read() and ready(), 60)
    writers.join()
    until(lambda: reader.read() and sum(c['entity'] == 'agent' for c in reader.found) >= sum(writers.done.values()), 30)
    reader.check(writers.done)


def holder(caller):
    return [j['runs_in'] for j in caller.get('/v1/jobs').expect(200).items if j['name'] == 'sequencer'] == ['here']


def test_another_process_goes_on_numbering_when_one_dies(t):
    one, two = t.pair('--owner-lease', '1s')
    callers = {s: t.caller('first', server=s) for s in (one, two)}
    writers = Writers(t, two, t.caller('operator', server=one))
    reader = Reader(callers[two])
    until(lambda: holder(callers[one]) and not holder(callers[two]))
    until(lambda ready=answered(writers, 60): reader.read() and ready(), 60)
    one.kill()
    until(lambda: holder(callers[two]), 10)
    until(lambda ready=answered(writers, 60): reader.read() and ready(), 60)
    writers.join()
    until(lambda: reader.read() and sum(c['entity'] == 'agent' for c in reader.found) >= sum(writers.done.values()), 30)
    reader.check(writers.done)


class Psql:
    """A session of psql that is told one statement after another."""

    def __init__(self, url):
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(['psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', url], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=clean_env())

    def ask(self, statement):
        """Its output is one line."""
        self.process.stdin.write(statement + ';\n')
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0
        self.process.stdout.close()


def standing_feed(server):
    """What one process commits is heard of nowhere else until the session ends."""
    session = Psql(server.store_url)
    session.ask('BEGIN; LOCK TABLE changes IN ACCESS EXCLUSIVE MODE; SELECT 1')
    return session


ADD = '''INSERT INTO changes_new (id, tenant, entity, op, ref, version, public, at_ms, written_ms)
    SELECT nextval('changes_new_id'), tenant, 0, 0, id, {version}, false, 0, 0 FROM agents WHERE handle = '{handle}'
    RETURNING version'''


def test_a_transaction_that_began_first_and_wrote_last_is_told_last(t):
    """Its number is higher than that of what it has seen, though its transaction's is lower."""
    if t.store == 'sqlite':
        raise NotHere('there is one writer')
    agent = Agent(t, 'xid-order')
    until(lambda: {agent.id, agent.key['id']} <= {c['id'] for c in everything(t.admin)}, what='the agent in the feed')
    since = last(t.admin)
    session = Psql(t.server.store_url)
    session.ask('BEGIN; SELECT pg_current_xact_id()')
    agent.change({'name': 'first'}).expect(200)
    told(t.admin, since, 1)
    session.ask(ADD.format(handle='xid-order', version=3))
    agent.change({'name': 'meanwhile'}).expect(200)
    with t.case('an open transaction holds nobody up'):
        assert [c['version'] for c in told(t.admin, since, 2)] == [2, 3]
    session.ask('COMMIT; SELECT 1')
    session.end()
    assert [c['version'] for c in told(t.admin, since, 3)] == [2, 3, 3]
