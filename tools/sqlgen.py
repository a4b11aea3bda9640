#!/usr/bin/env python3
"""Turns the SQL of sql/ into C: row structs, typed wrappers, statement tables and migrations.

    sqlgen.py --module store --schema sql/schema --queries sql/queries --out DIR [--depfile FILE]

writes queries.h, queries.c, schema.h and schema.c into DIR, as headers of that module. What the files may say, with an example, stands in
docs/internals/sqlgen.md. Three passes, each stopping at its first error as "file:line: what is wrong":

    read     files -> Struct, Query, Migration; one statement per dialect, in the words of WORDS
    check    the schema is run, and every statement prepared, in a scratch SQLite; columns are compared
    write    C text; :batch statements are turned into their unnest() form for PostgreSQL

PostgreSQL's own texts are prepared by the contract tests, which have a server.
"""

import argparse
import os
import re
import sqlite3
import sys
from dataclasses import dataclass, field

DIALECTS = ('sqlite', 'postgres')
CARDS = ('exec', 'must', 'one', 'many', 'batch')


@dataclass(frozen=True)
class Word:
    c_type: str
    kind: str         # enum sql_type
    column: dict      # dialect -> column type
    sample: object    # a value for the scratch run
    nullable: bool = False


WORDS = {
    'id64': Word('int64_t ', 'SQL_INT', {'sqlite': 'INTEGER', 'postgres': 'BIGINT'}, 0),
    'int64': Word('int64_t ', 'SQL_INT', {'sqlite': 'INTEGER', 'postgres': 'BIGINT'}, 0),
    'bool': Word('bool ', 'SQL_BOOL', {'sqlite': 'INTEGER', 'postgres': 'BOOLEAN'}, 0),
    'real': Word('double ', 'SQL_REAL', {'sqlite': 'REAL', 'postgres': 'DOUBLE PRECISION'}, 0.0),
    'text': Word('struct str ', 'SQL_TEXT', {'sqlite': 'TEXT', 'postgres': 'TEXT'}, '', True),
    # Kept byte for byte, so it is TEXT to both: a jsonb column would reorder it, and it was validated on its way in.
    'json': Word('struct str ', 'SQL_TEXT', {'sqlite': 'TEXT', 'postgres': 'TEXT'}, '', True),
    'bytes': Word('struct str ', 'SQL_BYTES', {'sqlite': 'BLOB', 'postgres': 'BYTEA'}, b'', True),
}

C_KEYWORDS = set('''auto break case char const continue default do double else enum extern float for goto if inline int
long register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
bool true false'''.split())


class SqlError(Exception):
    """Something wrong with the input, at a place."""

    def __init__(self, where, message):
        super().__init__(f'{where[0]}:{where[1]}: {message}')


@dataclass
class Field:
    name: str
    word: Word
    nullable: bool


@dataclass
class Struct:
    name: str
    fields: list
    where: tuple
    doc: list = field(default_factory=list)


@dataclass
class Statement:
    text: str
    where: tuple


@dataclass
class Query:
    name: str
    card: str
    where: tuple
    doc: list
    input: object = None    # Struct, or None
    output: object = None
    sql: dict = field(default_factory=dict)    # dialect -> Statement
    writes: bool = False


@dataclass
class Migration:
    version: int
    name: str
    sql: dict    # dialect -> text


# ---- SQL as tokens ----

TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$\d+|--[^\n]*|\w+|\s+|.")


def tokens(text, where):
    """The tokens of a statement: quoted text whole, comments left out, each run of white space kept as it is."""
    found = [t for t in TOKEN.findall(text) if not t.startswith('--')]
    for t in found:
        if t in ("'", '"'):
            raise SqlError(where, 'a quote is opened and never closed')
        if t in ('?', ';', '$'):
            raise SqlError(where, f'"{t}" has no place here: parameters are $1, $2 ..., and one statement is one query')
    return found


