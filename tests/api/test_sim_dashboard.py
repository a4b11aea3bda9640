"""The dashboard of a run on a real terminal: every key, every size, every way to end; and plain lines where there is none."""

import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile
import uuid

from harness import BINARY, SLOW, clean_env, until
from screen import LEFT, Screen

KEYS = 'p pause  c checkpoint  s statistics  q quit'


def command(folder, *words, scale='36000'):
    return [os.path.abspath(BINARY), 'sim', 'run', '--dir', folder, '--mock-api', '--seed', '7', '--rate', '0', '--time-scale', scale, *words]


def begun(folder, *words, **more):
    s = Screen(command(folder, *words), **more)
    s.wait('RUNNING')
    s.wait(KEYS)
    return s


def clock(s):
    return re.search(r'\d+:\d\d:\d\d$', s.text().splitlines()[0])[0]


def test_p_stands_and_r_goes_on(t):
    with tempfile.TemporaryDirectory() as path, begun(path) as s:
        s.press('p')
        s.wait('PAUSED')
        s.wait('r resume  c checkpoint')
        stood = re.search(r'cycle +(.*)', s.text())[1], clock(s)
        s.press('s')                                # draws anew
        s.wait('(service alone)')
        s.press('s')
        s.wait('sessions')
        assert (re.search(r'cycle +(.*)', s.text())[1], clock(s)) == stood
        s.press('r')
        s.wait('RUNNING')


def test_c_makes_a_checkpoint(t):
    with tempfile.TemporaryDirectory() as path, begun(path, '--checkpoint-every', '0') as s:
        assert not glob.glob(f'{path}/checkpoints/*.json')
        s.press('c')
        s.wait('news      checkpoint of cycle')
        assert len(glob.glob(f'{path}/checkpoints/*.json')) == 1


def test_s_shows_all_endpoints_and_back(t):
    with tempfile.TemporaryDirectory() as path, begun(path) as s:
        s.press('s')
        s.wait('(service alone)')
        assert 'sessions  ' not in s.text()
        s.press('S')
        s.wait('sessions  ')


def test_q_ends_with_a_checkpoint_and_a_report(t):
    with tempfile.TemporaryDirectory() as path, begun(path, '--checkpoint-every', '0') as s:
        s.press('q')
        assert s.wait_end() == 0
        assert 'ended     it was stopped' in s.text() and s.is_given_back()
        assert len(glob.glob(f'{path}/checkpoints/*.json')) == 1 and len(glob.glob(f'{path}/runs/*/report.html')) == 1


def test_q_twice_ends_at_once(t):
    with tempfile.TemporaryDirectory() as path, begun(path) as s:
        s.press('qq')
        assert s.wait_end() == 0 and s.is_given_back()


def test_other_keys_do_nothing_and_none_echoes(t):
    with tempfile.TemporaryDirectory() as path, begun(path) as s:
        s.press('xyz \r\x1bOQ')                     # the last is F2, which ends with a Q
        s.press('\x1b[C')                           # and an arrow
        s.press('\x13')                             # Ctrl-S holds nothing
        s.press('p')
        s.wait('PAUSED')
        assert 'xyz' not in s.text() and '^' not in s.text()
        s.press('r')
        s.wait('RUNNING')


def test_it_fits_every_size(t):
    with tempfile.TemporaryDirectory() as path, begun(path) as s:
        for width, height in ((40, 8), (20, 3), (200, 60), (80, 24)):
            before = len(s.raw)
            s.resize(width, height)
            s.until(lambda: b'\x1b[H' in s.raw[before:], 'it is drawn anew')  # pylint: disable=cell-var-from-loop
            s.wait('tenfold sim' if width >= 40 else 'RUNNING')
            lines = s.text().splitlines()
            assert len(lines) <= height and lines[-1].startswith('p pause'), s.text()
        assert s.text().splitlines()[-1] == KEYS


def test_colours_are_left_out_when_nobody_wants_them(t):
    with tempfile.TemporaryDirectory() as path, begun(path) as s:
        assert b'\x1b[1m' in s.raw
    with tempfile.TemporaryDirectory() as path, begun(path, NO_COLOR='1') as s:
        s.press('p')
        s.wait('PAUSED')
        assert not re.search(rb'\x1b\[[0-9;]*m', s.raw)


def test_it_is_given_back_whatever_ends_it(t):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGHUP, signal.SIGQUIT):
        with tempfile.TemporaryDirectory() as path, begun(path) as s:
            os.kill(s.pid, number)
            code = s.wait_end()
            assert s.is_given_back(), (number, s.raw[-300:])
            assert code == 128 + number if number in (signal.SIGTERM, signal.SIGINT) else code != 0, (number, code)


def test_ctrl_c_ends_the_run_as_a_signal_does(t):
    with tempfile.TemporaryDirectory() as path, begun(path) as s:
        s.press('\x03')
        assert s.wait_end() == 130 and s.is_given_back()


