"""How the store finds what the directory asks for: along indexes, on both engines.

The plans are kept in tests/api/plans/ENGINE.txt, so that a change of one is seen, and each is held against what no plan
of a hot path may do. After a query or an index was changed on purpose, write them anew on both:

    TENFOLD_WRITE_PLANS=1 tools/with-postgres /usr/bin/python3 tests/api/harness.py --store sqlite|postgres test_plans
"""

import contextlib
import difflib
import os
import re
import sqlite3
import sys

from harness import ROOT, Skip

sys.path.insert(0, os.path.join(ROOT, 'tools'))
sys.dont_write_bytecode = True
import sqlgen  # noqa: E402

MODULES = ['access', 'accounts', 'agents', 'attestations', 'capabilities', 'challenges', 'changes', 'costs', 'liveness', 'questions',
           'routing', 'signatures']

# What is not asked for while somebody waits, or looks at everything because that is the question.
COLD = {
    'tenant_all': 'all of a small table, at the start', 'tenant_count': 'every two seconds, of a small table',
    'key_all': 'all keys, into memory',
    'agent_total': 'how far the index is, at the start',
    'agent_count': 'a count is asked for', 'agent_count_public': 'a count is asked for',
    'question_open_all': 'once, when the queue is taken; along an index of what is open',
    'cost_sum_of_execution': 'sums up all there is', 'cost_sum_of_squad': 'sums up a month', 'cost_sum_of_tenant': 'sums up a month',
    'change_number': 'sorts what it numbers, which is bounded',
}

# A sort, or all of a table or index, row after row.
SLOW = {'sqlite': r'^SCAN (?!CONSTANT ROW)|USE TEMP B-TREE', 'postgres': r'Seq Scan|\bSort\b'}


def queries():
    reader = sqlgen.QueryReader()
    for module in MODULES:
        path = os.path.join(ROOT, 'sql/queries', module + '.sql')
        if os.path.exists(path):
            reader.read(path)
    # Structs that other files declare.
    for other in sorted(os.listdir(os.path.join(ROOT, 'sql/queries'))):
        if other.removesuffix('.sql') not in MODULES:
            shared = sqlgen.QueryReader()
            shared.read(os.path.join(ROOT, 'sql/queries', other))
            for name, struct in shared.structs.items():
                reader.structs.setdefault(name, struct)
    return [q for q in reader.finish()[1] if not is_plain_insert(q) and q.name not in COLD]


def is_plain_insert(q):
    text = q.sql['sqlite'].text
    return re.match(r'\s*INSERT', text) and 'SELECT' not in text.upper()


def sqlite_plan(db, q):
    values = {str(i): f.word.sample for i, f in enumerate(q.input.fields, 1)} if q.input else {}
    rows = db.execute('EXPLAIN QUERY PLAN ' + sqlgen.sqlite_text(q.sql['sqlite']), values).fetchall()
    return [row[3] for row in rows]


def postgres_plan(database, q):
    """As for a statement that was prepared and has run often: without looking at the values."""
    text, count = sqlgen.postgres_text(q), len(q.input.fields) if q.input else 0
    kinds = [f.word.column['postgres'] + ('[]' if q.card == 'batch' else '') for f in q.input.fields] if q.input else []
    values = ', '.join(f'NULL::{kind}' for kind in kinds)
    said = database.ask(f'SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off; '
                        f'SET enable_hashjoin = off; SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan; '
                        f'PREPARE asked{"(" + ", ".join(kinds) + ")" if count else ""} AS {text}; '
                        f'EXPLAIN (COSTS OFF) EXECUTE asked{"(" + values + ")" if count else ""}')
    return [line for line in said.splitlines() if line.strip()]


def plans(t):
    if t.store == 'postgres':
        return {q.name: postgres_plan(t.server.database, q) for q in queries()}
    with contextlib.closing(sqlite3.connect(os.path.join(t.server.data, 'tenfold.db'))) as db:
        return {q.name: sqlite_plan(db, q) for q in queries()}


def as_text(found):
    return ''.join(f'{name}\n' + ''.join(f'  {line}\n' for line in lines) for name, lines in found.items())


def test_nothing_is_looked_for_row_by_row(t):
    for name, lines in plans(t).items():
        with t.case(name):
            slow = [line for line in lines if re.search(SLOW[t.store], line.strip())]
            assert not slow, '\n'.join(lines)


def test_plans_are_those_we_know(t):
    path = os.path.join(ROOT, 'tests/api/plans', t.store + '.txt')
    if t.store == 'postgres' and not t.server.database.ask('SHOW server_version').startswith('15.'):
        raise Skip('the plans kept are those of PostgreSQL 15')
    found = as_text(plans(t))
    if os.environ.get('TENFOLD_WRITE_PLANS'):
        with open(path, 'w', encoding='utf-8') as f:
            f.write(found)
    with open(path, encoding='utf-8') as f:
        known = f.read()
    changed = ''.join(difflib.unified_diff(known.splitlines(True), found.splitlines(True), 'known', 'found'))
    assert not changed, 'if it is meant, write them anew (see the top of this file):\n' + changed