def with_depth(found, where):
    """Pairs (token, depth of parentheses around it)."""
    depth, pairs = 0, []
    for t in found:
        depth -= t == ')'
        if depth < 0:
            raise SqlError(where, 'a ")" without its "("')
        pairs.append((t, depth))
        depth += t == '('
    if depth:
        raise SqlError(where, 'a "(" without its ")"')
    return pairs


def parameters(found):
    return {int(t[1:]) for t in found if re.fullmatch(r'\$\d+', t)}


def tidy(found):
    """Text again, white space as it was but without blanks at line ends and empty lines."""
    lines = (line.rstrip() for line in ''.join(found).split('\n'))
    return '\n'.join(line for line in lines if line).strip()


# ---- reading: queries ----

def parse_fields(text, where):
    fields = []
    for part in filter(None, (p.strip() for p in text.split(','))):
        m = re.fullmatch(r'([a-z_][a-z0-9_]*)\s+([a-z0-9]+)(\??)', part)
        if not m:
            raise SqlError(where, f'"{part}" should be a name and a type, such as "id id64" or "note text?"')
        name, word, mark = m.groups()
        if word not in WORDS:
            raise SqlError(where, f'unknown type "{word}" of {name}; known are {", ".join(WORDS)}')
        if mark and not WORDS[word].nullable:
            raise SqlError(where, f'{name} cannot be "{word}?": only text, json and bytes can be NULL')
        if name in C_KEYWORDS:
            raise SqlError(where, f'"{name}" is a word of C and cannot name a member')
        if any(f.name == name for f in fields):
            raise SqlError(where, f'{name} is there twice')
        fields.append(Field(name, WORDS[word], mark == '?'))
    if not fields:
        raise SqlError(where, 'a list of at least one name and type is needed')
    return fields


