"""The directory from the command line: imports, and agents with keys of their own."""

import gzip
import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import uuid

from harness import BINARY, ROOT, SLOW, Skip, until
from test_cli import Cli, end, file_with

REGISTRY = os.environ.get('TENFOLD_MCP_SERVERS', os.path.join(ROOT, '../shared/data/mcp_servers_2025-05-16.json'))


def unique():
    """The beginning of handles that no other test has."""
    return 'n' + uuid.uuid4().hex[:8]


def folder(t):
    path = tempfile.mkdtemp()
    t.cleanup.callback(shutil.rmtree, path)
    return path


def lines(cli, *words, given=''):
    """(exit status, what was counted, what was told on stderr) of an import."""
    done = cli.run('agent', 'import', *words, '--json', given=given)
    return done.returncode, json.loads(done.stdout), done.stderr


def test_import_of_every_format(t):
    cli, mark = Cli(t), unique()
    with t.case('JSON lines'):
        code, report, _ = lines(cli, '--format', 'jsonl', '-', given=f'{{"name":"{mark} one","tags":["a"]}}\n'
                                f'{{"name":"{mark} two","type":"robot"}}\n{{"name":"{mark} three"}}\n')
        assert code == 1 and (report['added'], report['refused']) == (2, 1), report
        assert report['refusals'][0]['file'] == '-' and report['refusals'][0]['line'] == 2, report
        assert report['refusals'][0]['text'].startswith('type: must be one of '), report
    with t.case('CSV'):
        code, report, _ = lines(cli, '--format', 'csv', file_with(t, f'name,tags,type\n{mark} one,a;b,tool\n'))
        assert code == 0 and report['changed'] == 1, report
        shown = cli.json('agent', 'show', f'{mark}-one')
        assert shown['tags'] == ['a', 'b'] and shown['type'] == 'tool', shown
    with t.case('a directory of A2A cards'):
        cards = folder(t)
        for name, url in (('b', 'https://b.example/'), ('a', 'https://a.example/')):
            with open(os.path.join(cards, name + '.json'), 'w', encoding='utf-8') as f:
                json.dump({'name': f'{mark} card', 'url': url, 'skills': [
                    {'id': 'translation', 'name': 'T', 'description': 'd', 'tags': ['words']}]}, f, indent=1)
        code, report, _ = lines(cli, '--format', 'a2a-card', cards)
        assert code == 0 and report['added'] == 2, report
        shown = cli.json('agent', 'show', f'{mark}-card')
        assert shown['endpoint'] == 'https://a.example/' and shown['protocols'] == ['a2a'], shown
        assert shown['capabilities'] == [{'capability': 'translation', 'endpoint': None}] and shown['tags'] == ['words']
    with t.case('packages, of which some are compressed'):
        text = f'Package: {mark}\nSection: misc\nDescription: a package\n\n'
        packed = os.path.join(folder(t), 'x_Packages.gz')
        with gzip.open(packed, 'wt') as f:
            f.write(text)
        if os.path.exists('/usr/lib/apt/apt-helper'):
            assert lines(cli, '--format', 'debian', packed)[1]['added'] == 1
            assert lines(cli, '--format', 'debian', file_with(t, text))[1]['unchanged'] == 1
        else:
            done = cli.run('agent', 'import', '--format', 'debian', packed)
            assert done.returncode == 2 and 'apt is not here' in done.stderr, done
    with t.case('a page of the MCP registry'):
        page = {'servers': [{'server': {'name': f'ns/{mark}', 'description': 'd'}, '_meta': {}}], 'metadata': {}}
        code, report, _ = lines(cli, '--format', 'mcp-registry', '-', given=json.dumps(page))
        assert code == 0 and report['added'] == 1, report


