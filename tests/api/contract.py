"""The server's own OpenAPI document: held against what the server really answers, and read as the list of calls."""

import json
import os
import re
import subprocess
import urllib.parse

try:
    import jsonschema
except ImportError:   # said aloud by test_health
    jsonschema = None


class Operation:
    """One call: name, method, path, scope ('none' when it needs no key), and what a request for it holds.

    Requests are made from `things`: an id for each prefix ('w_'), what addresses each kind that has other names too
    ('agent-ref'), and the value of any member that must fit ('token').
    """

    def __init__(self, contract, path, method, row):
        self.contract, self.path, self.method, self.row = contract, path, method.upper(), row
        self.name = row['operationId']
        self.scope = row['security'][0]['bearer'][0] if row['security'] else 'none'
        self.parameters = [contract.resolve(p) for p in row['parameters']]
        self.has_id_in_path = '{' in path
        answers = [contract.resolve(r).get('content', {}) for status, r in row['responses'].items() if status < '300']
        self.answers_json = any('application/json' in a for a in answers)
        self.streams = any('text/event-stream' in a for a in answers)

    def url(self, things):
        """The path with ids in it, and in the query what is required and what holds an id."""
        path, query = self.path, {}
        for p in self.parameters:
            if p['in'] == 'path':
                assert thing_of(p['schema']), f'{self.name}: what stands in its path names no kind of thing'
                path = path.replace('{' + p['name'] + '}', self.example(p['schema'], things))
            elif p['in'] == 'query' and (p.get('required') or thing_of(p['schema'])):
                query[p['name']] = self.example(p['schema'], things, p['name'])
        return path + ('?' + urllib.parse.urlencode(query) if query else '')

    def body_schema(self):
        content = self.row.get('requestBody', {}).get('content', {})
        return content['application/json']['schema'] if content else None

    def body(self, things):
        """A body with what is required and what holds an id; None when the call takes none."""
        schema = self.body_schema()
        return None if schema is None else self.example(schema, things)

    def has_id_elsewhere(self):
        """Does its query or its body hold an id?"""
        schema = self.body_schema()
        return any(p['in'] == 'query' and thing_of(p['schema']) for p in self.parameters) or \
            (schema is not None and self.holds_id(schema))

    def holds_id(self, schema):
        schema = self.contract.resolve(schema)
        return bool(thing_of(schema)) or any(self.holds_id(m) for m in schema.get('properties', {}).values()) or \
            ('items' in schema and self.holds_id(schema['items']))

    def example(self, schema, things, name=''):
        schema = self.contract.resolve(schema)
        known = thing_of(schema) or name
        if known in things:
            return things[known]
        assert not thing_of(schema), f'{self.name} takes an id {known}…: the test needs such a thing'
        if 'enum' in schema:
            return schema['enum'][0]
        kind = schema.get('type')
        if kind == 'object':
            return {m: self.example(s, things, m) for m, s in schema.get('properties', {}).items()
                    if m in schema.get('required', []) or self.holds_id(s)}
        if kind == 'array':
            return [self.example(schema['items'], things)]
        if kind == 'boolean':
            return True
        if kind in ('integer', 'number'):
            return max(schema.get('minimum', 1), 1)
        return 'x' * max(schema.get('minLength', 1), 1) if kind == 'string' else {}


def thing_of(schema):
    """What kind of thing a schema addresses: 'w_' of an item's id, 'agent-ref' where an agent has its id or its handle;
    None of any other."""
    found = re.match(r'\^([a-z]+_)\[', schema.get('pattern', ''))
    named = schema.get('format', '')
    return found[1] if found else named if named.endswith('-ref') else None


