"""Runs the functions test_* of a module and says how it went in TAP."""

import inspect
import os
import sys
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tools'))


def main(module):
    tests = [(n, f) for n, f in vars(module).items() if n.startswith('test_') and inspect.isfunction(f)]
    failed = 0
    print(f'1..{len(tests)}')
    for number, (name, function) in enumerate(tests, 1):
        try:
            function()
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f'not ok {number} - {name}')
            for line in traceback.format_exc().splitlines():
                print(f'  # {line}')
        else:
            print(f'ok {number} - {name}')
    return 1 if failed or not tests else 0
