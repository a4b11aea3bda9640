#!/usr/bin/env python3
"""tools/sqlgen.py: what it makes of good input, and what it says of bad."""

import contextlib
import io
import os
import shutil
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tools'))
sys.dont_write_bytecode = True
import sqlgen  # noqa: E402

SCHEMA = '''-- Birds.
create table birds (
  id id64 primary key,
  name text not null unique,   -- "quoted; with (odd) text"
  weight real not null,
  tame bool not null,
  song bytes,
  about json,
  nest int64 not null references nests(id)
);
create table nests (id id64 primary key, height int64 not null);
create index birds_nest on birds (nest);
'''

BIRD = '''-- struct: bird (id id64, name text, weight real, tame bool, song bytes?,
--   about json?, nest int64)
'''


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='sqlgen-')
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        return path

    def generate(self, *queries, schema=(SCHEMA,)):
        schemas = [self.write(f'{i:04}_step.sql', text) for i, text in enumerate(schema, 1)]
        paths = [self.write(f'q{i}.sql', text) for i, text in enumerate(queries, 1)]
        return sqlgen.generate('store', schemas, paths)

    def refused(self, where, words, *queries, schema=(SCHEMA,)):
        """The input is refused at the place `where`, in a sentence with `words`."""
        with self.assertRaises(sqlgen.SqlError) as caught:
            self.generate(*queries, schema=schema)
        text = str(caught.exception)
        self.assertTrue(text.startswith(os.path.join(self.folder, where) + ': '), text)
        self.assertIn(words, text)

    def batch(self, statement, row='(id id64, name text)'):
        """The PostgreSQL text of a :batch."""
        c = self.generate(f'-- name: q :batch\n-- in: {row}\n{statement}\n')['queries.c']
        lines = c[c.index('.postgres = '):c.index('.in = ')].split('\n')
        return ''.join(line[line.index('"') + 1:line.rindex('"')] for line in lines if '"' in line)


class Structs(Case):
    def test_members_have_the_types_of_their_words(self):
        h = self.generate(BIRD + '\n-- name: all :many\n-- out: bird\nSELECT * FROM birds\n')['queries.h']
        self.assertIn('struct bird {\n\tint64_t id;\n\tstruct str name;\n\tdouble weight;\n\tbool tame;\n'
                      '\tstruct str song; /* or NULL */\n\tstruct str about; /* or NULL */\n\tint64_t nest;\n};', h)

    def test_fields_say_where_members_are(self):
        c = self.generate(BIRD + '\n-- name: all :many\n-- out: bird\nSELECT * FROM birds\n')['queries.c']
        self.assertIn('{"song", SQL_BYTES, true, offsetof(struct bird, song)},', c)
        self.assertIn('{"tame", SQL_BOOL, false, offsetof(struct bird, tame)},', c)

    def test_an_inline_list_is_named_after_its_query(self):
        h = self.generate('-- name: find :one\n-- in: (name text)\n-- out: (id id64)\n'
                          'SELECT id FROM birds WHERE name = $1\n')['queries.h']
        self.assertIn('struct find_in {\n\tstruct str name;\n};', h)
        self.assertIn('struct find_out {\n\tint64_t id;\n};', h)

    def test_a_struct_of_another_file_can_be_used(self):
        h = self.generate('-- name: all :many\n-- out: bird\nSELECT * FROM birds\n', BIRD)['queries.h']
        self.assertIn('struct bird {', h)

    def test_comments_become_comments(self):
        h = self.generate('-- About the file.\n\n-- What\'s in a nest. */ Really.\n-- struct: n (id id64)\n'
                          '-- Lowest\n-- first.\n-- name: all :many\n-- out: n\nSELECT id FROM nests\n')['queries.h']
        self.assertIn("/* What's in a nest. * / Really. */\nstruct n {", h)
        self.assertIn('/* Lowest\n * first. :many, each row a struct n */\nextern const struct query Q_ALL;', h)
        self.assertNotIn('About the file', h)


