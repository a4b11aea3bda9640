"""A program on a terminal of its own, and what a person would see there (python3-pyte plays the terminal).

    with Screen([BINARY, …]) as s:
        s.wait('RUNNING')
        s.press('p')
"""

import fcntl
import os
import pty
import resource
import select
import signal
import struct
import termios
import time

from harness import SLOW, clean_env

LEFT = b'\x1b[?1049l'           # what a program says that leaves the other screen


class Screen:
    def __init__(self, command, width=80, height=24, **env):
        import pyte  # pylint: disable=import-outside-toplevel
        self.size = (width, height)
        self.screen = pyte.Screen(width, height)
        self.stream = pyte.ByteStream(self.screen)
        self.master, self.slave = pty.openpty()
        self.resize(width, height)
        self.before = termios.tcgetattr(self.slave)
        self.raw = b''
        self.status = None
        env = clean_env(**{'TERM': 'xterm-256color', **env})    # what may fail fails in one process
        self.pid = os.fork()
        if self.pid == 0:
            self.become(command, env)

    def become(self, command, env):
        try:
            os.login_tty(self.slave)
            os.close(self.master)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            os.execve(command[0], command, env)
        finally:
            os._exit(127)  # pylint: disable=protected-access

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.status = os.waitpid(self.pid, 0)[1]
        os.close(self.master)
        os.close(self.slave)

    def resize(self, width, height):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('HHHH', height, width, 0, 0))
        self.screen.resize(height, width)

    def press(self, keys):
        os.write(self.master, keys.encode())

    def read(self, timeout_s=0.1):
        while select.select([self.master], [], [], timeout_s)[0]:
            new = os.read(self.master, 65536)
            self.raw += new
            self.stream.feed(new)
            timeout_s = 0

    def until(self, condition, what, timeout_s=20):
        end = time.monotonic() + timeout_s * SLOW
        while not condition():
            assert time.monotonic() < end, f'{what}: not within {timeout_s} s; on the screen:\n{self.text()}'
            self.read()

    def wait(self, text, timeout_s=20):
        self.until(lambda: text in self.text(), f'"{text}"', timeout_s)

    def text(self):
        return '\n'.join(line.rstrip() for line in self.screen.display).rstrip()

    def ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = status if pid else None
        return self.status is not None

    def wait_end(self, timeout_s=20):
        """The exit code, as subprocess has it."""
        self.until(self.ended, 'its end', timeout_s)
        self.read()
        return os.waitstatus_to_exitcode(self.status)

    def is_given_back(self):
        return termios.tcgetattr(self.slave) == self.before and self.raw.count(LEFT) == self.raw.count(b'\x1b[?1049h') and \
            self.raw.rindex(b'\x1b[?25h') > self.raw.rindex(b'\x1b[?25l')
