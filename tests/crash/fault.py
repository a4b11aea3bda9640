#!/usr/bin/python3
"""The store fails on purpose: each answer is an error or the effect, never both and never neither.

    fault.py --store sqlite|postgres [--long]

    plans      a script of every kind of change runs while `serve --fault` fails every 41st store call (or every third
               commit in its ways); 41 offsets hit each call of the script in turn
    disk full  a real file system of a few MiB: writes are refused, reads go on, nothing acknowledged is lost
    cut        (PostgreSQL) connections are cut under load

TAP.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from ledger import Ledger, Load, until  # noqa: E402
from harness import Caller, Server, Skip  # noqa: E402

RULES_MAX = 32   # of a plan
EVERY = 41       # more than a batch takes, so that a second try can work; prime, so that it moves through the script


class Report:
    def __init__(self):
        self.count = self.failed = 0

    def case(self, name, work):
        self.count += 1
        try:
            said = work()
        except Skip as reason:
            print(f'ok {self.count} - {name} # SKIP {reason}')
        except Exception as error:  # pylint: disable=broad-except
            self.failed += 1
            print(f'not ok {self.count} - {name}')
            for line in str(error).splitlines()[-60:] or [type(error).__name__]:
                print(f'  # {line}')
        else:
            print(f'ok {self.count} - {name}{": " + said if said else ""}')
        sys.stdout.flush()


class Script:
    """Every kind of change, each tried until it is answered well; after each answer it is looked whether the effect
    is there, and it must be there exactly when the answer says so."""

    def __init__(self, server):
        self.caller = Caller(server, server.admin_key)
        self.errors = self.unknown = 0

    def read(self, path, **query):
        """A read that is repeated while the store fails."""
        return until(lambda: self.read_once(path, query), 30, path)

    def read_once(self, path, query):
        answer = self.caller.get(path, query=query)
        if answer.status == 503:
            self.errors += 1
            return None
        return answer.expect(200).json

    def change(self, what, path, body, happened):
        """Makes the call until it is answered well. happened() tells from reads whether its effect is there."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            assert not happened(), f'{what}: the effect is there before the call'
            answer = self.caller.post(path, body)
            effect = happened()
            if answer.status < 300:
                assert effect, f'{what}: answered {answer.status}, but nothing happened'
                return answer.json
            self.errors += 1
            assert answer.status == 503, f'{what}: {answer.status} {answer.body[:300]!r}'
            assert answer.headers.get('retry-after'), f'{what}: 503 without Retry-After'
            if answer.code == 'outcome_unknown':
                self.unknown += 1
                if effect:
                    return None
            else:
                assert not effect, f'{what}: answered {answer.code}, yet it happened'
        raise AssertionError(f'{what}: refused for ten seconds, though only single calls fail')

    def states(self, type_):
        return sorted(i['state'] for i in self.read('/v1/work', type=type_)['items'])

    def once(self, name):
        """The whole script, on queues of its own."""
        a, b = f'{name}.a', f'{name}.b'
        self.change('add', '/v1/work', {'type': a}, lambda: self.states(a) == ['ready'])
        self.change('batch', '/v1/work/batch', {'items': [{'type': b}] * 3}, lambda: self.states(b) == ['ready'] * 3)
        item = self.claim(a)
        if item:
            token = {'token': item['token']}
            at = f'/v1/work/{item["id"]}'
            self.change('progress', at + '/progress', {**token, 'percent': 7}, lambda: self.read(at)['progress'] == 7)
            self.change('fail', at + '/fail', {**token, 'error': 'x', 'retry': False},
                        lambda: self.read(at)['state'] == 'failed')
            self.change('retry', at + '/retry', {}, lambda: self.read(at)['state'] == 'ready')
        item = self.claim(a)
        if item:
            at = f'/v1/work/{item["id"]}'
            self.change('complete', at + '/complete', {'token': item['token'], 'result': 1},
                        lambda: self.read(at)['state'] == 'completed')
        self.change('tenant', '/v1/tenants', {'name': name},
                    lambda: name in [i['name'] for i in self.read('/v1/tenants')['items']])
        self.change('key', '/v1/keys', {'name': name}, lambda: name in [i['name'] for i in self.read('/v1/keys')['items']])
        one = self.read('/v1/work', type=b)['items'][0]['id']
        self.change('cancel', f'/v1/work/{one}/cancel', {}, lambda: self.read(f'/v1/work/{one}')['state'] == 'cancelled')

    def claim(self, type_):
        before = self.states(type_)
        got = self.change('claim', '/v1/work/claim', {'agent': 'a', 'types': [type_]},
                          lambda: 'leased' in self.states(type_))
        if got:
            return got['items'][0]
        assert before != self.states(type_)   # leased by a claim that was never answered
        return None