class QueryReader:
    """Reads query files line by line; what belongs together stands without a blank line in between."""

    DIRECTIVE = re.compile(r'--\s*(struct|name|in|out|dialect)\s*:\s*(.*)')

    def __init__(self):
        self.structs, self.queries, self.places = {}, {}, []
        self._begin_paragraph()

    def _begin_paragraph(self):
        self.doc, self.query, self.dialect, self.statement = [], None, None, None

    def read(self, path):
        with open(path, encoding='utf-8') as f:
            lines = f.read().split('\n')
        i = 0
        while i < len(lines):
            i += self._line(path, lines, i)
        self._begin_paragraph()

    def _line(self, path, lines, i):
        """Takes line i, and those a list in parentheses runs on to; returns how many."""
        where, line = (path, i + 1), lines[i].strip()
        directive = self.DIRECTIVE.fullmatch(line)
        if not line:
            self._begin_paragraph()
        elif directive:
            word, rest = directive.groups()
            taken = 1
            while word in ('struct', 'in', 'out') and rest.count('(') > rest.count(')'):
                if i + taken >= len(lines) or not lines[i + taken].strip().startswith('--'):
                    raise SqlError(where, 'the list is not closed: ")" is missing')
                rest += ' ' + lines[i + taken].strip()[2:].strip()
                taken += 1
            getattr(self, '_on_' + word)(rest.strip(), where)
            return taken
        elif line.startswith('--'):
            if self.statement is None:
                self.doc.append(line[2:].strip())
        else:
            self._on_sql(lines[i], where)
        return 1

    def _take_doc(self):
        doc, self.doc = self.doc, []
        return doc

    def _on_struct(self, rest, where):
        m = re.fullmatch(r'([a-z_][a-z0-9_]*)\s*\((.*)\)', rest)
        if not m:
            raise SqlError(where, 'expected "-- struct: name (column type, ...)"')
        self._add_struct(Struct(m[1], parse_fields(m[2], where), where, self._take_doc()))

    def _add_struct(self, struct):
        if struct.name in self.structs:
            raise SqlError(struct.where, f'struct {struct.name} is there already: {_at(self.structs[struct.name])}')
        self.structs[struct.name] = struct

    def _on_name(self, rest, where):
        m = re.fullmatch(r'([a-z_][a-z0-9_]*)\s+:([a-z]+)', rest)
        if not m or m[2] not in CARDS:
            raise SqlError(where, f'expected "-- name: query :card", the card being one of {", ".join(CARDS)}')
        if m[1] in self.queries:
            raise SqlError(where, f'query {m[1]} is there already: {_at(self.queries[m[1]])}')
        self.query = Query(m[1], m[2], where, self._take_doc())
        self.dialect = self.statement = None
        self.queries[m[1]] = self.query

    def _row(self, rest, where, side):
        if self.query is None or self.statement is not None:
            raise SqlError(where, f'"-- {side}:" stands between "-- name:" and the statement')
        if not rest.startswith('('):
            return (rest, where)    # found when all files are read
        if not rest.endswith(')'):
            raise SqlError(where, 'the list ends with ")"')
        struct = Struct(f'{self.query.name}_{side}', parse_fields(rest[1:-1], where), where)
        self._add_struct(struct)
        return struct

    def _on_in(self, rest, where):
        row = self._row(rest, where, 'in')    # looks first whether there is a query
        self.query.input = row

    def _on_out(self, rest, where):
        row = self._row(rest, where, 'out')
        self.query.output = row

    def _on_dialect(self, rest, where):
        if self.query is None:
            raise SqlError(where, '"-- dialect:" belongs to a query')
        if rest not in DIALECTS:
            raise SqlError(where, f'unknown dialect "{rest}"; known are {", ".join(DIALECTS)}')
        if rest in self.query.sql:
            raise SqlError(where, f'{self.query.name} has its {rest} statement already')
        self.dialect, self.statement = rest, None

    def _on_sql(self, line, where):
        if self.query is None:
            raise SqlError(where, 'SQL outside a query: is a "-- name:" missing, or a blank line in a statement?')
        if self.statement is None:
            self.statement = Statement('', where)
            for dialect in [self.dialect] if self.dialect else DIALECTS:
                self.query.sql[dialect] = self.statement
        self.statement.text += line + '\n'

    def finish(self):
        for q in self.queries.values():
            q.input, q.output = self._find(q.input), self._find(q.output)
            self._check(q)
        return list(self.structs.values()), list(self.queries.values())

    def _find(self, row):
        if not isinstance(row, tuple):
            return row
        name, where = row
        if name not in self.structs:
            raise SqlError(where, f'there is no struct {name}')
        return self.structs[name]

    def _check(self, q):
        returns = q.card in ('one', 'many')
        if returns != (q.output is not None):
            raise SqlError(q.where, f'{q.name}: :{q.card} {"needs" if returns else "cannot have"} "-- out:"')
        if q.card == 'batch' and q.input is None:
            raise SqlError(q.where, f'{q.name}: :batch needs "-- in:"')
        for dialect in DIALECTS:
            if dialect not in q.sql:
                raise SqlError(q.where, f'{q.name} has no statement for {dialect}')
            self._check_parameters(q, q.sql[dialect])

    @staticmethod
    def _check_parameters(q, statement):
        used = parameters(tokens(statement.text, statement.where))
        count = len(q.input.fields) if q.input else 0
        if used != set(range(1, count + 1)):
            given = f'in gives $1 to ${count}' if count else 'there is no in'
            names = ', '.join(f'${n}' for n in sorted(used)) or 'none'
            raise SqlError(statement.where, f'{q.name}: {given}, and the statement uses {names}')


def _at(thing):
    return f'{thing.where[0]}:{thing.where[1]}'


# ---- reading: schema ----