class Wrappers(Case):
    def one(self, directives, statement):
        return self.generate(f'-- name: q {directives}\n{statement}\n')['queries.h']

    def test_exec_and_must(self):
        for card in ('exec', 'must'):
            h = self.one(f':{card}\n-- in: (id id64)', 'DELETE FROM birds WHERE id = $1')
            self.assertIn('enum err q_q(struct db *db, const struct q_in *in)\n{\n\treturn db_exec(db, &Q_Q, in);', h)

    def test_without_in_there_is_no_parameter(self):
        h = self.one(':exec', 'DELETE FROM birds')
        self.assertIn('enum err q_q(struct db *db)\n{\n\treturn db_exec(db, &Q_Q, NULL);', h)
        h = self.one(':one\n-- out: (n int64)', 'SELECT count(*) AS n FROM birds')
        self.assertIn('q_q(struct db *db, struct arena *a, struct q_out *out)', h)
        self.assertNotIn('q_q_each', h)

    def test_one_has_an_each(self):
        h = self.one(':one\n-- in: (id id64)\n-- out: (name text)', 'SELECT name FROM birds WHERE id = $1')
        self.assertIn('q_q(struct db *db, const struct q_in *in, struct arena *a, struct q_out *out)', h)
        self.assertIn('q_q_each(struct db *db, const struct q_in *ins, size_t count, db_each_fn *each, void *ctx)', h)

    def test_many(self):
        h = self.one(':many\n-- in: (below id64)\n-- out: (id id64)', 'SELECT id FROM birds WHERE id < $1')
        self.assertIn('q_q(struct db *db, const struct q_in *in, db_row_fn *each, void *ctx)', h)

    def test_batch(self):
        h = self.one(':batch\n-- in: (id id64)', 'DELETE FROM birds WHERE id = $1')
        self.assertIn('q_q(struct db *db, const struct q_in *rows, size_t count)', h)

    def test_whether_it_writes(self):
        c = self.generate('-- name: r :one\n-- out: (n int64)\nSELECT count(*) AS n FROM birds\n\n'
                          '-- name: w :one\n-- in: (id id64)\n-- out: (height int64)\n'
                          'INSERT INTO nests (id, height) VALUES ($1, 0) RETURNING height\n')['queries.c']
        self.assertIn('.name = "r",\n\t.card = SQL_ONE,\n\t.writes = false,', c)
        self.assertIn('.name = "w",\n\t.card = SQL_ONE,\n\t.writes = true,', c)


class Dialects(Case):
    def test_parameters_are_numbered_for_sqlite(self):
        c = self.generate('-- name: q :exec\n-- in: (id id64, name text)\n'
                          "UPDATE birds SET name = $2 || '$1' WHERE id = $1\n")['queries.c']
        self.assertIn('''.sqlite = "UPDATE birds SET name = ?2 || '$1' WHERE id = ?1"''', c)
        self.assertIn('''.postgres = "UPDATE birds SET name = $2 || '$1' WHERE id = $1"''', c)

    def test_alternatives(self):
        c = self.generate('-- name: q :one\n-- out: (now int64)\n-- dialect: sqlite\nSELECT 1 AS now\n'
                          '-- dialect: postgres\nSELECT clock() AS now -- theirs\n')['queries.c']
        self.assertIn('.sqlite = "SELECT 1 AS now"', c)
        self.assertIn('.postgres = "SELECT clock() AS now"', c)

    def test_schema_words(self):
        c = self.generate(schema=(SCHEMA,))['schema.c']
        self.assertIn('"  id INTEGER primary key, "', c)
        self.assertIn('"  id BIGINT primary key, "', c)
        self.assertIn('"  tame BOOLEAN not null, "', c)
        self.assertIn('"  weight DOUBLE PRECISION not null, "', c)
        self.assertIn('"  song BYTEA, "', c)
        self.assertIn('"  about TEXT, "', c)
        self.assertIn('"create table nests (id INTEGER primary key, height INTEGER not null); "', c)

    def test_columns_added_later(self):
        c = self.generate(schema=(SCHEMA, 'alter table birds add column ring int64 not null default 0;\n'))['schema.c']
        self.assertIn('add column ring BIGINT not null', c)
        self.assertIn('.version = 2,\n\t\t.name = "step"', c)

    def test_a_part_of_the_schema_for_one_engine(self):
        step = (SCHEMA + '\n-- dialect: postgres\nalter table birds set (fillfactor = 70);\n\n'
                'create index x on birds (name);\n')
        c = self.generate(schema=(step,))['schema.c']
        self.assertEqual(c.count('fillfactor'), 1)
        self.assertEqual(c.count('create index x'), 2)

    def test_constraints_of_a_table_are_not_columns(self):
        self.generate(schema=('create table t (a int64, b int64, unique (a, b), primary key (a), check (a > 0),\n'
                              'constraint c foreign key (b) references t(a));\n',))


