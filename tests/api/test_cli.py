"""The command line against a server: calls, exit codes, import and watch."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile

from harness import BINARY, SLOW, clean_env, until


class Cli:
    """Runs `tenfold …` with a key of one scope, or what `env` says."""

    def __init__(self, t, scope='operator', server=None, **env):
        self.t, self.server = t, server or t.server
        self.env = clean_env(TENFOLD_URL=self.server.url, TENFOLD_HOME='/nonexistent',
                             **(env or {'TENFOLD_KEY': t.caller(scope, self.server).key}))

    def run(self, *words, given='', env=None):
        done = subprocess.run([BINARY, *words], input=given, capture_output=True, text=True, check=False,
                              env=self.env if env is None else env, timeout=60 * SLOW)
        if done.returncode and not done.stdout:
            assert done.stderr.startswith('tenfold: ') and done.stderr.count('\n') == 1, done
        return done

    def good(self, *words, given=''):
        done = self.run(*words, given=given)
        assert done.returncode == 0, done
        return done.stdout

    def json(self, *words, given=''):
        return json.loads(self.good(*words, '--json', given=given))

    def start(self, *words):
        process = subprocess.Popen([BINARY, *words], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.t.cleanup.callback(end, process)
        return process


def end(process):
    if process.poll() is None:
        process.kill()
    process.communicate()


def file_with(t, text):
    handle, path = tempfile.mkstemp()
    t.cleanup.callback(os.unlink, path)
    with os.fdopen(handle, 'w', encoding='utf-8') as f:
        f.write(text)
    return path


def test_a_work_item_by_hand(t):
    cli = Cli(t)
    payload = file_with(t, '{"a": [1,  2]}\n')
    added = cli.json('work', 'add', t.type, 'By hand', '--payload', f'@{payload}', '--labels', 'a=b', '--description',
                     '-', given='two\nlines\n')
    shown = cli.json('work', 'show', added['id'])
    assert shown['payload'] == {'a': [1, 2]} and shown['description'] == 'two\nlines' and shown['labels'] == {'a': 'b'}
    taken = cli.json('work', 'claim', 'me', t.type)['items'][0]
    assert taken['id'] == added['id']
    cli.good('work', 'progress', taken['id'], taken['token'], '40', 'half way', '--extend-ms', '30s')
    table = cli.good('work', 'list', '--type', t.type)
    assert table.split('\n')[0].split() == ['ID', 'STATE', 'TYPE', 'PRIORITY', 'PROGRESS', 'TITLE', 'CLAIMED', 'BY']
    assert 'By hand' in table and 'leased' in table
    cli.good('work', 'complete', taken['id'], taken['token'], '--result', '"done"')
    people = cli.good('work', 'show', added['id'])
    assert 'description   two\n              lines\n' in people and 'history\n' in people, people
    assert 'lease_ms      1m\nbackoff       kind=exponential,base_ms=1s,max_ms=10m\n' in people, people


def test_exit_codes(t):
    cli = Cli(t)
    absent = 'w_0000000000001'
    taken = cli.json('work', 'add', t.type) and cli.json('work', 'claim', 'me', t.type)['items'][0]
    cases = [
        ('not found', 4, ['work', 'show', absent]),
        ('conflict', 5, ['work', 'release', taken['id'], '0000008000003ec5wnf6r9xmfg']),
        ('usage', 2, ['work', 'show', 'x']),
        ('refused by the server', 2, ['work', 'add', 'tf.own']),
        ('forbidden', 1, ['tenant', 'list']),
        ('wrong key', 1, ['--key', 'tf_wrong', 'whoami']),
        ('unreachable', 3, ['whoami', '--url', 'http://127.0.0.1:1']),
        ('no URL', 2, ['whoami', '--url', 'ftp://x']),
    ]
    for what, code, words in cases:
        with t.case(what):
            done = cli.run(*words)
            assert done.returncode == code and '; ' in done.stderr, done
    with t.case('unreachable names the URL and how to start'):
        said = cli.run('whoami', '--url', 'http://127.0.0.1:1').stderr
        assert 'http://127.0.0.1:1' in said and 'tenfold serve' in said, said
    with t.case('output that cannot be written'):
        with open('/dev/full', 'w', encoding='ascii') as full:
            done = subprocess.run([BINARY, 'version'], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 1 and 'cannot write' in done.stderr, done


def test_the_data_directory_tells_server_and_key(t):
    cli = Cli(t)
    home = clean_env(TENFOLD_HOME=t.server.data)
    assert 'admin' in cli.run('whoami', env=home).stdout
    assert 'admin' in cli.run('whoami', '--data', t.server.data, env=clean_env()).stdout
    with t.case('its key is not shown to a server elsewhere'):
        done = cli.run('whoami', '--url', 'http://192.0.2.1:1', '--json', env={**home, 'http_proxy': t.server.url})
        assert done.returncode != 0 and 'admin' not in done.stdout, done


def test_import_json_lines(t):
    cli = Cli(t)
    with t.case('dependencies over batches, faults by line'):
        lines = [json.dumps({'type': t.type, 'key': f'k{i}', 'title': str(i),
                             'depends_on': [{'key': f'k{i + 1}'}] if i < 1199 else []}) for i in range(1200)]
        lines[10:10] = ['', 'broken', json.dumps({'type': t.type, 'key': 'late', 'priority': 'soon'})]
        path = file_with(t, '\n'.join(lines))
        done = cli.run('work', 'import', '--format', 'jsonl', path, '--json')
        report = json.loads(done.stdout)
        assert done.returncode == 1 and report['imported'] == 1200 and report['refused'] == 2, report
        assert [x['line'] for x in report['refusals']] == [12, 13]
    with t.case('the last is ready, the others wait'):
        ready = t.worker.get('/v1/work', query={'type': t.type, 'state': 'ready'}).items
        assert [x['key'] for x in ready] == ['k1199']
    with t.case('a second time all are there'):
        report = json.loads(cli.run('work', 'import', '--format', 'jsonl', path, '--json').stdout)
        assert report['imported'] == 0 and report['already_there'] == 1200, report
    with t.case('for people'):
        said = cli.run('work', 'import', '--format', 'jsonl', path).stdout
        assert 'refused: line 12: ' in said and '0 imported, 1200 already there, 2 refused' in said, said


def test_import_says_what_follows_from_a_refusal(t):
    cli = Cli(t)
    path = file_with(t, '\n'.join(json.dumps(x) for x in [
        {'type': 'tf.reserved', 'key': 'bad'},
        {'type': t.type, 'key': 'needs', 'depends_on': [{'key': 'bad'}]},
        {'type': t.type, 'key': 'fine'},
        {'type': t.type, 'key': 'a', 'depends_on': [{'key': 'b'}]},
        {'type': t.type, 'key': 'b', 'depends_on': [{'key': 'a'}]},
    ]))
    done = cli.run('work', 'import', '--format', 'jsonl', path, '--json')
    report = json.loads(done.stdout)
    assert done.returncode == 1 and report['imported'] == 3 and report['refused'] == 2, report
    assert report['cuts'] == 1 and 'b no longer waits for a' in report['cycles'][0]['cuts'], report


def test_import_dry_run_adds_nothing(t):
    cli = Cli(t)
    report = cli.json('work', 'import', '--format', 'jsonl', '-', '--dry-run', '--type', t.type, given='{"title":"x"}\n')
    assert report['imported'] == 1
    assert t.worker.get('/v1/work', query={'type': t.type}).items == []


def test_watch_until_empty(t):
    cli, items = Cli(t), [t.worker.add(t.type) for _ in range(3)]
    watch = cli.start('work', 'watch', t.type, '--from', 'start', '--until-empty', '--json')
    for _ in items:
        t.worker.settle(t.worker.claim(t.type)[0])
    said, complaints = watch.communicate(timeout=20 * SLOW)
    assert watch.returncode == 0, complaints
    events = [json.loads(line) for line in said.splitlines()]
    assert [e['id'] for e in events if e['kind'] == 'completed'] == [x['id'] for x in items], events
    with t.case('lines for people'):
        said = cli.good('work', 'watch', t.type, '--from', 'start', '--until-empty')
        assert len(said.splitlines()) == len(events) and f'completed {t.type} {items[0]["id"]} by tester' in said, said
    with t.case('one item'):
        assert len(cli.good('work', 'watch', '--item', items[1]['id'], '--from', 'start', '--until-empty').splitlines()) == 3


def test_watch_goes_on_after_the_server_was_away(t):
    server = t.new_server()
    server.listen = '{}:{}'.format(*server.address)
    cli, worker = Cli(t, server=server), t.caller('worker', server)
    first = worker.add(t.type)
    watch = cli.start('work', 'watch', t.type, '--from', 'start')
    assert first['id'] in watch.stdout.readline()
    server.kill()
    until(lambda: 'trying again' in watch.stderr.readline(), what='the word of watch')
    server.start()
    worker.close()
    second = worker.add(t.type)
    assert second['id'] in watch.stdout.readline()
    watch.send_signal(signal.SIGINT)
    watch.communicate(timeout=10 * SLOW)
    assert watch.returncode == -signal.SIGINT


def test_watch_says_when_it_missed_events(t):
    server = t.new_server()
    server.listen = '{}:{}'.format(*server.address)
    cli, worker = Cli(t, server=server), t.caller('worker', server)
    first = worker.add(t.type)
    watch = cli.start('work', 'watch', t.type, '--from', 'start')
    assert first['id'] in watch.stdout.readline()
    worker.add(t.type + '.other')
    server.stop()
    worker.close()
    server.sql('DELETE FROM work_events WHERE seq < (SELECT max(seq) FROM work_events)')
    server.start()
    until(lambda: 'some events were missed' in watch.stderr.readline(), what='the word of watch')
    second = worker.add(t.type)
    assert second['id'] in watch.stdout.readline()


def test_watch_finds_a_server_that_comes_back_elsewhere(t):
    server = t.new_server()
    cli = Cli(t, server=server)
    cli.env = clean_env(TENFOLD_HOME=server.data)
    first = t.caller('worker', server).add(t.type)
    watch = cli.start('work', 'watch', t.type, '--from', 'start')
    assert first['id'] in watch.stdout.readline()
    server.kill()
    with socket.socket() as holder:   # so that it cannot come back where it was
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(server.address)
        said = watch.stderr.readline()
        assert said.endswith("; start it with 'tenfold serve'; Ctrl-C ends this\n"), said
        server.start()
    second = t.caller('worker', server).add(t.type)
    assert second['id'] in watch.stdout.readline()


def test_a_data_directory_without_a_server_is_named(t):
    """It may be somebody else's server that answers at the default address: then it is the key that is missing."""
    said = Cli(t).run('whoami', '--data', '/does/not/exist', env=clean_env()).stderr
    assert '/does/not/exist has no server.json; trying the default' in said or '/does/not/exist has no admin.key' in said, said