def read_schema(paths):
    """NNNN_name.sql, numbered from 0001 without a gap."""
    migrations = []
    for path in paths:
        m = re.fullmatch(r'(\d{4})_([a-z0-9_]+)\.sql', os.path.basename(path))
        if not m:
            raise SqlError((path, 1), 'a migration is called NNNN_name.sql')
        if int(m[1]) != len(migrations) + 1:
            raise SqlError((path, 1), f'migration {m[1]} should be {len(migrations) + 1:04}: numbers have no gaps')
        with open(path, encoding='utf-8') as f:
            text = f.read()
        migrations.append(Migration(int(m[1]), m[2], {d: migration_text(path, text, d) for d in DIALECTS}))
    return migrations


def migration_text(path, text, dialect):
    """The statements of one dialect, each ended by ";". A "-- dialect:" line holds until the next blank line."""
    only, kept = None, []
    for number, line in enumerate(text.split('\n'), 1):
        m = re.fullmatch(r'\s*--\s*dialect\s*:\s*(\S*)\s*', line)
        if m and m[1] not in DIALECTS:
            raise SqlError((path, number), f'unknown dialect "{m[1]}"; known are {", ".join(DIALECTS)}')
        if m:
            only = m[1]
        elif not line.strip():
            only = None
        kept.append('' if m or only not in (None, dialect) else line)
    statements = split_statements('\n'.join(kept), path)
    return '\n'.join(schema_statement(s, (path, number), dialect) for s, number in statements)


def split_statements(text, path):
    """Pairs of statement and the line it begins on, comments and ";" taken off."""
    statement, line, start = '', 1, 1
    for t in TOKEN.findall(text):
        if t in ("'", '"'):
            raise SqlError((path, line), 'a quote is opened and never closed')
        if t == ';':
            yield statement, start
            statement = ''
        elif not t.startswith('--'):
            if not statement.strip():
                start = line
                statement = ''
            statement += t
        line += t.count('\n')
        if not statement.strip():
            start = line
    if statement.strip():
        raise SqlError((path, start), 'the last statement has no ";"')


def schema_statement(text, where, dialect):
    """Puts the dialect's types in place of our words, in CREATE TABLE and ALTER TABLE ... ADD COLUMN."""
    pairs = with_depth(TOKEN.findall(text), where)
    found = [t for t, _ in pairs]
    head = ' '.join(t for t in found if not t.isspace()).lower()
    words = [i for i, t in enumerate(found) if not t.isspace()]
    if head.startswith('create table '):
        starts = [i for i in words if pairs[i][1] == 1 and _before(found, i) in ('(', ',')]
    elif re.match(r'alter table \S+ add column ', head):
        starts = [i for i in words if _before(found, i).lower() == 'column']
    else:
        starts = []
    for i in starts:
        if found[i].lower() not in ('unique', 'primary', 'foreign', 'check', 'constraint'):
            _set_type(found, i, where, dialect)
    return tidy(found) + ';'


def _before(found, i):
    """The token before i that is not white space."""
    return next((t for t in reversed(found[:i]) if not t.isspace()), '')


def _set_type(found, i, where, dialect):
    at = next((k for k in range(i + 1, len(found)) if not found[k].isspace()), i)
    line = where[1] + ''.join(found[:i]).count('\n')
    if found[at] not in WORDS:
        raise SqlError((where[0], line), f'unknown type "{found[at]}" of {found[i]}; known are {", ".join(WORDS)}')
    found[at] = WORDS[found[at]].column[dialect]


# ---- checking ----

def scratch(migrations, paths):
    db = sqlite3.connect(':memory:', isolation_level=None)
    db.execute('PRAGMA ignore_check_constraints = ON')
    for migration, path in zip(migrations, paths):
        try:
            db.executescript(migration.sql['sqlite'])
        except sqlite3.Error as e:
            raise SqlError((path, 1), f'SQLite refuses this migration: {e}') from None
    return db


WRITING = (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE)


