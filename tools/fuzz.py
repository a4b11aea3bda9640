#!/usr/bin/python3
"""Runs fuzz targets: ./dev fuzz [TARGET] [SECONDS].

Targets are the programs fuzz_* of a build with -Dfuzzers=true. Each starts from tests/fuzz/corpus/<target>, uses
tests/fuzz/<target>.dict when there is one, and stops at the first crash, which it leaves in that build's folder.
"""

import argparse
import glob
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', required=True)
    parser.add_argument('target', nargs='?', help='one target; all when absent')
    parser.add_argument('seconds', nargs='?', type=int, default=60)
    args = parser.parse_args()
    if args.target and args.target.isdigit():
        args.target, args.seconds = None, int(args.target)
    programs = {os.path.basename(p)[5:]: p for p in sorted(glob.glob(f'{HERE}/{args.build}/tests/fuzz/fuzz_*'))
                if os.path.isfile(p) and os.access(p, os.X_OK)}
    if not programs or args.target and args.target not in programs:
        print(f'fuzz: no target {args.target or ""}; there are: {" ".join(programs)}', file=sys.stderr)
        return 2
    failed = []
    for name, program in programs.items():
        if args.target in (None, name):
            failed += [name] if fuzz(name, program, args) else []
    print('fuzz: ' + ('crashes in ' + ' '.join(failed) if failed else 'no crash'))
    return 1 if failed else 0


def fuzz(name, program, args):
    """The exit status of one target; what it finds new stays in the build's folder."""
    seeds, found = f'{HERE}/tests/fuzz/corpus/{name}', f'{HERE}/{args.build}/corpus/{name}'
    dictionary = f'{HERE}/tests/fuzz/{name}.dict'
    os.makedirs(found, exist_ok=True)
    argv = [program, f'-max_total_time={args.seconds}', '-timeout=10', '-rss_limit_mb=2048', '-print_final_stats=1',
            f'-artifact_prefix={HERE}/{args.build}/{name}.']
    argv += [f'-dict={dictionary}'] if os.path.exists(dictionary) else []
    argv += [found] + ([seeds] if os.path.isdir(seeds) else [])
    print(f'fuzz: {name} for {args.seconds} s', flush=True)
    return subprocess.run(argv, check=False).returncode


if __name__ == '__main__':
    sys.exit(main())
