"""Health, metrics and the OpenAPI document: what machines ask before they trust a server."""

import os
import shutil
import subprocess

from harness import ROOT, Skip, raw, until

import contract


def test_live_and_ready(t):
    for path in ('/health/live', '/health/ready', '/health'):
        with t.case(path):
            said = t.anonymous().get(path).expect(200)
            assert said.json['status'] == 'ok' and said.json['version']
            assert said.headers.get('cache-control') == 'no-store', said.headers


def test_the_log_leaves_out_what_there_is_not(t):
    said = until(lambda: [line for line in t.server.log().splitlines() if ' executor.state state=ready' in line],
                 what='its word')
    assert said[0].endswith('state=ready'), said


def test_an_old_probe_without_host(t):
    answer = raw(t.server, b'GET /health HTTP/1.0\r\n\r\n')
    assert answer.split(b'\r\n')[0].split(b' ')[1] == b'200', answer
    assert b'"status":"ok"' in answer.replace(b' ', b'')


def test_metrics_are_clean(t):
    t.worker.add(t.type)
    answer = t.anonymous().get('/metrics').expect(200)
    assert answer.headers['content-type'].startswith('text/plain; version=0.0.4')
    if not shutil.which('promtool'):
        raise Skip('promtool is not installed (Debian: prometheus)')
    check = subprocess.run(['promtool', 'check', 'metrics'], input=answer.body, capture_output=True, check=False)
    assert check.returncode == 0 and not check.stderr, check.stderr.decode()


def test_metrics_count(t):
    before = t.server.metric('tenfold_http_requests_total{') or 0
    for _ in range(10):
        t.worker.get('/v1/whoami').expect(200)
    assert t.server.metric('tenfold_http_requests_total{') >= before + 10


def test_answers_are_held_against_their_schema(t):
    """The harness does it for every answer; here it is seen that it would notice."""
    if not contract.jsonschema:
        raise Skip('python3-jsonschema is not installed')
    rules = t.worker.contract
    answer = t.anonymous().get('/health/live')
    answer.json['status'] = 5
    try:
        rules.check('GET', '/health/live', answer)
    except AssertionError:
        return
    raise AssertionError('a wrong type went unnoticed')


def test_the_openapi_document_names_every_call(t):
    document = t.anonymous().get('/openapi.json').expect(200).json
    assert document['openapi'].startswith('3.1')
    operations = [(m, p) for p, methods in document['paths'].items() for m in methods]
    with open(os.path.join(ROOT, 'api/routes.def'), encoding='utf-8') as f:
        declared = sum(line.startswith('ROUTE(') for line in f)
    assert len(operations) == declared, f'{len(operations)} operations, {declared} rows'
    ids = [document['paths'][p][m]['operationId'] for m, p in operations]
    assert len(set(ids)) == len(ids)


def test_nothing_stays_open(t):
    """Descriptors after a hundred connections came and went are as many as before."""
    folder = f'/proc/{t.server.process.pid}/fd'
    before = len(os.listdir(folder))
    for _ in range(100):
        caller = t.caller('worker')
        caller.get('/v1/whoami').expect(200)
        caller.close()
    until(lambda: len(os.listdir(folder)) <= before + 2, what='the closing of descriptors')


def test_stopping_is_said_and_bounded(t):
    server = t.new_server()
    url = server.url
    server.stop()
    assert 'stop' in server.log(), server.log()
    assert not os.path.exists(os.path.join(server.data, 'server.json')), f'{url} is no longer promised'