def check(db, q):
    """Runs q on the empty tables, undoes that, and compares the columns it gives with `out`. Sets q.writes."""
    statement = q.sql['sqlite']
    actions = set()
    db.set_authorizer(lambda action, *rest: actions.add(action) or sqlite3.SQLITE_OK)
    values = {str(i): f.word.sample for i, f in enumerate(q.input.fields, 1)} if q.input else {}
    try:
        db.execute('BEGIN')
        columns = db.execute(sqlite_text(statement), values).description or ()
    except sqlite3.Error as e:
        raise SqlError(statement.where, f'{q.name}: SQLite refuses this statement: {e}') from None
    finally:
        db.set_authorizer(None)
        db.execute('ROLLBACK')
    q.writes = not actions.isdisjoint(WRITING)
    got = [c[0] for c in columns]
    wanted = [f.name for f in q.output.fields] if q.output else []
    if got and not q.output:
        raise SqlError(statement.where, f'{q.name} gives columns ({", ".join(got)}), and :{q.card} takes none')
    if got != wanted:
        raise SqlError(statement.where, f'{q.name} {difference(got, wanted)}')


def difference(got, wanted):
    if len(got) != len(wanted):
        return f'gives {len(got)} columns ({", ".join(got)}), and out has {len(wanted)} ({", ".join(wanted)})'
    i = next(i for i, pair in enumerate(zip(got, wanted)) if pair[0] != pair[1])
    return f'gives "{got[i]}" as column {i + 1}, and out has "{wanted[i]}" there'


# ---- statements for each engine ----

def sqlite_text(statement):
    # SQLite takes $1 for a name and numbers names by first appearance; ?1 is what we mean.
    return tidy([re.sub(r'^\$(?=\d)', '?', t) for t in tokens(statement.text, statement.where)])


def postgres_text(q):
    statement = q.sql['postgres']
    found = tokens(statement.text, statement.where)
    return tidy(unnest(q, found, statement.where) if q.card == 'batch' else found)


def unnest(q, found, where):
    """A statement for one row as one for arrays: the parameters become columns of unnest(...) AS given(p1, ...)."""
    pairs = with_depth(found, where)
    verb = next((t.upper() for t, _ in pairs if not t.isspace()), '')
    top = [t.upper() if depth == 0 else '' for t, depth in pairs]
    if 'RETURNING' in top:
        raise SqlError(where, f'{q.name}: a :batch cannot have RETURNING')
    count = range(1, len(q.input.fields) + 1)
    arrays = ', '.join(f'${i}::{f.word.column["postgres"].lower()}[]' for i, f in zip(count, q.input.fields))
    source = f'unnest({arrays}) AS given({", ".join(f"p{i}" for i in count)})'
    if verb == 'INSERT' and top.count('VALUES') == 1:
        return unnest_insert(q, found, top, source, where)
    if verb == 'UPDATE' and top.count('WHERE') == 1 and 'FROM' not in top:
        return unnest_where(found, top, 'FROM ' + source)
    if verb == 'DELETE' and top.count('WHERE') == 1 and 'USING' not in top:
        return unnest_where(found, top, 'USING ' + source)
    raise SqlError(where, f'{q.name}: this cannot be made a :batch for PostgreSQL. It can be INSERT ... VALUES (...), '
                   'UPDATE ... SET ... WHERE ... without FROM, or DELETE FROM ... WHERE ... without USING')


def given(found):
    return [f'given.p{t[1:]}' if re.fullmatch(r'\$\d+', t) else t for t in found]


def unnest_insert(q, found, top, source, where):
    values = top.index('VALUES')
    opening = top.index('(', values)
    closing = top.index(')', opening)
    tail = found[closing + 1:]
    if next((t for t in tail if not t.isspace()), '') == ',':
        raise SqlError(where, f'{q.name}: a :batch inserts one row of VALUES; the array makes it many')
    if parameters(tail):
        raise SqlError(where, f'{q.name}: what follows VALUES (...) in a :batch can only use "excluded.", not $n')
    row = given(found[opening + 1:closing])
    return found[:values] + ['SELECT '] + row + ['\nFROM ' + source] + tail


