"""squad watch and execution watch on a real terminal: every key, every way to end; lines where there is none; and nothing
missed or told twice over restarts of the server."""

import os
import re
import signal
import threading

from harness import BINARY, SLOW, Caller, until
from screen import LEFT, Screen
from test_cli import Cli
from test_executions import Squad, chain
from test_kept import Between
from test_questions import Talkers
from test_sim_dashboard import Tmux

KEYS = 'c cancel  p pause  P squad  f filter  l log  ? help  q quit'
APPROVAL = {'name': 'release', 'kind': 'approval'}


def watching(t, squad, *words, **more):
    s = Screen([os.path.abspath(BINARY), 'squad', 'watch', squad.id, *words],
               **{'TENFOLD_URL': t.server.url, 'TENFOLD_KEY': squad.operator.key, 'TENFOLD_HOME': '/nonexistent', **more})
    s.wait('live')
    return s


def test_it_shows_what_there_is_and_what_comes(t):
    squad = Squad(t, 'backend')
    first = squad.add(*chain('plan', 'build'), name='Rate limits')
    with watching(t, squad) as s:
        s.wait('squad backend  active')
        s.wait('> queued      Rate limits')
        s.wait('    o plan')
        s.wait('    `- . build')
        item = squad.claim()
        s.wait('* plan')
        squad.worker.post(f'/v1/work/{item["id"]}/progress', {'token': item['token'], 'percent': 40}).expect(200)
        s.wait('running     40%  grace')
        squad.settle(item).expect(200)
        s.wait('+ plan')
        s.wait('1/2')
        squad.settle(squad.claim()).expect(200)
        s.wait('completed   Rate limits')
        squad.add({'name': 'ask'}, name='Nightly')
        s.wait('queued      Nightly')
        assert first.state == 'completed'
        s.press('q')
        assert s.wait_end() == 0 and s.is_given_back()


def test_a_approves_with_a_note(t):
    squad = Squad(t)
    execution = squad.add(APPROVAL, name='Rate limits')
    with watching(t, squad) as s:
        s.wait('WAITING FOR YOU: 1')
        s.wait('approve?')
        s.press('a')
        s.wait('Approve release of Rate limits')
        s.press('looks right\r')
        s.wait('\napproved\n')
        s.wait('completed   Rate limits')
        s.press('j')
        s.until(lambda: '\napproved\n' not in s.text(), 'what was said goes with the next key')
    assert execution.step('release')['result'] == 'looks right'


def test_r_rejects_and_escape_does_not(t):
    squad = Squad(t)
    execution = squad.add(APPROVAL, name='Rate limits')
    with watching(t, squad) as s:
        s.wait('approve?')
        s.press('r')
        s.wait('Reject release')
        s.press('x')
        s.wait('empty): x_')
        s.press('\x1b')
        s.wait(KEYS)
        assert execution.state == 'blocked'
        s.press('rnot today\r')
        s.wait('rejected')
        s.wait('failed      Rate limits')
    assert execution.show()['why'] == 'the step release failed: not today'


def test_w_answers_what_a_step_asks(t):
    talk = Talkers(t)
    talk.add('tech_lead', name='lead')
    talk.begin()
    first = talk.asked('Which branch do we build?')
    with watching(t, talk.squad) as s:
        with t.case('one that was asked before is read'):
            s.wait('-- build asks lead, tech_lead, level 0, moves on in 0:0')
            s.wait('\nWhich branch do we build?\n')
            assert 'WAITING FOR YOU' not in s.text()
        with t.case('an answer is written'):
            s.press('w\r')
            s.wait('an answer cannot be empty')
            s.press('main\r')
            s.wait('\nanswered\n')
            s.wait('o build')
            assert talk.show(first)['answer'] == 'main'
        with t.case('one that comes while it is watched, and goes up to a person'):
            second = talk.asked('Which index?')
            s.wait('\nWhich index?\n')
            talk.squad.operator.post(f'/v1/questions/{second}/escalate', {}).expect(200)
            s.wait('WAITING FOR YOU: 1')
            s.wait('-- build asks a person, level 1 --')
            s.press('w')
            s.wait('Answer build: _')
            s.press('\x1b')
            s.wait('w answer')
            s.press('wby day\r')
            s.wait('o build')
            assert talk.show(second)['answer'] == 'by day'


