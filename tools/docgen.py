#!/usr/bin/python3
"""Makes what docs/ says twice out of the tables, so that it cannot say anything else.

    docgen.py --tenfold build/tenfold [--check]

    docs/configuration.md   api/params.def
    docs/errors.md          api/errors.def
    docs/metrics.md         api/metrics.def
    docs/cli.md             api/verbs.def, and what --help says

A page written by hand may hold pieces that are made, between `<!-- made: NAME -->` and `<!-- end -->` (PIECES).

--check only says which pages are not current.
"""

import argparse
import glob
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MADE = '<!-- Made by tools/docgen.py (./dev docs); do not edit. -->\n'


def rows(table, *macros):
    """(macro, [argument…]) of each row of a table, in order; texts without their quotes."""
    with open(os.path.join(HERE, table), encoding='utf-8') as f:
        text = re.sub(r'/\*.*?\*/', '', f.read(), flags=re.S)
    text = re.sub(r'^\s*#.*$', '', text, flags=re.M)
    for start in re.finditer(r'^(\w+)\(', text, re.M):
        if start[1] in macros:
            yield start[1], arguments(text, start.end())


def arguments(text, at):
    """The arguments of a macro call whose '(' ends before `at`."""
    found, depth, current = [], 0, ''
    for token in re.finditer(r'"(?:\\.|[^"\\])*"|[(),]|[^"(),]+', text[at:]):
        piece = token[0]
        if piece == ')' and depth == 0:
            found.append(current.strip())
            return [unquoted(a) for a in found]
        if piece == ',' and depth == 0:
            found.append(current.strip())
            current = ''
            continue
        depth += (piece == '(') - (piece == ')')
        current += piece
    raise SystemExit(f'docgen: a row that does not end: {text[at:at + 60]!r}')


def unquoted(argument):
    pieces = re.findall(r'"((?:\\.|[^"\\])*)"', argument)
    if not argument.startswith('"'):
        return argument
    return re.sub(r'\\(.)', r'\1', ''.join(pieces))


def cell(text):
    return text.replace('|', '\\|')


def milliseconds(text):
    """60000 → 60 s."""
    n = int(text)
    for unit, size in (('d', 86_400_000), ('h', 3_600_000), ('min', 60_000), ('s', 1000)):
        if n and n % size == 0:
            return f'{n // size} {unit}'
    return f'{n} ms'


def default_of(need, kind):
    given = re.match(r'DEFAULT\("(.*)"\)', need)
    if not given:
        return ''
    return milliseconds(given[1]) if kind == 'F_MS' else f'`{given[1]}`'


def environment_of(name):
    """As the command line has it (cli_env_name() in src/cli/parse.c)."""
    return 'TENFOLD_HOME' if name == 'data' else f'TENFOLD_{name.upper()}'


def configuration(_):
    lines = [MADE, '# Configuration\n',
             'Each parameter of `tenfold serve` is a flag and an environment variable; the flag wins. Nothing has to be',
             'set: without any, the server keeps its data in the user\'s data home and listens on 127.0.0.1 only.\n',
             '| flag | environment | default | range | what it does |', '|---|---|---|---|---|']
    for kind, args in rows('api/params.def', 'F_TEXT', 'F_INT', 'F_MS', 'F_ENUM', 'F_BOOL', 'F_REAL'):
        name, need, limits, doc = args[0], args[1], args[2:-1], args[-1]
        span = ''
        if kind == 'F_INT':
            span = f'{int(limits[0]):,} to {int(limits[1]):,}'
        elif kind == 'F_MS':
            span = f'{milliseconds(limits[0])} to {milliseconds(limits[1])}'
        lines.append(f'| `--{name.replace("_", "-")}` | `{environment_of(name)}` | {default_of(need, kind)} | {span} | {cell(doc)} |')
    lines += ['', 'Durations take a unit: `500ms`, `10s`, `5m`, `1h`, `1d`; a bare number is milliseconds.', '',
              'The data directory holds `tenfold.db` (SQLite), `server.json` (address and process of the running server),',
              '`admin.key` (mode 0600, made at the first start) and the process\'s own number. `TENFOLD_HOME` moves it.', '']
    return '\n'.join(lines)


def errors(_):
    lines = [MADE, '# Errors\n',
             'Every refusal is `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail`, `instance`, and',
             '`code`, the word for programs, which never changes. Faulty fields stand in `errors`, each with its path and what',
             'is wrong with it; malformed text has `line` and `column`. `request_id` is the answer\'s `X-Request-Id`.\n',
             'Retryable: the same request may be sent again unchanged and can succeed; `Retry-After` says when.\n',
             '| code | HTTP | exit | retryable | meaning | what to do |', '|---|---|---|---|---|---|']
    for _, (_, status, exit_code, retryable, code, title, advice) in rows('api/errors.def', 'ERR'):
        lines.append(f'| `{code}` | {status} | {exit_code} | {"yes" if retryable == "true" else ""} | {cell(title)}. | {cell(advice)} |')
    lines += ['', '## Exit codes of the command line\n', '| code | meaning |', '|---|---|', '| 0 | done |',
              '| 1 | refused, or a check failed |', '| 2 | the command or its input was wrong |',
              '| 3 | the server is unreachable or cannot do it now |', '| 4 | there is no such thing |', '| 5 | conflict |',
              '| 6 | the outcome is unknown |', '| 99 | what `sim run --fail-if` said has come true |', '| 130, 143 | ended by SIGINT, SIGTERM |', '']
    return '\n'.join(lines)


