#!/usr/bin/python3
"""Live progress and the closing table of ./dev run.

    tenfold work watch --from start --until-empty --json | verify_report.py --tenfold PROGRAM --keep FILE

Reads one event per line. On a terminal one line is kept up to date, in a pipe a plain line is written every tenth of
the way. At the end the table is printed, and kept in FILE for a later run that finds everything done.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from datetime import datetime

FINAL = ('completed', 'failed', 'cancelled')


def seconds(text):
    return datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp()


class Tally:
    """What the events so far add up to."""

    def __init__(self):
        self.states, self.ready_since = {}, {}
        self.retried = self.oldest_wait = self.finished = 0
        self.first_claim = self.last_end = None

    def take(self, event):
        id_, kind, at = event['id'], event['kind'], seconds(event['at'])
        self.states[id_] = event['state']
        self.retried += kind in ('retrying', 'lapsed')
        if event['state'] == 'ready':
            self.ready_since.setdefault(id_, at)
        if kind == 'claimed':
            self.first_claim = self.first_claim or at
            self.oldest_wait = max(self.oldest_wait, at - self.ready_since.pop(id_, at))
        if event['state'] in FINAL:
            self.finished += 1
            self.last_end = at

    def count(self, *states):
        return sum(state in states for state in self.states.values())

    @property
    def cycles_per_s(self):
        took = (self.last_end or 0) - (self.first_claim or 0)
        return self.finished / took if took > 0 else 0


class Progress:
    """One line that changes on a terminal; a line per tenth elsewhere."""

    def __init__(self, tally):
        self.tally, self.terminal, self.tenth, self.lines = tally, sys.stdout.isatty(), -1, 0

    def show(self):
        done, total = self.tally.count(*FINAL), len(self.tally.states)
        tenth = done * 10 // max(total, 1)
        text = (f'{done} of {total} packages verified, {self.tally.count("failed")} do not match, '
                f'{self.tally.count("leased")} under way')
        if self.terminal:
            print(f'\r\033[K{text}', end='', flush=True)
        elif tenth != self.tenth and self.tally.first_claim:
            print(text, flush=True)
        self.tenth = tenth

    def clear(self):
        if self.terminal:
            print('\r\033[K', end='', flush=True)


def failed_items(tenfold):
    """(package, what is wrong) of each failed item."""
    listed = subprocess.run([tenfold, 'work', 'list', '--type', 'verify', '--state', 'failed', '--limit', '1000', '--json'],
                            capture_output=True, text=True, check=True)
    for item in json.loads(listed.stdout)['items']:
        error = re.sub(r'^exit status \d+: ', '', item.get('error') or '').strip()
        yield item.get('key') or item.get('title') or item['id'], error


def table(tally, failed):
    lines = [f'  verified     {tally.count("completed"):>8}',
             f'  failed       {tally.count("failed"):>8}',
             f'  retried      {tally.retried:>8}',
             f'  oldest wait  {tally.oldest_wait:>8.1f} s  the longest that a package was ready before a worker took it',
             f'  cycles/s     {tally.cycles_per_s:>8.0f}    packages claimed, verified and settled in a second']
    if failed:
        lines.append('\nWhat does not match its recorded checksums:')
        for package, error in failed:
            files = error.splitlines() or ['(no reason given)']
            lines.append(f'  {package}')
            lines += [f'    {line}' for line in files[:10]]
            lines += [f'    … and {len(files) - 10} more'] if len(files) > 10 else []
    return '\n'.join(lines) + '\n'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--tenfold', required=True)
    parser.add_argument('--keep', required=True, metavar='FILE')
    args = parser.parse_args()
    tally = Tally()
    progress = Progress(tally)
    for number, line in enumerate(sys.stdin):
        event = json.loads(line)
        if 'kind' in event:
            tally.take(event)
        if number % 20 == 0 or event.get('kind') in FINAL:
            progress.show()
    progress.clear()
    if not tally.states and os.path.exists(args.keep):   # so long ago that its events are no longer kept
        with open(args.keep, encoding='utf-8') as f:
            print('The last result:\n' + f.read(), end='')
        return 0
    if not tally.states:
        print('There is no package to verify.', file=sys.stderr)
        return 1
    text = table(tally, list(failed_items(args.tenfold)))
    with open(args.keep, 'w', encoding='utf-8') as f:
        f.write(text)
    print(text, end='')
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
