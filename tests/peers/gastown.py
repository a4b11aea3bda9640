#!/usr/bin/python3
"""Asks `tenfold role command --compat` and Gas Town's own code the same questions, about random towns.

    GASTOWN_SOURCE=CHECKOUT gastown.py [--towns N] [--questions N] [--seed N] [--keep-going]

CHECKOUT is a checkout of steveyegge/gastown at a8bd79bf, whose code is built with Go; nothing is left behind in it.
Command, warnings and errors must be the same byte for byte. Prints its seed; each town depends on the seed and its
number alone, so `--seed S --first N --towns 1` replays one. Neither Go nor a checkout is among what tenfold needs, so
this is not part of ./dev test; without them it says so and ends well.

Stated differences, which are not generated or not counted:

- What Gas Town itself answers now so, now so, because it goes through a map: the names of processes where presets share
  a command, and which entries of an agents.json count before one of a wrong type (of tenfold's, none). It is asked
  again, and what it has several answers to is counted apart.
- Gas Town's registry is one for the process, so the presets of one rig stay visible to the next question. tenfold
  answers as a fresh process does, and the probe is made to.
- Text that is not UTF-8, \\u0000, and nesting deeper than 64 are refused by tenfold and taken by Go's reader.
- A warning that Gas Town prints each time it reads a file is printed once.
- A role that Gas Town does not know: its ladder takes any word, and its builder of commands forgets it before the
  ladder is asked. tenfold goes by the ladder. Such roles are asked about where role_agents does not name them.
- Control characters in a warning, which could drive a terminal, are spelled out.
- tenfold's rigs are folders of the town; a name with '/' or a leading '.' is none.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

import towns

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BINARY = os.path.abspath(os.path.join(os.environ.get('BUILD', os.path.join(ROOT, 'build')), 'tenfold'))

SAYS, ADVICE = 'tenfold: role command: ', '; correct it and try again'    # what stands around an error
AGAIN = 500     # what has odds of 1 in 64 is seen


def build_probe(source, folder):
    """Puts the probe among Gas Town's commands, because only there may it see internal packages, for as long as it
    takes to build it."""
    place = os.path.join(source, 'cmd', 'tenfold-probe')
    os.mkdir(place)
    try:
        shutil.copy(os.path.join(HERE, 'gastown_probe.go'), os.path.join(place, 'main.go'))
        binary = os.path.join(folder, 'probe')
        subprocess.run(['go', 'build', '-o', binary, './cmd/tenfold-probe'], cwd=source, check=True)
    finally:
        shutil.rmtree(place)
    return binary


def why_not():
    """The reason why nothing can be asked, or nothing."""
    source = os.environ.get('GASTOWN_SOURCE')
    if not source:
        return 'GASTOWN_SOURCE names no checkout of Gas Town'
    if not os.path.isdir(os.path.join(source, 'internal', 'config')):
        return f'{source} is no checkout of Gas Town'
    if not shutil.which('go'):
        return 'there is no Go to build Gas Town with'
    return None


class Probe:
    """Gas Town's own code, a line for a line."""

    def __init__(self, binary):
        self.process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, question):
        self.process.stdin.write(json.dumps(question) + '\n')
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def ask_tenfold(q):
    words = [f'--{name}={q[name]}' for name in ('role', 'rig', 'name', 'prompt', 'agent', 'account') if q[name]]
    done = subprocess.run([BINARY, 'role', 'command', '--compat', f'--town={q["town"]}', *words], cwd=q['cwd'],
                          env=q['env'], capture_output=True, check=False)
    lines = done.stderr.decode().split('\n')
    refusals = [line for line in lines if line.startswith(SAYS)]
    return {'command': done.stdout.decode().removesuffix('\n'),
            'error': '\n'.join(refusals).removeprefix(SAYS).removesuffix(ADVICE),
            'stderr': '\n'.join(line for line in lines if line not in refusals)}


def once_each(text):
    text = text.replace('a\nb', 'a\\nb').replace('\t', '\\t')     # the only lines within a word
    spelled = re.sub('[\x01-\x08\x0b-\x1f\x7f]', lambda c: f'\\u{ord(c[0]):04x}', text)
    return list(dict.fromkeys(line for line in spelled.split('\n') if line))


def difference(theirs, ours):
    for part in ('error', 'command'):
        if theirs[part] != ours[part]:
            return part
    return None if once_each(theirs['stderr']) == once_each(ours['stderr']) else 'stderr'


def tell(seed, number, q, part, theirs, ours):
    print(f'\nseed {seed} town {number}: {part} differs for {json.dumps({k: v for k, v in q.items() if k != "env"})}'
          f'\n  env       {json.dumps(q["env"])}\n  Gas Town  {theirs[part]!r}\n  tenfold   {ours[part]!r}', flush=True)


def undecided_itself(probe, q, theirs):
    return any(difference(theirs, probe.ask(q)) for _ in range(AGAIN))


def compare(probe, args):
    cases = differences = undecided = 0
    for number in range(args.first, args.first + args.towns):
        base = tempfile.mkdtemp(prefix='tenfold-town.')
        try:
            asked = towns.make(f'{args.seed} {number}', base, args.questions)
            found = 0
            for q in asked:
                theirs, ours = probe.ask(q), ask_tenfold(q)
                part = difference(theirs, ours)
                cases += 1
                if part and undecided_itself(probe, q, theirs):
                    undecided += 1
                elif part:
                    found += 1
                    tell(args.seed, number, q, part, theirs, ours)
            differences += found
            if found and args.keep:
                print(f'  town kept in {base}')
            if found and not args.keep_going:
                break
        finally:
            if not args.keep:
                shutil.rmtree(base)
    print(f'{cases} questions about {number - args.first + 1} towns, {differences} answered differently; '
          f'{undecided} more to which Gas Town has several answers')
    return differences


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--towns', type=int, default=300)
    parser.add_argument('--first', type=int, default=0, help='number of the first town')
    parser.add_argument('--questions', type=int, default=12, help='about each town')
    parser.add_argument('--seed', type=int, default=random.randrange(1 << 32))
    parser.add_argument('--keep', action='store_true', help='leave the towns behind')
    parser.add_argument('--keep-going', action='store_true', help='after a town with differences')
    args = parser.parse_args()
    reason = why_not()
    if reason:
        print(f'SKIP: {reason}')
        return 0
    print(f'seed {args.seed}', flush=True)
    folder = tempfile.mkdtemp(prefix='tenfold-probe.')
    try:
        probe = Probe(build_probe(os.environ['GASTOWN_SOURCE'], folder))
        differences = compare(probe, args)
        probe.close()
    finally:
        shutil.rmtree(folder)
    return 1 if differences else 0


if __name__ == '__main__':
    sys.exit(main())