def test_a_refused_key_is_named_but_not_shown(t):
    cli, wrong = Cli(t), 'tf_' + '0123456789abcdef' * 3 + 'wxyz'
    home = tempfile.mkdtemp()
    t.cleanup.callback(shutil.rmtree, home)

    def said(*words, **env):
        done = cli.run('whoami', '--url', t.server.url, *words, env=clean_env(TENFOLD_HOME=home, **env))
        assert done.returncode == 1 and wrong[:12] not in done.stderr, done
        return done.stderr

    unknown = 'whoami: the server does not know the key tf_01234… ({}), or it has expired or been revoked; give a valid key'
    with t.case('of the command line'):
        assert unknown.format('--key') in said('--key', wrong)
    with t.case('of the environment'):
        assert unknown.format('TENFOLD_KEY') in said(TENFOLD_KEY=wrong)
    with t.case('one that is short, of which nothing can be shown'):
        assert 'the key … (--key)' in said('--key', 'abc')
    with t.case('none'):
        assert f'the call needs a key and none was sent ({home} has no admin.key); give a valid key' in said()
    with t.case('of the data directory'):
        with open(os.path.join(home, 'admin.key'), 'w', encoding='ascii') as f:
            f.write(wrong + '\n')
        assert unknown.format(home + '/admin.key') in said()


