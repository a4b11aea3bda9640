"""What people search with when they do not have tenfold: the same documents, the same queries, one answer after another.

A peer is made with a folder, filled with documents, and asked; between the questions some documents change, as they
would in life, which is not counted. Kinds of questions:

    all      every word, best first, 20 hits
    any      one word is enough
    filtered as any, of one type and status
"""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import time

from servers import Unavailable, started_postgres

LIMIT = 20
CHANGE_EACH = 10    # one document changes for so many questions
KINDS = ['all', 'any', 'filtered']
TYPES = ['tool', 'service', 'assistant', 'autonomous']


class Corpus:
    """Documents (id from 1, name, tags, description, type, status) and queries: this machine's Debian packages, and
    when those are not enough, more of them put together from their sentences."""

    def __init__(self, count, queries, seed=1):
        rng = random.Random(seed)
        real = list(packages())
        if not real:
            raise Unavailable('this machine has no package lists (apt-get update makes them)')
        self.docs = [(i + 1, *(real[i] if i < len(real) else mixed(rng, real, i)), rng.choice(TYPES),
                      'online' if rng.random() < 0.8 else 'offline') for i in range(count)]
        self.real = min(len(real), count)
        self.queries = [query_of(rng, rng.choice(self.docs)) for _ in range(queries)]


def packages():
    """(name, tags, description) of every package apt knows, each name once."""
    done = subprocess.run(['apt-cache', 'dumpavail'], capture_output=True, text=True, check=False)
    seen = set()
    for paragraph in done.stdout.split('\n\n'):
        fields, last = {}, None
        for line in paragraph.split('\n'):
            if line.startswith(' ') and last:
                fields[last] += '\n' + line[1:]
            elif ': ' in line:
                last, _, value = line.partition(': ')
                fields[last] = value
        name = fields.get('Package')
        if name and name not in seen:
            seen.add(name)
            tags = ' '.join([fields.get('Section', '')] + fields.get('Tag', '').replace('::', ' ').replace(',', ' ').split())
            yield name, tags[:500], fields.get('Description', '')[:2000]


def mixed(rng, real, i):
    one, other = rng.choice(real), rng.choice(real)
    return f'{one[0]}-{other[0].split("-")[0]}-{i}', one[1], one[2] + '\n' + other[2].split('\n')[0]


def query_of(rng, doc):
    words = [w.strip('.,;:()[]"\'*') for w in (doc[1].replace('-', ' ') + ' ' + doc[3]).split()]
    words = [w for w in words if w.isalpha() and len(w) > 1]
    return ' '.join(rng.choice(words or ['package']) for _ in range(rng.randint(1, 4)))


