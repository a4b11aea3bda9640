#!/usr/bin/python3
"""The rules of the house, as a script.

    tidy.py          checks the tree; one line per fault as file:line: what is wrong and why; exit 1 when there is one
    tidy.py house    figures of the tree beside those of code we admire

The tables come first, so that a rule is changed by changing a row. What a rule is for stands in CONTRIBUTING.md.
"""

import os
import re
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# A module may include headers of modules in the rows above its own, and its own.
RANKS = [
    ['base'],
    ['json', 'search'],
    ['spec'],
    ['telemetry', 'roles', 'models'],
    ['http', 'store', 'redis'],
    ['cache', 'limits'],
    ['access'],
    ['work', 'jobs'],
    ['flow'],
    ['directory'],
    ['squads', 'accounts'],
    ['schedule'],
    ['webhooks'],
    ['hooks'],
    ['archive'],
    ['import', 'sim'],
    ['api', 'cli', 'shop'],
    ['server'],
]

# Calls that are not made: pattern, folders where they are, and what to do instead.
BANNED = [
    (r'strcpy|strncpy|strcat|strncat|sprintf|vsprintf|gets|strtok', (), 'struct buf or struct str'),
    (r'strtol|strtoll|strtoul|strtoull|strtod|atoi|atol|atoll|atof|sscanf', ('src/base', 'tests'), 'the str_to_… calls of base/str.h'),
    (r'malloc|calloc|realloc|strdup|strndup|asprintf|vasprintf', ('src/base', 'tests'), 'an arena, NEW() or must_alloc()'),
    (r'system|popen', ('tests',), 'fork and exec, so that no shell reads the text'),
    (r'sleep|usleep|nanosleep', (), 'wait for what you wait for'),
    (r'rand|srand|random|srandom|drand48', (), 'struct rng'),
    (r'localtime|gmtime|ctime|asctime', (), 'base/clock.h'),
    (r'time|gettimeofday', ('src/base', 'tests'), 'the clock that is handed in'),
    (r'setjmp|longjmp|alloca', ('tests',), 'straight-line code'),
]

PYTHON_BANNED = [
    (r'time\.sleep\(', ('tests',), 'harness.until(), which waits for a condition'),
    (r'shell=True', ('tests', 'tools', 'bench'), 'a list of arguments'),
]

# Lines a file may have, functions included.
BUDGETS = {'_priv.h': 400, '.h': 320, '.c': 1100, '.py': 700, '.def': 700}
FUNCTION_LINES = 100
COLUMNS = 120    # of a comment in C; clang-format sees to the code, and leaves comments as they were written

# Project: files .c/.h, median and largest .c, median and p90 of function lines, functions over 100, comments.
ADMIRED = [
    ('varnishd', '112/37', 421, 1655, 16, 54, '2.9%', '19%'),
    ('Dovecot', '1129/792', 269, 4523, 15, 50, '1.9%', '9%'),
    ('dqlite', '82/72', 204, 3212, 14, 55, '2.6%', '18%'),
    ('beanstalkd', '18/1', 112, 2339, 13, 37, '2.7%', '8%'),
    ('lwan', '42/54', 411, 2221, 13, 48, '1.9%', '14%'),
    ('curl lib', '197/202', 479, 5572, 19, 77, '6.5%', '19%'),
]

# Written apart, so that this file does not hold what it looks for.
MARKERS = '|'.join(['TO' + 'DO', 'FIX' + 'ME', 'X' * 3, 'HA' + 'CK'])
MACHINE = '|'.join('/' + name + '/' for name in ['wo' + 'rk', 'ro' + 'ot', 'fa' + 'rm']) + '|' + '/ho' + r'me/\w+'

RANK = {module: rank for rank, row in enumerate(RANKS) for module in row}