class Batches(Case):
    def test_insert(self):
        text = self.batch('INSERT INTO birds (id, name, weight, tame, nest) VALUES ($1, $2, 0, false, $1 + 1)')
        self.assertEqual(text, 'INSERT INTO birds (id, name, weight, tame, nest) SELECT given.p1, given.p2, 0, false, '
                         'given.p1 + 1 FROM unnest($1::bigint[], $2::text[]) AS given(p1, p2)')

    def test_insert_with_calls_and_an_upsert(self):
        text = self.batch('INSERT INTO birds (id, name, weight, tame, nest)\nVALUES ($1, upper(trim($2)), 0, true, 0)\n'
                          'ON CONFLICT (id) DO UPDATE SET name = excluded.name')
        self.assertIn('SELECT given.p1, upper(trim(given.p2)), 0, true, 0 FROM unnest(', text)
        self.assertTrue(text.endswith('AS given(p1, p2) ON CONFLICT (id) DO UPDATE SET name = excluded.name'), text)

    def test_update(self):
        self.assertEqual(self.batch("UPDATE birds SET name = $2 WHERE id = $1 AND name <> 'WHERE'"),
                         "UPDATE birds SET name = given.p2 FROM unnest($1::bigint[], $2::text[]) AS given(p1, p2) "
                         "WHERE id = given.p1 AND name <> 'WHERE'")

    def test_delete(self):
        self.assertEqual(self.batch('DELETE FROM birds\nWHERE id = $1', '(id id64)'),
                         'DELETE FROM birds USING unnest($1::bigint[]) AS given(p1) WHERE id = given.p1')

    def test_every_word_has_an_array(self):
        text = self.batch('INSERT INTO birds (id, name, weight, tame, song, about, nest) '
                          'VALUES ($1, $2, $3, $4, $5, $6, $7)',
                          '(id id64, name text, weight real, tame bool, song bytes?, about json?, nest int64)')
        self.assertIn('unnest($1::bigint[], $2::text[], $3::double precision[], $4::boolean[], $5::bytea[], '
                      '$6::text[], $7::bigint[])', text)

    def test_what_cannot_be_rewritten_is_refused(self):
        for statement in ('INSERT INTO nests (id, height) SELECT $1, $2',
                          'UPDATE birds SET nest = $1 + $2',
                          'UPDATE birds SET nest = nests.height FROM nests WHERE birds.id = $1 AND nests.id = $2',
                          'WITH x AS (SELECT 1) DELETE FROM birds WHERE id = $1 AND nest = $2',
                          'REPLACE INTO nests (id, height) VALUES ($1, $2)'):
            self.refused('q1.sql:3', 'q: this cannot be made a :batch for PostgreSQL. It can be INSERT',
                         f'-- name: q :batch\n-- in: (a int64, b int64)\n{statement}\n')
        self.refused('q1.sql:6', 'q: this cannot be made a :batch',
                     '-- name: q :batch\n-- in: (a int64)\n'
                     '-- dialect: sqlite\nDELETE FROM birds WHERE id = $1\n'
                     '-- dialect: postgres\nDELETE FROM birds USING nests WHERE nests.id = nest AND birds.id = $1\n')

    def test_rows_parameters_and_returning_that_have_no_array_form(self):
        head = '-- name: q :batch\n-- in: (id id64, height int64)\n'
        self.refused('q1.sql:3', 'one row of VALUES',
                     head + 'INSERT INTO nests (id, height) VALUES ($1, $2), ($1 + 1, $2)\n')
        self.refused('q1.sql:3', 'can only use "excluded."',
                     head + 'INSERT INTO nests (id, height) VALUES ($1, 0)\n'
                     'ON CONFLICT (id) DO UPDATE SET height = $2\n')
        self.refused('q1.sql:6', 'a :batch cannot have RETURNING',
                     head + '-- dialect: sqlite\nUPDATE nests SET height = $2 WHERE id = $1\n'
                     '-- dialect: postgres\nUPDATE nests SET height = $2 WHERE id = $1 RETURNING id\n')