def test_an_answer_that_is_refused_is_not_lost(t):
    talk = Talkers(t)
    talk.begin()
    question = talk.asked()
    with watching(t, talk.squad, TENFOLD_KEY=talk.squad.worker.key) as s:
        s.wait('-- build asks a person, level 0 --')
        s.press('wmain\r')
        s.wait('\nw reopens it: the question has come to a person: it takes an operator\'s key\n')
        assert talk.show(question)['state'] == 'open'
        s.press('w')
        s.wait('Answer build: main_')
        talk.answer(question).expect(200)
        s.until(lambda: 'build asks' not in s.text(), 'it was answered by somebody else')
        s.press('\r')
        s.wait('\nthe question is answered\n')


def test_costs_are_seen_as_they_come(t):
    squad = Squad(t, 'backend')
    execution = squad.add(*chain('plan', 'build'), name='Rate limits')
    with watching(t, squad) as s:
        s.wait('o plan')
        assert 'USD' not in s.text()
        used = {'calls': [{'provider': 'own', 'model': 'tiny', 'input_tokens': 9, 'output_tokens': 3, 'micro_usd': 4480}]}
        squad.settle(squad.claim(), used=used).expect(200)
        s.wait('squad backend  active  USD 0.004480 this month')
        s.wait('USD 0.004480\n')
        squad.settle(squad.claim(), used=used).expect(200)
        s.wait('USD 0.008960 this month')
        s.until(lambda: s.text().count('USD 0.008960') == 2, 'that of the execution')
    assert execution.state == 'completed'
    between, url = listening(t)
    with watching(t, squad, TENFOLD_URL=url) as s:
        s.until(lambda: s.text().count('USD 0.008960') == 2, 'what was spent before')
    assert f'GET /v1/executions/{execution.id}/cost?entries=0 '.encode() in between.asked, 'sums alone'


def listening(t):
    """What hears what the board asks, and where it stands instead of the server."""
    between = Between(t.server.address[1])
    t.cleanup.callback(between.stop)
    return between, f'http://127.0.0.1:{between.listener.getsockname()[1]}'


def test_what_the_board_sets_is_sent(t):
    """It asked for 50 questions where it meant 200, and for what each member cost where it meant one sum."""
    talk = Talkers(t)
    talk.begin()
    talk.asked()
    between, url = listening(t)
    with watching(t, talk.squad, TENFOLD_URL=url) as s:
        s.wait('-- build asks a person, level 0 --')
    questions = re.search(rb'GET /v1/questions\?(\S+) ', between.asked)[1].split(b'&')
    assert b'limit=200' in questions and b'state=open' in questions, questions
    assert f'GET /v1/squads/{talk.squad.id}/cost?by=squad '.encode() in between.asked, between.asked


def test_c_cancels_when_it_is_confirmed(t):
    squad = Squad(t)
    execution = squad.add({'name': 'plan'}, name='Rate limits')
    with watching(t, squad) as s:
        s.wait('queued      Rate limits')
        s.press('c')
        s.wait('Cancel Rate limits?')
        s.press('n')
        s.wait('not cancelled')
        assert execution.state == 'queued'
        s.press('cy')
        s.wait('cancelled   Rate limits')
    assert execution.state == 'cancelled'


def test_p_pauses_an_execution_and_capital_p_its_squad(t):
    squad = Squad(t)
    execution = squad.add({'name': 'plan'}, name='Rate limits')
    with watching(t, squad) as s:
        s.wait('queued      Rate limits')
        s.press('p')
        s.wait('blocked     Rate limits')
        s.wait('paused')
        assert execution.show()['paused']
        s.press('p')
        s.wait('queued      Rate limits')
        s.press('P')
        s.wait('the squad is paused')
        s.wait('squad builders  paused')
        s.press('P')
        s.wait('squad builders  active')