def test_tenants_that_are_not_there(t):
    cli = Cli(t, 'admin')
    refused = cli.run('--tenant', 'nope', 'whoami')
    assert refused.returncode == 4, refused
    assert refused.stderr == "tenfold: whoami: there is no tenant 'nope'; 'tenfold tenant list' shows them\n", refused
    cli.good('tenant', 'add', 'twice')
    again = cli.run('tenant', 'add', 'twice')
    assert again.stderr == \
        "tenfold: tenant add: there is a tenant named 'twice'; 'tenfold tenant list' shows it\n", again
    other = Cli(t, 'worker').run('--tenant', 'twice', 'whoami')
    assert other.returncode == 1 and 'belongs to another tenant; --tenant' in other.stderr, other


def test_what_is_refused_is_named(t):
    cli = Cli(t)
    item = cli.json('work', 'add', t.type)['id']
    absent = 'w_0000000000001'
    taken = cli.json('work', 'claim', 'me', t.type)['items'][0]
    assert cli.run('work', 'retry', item).stderr.startswith(f'tenfold: work retry: {item} is not finished: it is leased; ')
    cli.good('work', 'complete', item, taken['token'])
    assert cli.run('work', 'retry', item).stderr == \
        f'tenfold: work retry: {item} is completed; only failed and cancelled items can be put back\n'
    assert cli.run('work', 'cancel', item).stderr.startswith(f'tenfold: work cancel: {item} is completed already; ')
    assert cli.run('work', 'retry', absent).stderr.startswith(f'tenfold: work retry: there is no item {absent} here; ')
    said = cli.run('work', 'add', t.type, '--depends-on', item, '--depends-on', absent).stderr
    assert said.startswith(f'tenfold: work add: --depends-on: there is no item {absent} here; '), said


