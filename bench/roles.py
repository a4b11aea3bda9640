"""The part `roles`: what one command of a role costs, beside Gas Town's own code, in the shape of the note that roles
were made from: its dimensions and scales.

Gas Town is asked by tests/peers/gastown_probe.go, built in the checkout that GASTOWN_SOURCE names. Without one, or
without Go, its rows are left out and the text says so. Both answer for the same towns, which roles_bench makes, and
both give the same command. Rounds alternate.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

import machine
import report
from servers import BUILD, ROOT

sys.path.insert(0, os.path.join(ROOT, 'tests', 'peers'))
import gastown  # noqa: E402

RIGS = [(10, 20), (100, 20), (1000, 20)]
PRESETS = [(10, 10), (10, 1000), (10, 10000)]
BENCH = os.path.join(BUILD, 'bench', 'roles_bench')
TENFOLD = os.path.join(BUILD, 'tenfold')
QUESTION = {'rig': 'r0', 'role': 'polecat', 'name': 'toast', 'prompt': 'gt prime', 'agent': '', 'account': ''}


class Town:
    """Made by roles_bench, and asked about in one process or in a process each."""

    def __init__(self, folder, rigs, presets):
        self.rigs, self.presets = rigs, presets
        self.path = os.path.join(folder, f'town-{rigs}-{presets}')
        os.mkdir(self.path)
        self.env = {'PATH': f'/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:{self.path}/bin',
                    'HOME': folder, 'TENFOLD_HOME': os.path.join(folder, 'data')}
        subprocess.run([BENCH, 'make', self.path, str(rigs), str(presets)], check=True)

    def in_process(self, program, rounds):
        done = subprocess.run([program, 'time', self.path, str(self.rigs), str(rounds)], env=self.env, check=True,
                              capture_output=True, text=True)
        return json.loads(done.stdout)

    def opens_of(self, folder, command, asked=None):
        """How many files of the town a process asks to open, those included that are not there."""
        trace = os.path.join(folder, 'trace')
        subprocess.run(['strace', '-f', '-qq', '-e', 'trace=open,openat', '-o', trace, *command], env=self.env,
                       input=asked, stdout=subprocess.DEVNULL, text=True, check=True)
        with open(trace, encoding='utf-8', errors='replace') as f:
            return sum(1 for line in f if re.search(r'open(at)?\(.*"' + re.escape(self.path) + '/', line))

    def opens_per_command(self, folder, program):
        counts = [self.opens_of(folder, [program, 'time', self.path, str(self.rigs), str(n)]) for n in (1, 11)]
        return (counts[1] - counts[0]) / 10

    def whole(self, program):
        """The words of a process that answers one question, and what it is told on stdin."""
        if program == TENFOLD:
            words = [f'--{k}={v}' for k, v in QUESTION.items() if v]
            return [program, 'role', 'command', '--compat', f'--town={self.path}', *words], ''
        return [program], json.dumps({**QUESTION, 'town': self.path, 'cwd': self.path, 'env': self.env}) + '\n'


def answer_of(town, program):
    words, asked = town.whole(program)
    said = subprocess.run(words, input=asked, env=town.env, check=True, capture_output=True, text=True).stdout
    return said.rstrip('\n') if program == TENFOLD else json.loads(said)['command']


def one_process(town, program):
    words, asked = town.whole(program)
    done = subprocess.run([BENCH, 'run', *words], input=asked, env=town.env, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def measure_town(town, folder, peers, rounds):
    """By peer: what is measured of it. The answers must be the same, or the comparison means nothing."""
    answers = {answer_of(town, whole) for whole, _ in peers.values()}
    if len(answers) != 1:
        raise RuntimeError(f'the answers differ: {answers}')
    found = {name: {'us': [], 'live': [], 'ms': [], 'kb': []} for name in peers}
    for _ in range(rounds):
        for name, (whole, timed) in peers.items():
            one = town.in_process(timed, 21 if town.presets > 1000 else 501)
            found[name]['us'].append(one['us'])
            found[name]['live'].append(one['live_bytes'] / 1024)
            for _ in range(5):
                one = one_process(town, whole)
                found[name]['ms'].append(one['ms'])
                found[name]['kb'].append(one['peak_kb'])
    for name, (whole, timed) in peers.items():
        found[name]['opens'] = town.opens_per_command(folder, timed)
        found[name]['process_opens'] = town.opens_of(folder, *town.whole(whole))
    return found


# ---- as tables ----

def row(title, found, name, figure):
    return [f'{title}, {name}'] + [figure(one[name]) for one in found]


def table(found, scales, peers):
    rows = []
    for title, figure in [('µs a command', lambda x: report.spread(x['us'])),
                          ('files opened a command', lambda x: report.number(x['opens'])),
                          ('memory held, KB', lambda x: report.number(statistics.median(x['live']))),
                          ('ms a process of one command', lambda x: report.spread(x['ms'])),
                          ('files of the town it opens', lambda x: report.number(x['process_opens'])),
                          ('its peak memory, MB', lambda x: report.number(statistics.median(x['kb']) / 1000))]:
        rows += [row(title, found, name, figure) for name in peers]
    return report.table(['dimension'] + scales, rows)


INTRO = '''Medians, and from which to which the rounds went. Gas Town is steveyegge/gastown at a8bd79bf, its own code \
in a process of ours (no verb of it prints a command). A command is a polecat's, from the files to the string for a \
shell; both give the same string. In a process that stays each rig was asked about once before: tenfold then looks at \
the stamps of the files, Gas Town reads them again. A file counts as opened when it is asked for, though it be \
missing. A process of one command reads everything anew; Gas Town's is our probe, linked statically and without what \
`gt` itself does when it starts; tenfold's loads the libraries of the whole program first, which is what `tenfold \
version` takes.'''


def start_ms(folder):
    """Of a process that has nothing to do."""
    said = [subprocess.run([BENCH, 'run', TENFOLD, 'version'], capture_output=True, check=True, cwd=folder).stdout
            for _ in range(21)]
    return report.spread([json.loads(one)['ms'] for one in said])


def head(folder, left_out):
    version = subprocess.run([TENFOLD, 'version'], capture_output=True, text=True, check=False).stdout.split('\n')[0]
    facts = [('date', time.strftime('%Y-%m-%d', time.gmtime())), ('measured', version), *machine.describe(folder),
             ('`tenfold version`, a process', f'{start_ms(folder)} ms')]
    facts += [('left out: Gas Town', left_out)] if left_out else []
    return '\n'.join(f'- {what}: {value}' for what, value in facts)


def text_of(results, peers):
    parts = []
    for title, towns, scales in [('By rigs, 20 presets', RIGS, [f'{r:,} rigs' for r, _ in RIGS]),
                                 ('By presets, 10 rigs', PRESETS, [f'{p:,} presets' for _, p in PRESETS])]:
        parts += [f'### {title}', table([results[t] for t in towns], scales, peers)]
    return '\n\n'.join(parts)


def measure(folder, quick, only, patience_s):
    if only:
        sys.exit('bench: roles has no sections')
    reason = gastown.why_not()
    peers = {'tenfold': (TENFOLD, BENCH)}
    if not reason:
        probe = gastown.build_probe(os.environ['GASTOWN_SOURCE'], folder)
        peers['Gas Town'] = (probe, probe)
    facts, results = head(folder, reason), {}
    machine.wait_until_quiet(0.1, patience_s)
    for rigs, presets in RIGS + PRESETS:
        print(f'  {rigs} rigs, {presets} presets', flush=True)
        town = Town(folder, rigs, presets)
        results[rigs, presets] = measure_town(town, folder, peers, 2 if quick else 5)
        shutil.rmtree(town.path)
    raw = {f'{rigs} rigs, {presets} presets': found for (rigs, presets), found in results.items()}
    return '\n\n'.join([facts, INTRO, text_of(results, peers)]), raw