class Peer:
    name = how = ''

    def __init__(self, folder):
        self.folder = folder

    def fill(self, docs):
        raise NotImplementedError

    def ask(self, kind, query):
        """How many hits, at most LIMIT."""
        raise NotImplementedError

    def change(self, doc):
        raise NotImplementedError

    def close(self):
        pass

    def measure(self, corpus, kind, seconds):
        """Asks in a closed loop, one question at a time."""
        rng, took, hits = random.Random(2), [], 0
        end = time.monotonic() + seconds
        for n, query in enumerate(endless(corpus.queries)):
            began = time.perf_counter()
            if n and time.monotonic() >= end:
                break
            hits += self.ask(kind, query)
            took.append(time.perf_counter() - began)
            if n % CHANGE_EACH == 0:
                self.change(rng.choice(corpus.docs))
        took.sort()
        return {'per_second': len(took) / sum(took), 'p50_ms': took[len(took) // 2] * 1e3,
                'p99_ms': took[len(took) * 99 // 100] * 1e3, 'asked': len(took), 'hits': hits / len(took)}


def endless(items):
    while True:
        yield from items


class SqliteFts5(Peer):
    name, how = 'SQLite FTS5', 'bm25 with weights, porter stemmer, in process'

    def fill(self, docs):
        self.db = sqlite3.connect(os.path.join(self.folder, 'fts5.db'), isolation_level=None)
        self.db.executescript('''
            pragma journal_mode = wal; pragma synchronous = normal;
            create table docs (id integer primary key, type text, status text);
            create virtual table words using fts5(name, tags, description, tokenize = 'porter unicode61');
            insert into words(words, rank) values ('rank', 'bm25(8.0, 2.0, 1.0)');''')
        self.db.execute('begin')
        self.db.executemany('insert into docs values (?, ?, ?)', ((d[0], d[4], d[5]) for d in docs))
        self.db.executemany('insert into words(rowid, name, tags, description) values (?, ?, ?, ?)', (d[:4] for d in docs))
        self.db.execute('commit')

    def ask(self, kind, query):
        words = (' ' if kind == 'all' else ' OR ').join(f'"{w}"' for w in query.split())
        if kind == 'filtered':
            found = self.db.execute('''select words.rowid from words join docs on docs.id = words.rowid where words match ?
                and docs.type = 'tool' and docs.status = 'online' order by rank limit ?''', (words, LIMIT))
        else:
            found = self.db.execute('select rowid from words where words match ? order by rank limit ?', (words, LIMIT))
        return len(found.fetchall())

    def change(self, doc):
        self.db.execute('update words set description = ? where rowid = ?', (doc[3], doc[0]))

    def close(self):
        self.db.close()


class Postgres(Peer):
    """An index as the seed writes it; `Stored` keeps the words beside the text."""

    name, how = 'PostgreSQL, index on an expression', 'ts_rank, english, over a socket'
    words = "to_tsvector('english', name || ' ' || coalesce(description, ''))"
    columns = ''

    def fill(self, docs):
        try:
            import psycopg2
            import psycopg2.extras
        except ImportError:
            raise Unavailable('python3-psycopg2 is not installed') from None
        self.cluster = started_postgres()
        self.db = psycopg2.connect(self.cluster.url())
        self.db.autocommit = True
        self.cursor = self.db.cursor()
        self.cursor.execute(f'''create table agents (id bigint primary key, name text, tags text, description text, type text,
            status text{self.columns})''')
        psycopg2.extras.execute_values(self.cursor, '''insert into agents (id, name, tags, description, type, status)
            values %s''', ([x.replace('\0', '') if isinstance(x, str) else x for x in d] for d in docs), page_size=1000)
        self.cursor.execute(f'create index on agents using gin ({self.words})')
        self.cursor.execute('vacuum analyze agents')
        any_word = "replace(plainto_tsquery('english', $1)::text, '&', '|')::tsquery"
        for kind, query, narrower in (('all', "plainto_tsquery('english', $1)", ''), ('any', any_word, ''),
                                      ('filtered', any_word, "and type = 'tool' and status = 'online'")):
            self.cursor.execute(f'''prepare {kind}_words(text) as select id from agents where {self.words} @@ {query} {narrower}
                order by ts_rank({self.words}, {query}) desc limit {LIMIT}''')

    def ask(self, kind, query):
        self.cursor.execute(f'execute {kind}_words(%s)', (query,))
        return len(self.cursor.fetchall())

    def change(self, doc):
        self.cursor.execute('update agents set description = %s where id = %s', (doc[3].replace('\0', ''), doc[0]))

    def close(self):
        if getattr(self, 'db', None):
            self.db.close()
        if getattr(self, 'cluster', None):
            self.cluster.stop()


class PostgresStored(Postgres):
    name, how = 'PostgreSQL, stored tsvector', 'ts_rank, english, over a socket'
    words = 'words'
    columns = ''', words tsvector generated always as (to_tsvector('english', name || ' ' || coalesce(tags, '') || ' ' ||
        coalesce(description, ''))) stored'''


class MiniSearch(Peer):
    """A library for JavaScript, asked in its own process by find_minisearch.js."""

    name, how = 'MiniSearch', 'bm25 with weights, no stemmer, in process (Node.js)'

    def fill(self, docs):
        if not shutil.which('npm') or not shutil.which('node'):
            raise Unavailable('Node.js with npm is not installed')
        done = subprocess.run(['npm', 'install', '--silent', '--no-audit', '--no-fund', 'minisearch@7'], cwd=self.folder,
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unavailable(f'npm could not fetch minisearch: {done.stderr.strip()[:200]}')
        here = os.path.dirname(os.path.abspath(__file__))
        shutil.copy(os.path.join(here, 'find_minisearch.js'), self.folder)
        self.path = os.path.join(self.folder, 'docs.json')
        with open(self.path, 'w', encoding='utf-8') as f:
            json.dump([dict(zip(('id', 'name', 'tags', 'description', 'type', 'status'), d)) for d in docs], f)

    def measure(self, corpus, kind, seconds):
        done = subprocess.run(['node', '--max-old-space-size=8192', 'find_minisearch.js', self.path, kind, str(seconds),
                               str(CHANGE_EACH), str(LIMIT)], cwd=self.folder, input=json.dumps(corpus.queries),
                              capture_output=True, text=True, check=True)
        return json.loads(done.stdout)


PEERS = [Postgres, PostgresStored, SqliteFts5, MiniSearch]