def test_an_item_that_is_there_already_is_called_so(t):
    cli = Cli(t)
    first = cli.run('work', 'add', t.type, '--key', 'once')
    again = cli.run('work', 'add', t.type, '--key', 'once')
    assert again.stdout == first.stdout and first.stderr == '', (first, again)
    assert again.stderr == 'There already: nothing was added.\n', again
    assert cli.run('work', 'add', t.type, '--key', 'once', '--json').stderr == ''


def test_a_store_without_its_directory_is_told_to_be_made(t):
    data = tempfile.mkdtemp()
    t.cleanup.callback(shutil.rmtree, data)
    store = f'sqlite:{data}/not/there/x.db'
    done = subprocess.run([BINARY, 'serve', '--data', data, '--listen', '127.0.0.1:0', '--store', store], text=True,
                          capture_output=True, check=False, env=clean_env(), timeout=60 * SLOW)
    assert done.returncode == 2, done
    assert done.stderr == f'tenfold: serve: the directory of --store {store} does not exist; make it\n', done


def test_keys_and_tenants(t):
    cli = Cli(t, 'admin')
    made = cli.json('tenant', 'add', 'cli-tenant')
    assert made['id'].startswith('t_')
    key = cli.json('key', 'add', 'theirs', '--scope', 'reader', '--tenant', 'cli-tenant')
    said = cli.json('whoami', '--key', key['secret'])
    assert said['tenant_name'] == 'cli-tenant' and said['scope'] == 'reader'
    assert cli.good('key', 'revoke', key['id'], '--tenant', 'cli-tenant') == ''
    assert cli.run('whoami', '--key', key['secret']).returncode == 1
