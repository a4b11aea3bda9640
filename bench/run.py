#!/usr/bin/python3
"""Measures, beside peers, in one run.

    run.py work|directory|profile|reads|roles|sim|squads [--quick] [--only SECTION]... [--write] [--json FILE] [--dir DIR]
           [--patience SECONDS] [--peers]

Starts every server itself, on free ports of the loopback and in folders of its own under --dir (/var/tmp, which must
be on a disk), and ends those and nothing else. --write puts the tables into docs/benchmarks.md; without it they are
printed. A full run of work takes under 20 minutes, --quick under 3; its figures are good for a first look only. roles
takes one, sim and squads under 10. On a machine that others use, --patience lets it wait for quiet and measure again
what was disturbed, so long in all.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile

import directory
import hotspots
import machine
import reads
import report
import roles
import sim
import squads
import work
from servers import ROOT

PARTS = {'work': work.measure, 'directory': directory.measure, 'profile': hotspots.measure, 'roles': roles.measure,
         'sim': sim.measure, 'reads': reads.measure, 'squads': squads.measure}


def interrupted(number, _frame):
    sys.exit(128 + number)  # through every finally


def own_folder(parent):
    if machine.filesystem(os.path.realpath(parent))[0] in ('tmpfs', 'ramfs'):
        sys.exit(f'bench: {parent} is in memory, where a flush costs nothing: choose another with --dir')
    folder = tempfile.mkdtemp(prefix='tenfold-bench.', dir=parent)
    os.chmod(folder, 0o755)     # PostgreSQL runs as another user
    tempfile.tempdir = folder
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('part', nargs='?', default='work', choices=sorted(PARTS))
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--only', action='append', default=[], metavar='SECTION')
    parser.add_argument('--write', action='store_true')
    parser.add_argument('--json', metavar='FILE')
    parser.add_argument('--dir', default='/var/tmp')
    parser.add_argument('--patience', type=float, default=0, metavar='SECONDS')
    parser.add_argument('--peers', action='store_true', help='fetch the peers of sim and squads that are not here')
    args = parser.parse_args()
    if args.peers and args.part not in ('sim', 'squads'):
        parser.error('only sim and squads have peers to fetch; the others are Debian packages')
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, interrupted)
    folder = own_folder(args.dir)
    try:
        text, raw = PARTS[args.part](folder, args.quick, args.only, args.patience, **({'peers': True} if args.peers else {}))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f'\n{text}')
    if args.json:
        with open(args.json, 'w', encoding='utf-8') as f:
            json.dump(raw, f, indent=1)
    if args.write:
        report.replace_section(os.path.join(ROOT, 'docs', 'benchmarks.md'), f'measured {args.part}', text)
    return 0


if __name__ == '__main__':
    sys.exit(main())
