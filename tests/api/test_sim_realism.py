"""What a run is like beside published shoppers: the same with records and without, with one thread and with four; and
households and visitors that are like those they were made after."""

import json
import subprocess
import tempfile

from harness import BINARY, SLOW, NotHere, clean_env


def realism(t, scenario, agents, cycles, *words):
    if t.store != 'sqlite':
        raise NotHere('runs keep their records in a file of their own')
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [BINARY, 'sim', 'run', '--scenario', scenario, '--agents', str(agents), '--cycles', str(cycles), '--seed', '5', '--start', '2026-01-05',
             '--time-scale', 'max', '--warmup-cycles', '0', '--mock-api', '--dashboard', 'none', '--dir', folder, *words],
            capture_output=True, text=True, check=False, env=clean_env(), timeout=120 * SLOW)
        assert done.returncode == 0, done
        said = subprocess.run([BINARY, 'sim', 'report', folder, '--json'], capture_output=True, text=True, check=True, env=clean_env(),
                              timeout=60 * SLOW)
        return json.loads(said.stdout).get('realism')


def about(figures):
    """Without the last digits: with several threads means are added up in another order."""
    return json.loads(json.dumps(figures), parse_float=lambda text: f'{float(text):.9g}')


def test_a_run_without_records_knows_what_it_was_like(t):
    recorded = realism(t, 'grocery', 300, 9 * 24)
    assert recorded['days'] == 9 and recorded['sessions'] > 500
    assert any(line['figure'] == 'again_7' and line['count'] > 0 for line in recorded['lines'])
    assert about(realism(t, 'grocery', 300, 9 * 24, '--mock-db')) == about(recorded)
    assert about(realism(t, 'grocery', 300, 9 * 24, '--mock-db', '--threads', '4')) == about(recorded)


def test_who_names_no_profile_stands_alone(t):
    assert realism(t, 'fleet', 20, 3) is None and realism(t, 'fleet', 20, 3, '--mock-db') is None


def test_built_in_populations_are_like_those_they_were_made_after(t):
    for scenario, agents, days, sure in (('grocery', 1500, 45, 8), ('general-ecom', 20000, 14, 4)):
        said = realism(t, scenario, agents, days * 24, '--mock-db')
        verdicts = {(one.get('figure') or one['by'], one['published'] if 'figure' in one else None): one['verdict']
                    for one in said['lines'] + said['shapes']}
        assert 'different' not in verdicts.values(), said
        assert list(verdicts.values()).count('alike') >= sure, said
