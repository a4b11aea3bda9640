#!/usr/bin/python3
"""Runs the tests: ./dev test [PART...] [--long].

Every test program speaks TAP. This one finds them, runs two at a time, counts their cases, holds each group of parts
against its time budget and closes with one line, "N passed, N failed, N skipped". It exits 0 when something passed
and nothing failed.

    PARTS     what each part runs; BUDGETS says how many minutes a group of parts may take
    Program   one test program; run() gives its Result
    judge()   what TAP and the exit status mean together

A skip needs a reason. With CI=true a skip that tests/allowed-skips.txt does not list is a failure. The whole run
stands under tools/with-postgres, so that TENFOLD_TEST_PG names a server that belongs to it, and TENFOLD_TEST_POOLER
a pooler before it; and under tools/with-redis, which names a Redis in TENFOLD_TEST_REDIS. Tests that harm a Redis start
their own.
"""

import argparse
import concurrent.futures
import fnmatch
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON = '/usr/bin/python3'
BUILD = os.environ.get('BUILD', 'build')
IN_CI = os.environ.get('CI') == 'true'

# Minutes on two cores; a group that takes longer has failed.
BUDGETS = [
    ('build', ['build'], 6),
    ('unit and model', ['unit', 'model'], 10),
    ('API on both stores', ['api'], 20),
    ('crash and fault', ['crash', 'fault'], 5),
    ('sanitizers', ['sanitizers'], 35),
    ('real clients', ['clients'], 5),
    ('fuzz, docs and lint', ['fuzz', 'docs', 'lint'], 6),
]


NOTES_MAX = 3    # of what a program says beside its cases: seeds, figures


@dataclass
class Program:
    name: str
    argv: list
    env: dict = field(default_factory=dict)
    tap: bool = True
    timeout_s: float = 600
    alone: bool = False       # measures time: nothing else runs beside it


@dataclass
class Result:
    name: str
    passed: int = 0
    failed: int = 0
    skipped: list = field(default_factory=list)   # "case: reason"
    wrong: list = field(default_factory=list)     # what to tell about the failures
    output: str = ''
    seconds: float = 0


# ---- one program ----

RUNNING = set()


