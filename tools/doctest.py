#!/usr/bin/python3
"""Runs the examples of the documentation against a server of their own, so that none of them lies.

    doctest.py --tenfold build/tenfold [FILE...]

In README.md and docs/*.md a block ```console or ```sh is run when an HTML comment `<!-- runs -->` stands right before
it. In ```console lines that begin with "$ " are commands, and the lines below each are what it says; "…" stands for
any text within a line, a line of "…" alone for any lines. In ```sh every line is a command and none may fail. The
blocks of one file share one server, one shell's variables and a folder; `tenfold` is the built one. As a newcomer's,
the shell has no TENFOLD_HOME: the server is found in the data home. TAP.
"""

import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(HERE, 'tests/api'))

BLOCK = re.compile(r'^<!-- runs -->\n+```(console|sh)\n(.*?)^```$', re.M | re.S)
END = '--end-of-command--'
COMMAND_S = 60


class Shell:
    """One bash that all blocks of a file share."""

    def __init__(self, tenfold, server, folder):
        os.symlink(tenfold, os.path.join(folder, 'tenfold'))
        env = {k: v for k, v in os.environ.items() if not k.startswith('TENFOLD_')}
        env.update(XDG_DATA_HOME=os.path.dirname(server.data), XDG_CONFIG_HOME=os.path.join(folder, 'config'), PATH=folder + ':' + env['PATH'], COLUMNS='100')
        self.process = subprocess.Popen(['bash', '--norc'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, cwd=folder, env=env)

    def run(self, command):
        """(what it said, its exit status)"""
        bound = threading.Timer(COMMAND_S, self.process.kill)
        bound.start()
        try:
            return self.run_unbounded(command)
        finally:
            bound.cancel()

    def run_unbounded(self, command):
        self.process.stdin.write(f'{command}\necho "{END}$?"\n')
        self.process.stdin.flush()
        said = ''
        for line in self.process.stdout:
            if END in line:
                text, _, status = line.partition(END)
                return said + text, int(status)
            said += line
        raise SystemExit(f'doctest: not done in {COMMAND_S} s, or it ended the shell: {command}')

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


def commands(kind, block):
    """(command, what it should say or None) of a block."""
    if kind == 'sh':
        return [(block.strip('\n'), None)]
    found = []
    for line in block.splitlines():
        if line.startswith('$ '):
            found.append([line[2:], ''])
        elif found and found[-1][0].endswith('\\') and line.startswith('> '):
            found[-1][0] += '\n' + line[2:]
        elif found:
            found[-1][1] += line + '\n'
    return [tuple(f) for f in found]


def matches(wanted, said):
    pattern = ''
    for line in wanted.rstrip('\n').split('\n'):
        if line.strip() == '…':
            pattern += r'(?:.*\n)*?'
        else:
            pattern += '.*'.join(re.escape(part) for part in line.rstrip().split('…')) + r'[ \t]*\n'
    return re.fullmatch(pattern, said if said.endswith('\n') else said + '\n') is not None


def check(path, tenfold, tap):
    from harness import Server
    with open(os.path.join(HERE, path), encoding='utf-8') as f:
        blocks = BLOCK.findall(f.read())
    if not blocks:
        return
    folder = tempfile.mkdtemp(prefix='tenfold-docs.')
    # Where a reader's is who has set nothing; examples of webhooks send to this machine.
    server = Server(data=os.path.join(folder, 'share/tenfold'), args=['--webhook-allow', '127.0.0.0/8'])
    os.makedirs(server.data)
    try:
        server.start()
        shell = Shell(tenfold, server, folder)
        for kind, block in blocks:
            for command, wanted in commands(kind, block):
                said, status = shell.run(command)
                trouble = ''
                if kind == 'sh' and status:
                    trouble = f'exit status {status}\n{said}'
                elif wanted is not None and not matches(wanted, said):
                    trouble = f'it said:\n{said}instead of:\n{wanted}'
                tap(f'{path}: {command.splitlines()[0][:70]}', trouble)
        shell.close()
        server.stop()
    finally:
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--tenfold', required=True)
    parser.add_argument('file', nargs='*')
    args = parser.parse_args()
    os.environ['TENFOLD_BIN'] = os.path.abspath(args.tenfold)
    os.chdir(HERE)
    counts = [0, 0]

    def tap(name, trouble):
        counts[0] += 1
        counts[1] += bool(trouble)
        print(f'{"not ok" if trouble else "ok"} {counts[0]} - {name}')
        for line in trouble.splitlines():
            print(f'  # {line}')
        sys.stdout.flush()

    for path in args.file or ['README.md'] + sorted(glob.glob('docs/**/*.md', recursive=True)):
        check(path, os.path.abspath(args.tenfold), tap)
    print(f'1..{counts[0]}')
    return 1 if counts[1] or not counts[0] else 0


if __name__ == '__main__':
    sys.exit(main())
