"""What the server acknowledged, written down by the clients, and held against the store after a crash.

    load        workers that enqueue, claim, report and settle until they are told to stop or the server is gone
    Ledger      every acknowledged change, and every change whose answer never came (it may have happened or not)
    faults()    all that is wrong: what was acknowledged and is not there, what has two owners, what finished twice

A change is noted after its answer was read, so what is in the ledger was promised.
"""

import http.client
import json
import os
import random
import sys
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests/api'))

from harness import Caller, clean_env, until  # noqa: E402,F401

FINAL = {'fail': 'failed', 'cancel': 'cancelled'}
CLAIM_MAX = 5


def shown(caller, id_):
    """What the server says of an item, as soon as its readers have found the database again."""
    def answer():
        got = caller.get(f'/v1/work/{id_}')
        return None if got.code == 'store_unavailable' else got
    return until(answer, what=f'an answer about {id_}')


class Entry:
    """One item as the clients know it."""

    def __init__(self, id_):
        self.id, self.state, self.version = id_, None, (-1, 0)
        self.result = None
        self.tokens = {}           # attempt -> token, as they were handed out
        self.completed_by = set()  # tokens under which completion was acknowledged
        self.open = False          # an answer about it never came: more than one state is right
        self.round = 0             # that touched it last


class Ledger:
    def __init__(self):
        self.items, self.lock, self.round = {}, threading.Lock(), 0
        self.acknowledged = self.unanswered = self.lost_claims = 0

    def note(self, id_, state, attempt, settled=False, **more):
        """Answers are read in another order than they were given, so only the later change of an item counts:
        attempts only grow, and settling one comes after claiming it."""
        with self.lock:
            self.acknowledged += 1
            entry = self.items.setdefault(id_, Entry(id_))
            entry.round = self.round
            if (attempt, settled) >= entry.version:
                entry.version, entry.state = (attempt, settled), state
            for name, value in more.items():
                setattr(entry, name, value)
            return entry

    def unknown(self, *ids):
        with self.lock:
            self.unanswered += 1
            for id_ in ids:
                self.items[id_].open = True

    def lost_claim(self):
        with self.lock:
            self.unanswered += 1
            self.lost_claims += 1

    def faults(self, caller, only=None):
        """Asks the server for each item; what it says wrong."""
        found, strayed = [], 0
        for entry in list(self.items.values()) if only is None else only:
            answer = shown(caller, entry.id)
            if answer.status != 200:
                found.append(f'{entry.id}: acknowledged, and now {answer.status} {answer.code}')
                continue
            if entry.state == 'ready' and answer.json['state'] == 'leased' and not entry.open:
                entry.open = True   # leased by a claim whose answer was lost, or by nobody
                strayed += 1
            found += self.faults_of(entry, answer.json)
        if strayed > self.lost_claims * CLAIM_MAX:
            found.append(f'{strayed} items are leased though nobody claimed them; {self.lost_claims} claims were lost')
        return found

    @staticmethod
    def faults_of(entry, shown):
        found = []
        kinds = [h['kind'] for h in shown.get('history', [])]
        if kinds.count('completed') > 1:
            found.append(f'{entry.id}: completed twice: {kinds}')
        if len(entry.completed_by) > 1:
            found.append(f'{entry.id}: completed under {len(entry.completed_by)} tokens')
        if len(set(entry.tokens.values())) != len(entry.tokens):
            found.append(f'{entry.id}: two attempts share a token')
        if shown['attempt'] < max(entry.tokens, default=0):
            found.append(f'{entry.id}: attempts went back from {max(entry.tokens)} to {shown["attempt"]}')
        if entry.open:
            if entry.state in ('completed', 'failed', 'cancelled') and shown['state'] != entry.state:
                found.append(f'{entry.id}: was acknowledged {entry.state}, is {shown["state"]}')
            return found
        if shown['state'] != entry.state:
            found.append(f'{entry.id}: was acknowledged {entry.state}, is {shown["state"]}, history {kinds}')
        if entry.state == 'completed' and shown.get('result') != entry.result:
            found.append(f'{entry.id}: its result is {shown.get("result")!r}, acknowledged was {entry.result!r}')
        return found