def metrics(_):
    lines = [MADE, '# Metrics\n', '`GET /metrics` shows these in the Prometheus text format.\n',
             '| metric | kind | labels | what it says |', '|---|---|---|---|']
    for kind, (name, label1, label2, doc) in rows('api/metrics.def', 'COUNTER', 'GAUGE', 'HISTOGRAM'):
        labels = ', '.join(f'`{label}`' for label in (label1, label2) if label != 'none')
        lines.append(f'| `tenfold_{name}` | {kind.lower()} | {labels} | {cell(doc)} |')
    lines += ['', '| label | values |', '|---|---|']
    for _, (name, doc) in rows('api/metrics.def', 'LABEL'):
        lines.append(f'| `{name}` | {cell(doc)} |')
    return '\n'.join(lines + [''])


def cli(tenfold):
    def said(*words):
        env = {**os.environ, 'COLUMNS': '100'}
        return subprocess.run([tenfold, *words, '--help'], check=True, capture_output=True, text=True, env=env).stdout.rstrip()
    lines = [MADE, '# The command line\n', 'What `tenfold --help` and `tenfold VERB --help` say. Exit codes: [errors.md](errors.md).\n',
             '```text', said(), '```']
    for _, args in rows('api/verbs.def', 'SERVER', 'PART', 'CALL', 'VERB'):
        verb = args[1]
        lines += [f'\n## tenfold {verb}\n', '```text', said(*verb.split()), '```']
    return '\n'.join(lines + [''])


PAGES = {'docs/configuration.md': configuration, 'docs/errors.md': errors, 'docs/metrics.md': metrics, 'docs/cli.md': cli}


# ---- pieces of pages ----

def calls_without_key():
    return ', '.join(f'`{args[3]}`' for _, args in rows('api/routes.def', 'ROUTE') if args[6] == 'NONE')


def calls_with_flag(flag):
    return ', '.join(f'`{args[2]} {args[3]}`' for _, args in rows('api/routes.def', 'ROUTE') if flag in re.findall(r'\w+', args[10]))


def scopes():
    values = [args for _, args in rows('api/types/access.def', 'VALUE') if args[0].startswith('SCOPE_')]
    return '\n'.join(['| scope | what it is for |', '|---|---|'] +
                     [f'| `{name[6:]}` | {cell(doc)} |' for name, _, doc in values])


def kept_answers():
    """Calls whose answers may be kept, by how."""
    lines = ['| call | `Cache-Control` |', '|---|---|']
    for _, args in rows('api/routes.def', 'ROUTE'):
        shared = re.match(r'SHARED\((\d+)\)', args[11])
        if shared:
            lines.append(f'| `{args[3]}` | `public, max-age={shared[1]}` where everybody may see it, else `private, no-cache` |')
        elif args[11] == 'REVALIDATE':
            lines.append(f'| `{args[3]}` | `private, no-cache` |')
    return '\n'.join(lines)


def members(table, name):
    """The fields of a type."""
    with open(os.path.join(HERE, table), encoding='utf-8') as f:
        body = re.search(rf'^#define T {name}\nTYPE\(.*?^END_TYPE', f.read(), re.M | re.S)
    return re.findall(r'^F_\w+\((\w+)', body[0], re.M) if body else []


def shop_calls():
    lines = ['| call | takes | does |', '|---|---|---|']
    for _, (_, method, path, taken, _, _, _, _, _, doc) in rows('api/shop/routes.def', 'ROUTE'):
        fields = [f'`{m}`' for m in members('api/shop/types.def', taken) if f'{{{m}}}' not in path]
        lines.append(f'| `{method} {path}` | {", ".join(fields)} | {cell(doc)} |')
    return '\n'.join(lines)


# ---- scenarios ----

SCENARIO = 'api/types/scenario.def'


def defined(table, macro):
    """{name: (what it is said to be, the text of its rows)} of each ENUM or TYPE."""
    with open(os.path.join(HERE, table), encoding='utf-8') as f:
        found = re.findall(rf'^#define T (\w+)\n{macro}\("(.*?)"\)\n(.*?)^END_{macro}', f.read(), re.M | re.S)
    return {name: (doc, body) for name, doc, body in found}


def rows_of(body, pattern):
    return [(row[1], arguments(body, row.end())) for row in re.finditer(rf'^({pattern})\(', body, re.M)]


def title_of(name):
    return name.removeprefix('scenario_').replace('_', ' ')


def span_of(least, most):
    """What a number may be, as far as it says anything."""
    if least == most:
        return f': {least}'
    ends = [end if not end.startswith('INT') else '' for end in (least, most)]
    return f' from {ends[0]} to {ends[1]}' if all(ends) else f' from {ends[0]}' if ends[0] else ''