class Tree:
    """The files of the tree, read once."""

    def __init__(self):
        self.text = {}
        self.faults = []
        for path in self.listed():
            try:
                with open(os.path.join(HERE, path), encoding='utf-8') as f:
                    self.text[path] = f.read()
            except (UnicodeDecodeError, FileNotFoundError):
                pass  # a picture or a fuzzer's corpus; or deleted and not yet committed

    @staticmethod
    def listed():
        git = subprocess.run(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], cwd=HERE, capture_output=True)
        if git.returncode == 0:
            return sorted(p for p in os.fsdecode(git.stdout).split('\0') if p)
        found = []
        for folder, folders, files in os.walk(HERE):
            folders[:] = [d for d in folders if d != '.git' and not d.startswith('build')]
            found += [os.path.relpath(os.path.join(folder, f), HERE) for f in files]
        return sorted(found)

    def ending(self, *suffixes, under=''):
        return [p for p in self.text if p.endswith(suffixes) and p.startswith(under)]

    def fault(self, path, line, what):
        self.faults.append(f'{path}:{line}: {what}')


def blanked(text):
    """C without its comments and literals, every line in its place."""
    def blank(match):
        return re.sub(r'[^\n]', ' ', match[0])
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def numbered(text):
    return enumerate(text.splitlines(), 1)


def module_of(path):
    parts = path.split('/')
    return parts[1] if parts[0] == 'src' and len(parts) > 2 else None


# ---- the rules ----

def rule_layers(tree):
    for path in tree.ending('.c', '.h', under='src/'):
        own = module_of(path)
        if own not in RANK:
            tree.fault(path, 1, f'module {own} has no rank: add it to RANKS in tools/tidy.py')
            continue
        for n, line in numbered(tree.text[path]):
            include = re.match(r'\s*#\s*include\s+"(\w+)/[\w/]*\.h"', line)
            other = include and include[1]
            if not include or other == own:
                continue
            if other not in RANK:
                tree.fault(path, n, f'there is no module {other}')
            elif RANK[other] >= RANK[own]:
                tree.fault(path, n, f'{own} stands below or beside {other} and must not include it')


def rule_private_headers(tree):
    for path in tree.ending('.c', '.h'):
        for n, line in numbered(tree.text[path]):
            include = re.match(r'\s*#\s*include\s+"(\w+)/\w+_priv\.h"', line)
            if include and module_of(path) != include[1] and not path.startswith('tests/'):
                tree.fault(path, n, f'that header belongs to {include[1]} and its tests')


def excused(lines, n, call):
    """A comment on the line or the one before that says `tidy: CALL, because …`."""
    return any(f'tidy: {call}, because ' in line for line in lines[max(n - 2, 0):n])


def rule_banned_calls(tree):
    for path in tree.ending('.c', '.h'):
        lines = tree.text[path].splitlines()
        for n, line in numbered(blanked(tree.text[path])):
            for pattern, allowed, instead in BANNED:
                call = re.search(rf'(?<![\w.>])({pattern})\s*\(', line)
                if call and not path.startswith(allowed or ('\0',)) and not excused(lines, n, call[1]):
                    tree.fault(path, n, f'{call[1]}() is not used here: {instead}')
            if re.search(r'\btypedef\s+(struct|union|enum)\b(?![^;]*\()', line):
                tree.fault(path, n, 'no typedef for structs, unions and enums')
    for path in tree.ending('.py'):
        for n, line in numbered(tree.text[path]):
            for pattern, folders, instead in PYTHON_BANNED:
                if re.search(pattern, line) and path.startswith(folders) and path != 'tools/tidy.py':
                    tree.fault(path, n, f'{pattern!r} is not used here: {instead}')


def rule_globals(tree):
    """Variables at file scope are const, atomic, per thread, or the flag of a signal handler."""
    for path in tree.ending('.c', under='src/'):
        for n, line in numbered(blanked(tree.text[path])):
            if re.match(r'(?!(struct|union|enum) \w+;)(static |extern )?(?!.*\b(const|atomic_\w+|_Atomic|_Thread_local|sig_atomic_t|environ|return|typedef)\b)'
                        r'(unsigned |struct |enum )?\w+[ *]+\w+(\[[^]]*\])*\s*(=|;)', line):
                tree.fault(path, n, 'no globals but const tables: hand it in')