def test_import_again_finds_the_same_agents(t):
    cli, mark = Cli(t), unique()
    text = ''.join(json.dumps({'name': f'{mark} Bot №{i}', 'description': f'number {i}'}) + '\n' for i in range(2500))
    path = file_with(t, text)
    assert lines(cli, '--format', 'jsonl', path)[1]['added'] == 2500
    assert lines(cli, '--format', 'jsonl', path)[1]['unchanged'] == 2500
    with t.case('what changed is changed'):
        report = lines(cli, '--format', 'jsonl', '-', given=text.replace('number 7"', 'number seven"'))[1]
        assert (report['changed'], report['unchanged']) == (1, 2499), report
    with t.case('skip and refuse'):
        assert lines(cli, '--format', 'jsonl', path, '--on-existing', 'skip')[1]['unchanged'] == 2500
        code, report, _ = lines(cli, '--format', 'jsonl', path, '--on-existing', 'refuse')
        assert code == 1 and report['refused'] == 2500 and len(report['refusals']) == 1000, report['refused']


def test_import_goes_on_over_a_restart(t):
    server = t.new_server()
    server.listen = '{}:{}'.format(*server.address)
    cli = Cli(t, server=server)
    text = [json.dumps({'name': f'restart {i}'}) + '\n' for i in range(3000)]
    done = subprocess.Popen([BINARY, 'agent', 'import', '--format', 'jsonl', '-', '--json'], env=cli.env, text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    t.cleanup.callback(end, done)
    done.stdin.write(''.join(text[:1500]))
    done.stdin.flush()
    until(lambda: cli.run('agent', 'show', 'restart-0').returncode == 0, what='the first batch')
    server.kill()
    done.stdin.write(''.join(text[1500:]))
    done.stdin.close()
    server.start()
    done.stdin = None
    said, complaints = done.communicate(timeout=60 * SLOW)
    report = json.loads(said)
    assert done.returncode == 0 and report['added'] + report['unchanged'] == 3000, (report, complaints)
    assert cli.json('agent', 'show', 'restart-2999')['name'] == 'restart 2999'
    with t.case('but a server that stays away ends it'):
        server.kill()
        away = cli.run('agent', 'import', '--format', 'jsonl', '-', '--on-existing', 'refuse', given=text[0])
        assert away.returncode == 3 and 'no answer from' in away.stderr, away


def test_import_tells_people_what_it_did(t):
    cli, mark = Cli(t), unique()
    path = file_with(t, f'{{"name":"{mark}"}}\nbroken\n')
    done = cli.run('agent', 'import', '--format', 'jsonl', path)
    assert done.returncode == 1 and done.stderr.startswith(f'{path}:2: refused: '), done
    assert '1 added, 0 changed, 0 unchanged, 1 refused, 0 repeated or outdated in ' in done.stdout, done
    assert '\r' not in done.stderr + done.stdout
    with t.case('a file that is not there'):
        done = cli.run('agent', 'import', '--format', 'jsonl', path, '/not/there')
        assert done.returncode == 2 and '1 unchanged' in done.stdout and 'cannot read /not/there' in done.stderr, done
    with t.case('no file'):
        assert cli.run('agent', 'import', '--format', 'csv').returncode == 2
    with t.case('a key that may not'):
        done = Cli(t, 'reader').run('agent', 'import', '--format', 'jsonl', '-', given='{"name":"x y z"}\n')
        assert done.returncode == 1 and 'scope' in done.stderr, done


def test_import_dry_run_prints_and_sends_nothing(t):
    cli, mark = Cli(t), unique()
    cli.env['TENFOLD_URL'] = 'http://127.0.0.1:1'
    given = f'name,description\n{mark} A,first\n'
    done = cli.run('agent', 'import', '--format', 'csv', '-', '--dry-run', given=given)
    assert done.stdout.split() == [f'{mark}-a', mark, 'A:', 'first'] and '1 to send' in done.stderr, done
    done = cli.run('agent', 'import', '--format', 'csv', '-', '--dry-run', '--json', given=given)
    assert json.loads(done.stdout) == {'handle': f'{mark}-a', 'name': f'{mark} A', 'description': 'first'}, done


def test_import_of_a_real_registry(t):
    if not os.path.exists(REGISTRY):
        raise Skip('no servers of the MCP registry are here; TENFOLD_MCP_SERVERS names a file of them')
    code, report, _ = lines(Cli(t), '--format', 'mcp-registry', REGISTRY)
    assert code == 1 and (report['added'], report['refused'], report['passed_over']) == (464, 7, 0), report


def test_import_of_this_machine(t):
    if not os.path.exists('/var/lib/dpkg/status'):
        raise Skip('this machine has no dpkg')
    cli = Cli(t)
    code, report, said = lines(cli, '--format', 'debian', '/var/lib/dpkg/status')
    assert code == 0 and report['added'] > 50 and report['refused'] == 0, (report, said)
    assert cli.json('agent', 'show', 'deb-dpkg')['tags'] != []


def with_home(t, scope='operator'):
    """A command line with a data directory of its own."""
    cli = Cli(t, scope)
    cli.env['TENFOLD_HOME'] = folder(t)
    return cli


def as_itself(cli):
    """The environment of an agent: no key but those of its file."""
    return {k: v for k, v in cli.env.items() if k != 'TENFOLD_KEY'}


def test_an_agent_registered_here_calls_with_its_own_key(t):
    cli, me, other = with_home(t), unique(), unique()
    made = cli.json('agent', 'register', me, 'Me', '--tags', 'a')
    with t.case('its keys are in a file for nobody else'):
        assert made['key_file'] == f'{cli.env["TENFOLD_HOME"]}/agents/{me}.key', made
        assert stat.S_IMODE(os.stat(made['key_file']).st_mode) == 0o600
        assert stat.S_IMODE(os.stat(os.path.dirname(made['key_file'])).st_mode) == 0o700
        assert os.listdir(os.path.dirname(made['key_file'])) == [f'{me}.key']
    with t.case('its key is proven'):
        shown = cli.json('agent', 'show', me)
        assert shown['verification'] == 'claimed' and shown['public_key'] == made['public_key'], shown
    with t.case('it beats as itself'):
        done = cli.run('agent', 'beat', me, '--json', env=as_itself(cli))
        assert done.returncode == 0 and json.loads(done.stdout)['status'] == 'online', done
    with t.case('it says something of another'):
        cli.good('agent', 'register', other, 'Other')
        done = cli.run('attest', 'add', me, other, 'capability', 'true', '--capability', 'translation', '--json',
                       env=as_itself(cli))
        assert done.returncode == 0, done
        cli.good('attest', 'add', me, other, 'identity', 'Acme "Inc"')
        cli.good('attest', 'add', me, other, 'behavior', '90', '--expires-at', '2099-01-01T00:00:00Z')
        listed = cli.json('attest', 'list', other)['items']
        assert [x['value'] for x in listed] == [90, 'Acme "Inc"', True], listed
        assert cli.json('attest', 'revoke', listed[0]['id'])['revoked_at']
        done = cli.run('attest', 'add', me, other, 'behavior', '101')
        assert done.returncode == 2 and 'value: must be' in done.stderr, done
    with t.case('another key to call with'):
        before = json.load(open(made['key_file'], encoding='utf-8'))
        done = cli.run('agent', 'key', me, '--overlap-ms', '0', env=as_itself(cli))
        after = json.load(open(made['key_file'], encoding='utf-8'))
        assert done.returncode == 0 and after['key'] not in done.stdout, done
        assert after['key'] != before['key'] and after['private_key'] == before['private_key']
        assert cli.run('agent', 'beat', me, env=as_itself(cli)).returncode == 0
        assert cli.run('agent', 'beat', me, '--key', before['key']).returncode == 1
    with t.case('another key pair'):
        taken = cli.json('agent', 'transfer', me)
        assert taken['public_key'] != made['public_key'] and taken['id'] == made['id'], taken
        assert cli.json('agent', 'show', me)['public_key'] == taken['public_key']
        assert cli.run('agent', 'beat', me, env=as_itself(cli)).returncode == 0
        assert cli.run('agent', 'beat', me, '--key', after['key']).returncode == 1


def test_what_cannot_be_registered_leaves_no_key(t):
    cli, me = with_home(t), unique()
    agents = os.path.join(cli.env['TENFOLD_HOME'], 'agents')
    cli.good('agent', 'register', me, 'Me')
    kept = os.listdir(agents)
    with t.case('a handle that is there'):
        done = cli.run('agent', 'register', me, 'Me again')
        assert done.returncode == 5 and f'{me}.key is there already' in done.stderr, done
    with t.case('a handle that another machine has'):
        os.rename(os.path.join(agents, f'{me}.key'), os.path.join(agents, 'kept'))
        done = cli.run('agent', 'register', me, 'Me again')
        assert done.returncode == 5 and os.listdir(agents) == ['kept'], done
        os.rename(os.path.join(agents, 'kept'), os.path.join(agents, f'{me}.key'))
    with t.case('a bad name'):
        for handle in ('../../x', 'Bad', 'admin'):
            done = cli.run('agent', 'register', handle, 'x')
            assert done.returncode == 2 and 'handle' in done.stderr, done
    with t.case('a key from elsewhere'):
        done = cli.run('agent', 'register', unique(), 'x', '--public-key', 'A' * 43)
        assert done.returncode == 2 and 'the key pair is made here' in done.stderr, done
    assert os.listdir(agents) == kept
    with t.case('without its file an agent says nothing'):
        done = cli.run('attest', 'add', unique(), me, 'behavior', '1')
        assert done.returncode == 4 and "'tenfold agent register' makes one" in done.stderr, done


def test_beats_go_on_over_a_restart(t):
    server = t.new_server()
    server.listen = '{}:{}'.format(*server.address)
    cli = Cli(t, server=server)
    cli.env['TENFOLD_HOME'] = folder(t)
    cli.good('agent', 'register', 'beating', 'Beats')
    beats = cli.start('agent', 'beat', 'beating', '--every', '1s', '--json')
    assert json.loads(beats.stdout.readline())['status'] == 'online'
    server.kill()
    until(lambda: 'trying again' in beats.stderr.readline(), what='the word of beat')
    server.start()
    assert json.loads(beats.stdout.readline())['status'] == 'online'
    beats.send_signal(signal.SIGTERM)
    beats.communicate(timeout=10 * SLOW)
    assert beats.returncode == -signal.SIGTERM


def test_find_takes_plain_words(t):
    cli, mark = Cli(t), unique()
    cli.good('agent', 'add', f'{mark}-a', 'Ledger', '--description', f'reconciles {mark} invoices', '--type', 'tool')
    cli.good('agent', 'add', f'{mark}-b', 'Poet', '--description', f'writes {mark} sonnets')

    def found(*words):
        return [x['agent']['handle'] for x in cli.json('agent', 'find', *words)['items']]

    until(lambda: found(mark, 'invoices')[:1] == [f'{mark}-a'], what='the new agent in the index')
    until(lambda: len(found(mark)) == 2, what='both agents in the index')
    assert found(mark, '--type', 'tool') == [f'{mark}-a']
    with t.case('words may be one argument, too'):
        assert found(f'{mark} sonnets')[0] == f'{mark}-b'
    with t.case('a line says why'):
        done = cli.run('agent', 'find', mark, 'invoices', '--limit', '1', '--count', '--facets', 'type')
        lines_ = done.stdout.splitlines()
        assert lines_[0].split() == ['HANDLE', 'NAME', 'STATUS', 'SCORE', 'WHY'], done
        assert lines_[1].startswith(f'{mark}-a  Ledger  unknown  ') and 'invoices (description)' in lines_[1], done
        assert lines_[2].startswith('type: ') and ' in all\n' in done.stderr, done
    with t.case('nobody'):
        assert cli.good('agent', 'find', unique() + 'zzz') == '(none)\n'


def test_changes_are_watched_as_they_come(t):
    server = t.new_server()
    server.listen = '{}:{}'.format(*server.address)
    cli = Cli(t, server=server)
    first = cli.json('agent', 'add', 'watched-one', 'One')['agent']['id']
    watch = cli.start('changes', 'watch', '0')
    assert f' agent put {first}' in until(lambda: watch.stdout.readline())
    server.kill()
    until(lambda: 'trying again' in watch.stderr.readline(), what='the word of watch')
    server.start()
    second = cli.json('agent', 'add', 'watched-two', 'Two')['agent']['id']
    seen = []
    until(lambda: seen.append(watch.stdout.readline()) or f' agent put {second}' in seen[-1], what='the second agent')
    assert not any(first in line for line in seen), seen
    watch.send_signal(signal.SIGINT)
    watch.communicate(timeout=10 * SLOW)
    assert watch.returncode == -signal.SIGINT
    with t.case('a page of them'):
        assert first in [x['id'] for x in cli.json('changes', 'list')['items']]
    with t.case('a page says where the next one begins, until there is none'):
        place = cli.json('changes', 'list', '--limit', '1')['next_since']
        assert cli.run('changes', 'list', '--limit', '1').stderr == f'There may be more: add --since {place}\n'
        last = cli.json('changes', 'list')['next_since']
        assert cli.run('changes', 'list', str(last)).stderr == ''


def test_a_change_takes_away_nothing_it_does_not_name(t):
    cli, me = Cli(t), unique()
    cli.json('agent', 'add', me, 'Whole', '--description', 'Says things', '--endpoint', 'https://a.example/', '--protocols',
             'mcp', '--tags', 'a', '--homepage', 'https://b.example/', '--avatar', 'https://c.example/', '--operator',
             'Me', '--metadata', '{"n":1}', '--card', '{"name":"Whole"}')
    before = cli.json('agent', 'show', me)
    after = cli.json('agent', 'change', me, '--name', 'Still whole')
    assert after == {**before, 'name': 'Still whole', 'version': after['version'], 'updated_at': after['updated_at']}
    assert t.operator.call('GET', f'/v1/agents/{me}/card').status == 200
    with t.case('what is taken away, and only that'):
        less = cli.json('agent', 'change', me, '--no-tags', '--no-endpoint')
        assert less == {**after, 'tags': [], 'endpoint': None, 'version': less['version'],
                        'updated_at': less['updated_at']}, less
    with t.case('what must be there cannot be taken away'):
        done = cli.run('agent', 'change', me, '--no-name')
        assert done.returncode == 2 and 'there is no flag --no-name' in done.stderr, done.stderr
    with t.case('nor given as well'):
        for words in (('--tags', 'b', '--no-tags'), ('--no-tags', '--tags', 'b')):
            done = cli.run('agent', 'change', me, *words)
            assert done.returncode == 2 and '--tags is given and taken away' in done.stderr, done.stderr


def test_agents_by_hand(t):
    cli, me = Cli(t), unique()
    added = cli.json('agent', 'add', me, 'By hand', '--capabilities', 'translation')
    assert added['key']['secret'].startswith('tf_'), added
    changed = cli.json('agent', 'change', me, '--description', 'Says things', '--tags', 'a', '--tags', 'b')
    assert changed['description'] == 'Says things' and changed['tags'] == ['a', 'b'] and changed['name'] == 'By hand'
    assert me in cli.good('agent', 'list', '--limit', '1')
    can = cli.json('agent', 'can', me, 'code-review')['capabilities']
    assert sorted(x['capability'] for x in can) == ['code-review', 'translation'], can
    cli.good('agent', 'cannot', me, 'translation')
    assert [x['capability'] for x in cli.json('agent', 'show', me)['capabilities']] == ['code-review']
    assert me in cli.good('capability', 'agents', 'code-review')
    assert cli.json('agent', 'away', me, 'maintenance')['status'] == 'maintenance'
    assert cli.json('agent', 'liveness', me)['status'] == 'maintenance'
    cli.good('agent', 'tier', me, 'partner')
    cli.good('agent', 'delete', me)
    done = cli.run('agent', 'show', me)
    assert done.returncode == 4, done
    assert 'translation' in cli.good('capability', 'list') and cli.json('capability', 'show', 'translation')['common']
    assert 'staleness' in Cli(t, 'admin').good('job', 'list')
