"""Programs that are not ours and speak HTTP: what they are used to must work."""

import json
import shutil
import subprocess

from harness import Skip


def run(*argv, input_=None, timeout_s=30):
    if not shutil.which(argv[0]):
        raise Skip(f'{argv[0]} is not installed')
    return subprocess.run(argv, input=input_, capture_output=True, timeout=timeout_s, check=False)


def curl(t, path, *more, **options):
    return run('curl', '-sS', '-H', f'Authorization: Bearer {t.worker.key}', *more, t.server.url + path, **options)


def test_curl_posts_and_gets(t):
    made = curl(t, '/v1/work', '--json', json.dumps({'type': t.type, 'title': 'by curl'}))
    item = json.loads(made.stdout)
    shown = json.loads(curl(t, f'/v1/work/{item["id"]}').stdout)
    assert shown['title'] == 'by curl'


def test_curl_sends_a_large_body_with_expect(t):
    body = json.dumps({'type': t.type, 'payload': 'x' * 200_000}).encode()
    made = curl(t, '/v1/work', '-H', 'Content-Type: application/json', '-H', 'Expect: 100-continue', '--data-binary', '@-',
                input_=body)
    assert json.loads(made.stdout)['state'] == 'ready'


def test_curl_fails_on_refusals(t):
    refused = curl(t, '/v1/work/w_0000000000009', '--fail')
    assert refused.returncode == 22


def test_curl_reads_events(t):
    t.worker.add(t.type)
    stream = curl(t, f'/v1/work/events?from=start&type={t.type}', '-N', '--max-time', '2')
    assert b'event: enqueued' in stream.stdout and stream.returncode == 28


def test_curl_keeps_its_connection(t):
    url = t.server.url + '/health/live'
    done = run('curl', '-sS', '-v', url, url, url)
    assert done.stderr.count(b'Re-using existing connection') == 2, done.stderr.decode()


def test_curl_asks_head(t):
    done = run('curl', '-sS', '-I', t.server.url + '/health/live')
    assert done.stdout.startswith(b'HTTP/1.1 200') or b' 405 ' in done.stdout, done.stdout


def test_wget(t):
    done = run('wget', '-q', '-O', '-', f'--header=Authorization: Bearer {t.worker.key}', t.server.url + '/v1/whoami')
    assert json.loads(done.stdout)['scope'] == 'worker'
    assert run('wget', '-q', '-O', '-', t.server.url + '/v1/whoami').returncode == 6, 'wget knows a 401'


def test_pythons_urllib(t):
    import urllib.request
    request = urllib.request.Request(t.server.url + '/v1/work', json.dumps({'type': t.type}).encode(),
                                     {'Authorization': f'Bearer {t.worker.key}', 'Content-Type': 'application/json'})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 201


def test_wrk_finds_no_error(t):
    done = run('wrk', '-t1', '-c32', '-d2s', t.server.url + '/health/live')
    text = done.stdout.decode()
    assert done.returncode == 0 and 'Non-2xx' not in text and 'Socket errors' not in text, text


def test_a_proxy_may_stand_between(t):
    """What load balancers add and do: forwarded headers, names and schemes in any case."""
    done = run('curl', '-sS', '-H', 'X-Forwarded-For: 10.0.0.1', '-H', 'x-forwarded-proto: https', '-H', 'VIA: 1.1 lb',
               '-H', f'authorization: bearer {t.worker.key}', t.server.url + '/v1/whoami')
    assert json.loads(done.stdout).get('scope') == 'worker', done.stdout