class BadQueries(Case):
    def test_unknown_type(self):
        self.refused('q1.sql:2', 'unknown type "integer" of id; known are id64',
                     '-- name: q :exec\n-- in: (id integer)\nDELETE FROM birds WHERE id = $1\n')

    def test_null_numbers(self):
        self.refused('q1.sql:1', 'only text, json and bytes can be NULL', '-- struct: s (id int64?)\n')

    def test_a_list_that_is_none(self):
        self.refused('q1.sql:1', '"id" should be a name and a type', '-- struct: s (id)\n')
        self.refused('q1.sql:1', 'at least one', '-- struct: s ()\n')
        self.refused('q1.sql:1', 'expected "-- struct:', '-- struct: s id id64\n')
        self.refused('q1.sql:2', 'the list is not closed', '\n-- struct: s (id id64,\nSELECT\n')

    def test_names_that_c_cannot_have(self):
        self.refused('q1.sql:1', '"default" is a word of C', '-- struct: s (default int64)\n')

    def test_a_member_twice(self):
        self.refused('q1.sql:1', 'id is there twice', '-- struct: s (id int64, id int64)\n')

    def test_a_struct_twice(self):
        self.refused('q2.sql:1', 'q1.sql:1', '-- struct: s (id int64)\n', '-- struct: s (id int64)\n')

    def test_a_query_twice(self):
        q = '-- name: q :exec\nDELETE FROM birds\n'
        self.refused('q1.sql:4', 'query q is there already', q + '\n' + q)

    def test_a_struct_that_is_not_there(self):
        self.refused('q1.sql:2', 'there is no struct bird', '-- name: q :many\n-- out: bird\nSELECT 1\n')

    def test_an_unknown_card(self):
        self.refused('q1.sql:1', 'expected "-- name:', '-- name: q :some\nDELETE FROM birds\n')

    def test_cards_and_rows_that_do_not_fit(self):
        self.refused('q1.sql:1', ':many needs "-- out:"', '-- name: q :many\nSELECT 1\n')
        self.refused('q1.sql:1', ':exec cannot have "-- out:"', '-- name: q :exec\n-- out: (a int64)\nSELECT 1 AS a\n')
        self.refused('q1.sql:1', ':batch needs "-- in:"', '-- name: q :batch\nDELETE FROM birds\n')
        self.refused('q1.sql:2', 'gives columns (a), and :exec takes none', '-- name: q :exec\nSELECT 1 AS a\n')

    def test_a_query_without_a_statement(self):
        self.refused('q1.sql:1', 'q has no statement for sqlite', '-- name: q :exec\n\n')
        self.refused('q1.sql:1', 'q has no statement for postgres',
                     '-- name: q :exec\n-- dialect: sqlite\nDELETE FROM birds\n')

    def test_dialects(self):
        self.refused('q1.sql:2', 'unknown dialect "mysql"', '-- name: q :exec\n-- dialect: mysql\nDELETE FROM birds\n')
        self.refused('q1.sql:4', 'has its sqlite statement already',
                     '-- name: q :exec\n-- dialect: sqlite\nDELETE FROM birds\n-- dialect: sqlite\nDELETE FROM birds\n')

    def test_a_blank_line_in_a_statement(self):
        self.refused('q1.sql:4', 'SQL outside a query', '-- name: q :exec\nDELETE FROM birds\n\nWHERE id = 1\n')

    def test_parameters_that_do_not_match(self):
        head = '-- name: q :exec\n-- in: (a int64, b int64)\n'
        self.refused('q1.sql:3', 'in gives $1 to $2, and the statement uses $1',
                     head + 'DELETE FROM birds WHERE id = $1\n')
        self.refused('q1.sql:3', 'uses $1, $2, $3', head + 'DELETE FROM birds WHERE id IN ($1, $2, $3)\n')
        self.refused('q1.sql:2', 'there is no in', '-- name: q :exec\nDELETE FROM birds WHERE id = $1\n')

    def test_other_parameters_and_several_statements(self):
        self.refused('q1.sql:2', '"?" has no place', '-- name: q :exec\nDELETE FROM birds WHERE id = ?\n')
        self.refused('q1.sql:2', '";" has no place', '-- name: q :exec\nDELETE FROM birds; DELETE FROM nests\n')

    def test_quotes_and_parentheses(self):
        self.refused('q1.sql:2', 'a quote is opened', "-- name: q :exec\nDELETE FROM birds WHERE name = 'x\n")
        head = '-- name: q :batch\n-- in: (id id64)\n'
        self.refused('q1.sql:3', 'SQLite refuses', head + 'DELETE FROM birds WHERE (id = $1\n')

    def test_what_sqlite_refuses(self):
        self.refused('q1.sql:5', 'no such column: wings',
                     '\n\n-- name: q :exec\n-- in: (id id64)\nDELETE FROM birds WHERE wings = $1\n')

    def test_columns_that_differ(self):
        self.refused('q1.sql:3', 'q gives 1 columns (id), and out has 2 (id, name)',
                     '-- name: q :many\n-- out: (id id64, name text)\nSELECT id FROM birds\n')
        self.refused('q1.sql:3', 'q gives "name" as column 2, and out has "title" there',
                     '-- name: q :many\n-- out: (id id64, title text)\nSELECT id, name FROM birds\n')

    def test_columns_of_returning(self):
        self.refused('q1.sql:4', 'gives "height" as column 1, and out has "id"',
                     '-- name: q :one\n-- in: (id id64)\n-- out: (id id64)\n'
                     'INSERT INTO nests (id, height) VALUES ($1, 0) RETURNING height\n')


