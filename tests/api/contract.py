"""The server's own OpenAPI document, held against what the server really answers."""

import json
import os
import re
import subprocess

try:
    import jsonschema
except ImportError:   # said aloud by test_health
    jsonschema = None


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