def value_of(kind, args, doc):
    """What stands in a field of a type of which doc is said, for people."""
    if kind in ('F_OBJECT', 'F_OBJECTS'):
        link = f'[{title_of(args[2])}](#{title_of(args[2]).replace(" ", "-")})'
        return link if kind == 'F_OBJECT' else f'list of {link}, at most {args[3]}'
    if kind == 'F_ENUM':
        values = rows_of(defined(SCENARIO, 'ENUM')[args[2]][1], 'VALUE')
        return ' or '.join(f'`{value[1]}`' for _, value in values)
    if kind in ('F_INT', 'F_REAL'):
        return ('whole number' if kind == 'F_INT' else 'number') + span_of(args[2], args[3])
    if kind == 'F_RAW':
        return 'expression' if 'xpression' in args[-1] or doc.startswith('Of an agent: expressions') else 'JSON'
    return {'F_TEXT': 'text', 'F_TEXTS': 'list of texts', 'F_MAP': 'texts by name', 'F_MS': 'milliseconds'}[kind]


def table_of(name, types):
    doc, body = types[name]
    lines = [f'### {title_of(name)}\n', doc, '', '| field | is | when absent | |', '|---|---|---|---|']
    for kind, args in rows_of(body, r'F_\w+'):
        absent = 'a fault' if args[1] == 'REQUIRED' else default_of(args[1], kind)
        lines.append(f'| `{args[0]}` | {cell(value_of(kind, args, doc))} | {absent} | {cell(args[-1])} |')
    return '\n'.join(lines) + '\n'


def held(name, types, found):
    """The types of a file as one reads it: each before those that it holds."""
    if name not in found:
        found.append(name)
        for kind, args in rows_of(types[name][1], 'F_OBJECTS?'):
            held(args[2], types, found)
    return found


def scenario_fields():
    types = defined(SCENARIO, 'TYPE')
    return '\n'.join(table_of(name, types) for name in held('scenario_file', types, []) + ['scenario_cohort_file'])


def expression_functions():
    lines = ['| function | gives |', '|---|---|']
    for _, (_, _, _, _, call, doc) in rows('src/sim/functions.def', 'FUNCTION'):
        lines.append(f'| `{call}` | {cell(doc)} |')
    return '\n'.join(lines)


def expression_names():
    lines = ['| name | is |', '|---|---|']
    for _, (_, name, doc) in rows('src/sim/facts.def', 'FACT'):
        lines.append(f'| `{name}` | {cell(doc)} |')
    return '\n'.join(lines)


def built_in_scenarios():
    with open(os.path.join(HERE, 'src/sim/meson.build'), encoding='utf-8') as f:
        files = re.findall(r"'(scenarios/\w[\w-]*\.json)'", f.read())
    lines = ['| name | what it is |', '|---|---|']
    for path in files:
        with open(os.path.join(HERE, 'src/sim', path), encoding='utf-8') as f:
            scenario = json.load(f)
        lines.append(f'| [`{scenario["name"]}`](../src/sim/{path}) | {cell(scenario["about"])} |')
    return '\n'.join(lines)


PIECES = {'calls without a key': calls_without_key, 'scopes': scopes, 'kept answers': kept_answers, 'shop calls': shop_calls,
          'scenario fields': scenario_fields, 'expression functions': expression_functions,
          'expression names': expression_names, 'built in scenarios': built_in_scenarios,
          'public calls': lambda: calls_with_flag('PUBLIC'), 'open calls': lambda: calls_with_flag('OPEN')}
PIECE = re.compile(r'(<!-- made: ([\w ]+) -->)(\n?).*?\n?(<!-- end -->)', re.S)


def filled(text):
    """The text of a page with its pieces made anew; one that begins on a line of its own keeps doing so."""
    return PIECE.sub(lambda m: f'{m[1]}{m[3]}{PIECES[m[2]]()}{m[3]}{m[4]}', text)


def read(path):
    try:
        with open(path, encoding='utf-8') as f:
            return f.read()
    except FileNotFoundError:
        return None


def texts(tenfold):
    """(page, what it says, what it should say) of every page that has anything made."""
    for page, make in PAGES.items():
        yield page, read(os.path.join(HERE, page)), make(tenfold)
    for path in sorted(glob.glob(os.path.join(HERE, 'docs/**/*.md'), recursive=True)):
        if os.path.relpath(path, HERE) not in PAGES:
            yield os.path.relpath(path, HERE), read(path), filled(read(path))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--tenfold', required=True, help='the program whose words are asked for')
    parser.add_argument('--check', action='store_true', help='only say which pages are not current')
    args = parser.parse_args()
    stale = []
    for page, said, text in texts(os.path.abspath(args.tenfold)):
        if said == text:
            continue
        stale.append(page)
        if not args.check:
            with open(os.path.join(HERE, page), 'w', encoding='utf-8') as f:
                f.write(text)
    if args.check:
        print('not current, run ./dev docs: ' + ' '.join(stale) if stale else 'the pages are current')
        return 1 if stale else 0
    return 0


if __name__ == '__main__':
    sys.exit(main())