class BadSchemas(Case):
    def test_unknown_word(self):
        self.refused('0001_step.sql:3', 'unknown type "varchar" of name',
                     schema=('create table t (\n  id id64 primary key,\n  name varchar(20)\n);\n',))

    def test_no_semicolon(self):
        self.refused('0001_step.sql:2', 'no ";"', schema=('\ncreate table t (id id64)\n',))

    def test_what_sqlite_refuses(self):
        self.refused('0002_step.sql:1', 'SQLite refuses this migration: table birds already exists',
                     schema=(SCHEMA, SCHEMA))

    def test_numbers(self):
        for name, words in (('0002_late.sql', 'should be 0001'), ('first.sql', 'NNNN_name.sql')):
            path = self.write(name, SCHEMA)
            with self.assertRaises(sqlgen.SqlError) as caught:
                sqlgen.read_schema([path])
            self.assertIn(words, str(caught.exception))

    def test_dialect(self):
        self.refused('0001_step.sql:2', 'unknown dialect "oracle"', schema=('\n-- dialect: oracle\n',))


class Program(Case):
    def run_it(self):
        for folder in ('schema', 'queries', 'out'):
            os.makedirs(os.path.join(self.folder, folder), exist_ok=True)
        told = io.StringIO()
        with contextlib.redirect_stderr(told):
            status = sqlgen.main(['--module', 'store', '--schema', os.path.join(self.folder, 'schema'),
                                  '--queries', os.path.join(self.folder, 'queries'),
                                  '--out', os.path.join(self.folder, 'out')])
        return status, told.getvalue()

    def test_an_error_is_one_line_and_writes_nothing(self):
        os.makedirs(os.path.join(self.folder, 'schema'))
        os.makedirs(os.path.join(self.folder, 'queries'))
        self.write('schema/0001_a.sql', SCHEMA)
        self.write('queries/q.sql', '-- name: q :exec\nDELETE FROM bats\n')
        status, told = self.run_it()
        self.assertEqual(status, 1)
        self.assertEqual(told.count('\n'), 1)
        self.assertIn('queries/q.sql:2: q: SQLite refuses this statement: no such table: bats', told)
        self.assertEqual(os.listdir(os.path.join(self.folder, 'out')), [])

    def test_no_files(self):
        self.assertEqual(self.run_it()[0], 1)

    def test_this_program_s_own_sql(self):
        for module, sql, query in (('store', 'sql', 'work.sql'), ('sim', 'sql/sim', 'runs.sql')):
            with self.subTest(module):
                self.own_sql(module, sql, query)

    def own_sql(self, module, sql, query):
        depfile = os.path.join(self.folder, 'd')
        with contextlib.redirect_stderr(io.StringIO()) as told:
            status = sqlgen.main(['--module', module, '--schema', os.path.join(ROOT, sql, 'schema'),
                                  '--queries', os.path.join(ROOT, sql, 'queries'),
                                  '--out', self.folder, '--depfile', depfile])
        self.assertEqual(told.getvalue(), '')
        self.assertEqual(status, 0)
        with open(depfile, encoding='utf-8') as f:
            self.assertIn(f'{sql}/queries/{query}', f.read())
        for name in ('queries', 'schema'):
            with open(os.path.join(self.folder, name + '.c'), encoding='utf-8') as f:
                self.assertIn(f'#include "{module}/{name}.h"', f.read())
            with open(os.path.join(self.folder, name + '.h'), encoding='utf-8') as f:
                self.assertIn(f'{module.upper()}_{"QUERIES" if name == "queries" else "SCHEMA"}', f.read())


if __name__ == '__main__':
    unittest.main()