def unnest_where(found, top, clause):
    where = top.index('WHERE')
    return given(found[:where]) + [clause + '\n'] + given(found[where:])


# ---- writing ----

NOTICE = '/* Made by tools/sqlgen.py from the SQL in sql/; do not edit. */\n'


def c_string(text, indent):
    lines = text.split('\n')
    quoted = []
    for i, line in enumerate(lines):
        escaped = line.replace('\\', '\\\\').replace('"', '\\"')
        quoted.append(f'"{escaped}{" " if i + 1 < len(lines) else ""}"')
    return ('\n' + indent).join(quoted)


def c_doc(doc):
    text = '\n * '.join(line.replace('*/', '* /') for line in doc)
    return f'/* {text} */\n' if doc else ''


def c_struct(s):
    members = ''.join(f'\t{f.word.c_type}{f.name};{" /* or NULL */" if f.nullable else ""}\n' for f in s.fields)
    return f'{c_doc(s.doc)}struct {s.name} {{\n{members}}};\n'


def c_function(name, arguments, call):
    return f'static inline enum err {name}({", ".join(arguments)})\n{{\n\treturn {call};\n}}\n'


def c_wrapper(q):
    this = f'&Q_{q.name.upper()}'
    given_in = [f'const struct {q.input.name} *in'] if q.input else []
    in_ = 'in' if q.input else 'NULL'
    db = ['struct db *db']
    if q.card in ('exec', 'must'):
        return c_function(f'q_{q.name}', db + given_in, f'db_exec(db, {this}, {in_})')
    if q.card == 'many':
        arguments = db + given_in + ['db_row_fn *each', 'void *ctx']
        return c_function(f'q_{q.name}', arguments, f'db_many(db, {this}, {in_}, each, ctx)')
    if q.card == 'batch':
        arguments = db + [f'const struct {q.input.name} *rows', 'size_t count']
        return c_function(f'q_{q.name}', arguments, f'db_batch(db, {this}, rows, count)')
    arguments = db + given_in + ['struct arena *a', f'struct {q.output.name} *out']
    text = c_function(f'q_{q.name}', arguments, f'db_one(db, {this}, {in_}, a, out)')
    if q.input:
        arguments = db + [f'const struct {q.input.name} *ins', 'size_t count', 'db_each_fn *each', 'void *ctx']
        text += c_function(f'q_{q.name}_each', arguments, f'db_each(db, {this}, ins, count, each, ctx)')
    return text


def c_card(q):
    row = f', each row a struct {q.output.name}' if q.card == 'many' else ''
    return f'/* :{q.card}{row} */\n' if not q.doc else c_doc(q.doc[:-1] + [f'{q.doc[-1]} :{q.card}{row}'])


def queries_h(module, structs, queries):
    guard, names = f'TENFOLD_{module.upper()}_QUERIES_H', module.upper()
    parts = [NOTICE, f'#ifndef {guard}\n#define {guard}\n\n#include "store/store.h"\n']
    parts += [c_struct(s) for s in structs]
    parts += [f'{c_card(q)}extern const struct query Q_{q.name.upper()};\n{c_wrapper(q)}' for q in queries]
    parts.append(f'/* All of them, for checks. */\nenum {{ {names}_QUERY_COUNT = {len(queries)} }};\n'
                 f'extern const struct query *const {names}_QUERIES[{names}_QUERY_COUNT];\n\n#endif\n')
    return '\n'.join(parts)


def c_fields(s):
    rows = ''.join(f'\t{{"{f.name}", {f.word.kind}, {"true" if f.nullable else "false"}, '
                   f'offsetof(struct {s.name}, {f.name})}},\n' for f in s.fields)
    return f'static const struct sql_field {s.name}_fields[] = {{\n{rows}}};\n'