class Contract:
    """Checks answers against GET /openapi.json of a server, and notes which calls were answered."""

    def __init__(self, server):
        connection = server.connect()
        connection.request('GET', '/openapi.json')
        self.document = json.loads(connection.getresponse().read())
        connection.close()
        self.routes = []
        for path, methods in self.document['paths'].items():
            pattern = re.compile(re.sub(r'\{\w+\}', '[^/]+', path) + '$')
            self.routes += [(method.upper(), pattern, path, operation) for method, operation in methods.items()
                            if isinstance(operation, dict) and 'responses' in operation]
        self.routes.sort(key=lambda route: route[2].count('{'))   # /v1/work/claim before /v1/work/{id}
        self.validators = {}

    def operations(self):
        return [Operation(self, path, method, row) for method, _, path, row in self.routes]

    def find(self, method, path):
        for known, pattern, template, operation in self.routes:
            if known == method and pattern.match(path):
                return template, operation
        return None, None

    def check(self, method, path, answer):
        """Raises AssertionError when the answer is none the document promises."""
        template, operation = self.find(method, path)
        note(method, template or '(none)', answer)
        if answer.status >= 400:
            problem = answer.headers.get('content-type') == 'application/problem+json'
            assert problem or (template or '').startswith('/health'), \
                f'{method} {path}: {answer.status} as {answer.headers.get("content-type")}: {answer.body[:200]!r}'
            assert not problem or answer.json['status'] == answer.status
        if not operation:
            return
        promised = self.response(operation, answer.status)
        assert promised is not None, f'{method} {template}: status {answer.status} is not in the OpenAPI document'
        content = promised.get('content', {})
        media = answer.headers.get('content-type', '').split(';')[0]
        if not answer.body:
            assert not content or answer.status in (204, 304), f'{method} {template}: an empty answer'
            return
        assert media in content, f'{method} {template}: {media} is not in the OpenAPI document'
        if answer.json is not None and 'schema' in content[media]:
            self.validate(f'{method} {template} {answer.status}', content[media]['schema'], answer.json)

    def response(self, operation, status):
        found = operation['responses'].get(str(status)) or operation['responses'].get('default')
        return self.resolve(found) if found else None

    def resolve(self, node):
        while '$ref' in node:
            ref, node = node['$ref'], self.document
            for step in ref.lstrip('#/').split('/'):
                node = node[step]
        return node

    def validate(self, what, schema, value):
        if not jsonschema:
            return
        if what not in self.validators:
            resolver = jsonschema.RefResolver('', self.document)
            self.validators[what] = jsonschema.Draft202012Validator(schema, resolver=resolver)
        fault = next(self.validators[what].iter_errors(value), None)
        assert fault is None, f'{what} breaks its schema at {list(fault.absolute_path)}: {fault.message[:300]}'


def note(method, template, answer):
    """One line per answer, for check_seen()."""
    folder = os.environ.get('TENFOLD_SEEN')
    if folder:
        with open(os.path.join(folder, str(os.getpid())), 'a', encoding='utf-8') as f:
            f.write(f'{method} {template} {answer.status} {answer.code or "-"}\n')


# Errors that no request can bring about: they are the command line's, or of a server that does not start.
NOT_OVER_HTTP = {'usage', 'unreachable', 'schema', 'in_use'}


def check_seen(binary, folder):
    """TAP: was every operation answered with success, in the runs that noted into the folder?"""
    seen = set()
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding='utf-8') as f:
            seen |= {tuple(line.split()) for line in f}
    document = json.loads(subprocess.run([binary, 'openapi'], check=True, capture_output=True).stdout)
    well = {(method, template) for method, template, status, _ in seen if status < '400'}
    count = missing = 0
    for path, methods in document['paths'].items():
        for method in methods:
            count += 1
            good = (method.upper(), path) in well
            missing += not good
            print(f'{"ok" if good else "not ok"} {count} - {method.upper()} {path} was answered')
    print(f'# codes seen: {" ".join(sorted({code for *_, code in seen if code != "-"}))}')
    print(f'1..{count}')
    return 1 if missing or not count else 0
