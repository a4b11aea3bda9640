#!/usr/bin/python3
"""The built-in scenarios as C: their text, in the order given.

    embed_scenarios.py OUT.c FILE.json…
"""

import json
import sys


def literal(text):
    """A C string of each line; what is not plain ASCII as octal escapes."""
    def character(byte):
        return {34: '\\"', 92: '\\\\', 10: '\\n', 9: '\\t'}.get(byte) or (chr(byte) if 32 <= byte < 127 else f'\\{byte:03o}')
    return '\n'.join('\t\t"' + ''.join(map(character, line)) + '"' for line in text.encode().splitlines(keepends=True))


def main():
    out, files = sys.argv[1], sys.argv[2:]
    with open(out, 'w', encoding='utf-8') as c:
        c.write('/* Made by tools/embed_scenarios.py from src/sim/scenarios/. */\n#include "sim/scenario.h"\n\n')
        rows = []
        for i, path in enumerate(files):
            with open(path, encoding='utf-8') as f:
                text = f.read()
            said = json.loads(text)
            c.write(f'static const char text_{i}[] =\n{literal(text)};\n\n')
            rows.append(f'\t{{\n{literal(said["name"])},\n{literal(said["about"])},\n\t\t{{text_{i}, sizeof(text_{i}) - 1}},\n\t}},\n')
        c.write('static const struct scenario_text built_in[] = {\n' + ''.join(rows) + '};\n\n'
                'const struct scenario_text *scenario_built_in(unsigned i)\n{\n'
                '\treturn i < sizeof(built_in) / sizeof(built_in[0]) ? &built_in[i] : NULL;\n}\n')


if __name__ == '__main__':
    main()
