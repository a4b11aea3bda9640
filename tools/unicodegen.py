#!/usr/bin/python3
"""Makes src/search/unicode.def from Python's unicodedata: what each character is to the tokenizer, and what it folds to.

    unicodegen.py          writes the table
    unicodegen.py --check  exits 1 when the table in the tree is not what it would write

The table is three lists of rows. CLASS(first, kind): from this code point on, characters are of this kind.
SHIFT(first, last, step, delta): these fold to one character at a constant distance. TEXT(code, "utf-8"): this one folds
to some characters. Folding is compatibility decomposition, case folding, and the loss of diacritics over Latin and Greek
letters; Cyrillic loses only the dots of yo, because a short i is a letter of its own.
"""

import os
import sys
import unicodedata

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TABLE = os.path.join(HERE, 'src', 'search', 'unicode.def')
LAST = 0x1FFFF  # beyond are rare ideographs, tags and private use: unicode.c knows them by range

# Letters of Latin that do not decompose and that people without that keyboard write like this.
PLAIN = {'ø': 'o', 'đ': 'd', 'ð': 'd', 'þ': 'th', 'ł': 'l', 'æ': 'ae', 'œ': 'oe', 'ı': 'i', 'ħ': 'h', 'ŧ': 't', 'ŋ': 'ng', 'ſ': 's'}

# Scripts that put no spaces between words, or whose words carry their grammar glued on: indexed by pairs of characters.
PAIRED = [(0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x2E80, 0x2FDF), (0x3005, 0x3007),
          (0x3021, 0x3029), (0x3031, 0x3035), (0x3038, 0x303C), (0x3041, 0x318F), (0x31A0, 0x31BF), (0x31F0, 0x31FF),
          (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xA4CF), (0xA960, 0xA97F), (0xAC00, 0xD7FF), (0xF900, 0xFAFF),
          (0xFF66, 0xFF9F), (0x1B000, 0x1B2FF)]

# Where a capital can begin a part of a camelCase word. Elsewhere large and small letters alternate, and would make the
# table long for names nobody writes.
CAPITALS = [(0x41, 0x5A), (0xC0, 0xDE), (0x0386, 0x03AB), (0x0400, 0x042F), (0xFF21, 0xFF3A)]

# Left as they are: compatibility ideographs, signs in squares and rings beyond the digits, and forms of Arabic that
# no keyboard makes.
NOT_FOLDED = [(0x2E80, 0x2FDF), (0x3200, 0x33FF), (0xF900, 0xFAFF), (0xFBB2, 0xFDFF), (0x1F100, 0x1F2FF)]

# Vowel signs and the like that a writer may leave out: Latin and Greek diacritics, Hebrew points, Arabic signs.
LEFT_OUT = [(0x0300, 0x036F), (0x0483, 0x0489), (0x0591, 0x05C7), (0x0610, 0x061A), (0x0640, 0x0640), (0x064B, 0x065F),
            (0x0670, 0x0670), (0x06D6, 0x06ED), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0x3099, 0x309C),
            (0xFE00, 0xFE0F), (0xFE20, 0xFE2F), (0x1F3FB, 0x1F3FF)]


def within(code, ranges):
    return any(first <= code <= last for first, last in ranges)


def kind(code):
    category = unicodedata.category(chr(code))
    if within(code, LEFT_OUT) or category == 'Cf':
        return 'DROPPED'
    if within(code, PAIRED) and category[0] in 'LMN':
        return 'PAIRED'
    if category in ('Lu', 'Lt') and within(code, CAPITALS):
        return 'UPPER'
    if category[0] in 'LM':
        return 'LOWER'
    if category[0] == 'N':
        return 'DIGIT'
    return 'SYMBOL' if category == 'So' and code >= 0x2190 else 'BETWEEN'


def script(char):
    return unicodedata.name(char, '').split(' ')[0]


def fold_once(text):
    out = ''
    for char in unicodedata.normalize('NFKC', text).casefold():
        char = str(unicodedata.decimal(char, char))
        parts = unicodedata.normalize('NFD', PLAIN.get(char, char))
        if script(parts[0]) in ('LATIN', 'GREEK') or parts in ('е\u0308', 'i\u0307'):
            parts = ''.join(c for c in parts if not within(ord(c), LEFT_OUT))
        else:
            parts = char
        out += ''.join(PLAIN.get(c, c) for c in parts)
    return out


def fold(code):
    """What the character becomes inside a word; white space that a decomposition brings is lost."""
    text, before = chr(code), None
    while text != before:
        before, text = text, fold_once(text)
    return ''.join(c for c in text if kind(ord(c)) not in ('BETWEEN', 'DROPPED')) or chr(code)


def class_rows():
    """What is not assigned belongs to what comes before it: fewer rows, and a guess for characters yet to come."""
    rows, last = [], None
    for code in range(LAST + 1):
        if unicodedata.category(chr(code)) != 'Cn' and (now := kind(code)) != last:
            rows.append(f'CLASS(0x{code:X}, {now})')
            last = now
    return rows


def shift_rows(single):
    """Runs of equal distance, one or two code points apart."""
    rows, codes = [], sorted(single)
    while codes:
        first = codes[0]
        best = max(([c for c in run(single, first, step)] for step in (1, 2)), key=len)
        step = best[1] - best[0] if len(best) > 1 else 1
        rows.append((first, best[-1], step, single[first] - first))
        codes = [c for c in codes if c not in set(best)]
    return [f'SHIFT(0x{first:X}, 0x{last:X}, {step}, {delta})' for first, last, step, delta in rows]


def run(single, first, step):
    """What lies between two rows of a run folds to itself, so that runs never overlap."""
    code, delta = first, single[first] - first
    while code in single and single[code] - code == delta:
        yield code
        if step == 2 and code + 1 in single:
            return
        code += step


def lines(rows):
    """Several rows a line, so that the table stays short."""
    out = ['']
    for row in rows:
        if len(out[-1]) + len(row) > 140:
            out.append('')
        out[-1] += (' ' if out[-1] else '') + row
    return out


def table():
    single, texts = {}, []
    for code in range(LAST + 1):
        if kind(code) in ('BETWEEN', 'DROPPED') or within(code, NOT_FOLDED) or 0xD800 <= code < 0xE000 or (folded := fold(code)) == chr(code):
            continue
        if len(folded) == 1:
            single[code] = ord(folded)
        else:
            escaped = ''.join(f'\\x{b:02x}' for b in folded.encode())
            texts.append(f'TEXT(0x{code:X}, "{escaped}")')
    head = ['/*', f' * Made by tools/unicodegen.py from Unicode {unicodedata.unidata_version}; what the rows mean stands there.', ' */']
    parts = [('CLASS', class_rows()), ('SHIFT', shift_rows(single)), ('TEXT', texts)]
    for name, rows in parts:
        head += [f'#ifdef {name}'] + lines(rows) + ['#endif']
    return '\n'.join(head) + '\n'


def main():
    made = table()
    if sys.argv[1:] == ['--check']:
        with open(TABLE, encoding='utf-8') as f:
            return f.read() != made
    with open(TABLE, 'w', encoding='utf-8') as f:
        f.write(made)
    return 0


if __name__ == '__main__':
    sys.exit(main())
