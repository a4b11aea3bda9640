"""How the store finds what is asked for: along indexes, on both engines.

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

# What is not asked for while somebody waits, or looks at everything because that is the question.
COLD = {
    'tenant_all': 'all of a small table, at the start', 'tenant_count': 'every two seconds, of a small table',
    'key_all': 'all keys, into memory',
    'agent_total': 'how far the index is, at the start',
    'agent_count': 'a count is asked for', 'agent_count_public': 'a count is asked for',
    'question_open_all': 'once, when the queue is taken; along an index of what is open',
    'cost_sum_of_execution': 'sums up all there is', 'cost_sum_of_squad': 'sums up a month', 'cost_sum_of_tenant': 'sums up a month',
    'change_number': 'sorts what it numbers, which is bounded',
    'archive_with': 'sorts those that end with the same execution',
    'archive_open': 'the first of those that are not settled, along their index',
    'archive_wish_first': 'the first of a small table, along its key',
    'archive_oldest': 'a job, which looks at each tenant along an index',
    'squad_days_due': 'a job, of a small table', 'squad_days_add': 'a job, which counts days',
    'squad_paused_all': 'once, when the queue is taken', 'queue_all': 'once, when the queue is taken',
    'execution_live_all': 'once, when the queue is taken; along an index of what is live',
    'step_live_all': 'once, when the queue is taken; along an index of what is live',
    'work_live_all': 'once, when the queue is taken',
    'execution_event_of_squad': 'sorts what one batch told', 'execution_event_since': 'sorts what one batch told',
    'hook_get': 'along one of two indexes or both, which takes a bitmap',
    'hook_delivery_waiting': 'the first of what waits, along its index', 'hook_delivery_late': 'the first of what waits, along its index',
    'hook_delivery_clear': 'the oldest so many, along the key', 'webhook_delivery_clear': 'the oldest so many, along the key',
    'webhook_event_clear': 'the oldest so many, along the key',
    'webhook_event_pending': 'the first of what is pending, along its index',
    'webhook_delivery_due': 'sorts what is due in the same millisecond',
    'webhook_any': 'the first of a small table',
    'schedule_waiting': 'the first of what waits, along its index',
    'job_all': 'a table of a few rows', 'job_begin': 'a row of its own', 'job_renew': 'a table of a few rows', 'job_leave': 'a table of a few rows',
    'owner_all': 'a table of a few rows', 'owner_current': 'the first of a table of a few rows', 'slot_take_all': 'all of a table of a few rows',
    'task_reaches': 'goes through what it has found along an index',
}

# A sort, or all of a table or index, row after row.
SLOW = {'sqlite': r'^SCAN (?!CONSTANT ROW)|USE TEMP B-TREE', 'postgres': r'Seq Scan|\bSort\b'}


def queries():
    folder = os.path.join(ROOT, 'sql/queries')
    reader = sqlgen.QueryReader()
    for name in sorted(os.listdir(folder)):
        reader.read(os.path.join(folder, name))
    return [q for q in reader.finish()[1] if not has_no_plan(q) and q.name not in COLD]


def has_no_plan(q):
    """What looks for nothing: plain inserts, and what locks or asks the engine."""
    text = q.sql['postgres'].text.upper()
    return not re.match(r'\s*(SELECT|UPDATE|DELETE|WITH|INSERT\b.*\bSELECT)\b', text, re.DOTALL)


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