def test_a_target_that_is_not_there_opens_the_breaker(t):
    with tempfile.TemporaryDirectory() as path:
        words = command(path, '--target', 'http://127.0.0.1:1', '--warmup-cycles', '0')
        words.remove('--mock-api')
        with Screen(words) as s:
            s.wait('BREAKER OPEN')
            s.wait('Nobody answers at http://127.0.0.1:1. r goes on.')
            s.press('r')
            s.wait('trips 2')
            s.press('qq')
            s.wait_end()
            assert s.is_given_back()


def test_the_end_of_a_run_without_pace_is_estimated(t):
    with tempfile.TemporaryDirectory() as path, Screen(command(path, '--mock-db', '--cycles', '10000000', scale='max')) as s:
        s.press('s')
        s.wait('(service alone)')
        s.press('s')
        s.wait('end       in ')


def plain(folder, *words, term='xterm'):
    done = subprocess.run(command(folder, '--cycles', '20', *words), capture_output=True, check=False, stdin=subprocess.DEVNULL,
                          env=clean_env(TERM=term), timeout=60 * SLOW)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_in_a_pipe_there_are_plain_lines(t):
    with tempfile.TemporaryDirectory() as path:
        code, said, _ = plain(path)
        assert code == 0 and '\x1b' not in said and '\r' not in said
        assert 'checkpoint of cycle 9' in said and 'ended     all cycles were run' in said
    with tempfile.TemporaryDirectory() as path:
        assert 'checkpoint of cycle' not in plain(path, '--dashboard', 'none')[1]
    with tempfile.TemporaryDirectory() as path:
        code, said, why = plain(path, '--dashboard', 'tui')
        assert code == 2 and said == '' and 'there is no terminal to draw on' in why, (code, said, why)
        assert os.listdir(path) == []


def test_a_dumb_terminal_gets_plain_lines(t):
    for words, term in ((['--dashboard', 'auto'], 'dumb'), (['--dashboard', 'plain'], 'xterm')):
        with tempfile.TemporaryDirectory() as path:
            s = Screen(command(path, '--cycles', '20', *words), TERM=term)
            with s:
                assert s.wait_end() == 0 and b'\x1b' not in s.raw and b'checkpoint of cycle 9' in s.raw


class Tmux:
    """A shell in a tmux of its own."""

    def __init__(self):
        self.name = f'tenfold-{uuid.uuid4().hex}'

    def __enter__(self):
        self.call('-f', '/dev/null', 'new-session', '-d', '-x', '80', '-y', '24', 'env', '-u', 'ENV', 'PS1=$ ', 'bash', '--norc', '--noprofile')
        return self

    def __exit__(self, *_):
        self.call('kill-server')

    def call(self, *words):
        return subprocess.run(['tmux', '-L', self.name, *words], capture_output=True, text=True, check=False, env=clean_env(), timeout=60 * SLOW).stdout

    def type(self, *keys):
        self.call('send-keys', *keys)

    def wait(self, text):
        until(lambda: text in self.call('capture-pane', '-p'), 30, f'"{text}" in {self.call("capture-pane", "-p")}')

    def wait_shell(self):
        """Until what was run has ended, and the shell does the next thing."""
        self.type('echo then $((40 + 2))', 'Enter')
        self.wait('then 42')


def test_in_tmux_the_last_column_is_not_erased(t):
    with tempfile.TemporaryDirectory() as path, Tmux() as tmux:
        tmux.type(' '.join(command(path)), 'Enter')
        tmux.wait(KEYS)
        until(lambda: re.search(r'^tenfold sim .* \d+:\d\d:\d\d$', tmux.call('capture-pane', '-p'), re.M), 30, 'the clock')
        tmux.type('q')
        tmux.wait('ended     it was stopped')
        tmux.wait_shell()                           # it may still be writing to its folder


def test_in_tmux_it_is_suspended_and_goes_on(t):
    assert shutil.which('tmux'), 'tools/packages.txt has it'
    with tempfile.TemporaryDirectory() as path, Tmux() as tmux:
        tmux.type(' '.join(command(path)), 'Enter')
        tmux.wait(KEYS)
        tmux.wait('max    count\n')                 # the last column too
        tmux.type('C-z')
        tmux.wait('Stopped')
        tmux.type("stty -a | tr ' ;' '\\n\\n' | grep -cx -e echo -e icanon", 'Enter')
        tmux.wait('\n2\n')
        tmux.type('bg', 'Enter')                    # on the shell's screen nothing of it is seen
        tmux.type('echo still $((40 + 2)) here', 'Enter')
        tmux.wait('still 42 here')
        tmux.type('fg', 'Enter')
        tmux.wait(KEYS)
        tmux.type('p')
        tmux.wait('PAUSED')
        tmux.call('resize-window', '-x', '60', '-y', '12')
        tmux.wait('r resume  c checkpoint')
        tmux.type('q')
        tmux.wait('ended     it was stopped')
        tmux.type('echo code $?', 'Enter')
        tmux.wait('code 0')
        assert LEFT.decode() not in tmux.call('capture-pane', '-p')