def test_the_cursor_moves_and_a_filter_hides(t):
    squad = Squad(t)
    for name in ('Alpha', 'Beta'):
        squad.add(*chain(name.lower() + '-plan', name.lower() + '-build'), name=name)
    with watching(t, squad) as s:
        s.wait('o beta-plan')
        assert 'alpha-plan' not in s.text()
        s.press('jj\x1b[B')
        s.wait('o alpha-plan')
        s.press('k')
        s.wait('o beta-plan')
        s.press('falph')
        s.wait('all): alph_')
        s.until(lambda: 'Beta' not in s.text(), 'Beta is gone')
        s.press('\r')
        s.wait('filter: alph')
        s.press('\x1b')
        s.wait('Beta')


def test_help_and_the_log_of_all(t):
    squad = Squad(t)
    with watching(t, squad) as s:
        s.press('?')
        s.wait('approve or reject what waits')
        s.press(' ')
        s.wait(KEYS)
        squad.add({'name': 'one'}, name='Alpha')
        squad.add({'name': 'two'}, name='Beta')
        s.wait('two: pending -> ready')
        assert 'one: pending' not in s.text()
        s.press('l')
        s.wait('-- all executions')
        s.wait('Alpha | one: pending -> ready')


def test_colours_are_left_out_when_nobody_wants_them(t):
    squad = Squad(t)
    squad.add({'name': 'plan'})
    with watching(t, squad) as s:
        s.wait('o plan')
        assert b'\x1b[7m' in s.raw
    with watching(t, squad, NO_COLOR='1') as s:
        s.wait('o plan')
        assert not re.search(rb'\x1b\[[0-9;]*m', s.raw)


def test_it_fits_every_size(t):
    squad = Squad(t)
    squad.add(*chain('plan', 'build'), name='Rate limits')
    with watching(t, squad) as s:
        s.wait('o plan')
        for width, height in ((40, 8), (20, 3), (200, 60), (80, 24)):
            before = len(s.raw)
            s.resize(width, height)
            s.until(lambda: b'\x1b[H' in s.raw[before:], 'it is drawn anew')  # pylint: disable=cell-var-from-loop
            s.wait('q quit')
            assert len(s.text().splitlines()) <= height
        assert s.text().splitlines()[-1] == KEYS


def test_the_terminal_is_given_back_whatever_ends_it(t):
    squad = Squad(t)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGSEGV, signal.SIGABRT, signal.SIGHUP, signal.SIGQUIT):
        with watching(t, squad) as s:
            os.kill(s.pid, number)
            code = s.wait_end()
            assert s.is_given_back(), (number, s.raw[-300:])
            assert code == 128 + number if number in (signal.SIGTERM, signal.SIGINT) else code != 0, (number, code)


def test_what_is_not_there_is_said_on_the_shells_screen(t):
    squad = Squad(t)
    squad.id = 'sq_0000000000009'
    s = Screen([os.path.abspath(BINARY), 'squad', 'watch', squad.id], TENFOLD_URL=t.server.url, TENFOLD_KEY=squad.operator.key)
    with s:
        assert s.wait_end() == 4 and 'there is no such squad here' in s.text() and LEFT not in s.raw


def test_in_tmux_it_is_suspended_and_goes_on(t):
    squad = Squad(t)
    execution = squad.add(APPROVAL, {'name': 'deploy', 'needs': ['release']}, name='Rate limits')
    with Tmux() as tmux:
        tmux.type(f'TENFOLD_URL={t.server.url} TENFOLD_KEY={squad.operator.key} {os.path.abspath(BINARY)} squad watch {squad.id}', 'Enter')
        tmux.wait('approve?')
        tmux.wait(KEYS)
        tmux.type('C-z')
        tmux.wait('Stopped')
        tmux.type("stty -a | tr ' ;' '\\n\\n' | grep -cx -e echo -e icanon", 'Enter')
        tmux.wait('\n2\n')
        execution.call('approve', {'step': execution.step('release')['id'], 'approve': True}).expect(200)
        tmux.type('fg', 'Enter')
        tmux.wait('+ release')
        tmux.wait('o deploy')
        tmux.call('resize-window', '-x', '60', '-y', '12')
        tmux.wait('? help  q quit')
        tmux.type('q')
        until(lambda: tmux.call('capture-pane', '-p').rstrip().endswith('$'), 30, 'the prompt')
        tmux.type('echo code $?', 'Enter')
        tmux.wait('code 0')
        assert LEFT.decode() not in tmux.call('capture-pane', '-p')


