#!/usr/bin/python3
"""The canonical form of JSON beside Python's json, over random documents: test_json_canon.py PROGRAM

PROGRAM is tests/unit/json_kit/canon_lines.c. Python's repr() gives the shortest digits of a double; where the point
stands is reckoned here from the text of RFC 8785.
"""

import json
import os
import random
import re
import struct
import subprocess
import sys
import time
import unittest

ROUNDS = 3000


def number(value):
    if isinstance(value, int):
        value = float(value)
    if value == 0:
        return '0'
    mantissa, exponent = re.fullmatch(r'-?([0-9.]+)(?:e([-+]\d+))?', repr(value)).groups()
    whole, _, fraction = mantissa.partition('.')
    digits, place = whole + fraction, len(whole) + int(exponent or 0)
    place -= len(digits) - len(digits.lstrip('0'))
    digits = digits.strip('0')
    if 0 < place <= 21:
        text = digits[:place].ljust(place, '0') + ('.' + digits[place:] if len(digits) > place else '')
    elif -6 < place <= 0:
        text = '0.' + '0' * -place + digits
    else:
        text = digits[0] + ('.' + digits[1:] if len(digits) > 1 else '') + f'e{place - 1:+d}'
    return ('-' if value < 0 else '') + text


def canonical(value):
    if isinstance(value, dict):
        names = sorted(value, key=lambda n: n.encode('utf-16-be'))
        return '{' + ','.join(f'{canonical(n)}:{canonical(value[n])}' for n in names) + '}'
    if isinstance(value, list):
        return '[' + ','.join(map(canonical, value)) + ']'
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return number(value)
    return json.dumps(value, ensure_ascii=False)


def text(r):
    kinds = ['az', '\x01\x1f', '"\\', ' ~', '\x80߿', 'ࠀ퟿', '\ue000\ufffd', '\U00010000\U0010ffff']
    return ''.join(chr(r.randint(*map(ord, r.choice(kinds)))) for _ in range(r.randint(0, 6)))


def real(r):
    while True:
        value = struct.unpack('d', struct.pack('Q', r.getrandbits(64)))[0]
        if value == value and abs(value) != float('inf'):
            return value


def document(r, depth=0):
    kind = r.randint(0, 7 if depth < 5 else 4)
    if kind == 0:
        return r.choice([None, True, False])
    if kind == 1:
        return text(r)
    if kind == 2:
        return r.randint(-2**53, 2**53)
    if kind == 3:
        return real(r)
    if kind == 4:
        return r.choice([1, -1]) * r.randint(0, 999) * 10.0 ** r.randint(-30, 30)
    if kind == 5:
        return [document(r, depth + 1) for _ in range(r.randint(0, 4))]
    return {text(r): document(r, depth + 1) for _ in range(r.randint(0, 6))}


class Canonical(unittest.TestCase):
    def compare(self, values):
        given = ''.join(json.dumps(v, ensure_ascii=i % 2 == 0).replace('\x7f', '\\u007f') + '\n' for i, v in enumerate(values))
        said = subprocess.run([PROGRAM], input=given.encode(), stdout=subprocess.PIPE, check=True).stdout.decode()
        for value, line in zip(values, said.split('\n'), strict=False):
            self.assertEqual(line, canonical(value), value)
        self.assertEqual(said.count('\n'), len(values))

    def test_random_documents(self):
        seed = int(os.environ.get('TENFOLD_SEED', time.time_ns() & 0xffffffff))
        print(f'# TENFOLD_SEED={seed}')
        r = random.Random(seed)
        self.compare([document(r) for _ in range(ROUNDS)])

    def test_every_power_of_two_and_its_neighbours(self):
        bits = [e << 52 for e in range(1, 2047)] + [1 << e for e in range(52)]
        self.compare([struct.unpack('d', struct.pack('Q', b + d))[0] for b in bits for d in (-1, 0, 1) if b + d > 0])

    def test_plain_documents_are_as_json_dumps_writes_them(self):
        r = random.Random(1)
        plain = {f'k{r.randint(0, 999)}': [r.randint(-999, 999), 'text', {'b': None, 'a': True}] for _ in range(50)}
        self.assertEqual(canonical(plain), json.dumps(plain, sort_keys=True, separators=(',', ':')))
        self.compare([plain])


if __name__ == '__main__':
    PROGRAM = sys.argv.pop()
    unittest.main()