class Gone(Exception):
    """The server is gone, or refuses for a reason of its store."""


class Load:
    """Clients that work until stop(), or until the server does not answer."""

    def __init__(self, ledger, server, key, seed, clients=8, type_='crash', stay=False):
        self.ledger, self.server, self.key, self.type, self.stay = ledger, server, key, type_, stay
        self.over, self.surprises, self.refused = threading.Event(), [], 0
        # Daemons: when the test itself fails, nobody stops them.
        self.threads = [threading.Thread(target=self.client, args=(n, random.Random(f'{seed}.{n}')), daemon=True)
                        for n in range(clients)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def client(self, n, dice):
        caller, held = Caller(self.server, self.key), []
        while not self.over.is_set():
            try:
                self.step(caller, n, dice, held)
            except Gone:
                self.refused += 1
                if not self.stay:
                    break
                caller.close()
                self.over.wait(0.01)
            except Exception as error:  # pylint: disable=broad-except
                self.surprises.append(f'{type(error).__name__}: {error}')
                break
        caller.close()

    def send(self, caller, path, body, lost=None):
        """The answer. When none comes, or one that says that nobody knows, lost() notes it."""
        lost = lost or self.ledger.unknown
        try:
            answer = caller.post(path, body, timeout_s=30)
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            lost()
            raise Gone(path) from error
        if answer.code == 'outcome_unknown':
            lost()
            raise Gone(path)
        if answer.status in (429, 503):
            raise Gone(path)
        return answer

    def step(self, caller, n, dice, held):
        roll = dice.random()
        if roll < 0.35 or not held and roll < 0.5:
            answer = self.send(caller, '/v1/work', {'type': self.type, 'payload': {'n': n}}).expect(201)
            self.ledger.note(answer.json['id'], 'ready', 0)
        elif roll < 0.45:
            items = [{'type': self.type, 'title': f'{i}'} for i in range(dice.randint(1, 20))]
            for made in self.send(caller, '/v1/work/batch', {'items': items}).expect(201).items:
                self.ledger.note(made['id'], 'ready', 0)
        elif roll < 0.7 or not held:
            self.claim(caller, n, dice, held)
        else:
            self.settle(caller, dice, held.pop(dice.randrange(len(held))))

    def claim(self, caller, n, dice, held):
        body = {'agent': f'c{n}', 'types': [self.type], 'max': dice.randint(1, CLAIM_MAX), 'lease_ms': 600_000}
        for item in self.send(caller, '/v1/work/claim', body, lost=self.ledger.lost_claim).expect(200).items:
            entry = self.ledger.note(item['id'], 'leased', item['attempt'])
            if item['attempt'] in entry.tokens:
                self.surprises.append(f'{item["id"]}: attempt {item["attempt"]} was handed out twice')
            entry.tokens[item['attempt']] = item['token']
            held.append(item)

    def settle(self, caller, dice, item):
        verb = dice.choice(['complete'] * 5 + ['fail', 'release', 'progress', 'cancel'])
        if verb == 'complete':
            self.complete(caller, item)
            return
        id_, attempt, token = item['id'], item['attempt'], {'token': item['token']}
        body = {'fail': {**token, 'error': 'x', 'retry': False}, 'release': token,
                'progress': {**token, 'percent': 50}, 'cancel': {'reason': 'x'}}[verb]
        self.send(caller, f'/v1/work/{id_}/{verb}', body, lost=lambda: self.ledger.unknown(id_)).expect(200)
        if verb == 'release':
            self.ledger.note(id_, 'ready', attempt, True)
        elif verb == 'progress':
            self.ledger.note(id_, 'leased', attempt)
            self.complete(caller, item)
        else:
            self.ledger.note(id_, FINAL[verb], attempt, True)

    def complete(self, caller, item):
        id_, result = item['id'], {'by': item['token']}
        self.send(caller, f'/v1/work/{id_}/complete', {'token': item['token'], 'result': result},
                  lost=lambda: self.ledger.unknown(id_)).expect(200)
        self.ledger.note(id_, 'completed', item['attempt'], True, result=result).completed_by.add(item['token'])