def run(program):
    began = time.monotonic()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(program.argv, cwd=HERE, env={**os.environ, **program.env}, stdin=subprocess.DEVNULL,
                                 stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        RUNNING.add(child)
        try:
            status = child.wait(program.timeout_s)
        except subprocess.TimeoutExpired:
            status = None
            say_where(child)
        RUNNING.discard(child)
        end_session(child)
        out.seek(0)
        text = out.read().decode('utf-8', 'replace')
    result = judge(program, status, text)
    result.seconds = time.monotonic() - began
    return result


def say_where(child):
    """A test that hangs prints where it stands when it is asked to quit; tests/api/harness.py does."""
    child.send_signal(signal.SIGQUIT)
    try:
        child.wait(2)
    except subprocess.TimeoutExpired:
        pass


def end_session(child):
    """Whatever a test left running ends with it."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def judge(program, status, text):
    result = Result(program.name, output=text)
    if not program.tap:
        if status == 0:
            result.passed = 1
        else:
            result.failed, result.wrong = 1, [ended(status, program)]
        return result
    planned, seen = None, 0
    for line in text.splitlines():
        plan = re.match(r'1\.\.(\d+)(?:\s+#\s*skip\w*\s*(.*))?', line, re.I)
        case = re.match(r'(not )?ok\b\s*\d*\s*-?\s*(.*)', line)
        if plan:
            planned = (planned or 0) + int(plan[1])
            if int(plan[1]) == 0:
                result.skipped.append(f'{program.name}: {plan[2] or "no reason given"}')
        elif case:
            seen += 1
            name, _, directive = case[2].partition('#')
            skip = re.match(r'\s*skip\w*\s*(.*)', directive, re.I)
            if case[1]:
                result.failed += 1
                result.wrong.append(f'{name.strip()} failed')
            elif skip:
                result.skipped.append(f'{program.name}.{name.strip()}: {skip[1] or "no reason given"}')
            else:
                result.passed += 1
        elif line.startswith('Bail out!'):
            result.wrong.append(line)
    if result.wrong and not result.failed:
        result.failed = 1
    if status != 0 and not result.failed:
        result.failed, result.wrong = 1, [ended(status, program)]
    elif planned is None and not result.failed:
        result.failed, result.wrong = 1, ['it printed no plan']
    elif planned is not None and seen != planned:
        result.failed += 1
        result.wrong.append(f'{planned} cases planned, {seen} run')
    return result


def ended(status, program):
    if status is None:
        return f'not done after {program.timeout_s:.0f} s'
    if status < 0:
        return f'ended by {signal.Signals(-status).name}'
    return f'exit status {status}'


# ---- what the parts run ----

@dataclass
class Context:
    long: bool
    stores: list

    def meson_tests(self, build, wanted, prefix='', env=None):
        """The programs of a build whose (suite, name) is wanted."""
        listed = subprocess.run(['meson', 'introspect', build, '--tests'], cwd=HERE, check=True, capture_output=True)
        programs = []
        for test in json.loads(listed.stdout):
            suites = [s.split(':')[-1] for s in test['suite']]
            if wanted(suites, test['name']):
                programs.append(Program(prefix + test['name'], test['cmd'], {**test['env'], **(env or {})},
                                        test['protocol'] == 'tap', max(test['timeout'], 300)))
        return sorted(programs, key=lambda p: p.name)


def is_model(name):
    return 'model' in name


def part_build(ctx):
    return [Program('build', ['./dev', 'build'], tap=False, timeout_s=1200)]


def part_unit(ctx):
    return ctx.meson_tests(BUILD, lambda suites, name: 'unit' in suites and not is_model(name))


def part_model(ctx):
    return ctx.meson_tests(BUILD, lambda suites, name: 'fuzz' not in suites and is_model(name))


# Modules that measure time run alone.
MEASURING = {'test_longpoll', 'test_fairness', 'test_once'}


def python_modules(folder, prefix='test_'):
    return sorted(f[:-3] for f in os.listdir(os.path.join(HERE, folder)) if f.startswith(prefix) and f.endswith('.py'))


# Modules that are also run against a process that stands by (on PostgreSQL): every call about the queue.
BEHIND = ['test_events', 'test_idempotency', 'test_lists', 'test_longpoll', 'test_work', 'test_worker']


# Modules that are also run on PostgreSQL behind a pooler of connections; and the one that is about it, run only there.
POOLED = ['test_agents', 'test_attestations', 'test_events', 'test_idempotency', 'test_lists', 'test_owner', 'test_work']
ABOUT_POOLER = 'test_pooler'


def api_programs(modules, stores, prefix='', env=None):
    return [Program(f'{prefix}{module}.{store}', [PYTHON, 'tests/api/harness.py', '--store', store, module],
                    {'TENFOLD_BIN': f'{BUILD}/tenfold', **(env or {})}, alone=module in MEASURING)
            for module in modules for store in stores]


def part_api(ctx):
    seen = tempfile.mkdtemp(prefix='tenfold-seen.')
    modules = [m for m in python_modules('tests/api') if m != ABOUT_POOLER]
    programs = api_programs(modules, ctx.stores, env={'TENFOLD_SEEN': seen})
    if 'postgres' in ctx.stores:
        programs += api_programs(POOLED + [ABOUT_POOLER], ['pooler'])
        programs += [Program(f'{module}.behind', [PYTHON, 'tests/api/harness.py', '--store', 'postgres', '--behind', module],
                             {'TENFOLD_BIN': f'{BUILD}/tenfold'}, alone=module in MEASURING) for module in BEHIND]
    check = Program('every_call_answered', [PYTHON, 'tests/api/harness.py', '--check-seen', seen],
                    {'TENFOLD_BIN': f'{BUILD}/tenfold'}, alone=True)
    return programs + [check]


def crash_programs(ctx, script):
    more = ['--long'] if ctx.long else []
    return [Program(f'{script}.{store}', [PYTHON, f'tests/crash/{script}.py', '--store', store, *more],
                    {'TENFOLD_BIN': f'{BUILD}/tenfold'}, timeout_s=7200 if ctx.long else 600)
            for store in ctx.stores]


def part_crash(ctx):
    return crash_programs(ctx, 'crash')


def part_fault(ctx):
    return crash_programs(ctx, 'fault')


# What the threads of replicas meet.
REPLICAS_THREADS = ['test_replicas', 'test_every_pair_of_write_and_read_at_two_servers_is_seen',
                    'test_one_that_stops_is_done_without_and_taken_up_again']

ASAN = {'ASAN_OPTIONS': 'detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1',
        'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1'}
TSAN = {'TSAN_OPTIONS': f'halt_on_error=1:second_deadlock_stack=1:suppressions={HERE}/tests/tsan.supp'}


def part_sanitizers(ctx):
    builds = [
        Program('build-asan', ['./dev', 'build', '-Db_sanitize=address,undefined', '-Db_lundef=false',
                               '-Darena_emulation=true', '-Doptimization=1', f'-Dwerror={str(IN_CI).lower()}'],
                {'BUILD': 'build-asan', 'CC': 'clang'}, tap=False, timeout_s=1200),
        Program('build-tsan', ['./dev', 'build', '-Db_sanitize=thread', '-Doptimization=1'],
                {'BUILD': 'build-tsan'}, tap=False, timeout_s=1200),
    ]
    yield builds
    programs = ctx.meson_tests('build-asan', lambda suites, name: True, 'asan.', ASAN)
    programs += ctx.meson_tests('build-tsan', lambda suites, name: re.match('http|store|telemetry|access|accounts_rules|search_threads|directory_index|redis|cache|limits|sim_(engine|alerts|control|recorder_sqlite|behaviour_sqlite)', name), 'tsan.', TSAN)
    # What measures time or counts in thousands says nothing more under a sanitizer, and takes long.
    modules = [m for m in python_modules('tests/api') if m not in MEASURING and m != ABOUT_POOLER]
    programs += api_programs(modules, ['sqlite'], 'asan.', {'TENFOLD_BIN': 'build-asan/tenfold', **ASAN})
    programs += api_programs(['test_health'], ['sqlite'], 'tsan.', {'TENFOLD_BIN': 'build-tsan/tenfold', **TSAN})
    programs += api_programs(['test_forward'], [s for s in ctx.stores if s == 'postgres'], 'tsan.',
                             {'TENFOLD_BIN': 'build-tsan/tenfold', **TSAN})
    if 'postgres' in ctx.stores:
        programs.append(Program('tsan.test_replicas.postgres', [PYTHON, 'tests/api/harness.py', '--store', 'postgres', *REPLICAS_THREADS],
                                {'TENFOLD_BIN': 'build-tsan/tenfold', **TSAN}))
    valgrind = 'valgrind --quiet --leak-check=full --show-leak-kinds=definite,indirect --error-exitcode=99'
    programs += api_programs(['test_health'], ['sqlite'], 'valgrind.', {'TENFOLD_UNDER': valgrind})
    yield programs


def part_fuzz(ctx):
    return ctx.meson_tests(BUILD, lambda suites, name: 'fuzz' in suites)


def part_clients(ctx):
    return [Program(f'clients.{module}', [PYTHON, 'tests/api/harness.py', '--store', 'sqlite', '--folder',
                                          'tests/clients', module], {'TENFOLD_BIN': f'{BUILD}/tenfold'})
            for module in python_modules('tests/clients')]


def part_docs(ctx):
    binary = f'{BUILD}/tenfold'
    return [
        Program('docs.generated', [PYTHON, 'tools/docgen.py', '--tenfold', binary, '--check'], tap=False),
        Program('docs.client', [PYTHON, 'tools/clientgen.py', '--tenfold', binary, '--check'], tap=False),
        Program('docs.examples', [PYTHON, 'tools/doctest.py', '--tenfold', binary]),
    ]


def part_lint(ctx):
    return [Program('lint', ['./dev', 'lint'], tap=False)] + [
        Program(f'lint.{module}', [PYTHON, f'tests/tools/{module}.py']) for module in python_modules('tests/tools')]


PARTS = {name[5:]: fn for name, fn in list(globals().items()) if name.startswith('part_')}
NEED_STORES = {'unit', 'api', 'crash', 'fault', 'sanitizers'}


# ---- the run ----

def run_part(name, ctx):
    """Runs a part's batches of programs one after the other; a batch with a failed build ends the part."""
    found = PARTS[name](ctx)
    results = []
    for batch in [found] if isinstance(found, list) else found:
        beside = [p for p in batch if not p.alone]
        with concurrent.futures.ThreadPoolExecutor(1 if any(not p.tap for p in batch) else 2) as pool:
            for result in pool.map(run, beside):
                results.append(show(result))
        for program in batch:
            if program.alone:
                results.append(show(run(program)))
        if any(r.failed and r.name.startswith('build') for r in results):
            break
    return results


def show(result):
    allowed = allowed_skips()
    for skip in result.skipped:
        if IN_CI and not any(fnmatch.fnmatchcase(skip, pattern) for pattern in allowed):
            result.failed += 1
            result.wrong.append(f'skipped in CI without leave (tests/allowed-skips.txt): {skip}')
    word = 'FAILED' if result.failed else 'ok'
    print(f'  {word:<6} {result.name:<36} {result.passed:>6} cases {result.seconds:8.2f} s', flush=True)
    for note in [line for line in result.output.splitlines() if line.startswith('# ')][:NOTES_MAX]:
        print(f'         {note}')
    for skip in result.skipped:
        print(f'         skipped {skip}')
    if result.failed:
        for wrong in result.wrong[:20]:
            print(f'         {wrong}')
        lines = result.output.splitlines()
        if len(lines) > 120:
            print(f'         | … {len(lines) - 120} lines before')
        for line in lines[-120:]:
            print(f'         | {line}')
        sys.stdout.flush()
    return result


def allowed_skips():
    try:
        with open(os.path.join(HERE, 'tests/allowed-skips.txt'), encoding='utf-8') as f:
            return [line.strip() for line in f if line.strip() and not line.startswith('#')]
    except FileNotFoundError:
        return []


def summary(parts, outcomes, whole):
    """Prints a line per group and returns the numbers of passed, failed and skipped cases."""
    totals = [0, 0, 0]
    print()
    print(f'{"":<22}{"passed":>8}{"failed":>8}{"skipped":>8}{"time":>10}  budget')
    for title, names, minutes in BUDGETS:
        ran = [n for n in names if n in parts]
        if not ran:
            continue
        results = [r for n in ran for r in outcomes[n][0]]
        seconds = sum(outcomes[n][1] for n in ran)
        counts = [sum(r.passed for r in results), sum(r.failed for r in results), sum(len(r.skipped) for r in results)]
        late = seconds > minutes * 60 and not whole.long
        if late:
            counts[1] += 1
        totals = [a + b for a, b in zip(totals, counts)]
        clock = f'{int(seconds) // 60}:{int(seconds) % 60:02d}'
        print(f'{title if len(ran) == len(names) else ", ".join(ran):<22}{counts[0]:>8}{counts[1]:>8}{counts[2]:>8}'
              f'{clock:>10}  {minutes} min{" OVER BUDGET, which counts as a failure" if late else ""}')
    return totals


def parse_args():
    parser = argparse.ArgumentParser(description='Runs the tests.')
    parser.add_argument('part', nargs='*', help='one of: ' + ' '.join(n for _, names, _ in BUDGETS for n in names))
    parser.add_argument('--long', action='store_true', help='also what takes longer than the budgets')
    args = parser.parse_args()
    unknown = [p for p in args.part if p not in PARTS]
    if unknown:
        parser.error(f'no part {unknown[0]!r}; there are: {" ".join(PARTS)}')
    return args


def main():
    args = parse_args()
    parts = [n for _, names, _ in BUDGETS for n in names if not args.part or n in args.part or n == 'build']
    wants_stores = any(p in NEED_STORES for p in parts)
    if wants_stores and not {'TENFOLD_TEST_PG', 'TENFOLD_TEST_PG_SKIP'} & os.environ.keys():
        os.execv(os.path.join(HERE, 'tools/with-postgres'), ['tools/with-postgres', os.path.join(HERE, 'tools/with-redis'), PYTHON, *sys.argv])
    ctx = Context(args.long, ['sqlite', 'postgres'] if wants_stores else ['sqlite'])
    outcomes = {}
    for name in parts:
        print(f'{name}:', flush=True)
        began = time.monotonic()
        outcomes[name] = (run_part(name, ctx), time.monotonic() - began)
        if name == 'build' and any(r.failed for r in outcomes[name][0]):
            parts = ['build']
            break
    passed, failed, skipped = summary(parts, outcomes, args)
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return 0 if passed and not failed else 1


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        for child in list(RUNNING):
            end_session(child)
        print('interrupted', file=sys.stderr)
        sys.exit(130)