def rule_leftovers(tree):
    for path, text in tree.text.items():
        for n, line in numbered(text):
            if re.search(rf'\b({MARKERS})\b', line):
                tree.fault(path, n, 'a leftover marker: do it, or write an issue')
            if re.search(rf'(?<![\w.}}*])({MACHINE})', line):
                tree.fault(path, n, 'a path of somebody\'s machine')
    statement = re.compile(r'(\w+(->|\.)?[\w.\[\]>-]*\s*=\s*[^=].*|\w+\(.*\)|return\b.*|(int|char|bool|size_t|struct \w+)\s+\*?\w+.*);$')
    for path in tree.ending('.c', '.h'):
        for n, line in numbered(tree.text[path]):
            comment = re.match(r'\s*(?://\s*(.*)|/\*\s*(.*?)\s*\*/)\s*$', line)
            said = comment and (comment[1] or comment[2] or '').strip()
            if said and statement.match(said):
                tree.fault(path, n, 'commented-out code')


def rule_every_file_is_built(tree):
    for path in tree.ending('.c'):
        folder, name = os.path.split(path)
        plain = re.sub(r'^(test|fuzz|bench)_', '', name[:-2])
        builds = [(d, tree.text.get(os.path.join(d, 'meson.build'), '')) for d in (folder, os.path.dirname(folder), '')]
        if not any(f"'{word}'" in build for d, build in builds
                   for word in (name, name[:-2], plain, os.path.relpath(path, d or '.'))):
            tree.fault(path, 1, 'no meson.build names it')


def rule_files_open_with_what_they_are(tree):
    for path in tree.ending('.c', '.h', '.def'):
        if not tree.text[path].startswith('/*'):
            tree.fault(path, 1, 'a source file opens with a comment that says what it is')
    for path in tree.ending('.py'):
        if not re.match(r'(#!.*\n)?"""', tree.text[path]) and tree.text[path].strip():
            tree.fault(path, 1, 'a script opens with a docstring that says what it is')


def rule_budgets(tree):
    for path in tree.text:
        limit = next((lines for ending, lines in BUDGETS.items() if path.endswith(ending)), None)
        lines = tree.text[path].count('\n')
        if limit and lines > limit and not path.startswith('clients/'):
            tree.fault(path, lines, f'{lines} lines, the budget is {limit}: split it by what it is about')
    for path, line, name, length in functions(tree, 'src/', 'tests/', 'bench/'):
        if length > FUNCTION_LINES:
            tree.fault(path, line, f'{name} has {length} lines, the budget is {FUNCTION_LINES}')


def rule_comments_fit(tree):
    for path in tree.ending('.c', '.h'):
        for number, line in enumerate(tree.text[path].split('\n'), 1):
            if len(line.expandtabs(8)) > COLUMNS and re.match(r'\s*(/\*| \*)', line):
                tree.fault(path, number, f'a comment of {len(line.expandtabs(8))} columns; {COLUMNS} fit')


def rule_tables_clean_up(tree):
    """What an X-macro header defines for one inclusion must not leak into the next."""
    for path in tree.ending('.c', '.h'):
        if path.endswith('undef_types.h'):
            continue
        text = tree.text[path]
        for table in ('ROUTE', 'ERR', 'PARAM', 'METRIC'):
            defined = len(re.findall(rf'^\s*#\s*define {table}\(', text, re.M))
            cleared = len(re.findall(rf'^\s*#\s*undef {table}\b', text, re.M))
            if defined > cleared:
                tree.fault(path, 1, f'defines {table} {defined} times and clears it {cleared} times')


def rule_names_of_tests(tree):
    """Tests import each other by name alone, and one of two would stand before the other."""
    first = {}
    for path in sorted(tree.ending('.py', under='tests/')):
        other = first.setdefault(os.path.basename(path), path)
        if other != path:
            tree.fault(path, 1, f'{other} is called so too: an import of one may get the other')


