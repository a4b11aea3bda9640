"""Each rule of the house notices what it is for, and lets pass what is right."""

import sys

import tap
import tidy


def faults(rule, **files):
    """What a rule says about a tree of these files; names with '__' for '/' and '_dot_' for '.'."""
    tree = tidy.Tree.__new__(tidy.Tree)
    tree.faults = []
    tree.text = {name.replace('__', '/').replace('_dot_', '.'): text for name, text in files.items()}
    rule(tree)
    return [fault.split(': ', 1)[1] for fault in tree.faults]


def test_layers_go_downwards_only():
    assert faults(tidy.rule_layers, src__work__a_dot_c='#include "base/str.h"\n#include "work/work.h"\n') == []
    up = faults(tidy.rule_layers, src__json__a_dot_c='#include "http/call.h"\n')
    assert up == ['json stands below or beside http and must not include it']
    assert faults(tidy.rule_layers, src__http__a_dot_c='#include "store/store.h"\n'), 'nor sideways'
    assert faults(tidy.rule_layers, src__novel__a_dot_c=''), 'a module without a rank'


def test_private_headers_stay_private():
    text = '#include "store/store_priv.h"\n'
    assert faults(tidy.rule_private_headers, src__store__a_dot_c=text, tests__unit__test_a_dot_c=text) == []
    assert faults(tidy.rule_private_headers, src__api__a_dot_c=text)


def test_banned_calls():
    for call in ('strcpy(a, b)', 'x = atoi(s)', 'system("ls")', 'usleep(5)', 'p = malloc(5)', 'gets(b)', 'typedef struct a b;'):
        assert faults(tidy.rule_banned_calls, src__work__a_dot_c=f'void f(void)\n{{\n\t{call};\n}}\n'), call
    for fine in ('/* strcpy(a, b) */', '"strcpy(a)"', 'my_strcpy(a, b)', 'o->sleep(5)', 'typedef enum err fn(int a);'):
        assert not faults(tidy.rule_banned_calls, src__work__a_dot_c=f'{fine};\n'), fine
    assert not faults(tidy.rule_banned_calls, src__base__a_dot_c='p = malloc(5);\n')
    excused = '/* tidy: nanosleep, because nothing wakes us */\nnanosleep(&t, NULL);\n'
    assert not faults(tidy.rule_banned_calls, src__work__a_dot_c=excused)
    assert faults(tidy.rule_banned_calls, tests__api__a_dot_py='time.sle' + 'ep(1)\n')


def test_globals():
    for bad in ('static int count;', 'struct map table;', 'static unsigned seen[5] = {0};', 'static char *name;'):
        assert faults(tidy.rule_globals, src__work__a_dot_c=bad + '\n'), bad
    for good in ('static const int count = 5;', 'static atomic_int level;', 'static volatile sig_atomic_t stop;',
                 'static void f(int a);', 'struct map;', 'static _Thread_local int depth;', '\tint local = 5;'):
        assert not faults(tidy.rule_globals, src__work__a_dot_c=good + '\n'), good


def test_leftovers():
    for bad in ('TO' + 'DO: later', 'cd /ro' + 'ot/x', '/wo' + 'rk/main'):
        assert faults(tidy.rule_leftovers, docs__a_dot_md=bad + '\n'), bad
    assert not faults(tidy.rule_leftovers, docs__a_dot_md='POST /v1/wo' + 'rk/batch\n')
    assert faults(tidy.rule_leftovers, src__work__a_dot_c='\t/* free_it(x); */\n')
    assert faults(tidy.rule_leftovers, src__work__a_dot_c='\t// count = 5;\n')
    assert not faults(tidy.rule_leftovers, src__work__a_dot_c='\t/* Frees it, and clears the pointer. */\n')


def test_comments_fit():
    for line in ('/* {} */', ' * {}', '\t/* {} */'):
        assert not faults(tidy.rule_comments_fit, src__work__a_dot_c=line.format('x' * 90) + '\n'), line
        assert faults(tidy.rule_comments_fit, src__work__a_dot_c=line.format('x' * 120) + '\n'), line
    assert not faults(tidy.rule_comments_fit, src__work__a_dot_c='\tf("' + 'x' * 130 + '");\n'), 'code is the formatter\'s'


def test_every_file_is_built():
    assert faults(tidy.rule_every_file_is_built, src__work__a_dot_c='', src__work__meson_dot_build="'b.c'")
    assert not faults(tidy.rule_every_file_is_built, src__work__a_dot_c='', src__work__meson_dot_build="'a.c'")
    assert not faults(tidy.rule_every_file_is_built, tests__unit__test_a_dot_c='', tests__unit__meson_dot_build="['a', [base]]")


def test_files_say_what_they_are():
    rule = tidy.rule_files_open_with_what_they_are
    assert faults(rule, src__work__a_dot_c='#include <stdio.h>\n') and not faults(rule, src__work__a_dot_c='/* It. */\n')
    assert faults(rule, tools__a_dot_py='import os\n') and not faults(rule, tools__a_dot_py='#!/usr/bin/python3\n"""It."""\n')


def test_budgets():
    assert faults(tidy.rule_budgets, src__work__a_dot_h='\n' * (tidy.BUDGETS['.h'] + 1))
    assert not faults(tidy.rule_budgets, src__work__a_dot_h='\n' * tidy.BUDGETS['.h'])


def test_tables_clean_up():
    assert faults(tidy.rule_tables_clean_up, src__spec__a_dot_c='#define ROUTE(a) a\n#include "api/routes.def"\n')
    assert not faults(tidy.rule_tables_clean_up, src__spec__a_dot_c='#define ROUTE(a) a\n#undef ROUTE\n')


def test_modules_of_tests_have_names_of_their_own():
    """tests/clients had a test_cli too, so a test there could not import what imports that of tests/api."""
    assert faults(tidy.rule_names_of_tests, tests__api__test_cli_dot_py='', tests__clients__test_cli_dot_py='')
    assert not faults(tidy.rule_names_of_tests, tests__api__test_cli_dot_py='', tests__clients__test_command_line_dot_py='')


def test_comments_are_told_from_code():
    tree = tidy.Tree.__new__(tidy.Tree)
    tree.text = {'a.c': '/* One\n * two. */\nint a; /* beside code */\n\nchar *s = "/* no comment */";\n'}
    assert tidy.comment_ratio(tree, ['a.c']) == 0.5


if __name__ == '__main__':
    sys.exit(tap.main(sys.modules[__name__]))
