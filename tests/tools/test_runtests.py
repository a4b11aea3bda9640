"""The runner of the tests counts what happened, and lets nothing pass that did not pass."""

import contextlib
import io
import os
import sys

import tap
import runtests


def judged(text, status=0, is_tap=True):
    return runtests.judge(runtests.Program('p', ['p'], tap=is_tap), status, text)


def counts(result):
    return result.passed, result.failed, len(result.skipped)


def test_cases_are_counted():
    assert counts(judged('1..3\nok 1 - a\nok 2 - b # SKIP no server\nnot ok 3 - c\n', 1)) == (1, 1, 1)
    assert judged('1..1\nok 1 - b # SKIP no server\n').skipped == ['p.b: no server']


def test_several_plans_add_up():
    assert counts(judged('1..1\nok 1 - a\n1..2\nok 1 - b\nok 2 - c\n')) == (3, 0, 0)


def test_what_does_not_run_fails():
    assert counts(judged('', 0)) == (0, 1, 0), 'no plan'
    assert judged('1..3\nok 1 - a\n').failed == 1, 'a case is missing'
    assert judged('ok 1 - a\n').failed == 1, 'no plan at the end: it died'
    assert judged('1..1\nok 1 - a\n', 1).failed == 1, 'a status that nobody explains'
    assert judged('1..1\nok 1 - a\n', -11).wrong == ['ended by SIGSEGV']
    assert judged('Bail out! no way\n', 1).failed == 1
    assert judged('1..1\nok 1 - a\n', None).failed == 1, 'it was not done in time'


def test_a_whole_program_may_be_skipped():
    result = judged('1..0 # SKIP no PostgreSQL\n')
    assert counts(result) == (0, 0, 1) and result.skipped == ['p: no PostgreSQL']


def test_programs_without_tap():
    assert counts(judged('words\n', 0, False)) == (1, 0, 0)
    assert counts(judged('words\n', 2, False)) == (0, 1, 0)


def test_programs_are_run_with_their_environment_and_their_bound():
    shown = runtests.run(runtests.Program('p', ['sh', '-c', 'echo 1..1; echo "ok 1 - $WORD"'], {'WORD': 'hello'}))
    assert 'ok 1 - hello' in shown.output and counts(shown) == (1, 0, 0)
    late = runtests.run(runtests.Program('p', ['sh', '-c', 'read x </dev/zero'], timeout_s=0.2))
    assert late.failed == 1 and late.seconds < 10


def shown(result, in_ci):
    runtests.IN_CI = in_ci
    with contextlib.redirect_stdout(io.StringIO()):
        return runtests.show(result)


def test_a_skip_needs_leave_in_ci():
    allowed = runtests.allowed_skips
    runtests.allowed_skips = lambda: ['p.a: no *']
    try:
        assert shown(runtests.Result('p', skipped=['p.a: no network']), True).failed == 0
        assert shown(runtests.Result('p', skipped=['p.b: no network']), True).failed == 1
        assert shown(runtests.Result('p', skipped=['p.b: no network']), False).failed == 0
    finally:
        runtests.allowed_skips = allowed


def test_over_budget_is_a_failure():
    class Whole:
        long = False
    outcomes = {'build': ([runtests.Result('build', passed=1)], 60 * 60)}
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert runtests.summary(['build'], outcomes, Whole) == [1, 1, 0]
    assert 'OVER BUDGET' in out.getvalue()


def test_every_part_has_a_budget():
    budgeted = {name for _, names, _ in runtests.BUDGETS for name in names}
    assert budgeted == set(runtests.PARTS), budgeted ^ set(runtests.PARTS)


def test_every_part_is_told_by_dev():
    with open(os.path.join(tap.ROOT, 'dev'), encoding='utf-8') as f:
        usage = f.read().split('END')[1]
    for part in set(runtests.PARTS) - {'build'}:
        assert part in usage, part


if __name__ == '__main__':
    sys.exit(tap.main(sys.modules[__name__]))
