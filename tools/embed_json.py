#!/usr/bin/python3
"""Files of JSON that are built in, as C: their text, in the order given, with the name and the about that stands in them.

    embed_json.py OUT.c HEADER STRUCT FUNCTION FILE.json…

HEADER declares struct STRUCT {name, about, text} and FUNCTION(i), which is made: NULL past the last.
"""

import json
import sys


def literal(text):
    """A C string of each line; what is not plain ASCII as octal escapes."""
    def character(byte):
        return {34: '\\"', 92: '\\\\', 10: '\\n', 9: '\\t'}.get(byte) or (chr(byte) if 32 <= byte < 127 else f'\\{byte:03o}')
    return '\n'.join('\t\t"' + ''.join(map(character, line)) + '"' for line in text.encode().splitlines(keepends=True))


def main():
    out, header, struct, function, files = *sys.argv[1:5], sys.argv[5:]
    with open(out, 'w', encoding='utf-8') as c:
        c.write(f'/* Made by tools/embed_json.py. */\n#include "{header}"\n\n')
        rows = []
        for i, path in enumerate(files):
            with open(path, encoding='utf-8') as f:
                text = f.read()
            said = json.loads(text)
            c.write(f'static const char text_{i}[] =\n{literal(text)};\n\n')
            rows.append(f'\t{{\n{literal(said["name"])},\n{literal(said["about"])},\n\t\t{{text_{i}, sizeof(text_{i}) - 1}},\n\t}},\n')
        c.write(f'static const struct {struct} built_in[] = {{\n' + ''.join(rows) + '};\n\n'
                f'const struct {struct} *{function}(unsigned i)\n{{\n'
                '\treturn i < sizeof(built_in) / sizeof(built_in[0]) ? &built_in[i] : NULL;\n}\n')


if __name__ == '__main__':
    main()
