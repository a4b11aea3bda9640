#!/usr/bin/python3
"""Makes clients/python/tenfold.py: tools/client.py.in with one method per operation of the OpenAPI document.

    clientgen.py --tenfold build/tenfold [--check]

--check only says whether the committed file is current.
"""

import argparse
import json
import keyword
import os
import subprocess
import sys
import textwrap

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TEMPLATE = os.path.join(HERE, 'tools/client.py.in')
CLIENT = os.path.join(HERE, 'clients/python/tenfold.py')


class Document:
    """An OpenAPI document and what is asked of it here."""

    def __init__(self, text):
        self.root = json.loads(text)

    def resolve(self, node):
        while '$ref' in node:
            ref, node = node['$ref'], self.root
            for step in ref.lstrip('#/').split('/'):
                node = node[step]
        return node

    def operations(self):
        for path, methods in self.root['paths'].items():
            for method, operation in methods.items():
                if method in ('get', 'post', 'put', 'delete', 'patch'):
                    yield path, method.upper(), operation

    def parameters(self, operation, where):
        found = [self.resolve(p) for p in operation.get('parameters', [])]
        return [p for p in found if p['in'] == where]

    def body_members(self, operation):
        """(name, schema, required) of each member of the request body."""
        content = self.resolve(operation.get('requestBody', {})).get('content', {})
        schema = self.resolve(content.get('application/json', {}).get('schema', {}))
        required = schema.get('required', [])
        return [(name, member, name in required) for name, member in schema.get('properties', {}).items()]

    def answers_with(self, operation, media_type):
        return any(media_type in self.resolve(r).get('content', {}) for r in operation['responses'].values())


def python_name(name):
    return name + '_' if keyword.iskeyword(name) else name.replace('-', '_')


def sentence(document, member):
    return member.get('description') or document.resolve(member).get('description', '')


def method_text(document, path, method, operation):
    in_path = [p['name'] for p in document.parameters(operation, 'path')]
    query = [(p['name'], p, p.get('required', False)) for p in document.parameters(operation, 'query')]
    headers = [p['name'] for p in document.parameters(operation, 'header')]
    body = document.body_members(operation)
    streams = document.answers_with(operation, 'text/event-stream')
    creates, matches = 'Idempotency-Key' in headers, 'If-Match' in headers

    members = query + body
    needed = in_path + [name for name, _, required in members if required]
    optional = [name for name, _, required in members if not required]
    extra = ['idempotency_key=None'] if creates else []
    extra += ['if_match=None'] if matches else []
    if streams:
        extra += ['last_event_id=None', 'reconnect=True']
    keywords = [f'{python_name(n)}=None' for n in optional] + extra
    arguments = ['self'] + [python_name(n) for n in needed] + (['*'] + keywords if keywords else [])

    signature = textwrap.fill(f'    def {operation["operationId"]}({", ".join(arguments)}):', 116, subsequent_indent=' ' * 8,
                              break_long_words=False, break_on_hyphens=False)
    doc = [operation.get('summary') or operation.get('description', '')]
    notes = [(name, p.get('description', '')) for name, p in
             ((p['name'], p) for p in document.parameters(operation, 'path'))]
    notes += [(name, sentence(document, member)) for name, member, _ in members]
    notes += [('if_match', 'Only if it is still at this version, or has this ETag.')] if matches else []
    for name, said in notes:
        doc.append(textwrap.fill(f'{python_name(name)}: {said}', 104, subsequent_indent='    '))
    docstring = textwrap.indent('"""' + ('\n\n'.join([doc[0], '\n'.join(doc[1:])]) + '\n' if doc[1:] else doc[0]) + '"""', ' ' * 8)

    target = repr(path)
    for name in in_path:
        target = 'f' + target.lstrip('f').replace('{' + name + '}', '{urllib.parse.quote(' + python_name(name) + ', safe="")}')
    given = ['query=' + members_text(query)] if query else []
    given += ['body=' + members_text(body)] if body or 'requestBody' in operation else []
    if streams:
        call = f'self._stream({target}, {members_text(query)}, last_event_id, reconnect)'
    else:
        given += ['idempotency_key=idempotency_key', 'creates=True'] if creates else []
        given += ['if_match=if_match'] if matches else []
        call = f'self._call({", ".join([repr(method), target] + given)})'
    statement = textwrap.fill(f'        return {call}', 116, subsequent_indent=' ' * 12, break_long_words=False,
                              break_on_hyphens=False)
    return f'\n{signature}\n{docstring}\n{statement}\n'


def members_text(members):
    return '{' + ', '.join(f"'{name}': {python_name(name)}" for name, _, _ in members) + '}'


def client_text(openapi):
    document = Document(openapi)
    with open(TEMPLATE, encoding='utf-8') as f:
        template = f.read()
    methods = ''.join(method_text(document, *operation) for operation in document.operations())
    return template.replace('@VERSION@', document.root['info']['version']).replace('@METHODS@', methods)


def main():
    parser = argparse.ArgumentParser(description='Makes the Python client.')
    parser.add_argument('--tenfold', required=True, help='the program whose API it is')
    parser.add_argument('--check', action='store_true', help='only say whether the committed client is current')
    args = parser.parse_args()
    openapi = subprocess.run([args.tenfold, 'openapi'], check=True, capture_output=True, text=True).stdout
    text = client_text(openapi)
    compile(text, CLIENT, 'exec')
    if args.check:
        with open(CLIENT, encoding='utf-8') as f:
            current = f.read() == text
        print('clients/python/tenfold.py is ' + ('current' if current else 'not current: run ./dev docs'))
        return 0 if current else 1
    os.makedirs(os.path.dirname(CLIENT), exist_ok=True)
    with open(CLIENT, 'w', encoding='utf-8') as f:
        f.write(text)
    return 0


if __name__ == '__main__':
    sys.exit(main())
