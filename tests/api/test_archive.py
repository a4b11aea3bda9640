"""Archives: executions that ended long ago, in files. Nothing is lost, and nothing is there twice."""

import contextlib
import glob
import json
import os
import random
import sqlite3
import subprocess
import time

from harness import NotHere, until
from test_events import Stream
from test_executions import Execution, Squad
from test_squads import at_once

BUILD = [{'name': 'build', 'phase': 'building'}, {'name': 'test', 'needs': ['build']}]


def moment(ms=None):
    """A time as the API has it; now when absent."""
    s = (ms or time.time_ns() // 1000000) / 1000
    return time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(s)) + f'.{int(s * 1000) % 1000:03d}Z'


class Site:
    """A server of this test's own, with executions that have ended."""

    def __init__(self, t, *args, server=None):
        self.t, self.server = t, server or t.new_server(*args)
        self.squad = Squad(t, server=self.server)
        self.operator = self.squad.operator

    def close(self):
        self.squad.operator.close()
        self.squad.worker.close()

    def ended(self, count=1):
        """Those that were completed, failed, and cancelled, in turn; oldest first."""
        made = []
        for i in range(count):
            execution = self.squad.add(*BUILD, name=f'execution {i}', input={'n': i})
            made.append(execution.id)
            self.squad.settle(self.squad.claim(), result={'of': i}, used={'agent': 'x'}).expect(200)
            if i % 3 == 0:
                self.squad.settle(self.squad.claim()).expect(200)
            elif i % 3 == 1:
                self.squad.settle(self.squad.claim(), 'fail', error='broken', retry=False).expect(200)
            else:
                execution.call('cancel', {'reason': 'enough'}).expect(200)
        return made

    def ask(self, **given):
        asked = time.time_ns() // 1000000
        until(lambda: time.time_ns() // 1000000 > asked)   # what ended in this millisecond is before the next
        return self.operator.post('/v1/archives', {'before': moment(), **given}).expect(202).json

    def archives(self):
        return self.operator.get('/v1/archives', query={'limit': 1000}).expect(200).items

    def there(self):
        """Ids of what the store has."""
        found, query = [], {'limit': 1000}
        while True:
            page = self.operator.get('/v1/executions', query=query).expect(200)
            found += [e['id'] for e in page.items]
            if not page.json['next_cursor']:
                return found
            query['cursor'] = page.json['next_cursor']

    def archive(self, left=0):
        self.ask()
        self.settled(left)

    def settled(self, left=0, timeout_s=30):
        until(lambda: len(self.there()) == left and all(a['state'] == 'kept' for a in self.archives()), timeout_s, 'the end of archiving')

    def show(self, id_):
        return self.operator.get(f'/v1/executions/{id_}').expect(200).json

    def events(self, id_, **more):
        return list(iter(Stream(self.t, f'/v1/executions/{id_}/events', key=self.server.admin_key, server=self.server, **more).next, None))

    def restore(self, what, id_):
        return self.operator.post(f'/v1/{what}/{id_}/restore')

    def inside(self, archive):
        found, query = [], {'limit': 7}
        while True:
            page = self.operator.get(f'/v1/archives/{archive["id"]}/executions', query=query).expect(200)
            found += page.items
            if not page.json['next_cursor']:
                return found
            query['cursor'] = page.json['next_cursor']

    def everywhere(self):
        return self.there() + [e['id'] for a in self.archives() for e in self.inside(a)]

    def file(self, archive):
        return os.path.join(self.server.data, 'archive', archive['file'])

    def files(self):
        return glob.glob(os.path.join(self.server.data, 'archive', '*', '*'))

    def rows(self):
        """Everything that the store has of executions, as it has it."""
        asked = [f'SELECT * FROM {table} ORDER BY 1, 2' for table in ('executions', 'execution_steps', 'execution_events')]
        if self.server.database:
            return [self.server.database.ask(a) for a in asked]
        with contextlib.closing(sqlite3.connect(os.path.join(self.server.data, 'tenfold.db'))) as db:
            return [db.execute(a).fetchall() for a in asked]


def test_what_is_archived_is_seen_as_before(t):
    site = Site(t)
    made = site.ended(20)
    before = {id_: (site.show(id_), site.events(id_)) for id_ in made}
    goes_on = site.squad.add(*BUILD).id
    site.archive(left=1)
    assert site.there() == [goes_on]
    archive = site.archives()[0]
    assert (archive['state'], archive['executions']) == ('kept', 20)
    assert archive['bytes'] == os.path.getsize(site.file(archive)) < archive['plain_bytes']
    for id_ in made:
        shown, events = before[id_]
        assert shown['archived'] is False and site.show(id_) == {**shown, 'archived': True}
        assert site.events(id_) == events
    with t.case('a stream goes on where it was'):
        last = before[made[0]][1][-1][0]
        assert site.events(made[0], last_event_id='3') == before[made[0]][1][3:]
        assert Stream(t, f'/v1/executions/{made[0]}/events', key=site.server.admin_key, server=site.server, last_event_id=last).status == 204
    with t.case('its executions are listed, newest first'):
        inside = site.inside(archive)
        assert [e['id'] for e in inside] == made[::-1] and {e['archived'] for e in inside} == {True}
        assert inside[0]['state'] == before[made[-1]][0]['state']
    with t.case('it does not change any more'):
        refused = site.operator.post(f'/v1/executions/{made[1]}/retry').expect(404).json
        assert 'restored first' in refused['detail']
        site.operator.post(f'/v1/executions/{made[0]}/cancel').expect(404)
    with t.case('another tenant sees nothing'):
        other = t.caller('operator', server=site.server, tenant='elsewhere')
        for path in (f'/v1/executions/{made[0]}', f'/v1/executions/{made[0]}/events', f'/v1/archives/{archive["id"]}', f'/v1/archives/{archive["id"]}/executions'):
            other.get(path).expect(404)
        for path in (f'/v1/executions/{made[0]}/restore', f'/v1/archives/{archive["id"]}/restore'):
            other.post(path).expect(404)
        assert other.get('/v1/archives').items == []
    with t.case('what zstd shows of the file'):
        if subprocess.run(['which', 'zstd'], capture_output=True).returncode == 0:
            said = subprocess.run(['zstd', '-dc', site.file(archive)], capture_output=True, check=True).stdout
            head = json.loads(said.split(b'\n')[0])
            assert head['archive'] == archive['id'] and head['format'] == 'tenfold executions' and 'id int' in head['executions']


def test_what_an_archived_execution_cost_is_still_told(t):
    site = Site(t)
    execution = site.squad.add({'name': 'plan'})
    used = {'calls': [{'provider': 'x', 'model': 'y', 'input_tokens': 5, 'output_tokens': 5, 'micro_usd': 7}]}
    site.squad.settle(site.squad.claim(), used=used).expect(200)
    cost = lambda caller=site.operator: caller.get(f'/v1/executions/{execution.id}/cost')
    before = cost().expect(200).json
    assert before['total']['micro_usd'] == 7 and before['entries'][0].pop('step_name') == 'plan'
    site.archive()
    assert cost().expect(200).json == before
    refused = site.operator.get(f'/v1/executions/{execution.id}/messages').expect(404).json['detail']
    assert 'of one that is archived' in refused
    stranger = t.caller('operator', tenant='cheap', server=site.server)
    cost(stranger).expect(404)
    site.operator.post(f'/v1/executions/{execution.id}/restore').expect(200)
    assert cost().expect(200).json['entries'][0]['step_name'] == 'plan'


def test_restored_rows_are_what_they_were(t):
    site = Site(t)
    made = site.ended(10)
    before = site.rows()
    site.archive()
    assert site.rows() != before
    site.restore('archives', site.archives()[0]['id']).expect(202)
    until(lambda: site.archives() == [])
    assert site.rows() == before and site.files() == []
    with t.case('it begins again'):
        execution = Execution(site.squad, made[1])
        execution.call('retry').expect(202)
        site.squad.settle(site.squad.claim()).expect(200)
        assert execution.state == 'completed'
    with t.case('and is archived again'):
        site.archive()
        assert sorted(site.everywhere()) == sorted(made) and site.show(made[1])['state'] == 'completed'


def test_one_alone_is_restored(t):
    site = Site(t)
    made = site.ended(9)
    site.archive()
    shown = site.show(made[1])
    assert site.restore('executions', made[1]).expect(200).json == {'id': made[1], 'state': 'failed'}
    assert site.restore('executions', made[1]).expect(200).json == {'id': made[1], 'state': 'failed'}
    assert site.show(made[1]) == {**shown, 'archived': False} and site.there() == [made[1]]
    archive = site.archives()[0]
    assert archive['executions'] == 8 and made[1] not in [e['id'] for e in site.inside(archive)]
    assert sorted(site.everywhere()) == sorted(made)
    with t.case('changed and archived again it is in the newer one alone'):
        Execution(site.squad, made[1]).call('retry').expect(202)
        site.squad.settle(site.squad.claim()).expect(200)
        site.archive()
        assert sorted(site.everywhere()) == sorted(made) and site.show(made[1])['state'] == 'completed'
    with t.case('restored at once by many, once'):
        answers = at_once(*[lambda: site.restore('executions', made[0]) for _ in range(6)])
        assert {a.status for a in answers} <= {200, 409}, [a.status for a in answers]
        assert sorted(site.everywhere()) == sorted(made)
    with t.case('all of them'):
        for archive in site.archives():
            site.restore('archives', archive['id']).expect(202)
        until(lambda: site.archives() == [])
        assert sorted(site.there()) == sorted(made) and site.files() == []


def test_large_ones_come_back(t):
    site = Site(t)
    steps = 80
    execution = site.squad.add(*[{'name': f'step {i}'} for i in range(steps)], name='large')
    text = random.Random(3).randbytes(125_000).hex()
    for _ in range(steps):
        site.squad.settle(site.squad.claim(), result={'text': text}).expect(200)
    before = site.rows()
    site.archive()
    assert [e['id'] for e in site.inside(site.archives()[0])] == [execution.id]
    with t.case('alone'):
        site.restore('executions', execution.id).expect(200)
        assert site.rows() == before
    with t.case('with its file'):
        site.archive()
        for archive in site.archives():
            site.restore('archives', archive['id']).expect(202)
        until(lambda: site.archives() == [], 60)
        assert site.rows() == before and site.files() == []


def test_what_is_wrong_is_said(t):
    site = Site(t)
    site.operator.post('/v1/archives', {'before': '2999-01-01T00:00:00Z'}).expect(422, 'invalid').names('before')
    site.ended(1)
    asked = site.operator.post('/v1/archives', {}).expect(202).json['before']
    assert asked < moment(time.time_ns() // 1000000 - 29 * 86400000), 'a month ago'
    assert len(site.there()) == 1
    site.restore('archives', 'ar_0000000000009').expect(404)
    site.restore('executions', 'ex_0000000000009').expect(404)
    site.operator.get('/v1/archives/ar_0000000000009/executions').expect(404)


def damaged(path, how):
    with open(path, 'rb') as file:
        data = bytearray(file.read())
    if how == 'torn':
        data = data[:len(data) * 2 // 3]
    elif how == 'a bit':
        data[len(data) // 2] ^= 4
    elif how == 'empty':
        data = b''
    elif how == 'foreign':
        data = b'PK\x03\x04' + bytes(500)
    os.rename(path, path + '.good')
    if how != 'gone':
        with open(path, 'wb') as file:
            file.write(data)


def test_a_file_that_is_not_whole_is_refused_by_name(t):
    site = Site(t)
    made = site.ended(6)
    site.archive()
    archive = site.archives()[0]
    path = site.file(archive)
    shown = site.show(made[0])
    for how, says in [('torn', 'is torn'), ('a bit', 'is damaged'), ('empty', 'is torn'), ('foreign', 'no archive of tenfold'), ('gone', 'No such file')]:
        with t.case(how):
            damaged(path, how)
            for answer in (site.operator.get(f'/v1/executions/{made[0]}'), site.restore('executions', made[0]),
                           site.operator.get(f'/v1/archives/{archive["id"]}/executions')):
                detail = answer.expect(500, 'archive_unreadable').json['detail']
                assert archive['file'] in detail and says in detail, detail
            os.rename(path + '.good', path)
            assert site.show(made[0]) == shown
    with t.case('the file of another'):
        site.ended(2)
        site.archive()
        other = next(a for a in site.archives() if a['id'] != archive['id'])
        os.rename(path, path + '.good')
        os.link(site.file(other), path)
        assert 'is another one than its name says' in site.operator.get(f'/v1/executions/{made[0]}').expect(500).json['detail']
        os.replace(path + '.good', path)
    with t.case('nothing is restored out of one that is damaged further on'):
        damaged(path, 'a bit')
        site.restore('archives', archive['id']).expect(202)
        jobs = lambda: {j['name']: j for j in t.caller('first', server=site.server).get('/v1/jobs').items}['archive']['result']
        until(lambda: 'is damaged' in jobs())
        assert made[0] not in site.there()
        os.rename(path + '.good', path)
    with t.case('and when it is whole again it goes on'):
        until(lambda: sorted(site.there()) == sorted(made), 120)     # it is tried again after longer and longer


def test_killed_in_the_middle_nothing_is_lost_and_nothing_is_doubled(t):
    site = Site(t)
    made = site.ended(300)
    states = {id_: site.show(id_)['state'] for id_ in random.Random(5).sample(made, 40)}
    rng = random.Random(11)
    site.ask()
    for _ in range(8):
        end = time.monotonic() + rng.uniform(0, 0.08)
        until(lambda e=end: time.monotonic() >= e)
        site.server.kill()
        site.close()
        site.server.start()
    site.settled(timeout_s=60)
    assert sorted(site.everywhere()) == sorted(made)
    assert {id_: site.show(id_)['state'] for id_ in states} == states
    assert len(site.files()) == len(site.archives()), 'and nothing is left over'
    with t.case('on the way back too'):
        for archive in site.archives():
            site.restore('archives', archive['id']).expect(202)
        for _ in range(8):
            end = time.monotonic() + rng.uniform(0, 0.08)
            until(lambda e=end: time.monotonic() >= e)
            site.server.kill()
            site.close()
            site.server.start()
        until(lambda: site.archives() == [], 60)
        assert sorted(site.there()) == sorted(made) and site.files() == []
        assert {id_: site.show(id_)['state'] for id_ in states} == states


def test_two_processes_archive_once_and_another_takes_over(t):
    first, second = t.pair('--owner-lease', '2s')
    folder = os.path.join(first.data, 'archive')
    first.stop(), second.stop()
    for server in (first, second):
        server.args = [*server.args, '--archive-dir', folder]
        server.start()
    site, other = Site(t, server=first), Site(t, server=second)
    made = site.ended(60) + other.ended(3)
    site.ask()
    first.kill()
    site.close()
    until(lambda: second_is_ready(other), 30)
    until(lambda: other.there() == [] and all(a['state'] == 'kept' for a in other.archives()), 60)
    assert sorted(other.everywhere()) == sorted(made)
    assert other.show(made[0])['archived'] is True


def second_is_ready(site):
    return site.operator.get('/v1/work').status == 200


def test_a_store_that_fails_in_the_middle(t):
    if t.store != 'sqlite':
        raise NotHere('the same on both')
    site = Site(t)
    made = site.ended(120)
    site.server.stop()
    site.close()
    site.server.args = ['--fault', ','.join(f'busy@{40 + 13 * n}' for n in range(32))]
    site.server.start(wait_for='up')
    until(lambda: site.operator.post('/v1/archives', {'before': moment()}).status == 202, 20)
    until(lambda: (a := site.operator.get('/v1/archives')).status == 200 and a.items and a.items[0]['state'] == 'kept', 60)
    site.server.kill()
    site.close()
    site.server.args = []
    site.server.start()
    site.settled(timeout_s=60)
    assert sorted(site.everywhere()) == sorted(made)


def test_days_are_counted_before_their_executions_leave(t):
    site = Site(t)
    site.ended(9)
    days = lambda: site.operator.get(f'/v1/squads/{site.squad.id}/days').expect(200).items
    assert days() == []
    site.archive()
    counted = days()
    assert sum(d['completed'] for d in counted) == sum(d['failed'] for d in counted) == sum(d['cancelled'] for d in counted) == 3
    assert all(d['run_ms'] > 0 and d['day'].endswith('T00:00:00.000Z') for d in counted)
    site.restore('archives', site.archives()[-1]['id']).expect(202)
    until(lambda: site.archives() == [])
    site.archive()
    assert days() == counted, 'once'
    site.ended(3)
    site.archive()
    assert sum(d['completed'] for d in days()) == 4
