"""The directory from the command line: imports, and agents with keys of their own."""

import gzip
import json
import os
import shutil
import tempfile
import uuid

from harness import ROOT, Skip
from test_cli import Cli, file_with

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


def test_import_tells_people_what_it_did(t):
    cli, mark = Cli(t), unique()
    path = file_with(t, f'{{"name":"{mark}"}}\nbroken\n')
    done = cli.run('agent', 'import', '--format', 'jsonl', path)
    assert done.returncode == 1 and done.stderr.startswith(f'{path}:2: refused: '), done
    assert '1 added, 0 changed, 0 unchanged, 1 refused, 0 passed over in ' in done.stdout, done
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
