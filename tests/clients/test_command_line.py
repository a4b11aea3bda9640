"""The command line as people and scripts use it: verbs, words on stderr, exit codes, workers."""

import json
import os
import signal
import subprocess

from harness import BINARY, clean_env, until


def tenfold(t, *words, input_=None, server=None, timeout_s=60, **env):
    server = server or t.server
    return subprocess.run([BINARY, *words], input=input_, capture_output=True, text=True, timeout=timeout_s, check=False,
                          env=clean_env(TENFOLD_HOME=server.data, **env))


def said(t, *words, **more):
    """Decoded --json of a verb that must work."""
    done = tenfold(t, *words, '--json', **more)
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def refused(t, exit_code, *words, **more):
    """The one line on stderr of a verb that must be refused."""
    done = tenfold(t, *words, **more)
    assert done.returncode == exit_code, done
    assert done.stderr.startswith('tenfold: ') and done.stderr.count('\n') == 1, done.stderr
    assert done.stdout == '', 'an error says nothing on standard output'
    return done.stderr


def worker(t, *flags, command=('true',), **more):
    return subprocess.Popen([BINARY, 'worker', 'run', '--type', t.type, *flags, '--', *command], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_env(TENFOLD_HOME=t.server.data), **more)


def state(t, item):
    return said(t, 'work', 'show', item['id'])['state']


# ---- verbs ----

def test_a_life_by_hand(t):
    item = said(t, 'work', 'add', t.type, 'a title', '--payload', '{"n":1}', '--priority', 'high')
    claimed = said(t, 'work', 'claim', 'ann', t.type)['items'][0]
    assert claimed['id'] == item['id'] and claimed['payload'] == {'n': 1}
    said(t, 'work', 'progress', item['id'], claimed['token'], '40', 'compiling')
    shown = tenfold(t, 'work', 'show', item['id']).stdout
    assert 'compiling' in shown and 'a title' in shown
    assert said(t, 'work', 'complete', item['id'], claimed['token'], '--result', '[1]')['state'] == 'completed'
    listed = tenfold(t, 'work', 'list', '--type', t.type).stdout
    assert listed.startswith('ID') and item['id'] in listed and 'completed' in listed


def test_tenants_and_keys(t):
    said(t, 'tenant', 'add', 'shell')
    key = said(t, '--tenant', 'shell', 'key', 'add', 'ci', '--scope', 'reader')
    assert said(t, 'whoami', TENFOLD_KEY=key['secret'])['tenant_name'] == 'shell'
    tenfold(t, '--tenant', 'shell', 'key', 'revoke', key['id'])
    until(lambda: tenfold(t, 'whoami', TENFOLD_KEY=key['secret']).returncode == 1, what='the revocation')


def test_help_is_everywhere(t):
    assert 'work add' in tenfold(t, '--help').stdout
    for verb in ('work add', 'worker run', 'serve', 'key add', 'work watch', 'work import'):
        with t.case(verb):
            done = tenfold(t, *verb.split(), '--help')
            assert done.returncode == 0 and f'tenfold {verb}' in done.stdout and 'Example' in done.stdout


# ---- exit codes ----

def test_exit_codes(t):
    with t.case('2: usage'):
        assert 'colour' in refused(t, 2, 'work', 'add', 'x', '--colour', 'red')
        refused(t, 2, 'work', 'ad')
        assert 'priority' in refused(t, 2, 'work', 'add', 'x', '--priority', 'urgent')
    with t.case('3: unreachable'):
        assert '127.0.0.1:1' in refused(t, 3, '--url', 'http://127.0.0.1:1', 'whoami')
    with t.case('4: not found'):
        refused(t, 4, 'work', 'show', 'w_0000000000009')
    with t.case('5: conflict'):
        item = said(t, 'work', 'add', t.type)
        assert 'token' in refused(t, 5, 'work', 'complete', item['id'], '0' * 26)
        refused(t, 5, 'work', 'retry', item['id'])
    with t.case('1: refused'):
        refused(t, 1, 'whoami', TENFOLD_KEY='nonsense')
    with t.case('no server and none known'):
        done = subprocess.run([BINARY, 'whoami'], capture_output=True, text=True, check=False, timeout=20,
                              env=clean_env(TENFOLD_HOME=os.path.join(t.server.data, 'nowhere')))
        assert done.returncode == 3 and 'tenfold serve' in done.stderr, done


# ---- import ----

