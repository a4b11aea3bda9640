#!/usr/bin/python3
"""Random expressions of a scenario, against an evaluator of their own in Python.

    test_sim_expr.py EXPR_LINES

TENFOLD_SEED=… replays a run. The expressions are made as trees, and the reference computes from the tree, so that the
parser is judged as well: of the brackets that the operators' strength makes needless, half are left out.
"""

import json
import math
import os
import random
import subprocess
import sys
import time

COUNT = 4000
STRENGTH = {'||': 1, '&&': 2, '==': 3, '!=': 3, 'in': 3, '<': 4, '<=': 4, '>': 4, '>=': 4, '+': 5, '-': 5, '*': 6, '/': 6, '%': 6}
CART = [{'id': 'a', 'price': 3}, {'id': 'b', 'price': 4.5}, {'id': 'c', 'price': 2}]
NAMES = {'base': 0.6, 'rate': 50, 'total': 12.5, 'name': 'Ann', 'cart': CART, 'agent.age': 42, 'agent.income': 'high'}
TEXTS = ['', 'a', 'high', 'Ann', 'low']


class Failed(Exception):
    pass


def tree(rng, depth):
    """A tuple: kind and what belongs to it."""
    if depth == 0 or rng.random() < 0.15:
        return rng.choice([('number', rng.choice([0, 1, 2, 0.5, 3.25, 10])), ('text', rng.choice(TEXTS)), ('name', rng.choice(list(NAMES))),
                           ('word', rng.choice(['true', 'false', 'null']))])
    kind = rng.choice(['binary'] * 8 + ['not', 'minus', 'either', 'list', 'index', 'member', 'call', 'call', 'each'])
    sub = lambda: tree(rng, depth - 1)
    if kind == 'binary':
        return 'binary', rng.choice(list(STRENGTH)), sub(), sub()
    if kind == 'either':
        return 'either', sub(), sub(), sub()
    if kind == 'list':
        return 'list', [sub() for _ in range(rng.randrange(4))]
    if kind == 'index':
        return 'index', ('name', 'cart'), sub()
    if kind == 'member':
        return 'member', ('index', ('name', 'cart'), ('number', rng.choice([0, 1, 2]))), rng.choice(['id', 'price', 'none'])
    if kind == 'call':
        name = rng.choice(['min', 'max', 'abs', 'floor', 'ceil', 'clamp', 'length', 'contains', 'first', 'join', 'choose', 'concat'])
        count = {'abs': 1, 'floor': 1, 'ceil': 1, 'length': 1, 'contains': 2, 'first': 2, 'clamp': 3}.get(name) or rng.randrange(2, 5)
        return 'call', name, [sub() for _ in range(count)]
    if kind == 'each':
        return 'each', rng.choice(['sum', 'filter', 'map', 'any', 'all']), rng.choice([('name', 'cart'), sub()]), rng.choice(
            [('member', ('item',), 'price'), ('binary', '<', ('member', ('item',), 'price'), sub()), ('item',), sub()])
    return kind, sub()


def written(rng, t, around=0):
    """As text; `around` is the strength of the operator that it stands beside."""
    kind = t[0]
    w = lambda x: written(rng, x)
    if kind == 'number':
        return json.dumps(t[1])
    if kind == 'text':
        return "'" + t[1] + "'"
    if kind in ('name', 'word'):
        return t[1]
    if kind == 'item':
        return 'x'
    if kind == 'binary':
        strong = STRENGTH[t[1]]
        text = f'{written(rng, t[2], strong)} {t[1]} {written(rng, t[3], strong + 1)}'
        return f'({text})' if strong < around or rng.random() < 0.5 else text
    if kind in ('not', 'minus'):
        return {'not': '!', 'minus': '- '}[kind] + written(rng, t[1], 7)
    if kind == 'either':
        text = f'{written(rng, t[1], 1)} ? {w(t[2])} : {w(t[3])}'
        return f'({text})' if around else text
    if kind == 'list':
        return '[' + ', '.join(map(w, t[1])) + ']'
    if kind == 'index':
        return f'{w(t[1])}[{w(t[2])}]'
    if kind == 'member':
        return f'{w(t[1])}.{t[2]}'
    if kind == 'call':
        return f'{t[1]}({", ".join(map(w, t[2]))})'
    return f'{t[1]}({w(t[2])}, x -> {w(t[3])})'


def truth(v):
    return v not in (None, False, 0, '') and v != []


def number(v):
    if isinstance(v, (bool, int, float)):
        return float(v)
    raise Failed


def finite(v):
    if not math.isfinite(v):
        raise Failed
    return v