def plan_runs(store, plan, rounds):
    server = Server(store, args=['--fault', plan])
    try:
        server.start()
        script = Script(server)
        for n in range(rounds):
            script.once(f'r{n}')
        # A store that is only busy is asked again, and nobody outside may notice.
        struck = script.errors or 'executor.outcome_found' in server.log() or plan.startswith('busy')
        assert struck, 'the plan never struck: nothing was tested'
        server.stop()
        server.args = []
        server.start()
        after = Script(server)
        for n in range(rounds):
            assert after.states(f'r{n}.b') == ['cancelled', 'ready', 'ready'], 'after a restart'
        server.stop()
        return f'{script.errors} errors, {script.unknown} unknown outcomes'
    finally:
        server.remove()


PARTS = 8        # batches of many items


def parts_refused(store):
    """A batch that is committed in parts, beside another tenant's work, while commits are refused: each of its items is
    there exactly when it was answered with its id. One refusal is tried again unseen, two in a row are not."""
    at = [n for first in range(4, 4 + 5 * RULES_MAX // 2, 5) for n in (first, first + 1)]
    server = Server(store, args=['--fault', ','.join(f'fail@c{n}' for n in at)])
    try:
        server.start()
        admin = Caller(server, server.admin_key)
        until(lambda: admin.post('/v1/tenants', {'name': 'other'}).status < 300, 30, 'a tenant')
        over = threading.Event()
        beside = threading.Thread(target=add_until, args=(Caller(server, server.admin_key, tenant='other'), over), daemon=True)
        beside.start()
        try:
            counts = [one_in_parts(admin, f'p{n}') for n in range(PARTS)]
        finally:
            over.set()
            beside.join()
        server.stop()
        assert any(0 < n < 1000 for n in counts), f'no batch was refused in part: {counts}'
        return f'{counts} of 1,000 items each'
    finally:
        server.remove()


def add_until(caller, over):
    while not over.is_set():
        caller.post('/v1/work', {'type': 'x'})


def one_in_parts(caller, type_):
    """How many of a thousand items went in."""
    answer = caller.post('/v1/work/batch', {'items': [{'type': type_}] * 1000})
    given = {i['id'] for i in answer.json['items'] if 'id' in i} if answer.status == 201 else set()
    if answer.status == 201:
        refused = [i['error']['code'] for i in answer.json['items'] if 'error' in i]
        assert len(given) + len(refused) == 1000 and set(refused) <= {'store_unavailable'}, refused[:3]
    there, cursor = set(), {}
    while cursor is not None:
        page = caller.get('/v1/work', query={'type': type_, 'limit': 1000, **cursor}).expect(200).json
        there |= {i['id'] for i in page['items']}
        cursor = {'cursor': page['next_cursor']} if page.get('next_cursor') else None
    assert there == given, f'{len(given)} were answered with an id, {len(there)} are there'
    return len(there)


def written_together(store):
    """Calls that write rows of their own and share a batch, while the store is busy now and then, also at the end of one
    of them: each tenant is there exactly when its call was answered well."""
    server = Server(store, args=['--fault', ','.join(f'busy@{20 + 7 * n}' for n in range(RULES_MAX))])
    made = set()

    def add(name):
        caller = Caller(server, server.admin_key)
        for n in range(40):
            if caller.post('/v1/tenants', {'name': f'{name}-{n}'}).status == 201:
                made.add(f'{name}-{n}')

    try:
        server.start()
        threads = [threading.Thread(target=add, args=(f'w{n}',), daemon=True) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.process.poll() is None, 'the server ended:\n' + server.log()[-2000:]
        there = {i['name'] for i in Caller(server, server.admin_key).get('/v1/tenants').expect(200).json['items']}
        server.stop()
        assert there - {'default'} == made, f'{len(made)} were answered well, {len(there)} are there'
        return f'{len(made)} of 320'
    finally:
        server.remove()


def plans(long):
    """(plan, rounds of the script)"""
    for offset in range(1, EVERY + 1):
        at = [offset + EVERY * n for n in range(RULES_MAX)]
        yield ','.join(f'fail@{n}' for n in at), 4
        if long or offset % 10 == 1:
            yield ','.join(f'busy@{n}' for n in at), 4
    for kind in ('fail', 'lost', 'unknown', 'busy'):
        for offset in (1, 2, 3) if long else (2,):
            yield ','.join(f'{kind}@c{offset + 3 * n}' for n in range(RULES_MAX)), 4


@contextlib.contextmanager
def small_disk(mebibytes):
    if os.geteuid() != 0:
        raise Skip('a file system of its own needs root')
    folder = tempfile.mkdtemp(prefix='tenfold-full.')
    mount = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={mebibytes}m', 'tmpfs', folder], capture_output=True,
                           text=True, check=False)
    if mount.returncode != 0:
        os.rmdir(folder)
        raise Skip(f'no file system may be mounted here: {mount.stderr.strip()}')
    try:
        yield folder
    finally:
        subprocess.run(['umount', '-l', folder], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def disk_full():
    with small_disk(24) as folder:
        server = Server('sqlite', data=folder)
        server.start()
        try:
            caller = Caller(server, server.admin_key)
            promised = fill(caller)
            with_reads(server, caller, promised)
            make_room(folder, server, caller)
            server.kill()
            make_room(folder)
            server.start()
            caller.close()
            for id_ in promised:
                caller.get(f'/v1/work/{id_}').expect(200)
            server.stop()
        finally:
            server.kill()
        return f'{len(promised)} items were promised and kept'


def fill(caller):
    """Until the disk is full; what was acknowledged."""
    promised = []
    while True:
        answer = caller.post('/v1/work', {'type': 'x', 'payload': 'x' * 50_000})
        if answer.status != 201:
            answer.expect(503, 'store_full')
            assert answer.headers.get('retry-after')
            return promised
        promised.append(answer.json['id'])
        assert len(promised) < 2000, 'the disk never filled'


def with_reads(server, caller, promised):
    for id_ in promised[:3] + promised[-3:]:
        caller.get(f'/v1/work/{id_}').expect(200)
    caller.get('/v1/work', query={'limit': 100}).expect(200)
    health = caller.get('/health/ready')
    assert health.status == 503 and 'read_only' in health.body.decode(), health.body
    assert server.health('/health/live') == 200


def make_room(folder, server=None, caller=None):
    """The disk grows; the server finds out by itself."""
    subprocess.run(['mount', '-o', 'remount,size=64m', folder], check=True)
    if server:
        until(lambda: server.health() == 200, 10, 'readiness after there is room')
        caller.post('/v1/work', {'type': 'x'}).expect(201)


def cut_connections(rounds):
    server = Server('postgres')
    server.start()
    try:
        ledger = Ledger()
        load = Load(ledger, server, server.admin_key, 1, stay=True)
        cut = 0
        for _ in range(rounds):
            before = ledger.acknowledged
            cut += int(server.database.ask('SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '
                                           f"'{server.database.name}' AND pid <> pg_backend_pid()"))
            until(lambda before=before: ledger.acknowledged > before + 50 or load.surprises, 20, 'work going on')
        load.stop()
        assert not load.surprises, load.surprises[0]
        caller = Caller(server, server.admin_key)
        faults = ledger.faults(caller)
        assert not faults, '\n'.join(faults[:20])
        server.stop()
        return f'{cut} connections cut, {ledger.acknowledged} changes acknowledged, {ledger.unanswered} unanswered'
    finally:
        server.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--store', choices=['sqlite', 'postgres'], default='sqlite')
    parser.add_argument('--long', action='store_true')
    args = parser.parse_args()
    report = Report()
    if args.store == 'postgres' and 'TENFOLD_TEST_PG' not in os.environ:
        print('1..0 # SKIP ' + os.environ.get('TENFOLD_TEST_PG_SKIP', 'TENFOLD_TEST_PG names no PostgreSQL'))
        return 0
    for plan, rounds in plans(args.long):
        report.case(plan.split(',')[0] + ' and so on', lambda p=plan, r=rounds: plan_runs(args.store, p, r))
    report.case('a batch in parts, some of them refused', lambda: parts_refused(args.store))
    report.case('written together in a busy store', lambda: written_together(args.store))
    if args.store == 'sqlite':
        report.case('a full disk', disk_full)
    else:
        report.case('cut connections', lambda: cut_connections(60 if args.long else 15))
    print(f'1..{report.count}')
    return 1 if report.failed else 0


if __name__ == '__main__':
    sys.exit(main())