def test_a_corrupt_line_is_told_by_its_number_and_the_rest_goes_in(t):
    lines = [json.dumps({'type': t.type, 'key': 'a'}), '{"type": broken', json.dumps({'type': t.type, 'colour': 'red'}), '',
             json.dumps({'type': t.type, 'key': 'b', 'depends_on': [{'key': 'a'}]}),
             json.dumps({'type': t.type, 'depends_on': [{'key': 'nobody'}]})]
    path = os.path.join(t.server.data, 'items.jsonl')
    with open(path, 'w', encoding='utf-8') as f:
        f.write('\n'.join(lines) + '\n')
    done = tenfold(t, 'work', 'import', '--format', 'jsonl', path)
    text = done.stdout + done.stderr
    assert done.returncode == 1, done
    for number in (2, 3, 6):
        assert f'{number}' in text, text
    assert 'line 2' in text.replace(':', ' ').lower() or ':2:' in text or 'items.jsonl:2' in text, text
    assert sorted(i['state'] for i in said(t, 'work', 'list', '--type', t.type)['items']) == ['blocked', 'ready']
    again = tenfold(t, 'work', 'import', '--format', 'jsonl', path)
    assert len(said(t, 'work', 'list', '--type', t.type)['items']) == 2, again.stdout


DPKG = '''Package: alpha
Status: install ok installed
Architecture: all
Version: 1.0
Depends: beta (>= 1) | gamma, virtual
Description: the first

Package: beta
Status: install ok installed
Architecture: all
Version: 1.1
Provides: virtual
Depends: alpha
Description: the second

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1.0
Description: not there any more
'''


def test_dpkg_with_a_cycle(t):
    done = tenfold(t, 'work', 'import', '--format', 'dpkg', '-', '--type', t.type, input_=DPKG)
    assert done.returncode == 0, done
    assert 'cycle' in done.stdout + done.stderr
    items = said(t, 'work', 'list', '--type', t.type)['items']
    assert sorted(i['state'] for i in items) == ['blocked', 'ready'], items


# ---- watch ----

def test_watch_ends_when_nothing_is_left(t):
    item = said(t, 'work', 'add', t.type)
    with subprocess.Popen([BINARY, 'work', 'watch', t.type, '--from', 'start', '--until-empty'], stdout=subprocess.PIPE,
                          text=True, env=clean_env(TENFOLD_HOME=t.server.data)) as watch:
        first = watch.stdout.readline()
        assert 'enqueued' in first and item['id'] in first and t.type in first
        said(t, 'work', 'cancel', item['id'])
        rest, _ = watch.communicate(timeout=20)
    assert 'cancelled' in rest and watch.returncode == 0


# ---- workers ----

def test_a_worker_runs_a_command_for_each(t):
    script = 'cat; echo " $TENFOLD_WORK_TYPE $TENFOLD_WORK_ATTEMPT"; test -n "$TENFOLD_WORK_ID"'
    for n in range(5):
        said(t, 'work', 'add', t.type, '--payload', f'{{"n":{n}}}')
    with worker(t, '--until-empty', '--concurrency', '2', command=('sh', '-c', script)) as run:
        out, err = run.communicate(timeout=60)
    assert run.returncode == 0, (out, err)
    items = said(t, 'work', 'list', '--type', t.type)['items']
    assert [i['state'] for i in items] == ['completed'] * 5
    shown = said(t, 'work', 'show', items[-1]['id'])
    assert '{"n":0}' in json.dumps(shown['result']).replace('\\', '') and f'{t.type} 1' in json.dumps(shown['result'])


def test_lines_of_progress_are_told(t):
    item = said(t, 'work', 'add', t.type)
    fifo = os.path.join(t.server.data, 'progress')
    os.mkfifo(fifo)
    with worker(t, '--until-empty', command=('sh', '-c', f'echo "::progress 40 compiling"; read go <{fifo}')) as run:
        until(lambda: said(t, 'work', 'show', item['id']).get('note') == 'compiling', what='the note')
        assert said(t, 'work', 'show', item['id'])['progress'] == 40
        with open(fifo, 'w', encoding='utf-8') as f:
            f.write('go\n')
        run.communicate(timeout=60)
    assert state(t, item) == 'completed'


def test_a_command_that_fails(t):
    item = said(t, 'work', 'add', t.type)
    with worker(t, '--until-empty', command=('sh', '-c', 'echo no good >&2; exit 3')) as run:
        _, err = run.communicate(timeout=60)
    shown = said(t, 'work', 'show', item['id'])
    assert shown['state'] == 'failed' and '3' in shown['error'] and 'no good' in shown['error']
    assert item['id'] in err and 'no good' in err, 'the worker says so, too'