def c_query(q):
    def side(name, s):
        if s is None:
            return ''
        return (f'\t.{name} = {s.name}_fields,\n\t.{name}_count = {len(s.fields)},\n'
                f'\t.{name}_size = sizeof(struct {s.name}),\n')
    return (f'const struct query Q_{q.name.upper()} = {{\n\t.name = "{q.name}",\n\t.card = SQL_{q.card.upper()},\n'
            f'\t.writes = {"true" if q.writes else "false"},\n'
            f'\t.sqlite = {c_string(sqlite_text(q.sql["sqlite"]), chr(9) * 2)},\n'
            f'\t.postgres = {c_string(postgres_text(q), chr(9) * 2)},\n'
            f'{side("in", q.input)}{side("out", q.output)}}};\n')


def queries_c(module, structs, queries):
    used = [s for s in structs if any(s in (q.input, q.output) for q in queries)]
    parts = [NOTICE, f'#include "{module}/queries.h"\n']
    parts += [c_fields(s) for s in used] + [c_query(q) for q in queries]
    rows = ''.join(f'\t&Q_{q.name.upper()},\n' for q in queries)
    names = module.upper()
    parts.append(f'const struct query *const {names}_QUERIES[{names}_QUERY_COUNT] = {{\n{rows}}};\n')
    return '\n'.join(parts)


def schema_h(module):
    guard = f'TENFOLD_{module.upper()}_SCHEMA_H'
    return (f'{NOTICE}#ifndef {guard}\n#define {guard}\n\n#include "store/store.h"\n\n'
            f'extern const struct schema {module.upper()}_SCHEMA;\n\n#endif\n')


def schema_c(module, migrations):
    rows = ''
    for m in migrations:
        rows += f'\t{{\n\t\t.version = {m.version},\n\t\t.name = "{m.name}",\n'
        for dialect in DIALECTS:
            rows += f'\t\t.sql[STORE_{dialect.upper()}] =\n\t\t\t{c_string(m.sql[dialect], chr(9) * 3)},\n'
        rows += '\t},\n'
    return (f'{NOTICE}#include "{module}/schema.h"\n\nstatic const struct migration migrations[] = {{\n{rows}}};\n\n'
            f'const struct schema {module.upper()}_SCHEMA = {{migrations, {len(migrations)}}};\n')


def sql_files(folder):
    found = sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith('.sql'))
    if not found:
        raise SqlError((folder, 1), 'there are no .sql files here')
    return found


def generate(module, schema_paths, query_paths):
    """All four files as a dict from name to text."""
    migrations = read_schema(schema_paths)
    reader = QueryReader()
    for path in query_paths:
        reader.read(path)
    structs, queries = reader.finish()
    db = scratch(migrations, schema_paths)
    for q in queries:
        check(db, q)
    return {
        'queries.h': queries_h(module, structs, queries),
        'queries.c': queries_c(module, structs, queries),
        'schema.h': schema_h(module),
        'schema.c': schema_c(module, migrations),
    }


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--module', required=True, help='whose headers they are, and what their names begin with')
    parser.add_argument('--schema', required=True, help='folder of NNNN_name.sql')
    parser.add_argument('--queries', required=True, help='folder of <module>.sql')
    parser.add_argument('--out', required=True, help='folder to write into')
    parser.add_argument('--depfile', help='a list of what was read, for the build')
    args = parser.parse_args(arguments)
    try:
        schema_paths, query_paths = sql_files(args.schema), sql_files(args.queries)
        files = generate(args.module, schema_paths, query_paths)
    except SqlError as e:
        print(e, file=sys.stderr)
        return 1
    for name, text in files.items():
        with open(os.path.join(args.out, name), 'w', encoding='utf-8') as f:
            f.write(text)
    if args.depfile:
        # The folders too, so that a new file is noticed.
        read = [args.schema, args.queries, *schema_paths, *query_paths]
        with open(args.depfile, 'w', encoding='utf-8') as f:
            f.write(f'{os.path.join(args.out, "queries.h")}: {" ".join(p.replace(" ", chr(92) + " ") for p in read)}\n')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
