#!/usr/bin/python3
"""Kills the server under load, again and again, and looks whether anything that was promised is lost.

    crash.py --store sqlite|postgres [--rounds N] [--seed S] [--long]

Each round: load from eight clients, kill -9 at a random moment, start again, and then: ready within 3 s, every
acknowledged change is there, nothing completed under two tokens, attempts only grew. On PostgreSQL some rounds kill
the database instead (SIGKILL of its postmaster, or an immediate stop) while the server lives on. TAP; the seed that
it prints replays the moments of the kills, though not the scheduling.
"""

import argparse
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from ledger import Ledger, Load, until  # noqa: E402
from harness import Caller, Server, SLOW, tool  # noqa: E402

READY_S = 3


def children_of(parent):
    """By /proc, because a bare Debian has no ps."""
    found = []
    for entry in os.listdir('/proc'):
        try:
            with open(f'/proc/{int(entry)}/stat', encoding='utf-8', errors='replace') as f:
                # The name stands in brackets and may hold anything; then state and parent.
                if int(f.read().rpartition(')')[2].split()[1]) == parent:
                    found.append(int(entry))
        except (ValueError, OSError):
            pass
    return found


class Postgres:
    """A cluster of this test's own, because it is going to be killed."""

    def __init__(self):
        self.module = tool('with-postgres')
        self.cluster = self.module.Cluster(self.module.find_programs(), self.module.server_user())
        self.cluster.start()

    def crash(self, how):
        with open(os.path.join(self.cluster.data, 'postmaster.pid'), encoding='utf-8') as f:
            postmaster = int(f.readline())
        children = children_of(postmaster)
        if how == 'immediate':
            self.cluster._run('pg_ctl', '-D', self.cluster.data, '-m', 'immediate', '-w', 'stop')
            return
        os.kill(postmaster, signal.SIGKILL)
        for child in children:   # as when the machine's memory ran out: all of it goes
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass
        until(lambda: not os.path.exists(f'/proc/{postmaster}'), what='the end of the postmaster')

    def restart(self):
        log = os.path.join(self.cluster.folder, 'log')

        def started():
            try:
                self.cluster._run('pg_ctl', '-D', self.cluster.data, '-l', log, '-w', 'start')
                return True
            except RuntimeError:
                return False   # the old one's shared memory is still going away
        until(started, 60, 'PostgreSQL')

    def remove(self):
        self.cluster.stop()


def rounds_of(args):
    if args.rounds:
        return args.rounds
    return {('sqlite', False): 30, ('sqlite', True): 100, ('postgres', False): 12, ('postgres', True): 30}[args.store, args.long]


class Trial:
    def __init__(self, args, postgres):
        self.postgres, self.dice, self.count, self.failed = postgres, random.Random(args.seed), 0, 0
        self.seed, self.slowest = args.seed, 0
        self.server = Server(args.store, store_url=postgres.cluster.url() if postgres else None)
        self.server.start()
        self.caller = Caller(self.server, self.server.admin_key)
        self.ledger = Ledger()

    def tap(self, name, faults):
        self.count += 1
        self.failed += bool(faults)
        print(f'{"not ok" if faults else "ok"} {self.count} - {name}')
        for fault in faults[:20]:
            print(f'  # {fault}')
        if faults:
            for line in self.server.log().splitlines()[-20:]:
                print(f'  # server: {line}')
        sys.stdout.flush()

    def round(self, number):
        database = self.postgres is not None and number % 2 == 1
        self.ledger.round = number
        load = Load(self.ledger, self.server, self.server.admin_key, f'{self.seed}.{number}', stay=database)
        time_of_death = self.dice.uniform(0.05, 0.6)
        load.over.wait(time_of_death)
        if database:
            how = self.dice.choice(['SIGKILL', 'immediate'])
            self.postgres.crash(how)
            what = f'database {how}'
            load.over.wait(0.2)
            unready = self.server.health() != 200
            self.postgres.restart()
        else:
            self.server.kill()
            what = 'server SIGKILL'
        took = self.come_back(database)
        load.stop()
        self.caller.close()
        entries = list(self.ledger.items.values())
        looked_at = [e for e in entries if e.round == number] + self.dice.sample(entries, min(100, len(entries)))
        faults = load.surprises + self.ledger.faults(self.caller, looked_at)
        if database and not unready:
            faults.append('health said ready while the database was gone')
        if took > READY_S * SLOW:
            faults.append(f'ready only after {took:.1f} s')
        self.tap(f'round {number}: {what} after {time_of_death * 1000:.0f} ms, ready in {took * 1000:.0f} ms, '
                 f'{len(self.ledger.items)} items, {self.ledger.acknowledged} changes acknowledged', faults)

    def come_back(self, database):
        began = time.monotonic()
        if database:
            until(lambda: self.server.check_alive() and self.server.health() == 200, 30, 'readiness')
        else:
            self.server.start(timeout_s=30)
        took = time.monotonic() - began
        self.slowest = max(self.slowest, took)
        return took

    def finish(self):
        """Everything once more, and the server works and stops in order."""
        self.tap('every acknowledged change of all rounds', self.ledger.faults(self.caller))
        item = self.caller.add('after')
        claimed = self.caller.claim('after')
        self.tap('it goes on working', [] if claimed and claimed[0]['id'] == item['id'] else ['no item'])
        try:
            self.server.stop()
            self.tap('it stops in order', [])
        except AssertionError as trouble:
            self.tap('it stops in order', [str(trouble)])
        print(f'# {self.ledger.acknowledged} changes acknowledged, {self.ledger.unanswered} unanswered, '
              f'slowest start {self.slowest * 1000:.0f} ms')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--store', choices=['sqlite', 'postgres'], default='sqlite')
    parser.add_argument('--rounds', type=int)
    parser.add_argument('--seed', type=int, default=int(time.time()))
    parser.add_argument('--long', action='store_true')
    args = parser.parse_args()
    print(f'# seed {args.seed}')
    postgres = None
    if args.store == 'postgres':
        try:
            postgres = Postgres()
        except tool('with-postgres').Unavailable as reason:
            print(f'1..0 # SKIP {reason}')
            return 0
    trial = None
    try:
        trial = Trial(args, postgres)
        for number in range(rounds_of(args)):
            trial.round(number)
        trial.finish()
    finally:
        if trial:
            trial.server.remove()
        if postgres:
            postgres.remove()
    print(f'1..{trial.count}')
    return 1 if trial.failed else 0


if __name__ == '__main__':
    sys.exit(main())