# ---- lines ----

def test_in_a_pipe_there_is_a_line_an_event(t):
    squad = Squad(t)
    execution = squad.add(*chain('plan', 'build'))
    for _ in range(2):
        squad.settle(squad.claim()).expect(200)
    cli = Cli(t)
    said = cli.good('execution', 'watch', execution.id)
    lines = said.splitlines()
    assert len(lines) == execution.show()['last_event'] and '\x1b' not in said
    assert re.fullmatch(rf'\S+Z {execution.id} execution_started execution_started by .*', lines[0]), lines[0]
    assert re.search(r' task_status_updated st_\w+: ready -> running by grace$', said, re.M), said
    with t.case('as JSON'):
        assert len(cli.good('execution', 'watch', execution.id, '--json').splitlines()) == len(lines)
    with t.case('a dumb terminal too'):
        with Screen([os.path.abspath(BINARY), 'execution', 'watch', execution.id], **{**cli.env, 'TERM': 'dumb'}) as s:
            assert s.wait_end() == 0 and b'\x1b' not in s.raw and b'execution_started' in s.raw
    with t.case('one that failed is exit code 1'):
        failed = squad.add({'name': 'a', 'max_attempts': 1})
        squad.settle(squad.claim(), 'fail', error='no', retry=False).expect(200)
        assert cli.run('execution', 'watch', failed.id).returncode == 1
    with t.case('and one that is not there 4'):
        assert cli.run('execution', 'watch', 'ex_0000000000009').returncode == 4


def test_ctrl_c_ends_lines(t):
    squad = Squad(t)
    squad.add({'name': 'a'})
    process = Cli(t).start('squad', 'watch', squad.id, '--from', 'start')
    assert 'execution_started' in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130


def test_nothing_is_missed_or_doubled_over_restarts_of_the_server(t):
    server = t.new_server()
    server.listen = '{}:{}'.format(*server.address)
    squad = Squad(t, server=server)
    watch = Cli(t, server=server).start('squad', 'watch', squad.id, '--json')
    until(lambda: server.metric('tenfold_event_stream_subscribers') == 1)
    execution = squad.add(*chain(*[f's{n}' for n in range(32)]))
    for _ in range(3):
        carry_out(squad, 8)
        server.kill()
        server.start()
        squad.operator, squad.worker = Caller(server, server.admin_key), Caller(server, server.admin_key)
    carry_out(squad, 8)
    shown = execution.show()
    assert shown['state'] == 'completed', shown
    said = lines_of(watch, shown['last_event'])
    watch.send_signal(signal.SIGTERM)
    rest = watch.stdout.read()
    numbers = [int(re.search(r'"number":(\d+)', line)[1]) for line in said]
    assert numbers == list(range(1, shown['last_event'] + 1)) and rest == '', (numbers, rest)


def lines_of(process, count):
    """So many; fewer when no more come, for then it is ended."""
    late = threading.Timer(30 * SLOW, process.kill)
    late.start()
    said = [process.stdout.readline() for _ in range(count)]
    late.cancel()
    return [line for line in said if line]


def carry_out(squad, steps):
    """One after the other; none is left taken, for its lease would have to lapse when the server dies."""
    for _ in range(steps):
        squad.settle(squad.claim(wait_ms=5000)).expect(200)


def test_the_board_comes_back_after_the_server_did(t):
    server = t.new_server()
    server.listen = '{}:{}'.format(*server.address)
    squad = Squad(t, server=server)
    squad.add(*chain('plan', 'build'), name='Rate limits')
    s = Screen([os.path.abspath(BINARY), 'squad', 'watch', squad.id], TENFOLD_URL=server.url, TENFOLD_KEY=server.admin_key)
    with s:
        s.wait('o plan')
        server.kill()
        s.wait('CUT OFF')
        s.press('p')
        s.wait('no answer from')
        squad.operator.close()
        squad.worker.close()
        server.start()
        squad.settle(squad.claim(wait_ms=5000)).expect(200)
        s.wait('+ plan', 40)
        s.wait('live')
        s.press('q')
        assert s.wait_end() == 0 and s.is_given_back()