def rule_layout(tree):
    for path, text in tree.text.items():
        if path.endswith(('.c', '.h', '.def', '.py', '.sql', '.md', '.build', '.txt')) or path in ('dev', '.ci/run'):
            if text and not text.endswith('\n'):
                tree.fault(path, text.count('\n') + 1, 'no newline at the end')
            for n, line in numbered(text):
                if line != line.rstrip() and not path.endswith('.md'):
                    tree.fault(path, n, 'white space at the end of the line')


# ---- figures ----

def functions(tree, *folders):
    """(path, line, name, length) of each C function; nothing without universal-ctags."""
    paths = [p for p in tree.ending('.c') if p.startswith(folders)]
    try:
        ctags = subprocess.run(['ctags', '--languages=C', '--c-kinds=f', '--fields=+ne', '-f', '-', '-L', '-'],
                               input='\n'.join(paths), cwd=HERE, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return []
    found = []
    for tag in ctags.stdout.splitlines():
        line, end = re.search(r'\tline:(\d+)', tag), re.search(r'\tend:(\d+)', tag)
        if line and end:
            name, path = tag.split('\t')[:2]
            found.append((path, int(line[1]), name, int(end[1]) - int(line[1]) + 1))
    return found


def comment_ratio(tree, paths):
    comments = code = 0
    for path in paths:
        bare = blanked(re.sub(r'"(?:\\.|[^"\\\n])*"', '""', tree.text[path])).splitlines()
        for whole, rest in zip(tree.text[path].splitlines(), bare):
            code += bool(rest.strip())
            comments += bool(whole.strip()) and not rest.strip()
    return comments / max(comments + code, 1)


def ninetieth(values):
    return sorted(values)[int(len(values) * 0.9)] if values else 0


def house(tree):
    sources, headers = tree.ending('.c', under='src/'), tree.ending('.h', under='src/')
    lines = [tree.text[p].count('\n') for p in sources]
    header_lines = [tree.text[p].count('\n') for p in headers]
    found = functions(tree, 'src/')
    lengths = [length for _, _, _, length in found]
    long = sum(length > 100 for length in lengths)
    print(f'{"":<12}{"files":>10}{"median .c":>11}{"largest":>9}{"fn median":>11}{"fn p90":>8}{"fn > 100":>10}{"comments":>10}')
    ours = ('tenfold', f'{len(sources)}/{len(headers)}', round(statistics.median(lines or [0])), max(lines or [0]),
            round(statistics.median(lengths or [0])), ninetieth(lengths), f'{100 * long / max(len(lengths), 1):.1f}%',
            f'{100 * comment_ratio(tree, sources + headers):.0f}%')
    for row in [ours] + ADMIRED:
        print(f'{row[0]:<12}{row[1]:>10}{row[2]:>11,}{row[3]:>9,}{row[4]:>11}{row[5]:>8}{row[6]:>10}{row[7]:>10}')
    print(f'\n.c lines: p90 {ninetieth(lines)}, in all {sum(lines):,}. '
          f'.h lines: median {round(statistics.median(header_lines or [0]))}, largest {max(header_lines or [0])}.')
    if not lengths:
        print('Function figures need universal-ctags.')
    print('\nLongest functions:')
    for path, line, name, length in sorted(found, key=lambda f: -f[3])[:8]:
        print(f'  {length:4} {path}:{line} {name}')
    print('\nLargest files:')
    for path in sorted(sources + headers, key=lambda p: -tree.text[p].count('\n'))[:8]:
        print(f'  {tree.text[path].count(chr(10)):4} {path}')


def main():
    tree = Tree()
    if sys.argv[1:] == ['house']:
        house(tree)
        return 0
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return 2
    for name, rule in list(globals().items()):
        if name.startswith('rule_'):
            rule(tree)
    for fault in tree.faults:
        print(fault)
    print(f'tidy: {len(tree.faults)} faults in {len(tree.text)} files')
    return 1 if tree.faults else 0


if __name__ == '__main__':
    sys.exit(main())