def same(a, b):
    def kind(v):
        return bool if isinstance(v, bool) else float if isinstance(v, (int, float)) else type(v)
    if kind(a) != kind(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def contains(whole, part):
    if isinstance(whole, list):
        return any(same(x, part) for x in whole)
    return isinstance(whole, str) and isinstance(part, str) and part in whole


def binary(sign, left, right, item):
    if sign == '&&':
        return truth(value(left, item)) and truth(value(right, item))
    if sign == '||':
        return truth(value(left, item)) or truth(value(right, item))
    a, b = value(left, item), value(right, item)
    if sign in ('==', '!='):
        return same(a, b) == (sign == '==')
    if sign == 'in':
        if b is not None and not isinstance(b, (list, str)):
            raise Failed
        return contains(b, a)
    if not (isinstance(a, str) and isinstance(b, str) and sign in ('<', '<=', '>', '>=')):
        a, b = number(a), number(b)
    if sign in ('/', '%') and b == 0:
        raise Failed
    return {'<': lambda: a < b, '<=': lambda: a <= b, '>': lambda: a > b, '>=': lambda: a >= b, '+': lambda: finite(a + b),
            '-': lambda: finite(a - b), '*': lambda: finite(a * b), '/': lambda: finite(a / b), '%': lambda: math.fmod(a, b)}[sign]()


def as_text(v):
    return '' if v is None else v if isinstance(v, str) else json.dumps(plain(v), separators=(',', ':'), ensure_ascii=False)


def plain(v):
    """Whole numbers as whole numbers, as JSON is written."""
    if isinstance(v, float) and v == int(v):
        return int(v)
    return [plain(x) for x in v] if isinstance(v, list) else v


def call(name, args):
    if name in ('min', 'max'):
        numbers = [number(v) for v in (args[0] if len(args) == 1 and isinstance(args[0], list) else args)]
        if not numbers:
            raise Failed
        return (min if name == 'min' else max)(numbers)
    if name in ('abs', 'floor', 'ceil'):
        return float({'abs': abs, 'floor': math.floor, 'ceil': math.ceil}[name](number(args[0])))
    if name == 'clamp':
        x, low, high = map(number, args)
        if low > high:
            raise Failed
        return min(max(x, low), high)
    if name == 'length':
        if args[0] is None or isinstance(args[0], (str, list)):
            return float(len(args[0] or ''))
        raise Failed
    if name == 'contains':
        if args[0] is not None and not isinstance(args[0], (str, list)):
            raise Failed
        return contains(args[0], args[1])
    if name == 'first':
        n = number(args[1])
        if not isinstance(args[0], list):
            raise Failed
        return args[0][:int(max(n, 0))]
    if name == 'join':
        return [x for v in args for x in (v if isinstance(v, list) else [v])]
    if name == 'concat':
        return ''.join(map(as_text, args))
    for i in range(1, len(args) - 1, 2):
        if same(args[0], args[i]):
            return args[i + 1]
    return args[-1] if len(args) % 2 == 0 else None


def each(name, items, part):
    items = [] if items is None else items
    if not isinstance(items, list):
        raise Failed
    if name == 'any':
        return any(truth(value(part, x)) for x in items)
    if name == 'all':
        return all(truth(value(part, x)) for x in items)
    made = [value(part, x) for x in items]
    if name == 'sum':
        total = 0.0
        for v in made:
            total += number(v)
        return finite(total)
    return made if name == 'map' else [x for x, good in zip(items, made) if truth(good)]


def index(of, i):
    if of is None:
        return None
    if isinstance(of, dict) and isinstance(i, str):
        return of.get(i)
    if not isinstance(of, list):
        raise Failed
    i = number(i)
    return of[int(i)] if 0 <= i < len(of) else None


def member(of, name):
    if of is not None and not isinstance(of, dict):
        raise Failed
    return of and of.get(name)


def value(t, item=None):
    kind = t[0]
    if kind in ('number', 'text'):
        return t[1]
    if kind == 'word':
        return {'true': True, 'false': False, 'null': None}[t[1]]
    if kind == 'name':
        return NAMES[t[1]]
    if kind == 'item':
        return item
    if kind == 'binary':
        return binary(t[1], t[2], t[3], item)
    if kind == 'not':
        return not truth(value(t[1], item))
    if kind == 'minus':
        return -number(value(t[1], item))
    if kind == 'either':
        return value(t[2] if truth(value(t[1], item)) else t[3], item)
    if kind == 'list':
        return [value(x, item) for x in t[1]]
    if kind == 'index':
        return index(value(t[1], item), value(t[2], item))
    if kind == 'member':
        return member(value(t[1], item), t[2])
    if kind == 'call':
        return call(t[1], [value(x, item) for x in t[2]])
    return each(t[1], value(t[2], item), t[3])


def expected(t):
    try:
        return True, value(t)
    except Failed:
        return False, None


def agrees(said, good, wanted):
    if not good:
        return said.startswith(('fault: ', 'failure: '))
    # What can never be evaluated, as 1/0 behind `false &&`, may be refused all the same.
    if said.startswith('fault: '):
        return True
    return not said.startswith('failure: ') and same(json.loads(said), wanted)


def main():
    seed = int(os.environ.get('TENFOLD_SEED') or time.time_ns())
    print(f'# TENFOLD_SEED={seed}')
    rng = random.Random(seed)
    trees = [tree(rng, rng.randrange(1, 6)) for _ in range(COUNT)]
    lines = [written(rng, t) for t in trees]
    said = subprocess.run([sys.argv[1]], input='\n'.join(lines) + '\n', capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(said) == COUNT, f'{len(said)} answers to {COUNT} expressions'
    good_ones = faults = 0
    for t, line, answer in zip(trees, lines, said):
        good, wanted = expected(t)
        assert agrees(answer, good, wanted), f'{line}\n  gives {answer}\n  not   {json.dumps(wanted) if good else "a failure"}'
        good_ones += good
        faults += good and answer.startswith('fault: ')
    assert good_ones > COUNT / 4 and faults < COUNT / 20, (good_ones, faults)
    print(f'{COUNT} passed, 0 failed')


if __name__ == '__main__':
    main()
