"""Scenarios of simulated populations on the command line: listed, shown, checked."""

import json
import subprocess
import tempfile

from harness import BINARY, SLOW, clean_env


def run(*words):
    return subprocess.run([BINARY, 'sim', 'scenario', *words], capture_output=True, text=True, check=False, env=clean_env(), timeout=60 * SLOW)


def test_what_is_shown_is_a_file_that_is_fine(t):
    listed = json.loads(run('list', '--json').stdout)['items']
    assert [s['name'] for s in listed][0] == 'shopping'
    for scenario in listed:
        shown = run('show', scenario['name'])
        assert shown.returncode == 0 and len(json.loads(shown.stdout)['states']) == scenario['states']
        with tempfile.NamedTemporaryFile('w', suffix='.json') as f:
            f.write(shown.stdout)
            f.flush()
            checked = run('check', f.name)
            assert (checked.returncode, checked.stdout) == (0, ''), checked


def test_a_fault_is_a_line_as_compilers_write_it(t):
    text = json.loads(run('show', 'shopping').stdout)
    text['start'] = 'arive'
    text['states'][1]['next'][0]['weight'] = -1
    with tempfile.NamedTemporaryFile('w', suffix='.json') as f:
        json.dump(text, f, indent=1)
        f.flush()
        checked = run('check', f.name)
        with open(f.name, encoding='utf-8') as lines:
            at = {line.strip().rstrip(','): n for n, line in enumerate(lines, 1)}
        assert checked.returncode == 1
        assert checked.stdout.splitlines() == [
            f'{f.name}:{at[""" "start": "arive" """.strip()]}: start: there is no state "arive"; did you mean "arrive"?',
            f'{f.name}:{at[""" "weight": -1 """.strip()]}: states[1].next[0].weight: must be from 0 to 1e+300, not -1'], checked
        found = json.loads(run('check', f.name, '--json').stdout)
        assert not found['fine'] and [x['field'] for x in found['faults']] == ['start', 'states[1].next[0].weight']


def test_a_name_that_is_none_is_guessed(t):
    for action in ('show', 'check'):
        said = run(action, 'shoping')
        assert said.returncode == 2 and 'did you mean "shopping"?' in said.stderr, said
    assert run('show').returncode == 2