def test_exit_status_75_means_later(t):
    item = said(t, 'work', 'add', t.type, '--max-attempts', '2', '--backoff', '{"kind":"fixed","base_ms":0}')
    with worker(t, command=('sh', '-c', 'exit 75')) as run:
        until(lambda: state(t, item) == 'failed', 20, 'the last attempt')
        run.terminate()
        run.communicate(timeout=20)
    shown = said(t, 'work', 'show', item['id'])
    assert (shown['attempt'], shown['failures']) == (2, 2)


def test_a_command_that_is_not_there(t):
    with worker(t, '--until-empty', command=('no-such-command-at-all',)) as run:
        _, err = run.communicate(timeout=60)
    assert run.returncode != 0 and 'no-such-command-at-all' in err


def marked(t, name):
    """A command that says that it runs by making a file, and then waits for its end; and that file."""
    path = os.path.join(t.server.data, name)
    return ('sh', '-c', f'echo $$ >{path}; exec tail -f /dev/null'), path


def pid_in(path):
    def look():
        try:
            with open(path, encoding='utf-8') as f:
                return int(f.read())
        except (FileNotFoundError, ValueError):
            return None
    return until(look, 20, 'the command')


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_cancelling_kills_the_command(t):
    command, path = marked(t, 'cancelled')
    item = said(t, 'work', 'add', t.type)
    with worker(t, '--lease', '2s', command=command) as run:
        pid = pid_in(path)
        said(t, 'work', 'cancel', item['id'])
        until(lambda: gone(pid), 20, 'the end of the command')
        run.terminate()
        run.communicate(timeout=20)
    assert state(t, item) == 'cancelled'


def test_a_worker_that_is_asked_to_stop_drains(t):
    item = said(t, 'work', 'add', t.type)
    fifo = os.path.join(t.server.data, 'drain')
    os.mkfifo(fifo)
    with worker(t, '--grace', '30s', command=('sh', '-c', f'echo begun >{fifo}; read go <{fifo}; echo done')) as run:
        with open(fifo, encoding='utf-8') as f:
            assert f.readline() == 'begun\n'
        run.send_signal(signal.SIGTERM)
        said(t, 'work', 'add', t.type)
        with open(fifo, 'w', encoding='utf-8') as f:
            f.write('go\n')
        run.communicate(timeout=40)
    assert state(t, item) == 'completed', 'what it had begun it finishes'
    assert [i['state'] for i in said(t, 'work', 'list', '--type', t.type)['items']] == ['ready', 'completed'], 'and begins no more'


def test_a_worker_that_is_killed_gives_its_items_back_at_once(t):
    command, path = marked(t, 'killed')
    item = said(t, 'work', 'add', t.type, '--lease-ms', '1h')
    with worker(t, '--lease', '1h', command=command) as run:
        pid = pid_in(path)
        run.kill()
        run.communicate(timeout=20)
    until(lambda: state(t, item) == 'ready', 10, 'the release')
    if not gone(pid):
        os.kill(pid, signal.SIGKILL)


def test_a_worker_that_slept_past_its_lease_kills_its_command(t):
    command, path = marked(t, 'slept')
    item = said(t, 'work', 'add', t.type, '--backoff', '{"kind":"fixed","base_ms":0}')
    with worker(t, '--lease', '1s', command=command) as run:
        pid = pid_in(path)
        run.send_signal(signal.SIGSTOP)
        got = until(lambda: said(t, 'work', 'claim', 'other', t.type, '--wait-ms', '5s')['items'], 20, 'the lapse')[0]
        said(t, 'work', 'complete', got['id'], got['token'], '--result', '"the other"')
        run.send_signal(signal.SIGCONT)
        until(lambda: gone(pid), 20, 'the end of the command')
        run.terminate()
        run.communicate(timeout=20)
    shown = said(t, 'work', 'show', item['id'])
    assert (shown['state'], shown['result']) == ('completed', 'the other')


def test_a_worker_outlives_a_restart_of_the_server(t):
    server = t.new_server()
    item = said(t, 'work', 'add', 'x', server=server)
    fifo = os.path.join(server.data, 'fifo')
    os.mkfifo(fifo)
    with subprocess.Popen([BINARY, 'worker', 'run', '--type', 'x', '--', 'sh', '-c', f'echo begun >{fifo}; read go <{fifo}'],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          env=clean_env(TENFOLD_HOME=server.data)) as run:
        with open(fifo, encoding='utf-8') as f:
            f.readline()
        server.kill()
        server.listen = '%s:%d' % server.address
        server.start()
        with open(fifo, 'w', encoding='utf-8') as f:
            f.write('go\n')
        until(lambda: said(t, 'work', 'show', item['id'], server=server)['state'] == 'completed', 30, 'the completion')
        run.terminate()
        run.communicate(timeout=20)
