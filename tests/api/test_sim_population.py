"""Populations on the command line: made up, written, checked, and said in short."""

import csv
import io
import json
import os
import statistics
import subprocess
import tempfile

from harness import BINARY, SLOW, NotHere, clean_env


def run(*words, given=None):
    return subprocess.run([BINARY, 'sim', 'population', *words], input=given, capture_output=True, text=True, check=False,
                          env=clean_env(), timeout=60 * SLOW)


def good(*words, given=None):
    done = run(*words, given=given)
    assert done.returncode == 0, done
    return done.stdout


def agents(t, *words, seed=7):
    if t.store != 'sqlite':
        raise NotHere('no store has a part in it')
    return list(csv.DictReader(io.StringIO(good('generate', '--agents', '2000', '--seed', str(seed), *words))))


def test_a_seed_makes_the_same_agents_again_and_another_others(t):
    made = agents(t)
    assert made == agents(t) and [a['id'] for a in (made[0], made[-1])] == ['agent_0001', 'agent_2000']
    assert [a['age'] for a in made] != [a['age'] for a in agents(t, seed=8)]
    first = run('generate', '--agents', '20')
    assert first.stderr.startswith('--seed ') and good('generate', '--agents', '20', *first.stderr.split()) == first.stdout


def test_both_formats_say_the_same_and_are_read_by_others(t):
    made = agents(t)
    lines = [json.loads(line) for line in good('generate', '--agents', '2000', '--seed', '7', '--format', 'jsonl').splitlines()]
    assert len(lines) == len(made) == 2000
    for one, other in zip(made, lines):
        assert list(one) == list(other)
        assert float(one['weekly_budget']) == other['weekly_budget'] and one['income'] == other['income']
        assert one['preferred_categories'].split(';') == other['preferred_categories']
        assert one['has_children'] == json.dumps(other['has_children'])


def test_what_is_shown_is_what_python_reckons(t):
    made = agents(t)
    shown = json.loads(good('show', '--agents', '2000', '--seed', '7', '--json'))
    assert shown['agents'] == 2000 and shown['scenario'] == 'shopping'
    by_name = {a['name']: a for a in shown['items']}
    assert list(by_name) == list(made[0])[1:]
    for name in ('age', 'weekly_budget', 'impulsivity'):
        numbers, said = [float(a[name]) for a in made], by_name[name]
        for what, expected in (('mean', statistics.fmean(numbers)), ('sd', statistics.stdev(numbers)), ('min', min(numbers)),
                               ('median', statistics.median_low(numbers)), ('max', max(numbers))):
            assert abs(said[what] - expected) <= 6e-4 * abs(expected), (name, what, said, expected)
        assert len(said['spread']) == 24 and '█' in said['spread']
    for name, many in (('income', False), ('preferred_categories', True)):
        for word in by_name[name]['words']:
            share = sum(word['word'] in (a[name].split(';') if many else [a[name]]) for a in made) / 2000
            assert abs(word['share'] - share) <= 6e-4 * share, (name, word, share)
        shares = [w['share'] for w in by_name[name]['words']]
        assert shares == sorted(shares, reverse=True)
    for pair in shown['pairs']:
        one, other = ([{'true': 1, 'false': 0}.get(a[n]) if a[n] in ('true', 'false') else float(a[n]) for a in made]
                      for n in (pair['one'], pair['other']))
        assert abs(pair['r'] - statistics.correlation(one, other)) < 6e-4, pair
    said = {(p['one'], p['other']): p for p in shown['pairs']}
    declared = said['price_sensitivity', 'coupon_affinity']
    assert declared['declared'] == 0.5 and abs(declared['r'] - 0.5) < 2 * declared['margin']
    assert 'declared' not in said['weekly_budget', 'avg_cart_value']


def test_what_is_shown_to_people(t):
    agents(t)
    lines = good('show', '--scenario', 'grocery', '--seed', '7').splitlines()
    assert lines[0].split() == ['NAME', 'KIND', 'MEAN', 'SD', 'MIN', 'MEDIAN', 'MAX', 'SPREAD']
    assert '372 agents of grocery' in lines


def test_a_file_that_was_written_is_taken(t):
    agents(t)
    with tempfile.TemporaryDirectory() as folder:
        for name, *words in (('people.csv',), ('people.jsonl', '--format', 'jsonl')):
            path = os.path.join(folder, name)
            with open(path, 'w', encoding='utf-8') as f:
                f.write(good('generate', '--seed', '7', *words))
            done = run('import', path)
            assert (done.returncode, done.stdout, done.stderr) == (0, '', '372 agents of shopping\n'), done
            assert good('show', path) == good('show', '--seed', '7')
    assert json.loads(good('import', '-', '--json', given='id,age\nann,30\n')) == {
        'fine': True, 'scenario': 'shopping', 'agents': 1, 'left_out': [], 'faults': []}


def test_bad_records_are_named_by_file_line_and_column(t):
    agents(t)
    bad = 'id,age,incom,income\nann,old,,\nbob,30,,hihg\n\nann,1,,\ncid,1\n'
    with tempfile.NamedTemporaryFile('w', suffix='.csv') as f:
        f.write(bad)
        f.flush()
        done = run('import', f.name)
        assert done.returncode == 1 and done.stderr == '4 faults: no run can take it\n', done
        assert done.stdout.splitlines() == [
            f'{f.name}: left out: incom; did you mean "income"?',
            f'{f.name}: line 2: age: must be a number, not old',
            f'{f.name}: line 3: income: "hihg" is none of its words; did you mean "high"?',
            f'{f.name}: line 5: id: there is an agent "ann" already',
            f'{f.name}: line 6: CSV: has 2 fields, the first line names 4 columns'], done.stdout
        said = json.loads(run('import', f.name, '--json').stdout)
        assert not said['fine'] and said['agents'] == 0 and [x['place'] for x in said['faults']] == [
            'line 2: age', 'line 3: income', 'line 5: id', 'line 6: CSV']
        shown = run('show', f.name)
        assert shown.returncode == 2 and 'line 2: age: must be a number, not old' in shown.stderr, shown


def test_what_is_no_population_is_refused(t):
    agents(t)
    for given in ('', 'shoe,size\n1,2\n', '\0', '[1]'):
        done = run('import', '-', given=given)
        assert done.returncode == 1 and done.stdout, (given, done)
    for words, says in ((['import'], 'import needs a file'), (['generate', 'x.csv'], 'write > x.csv'),
                        (['show', '/nonexistent.csv'], 'cannot read /nonexistent.csv'),
                        (['generate', '--agents', '0'], 'agents'), (['generat'], 'did you mean "generate"?'),
                        (['show', '--scenario', 'grocer'], 'did you mean "grocery"?')):
        done = run(*words)
        assert done.returncode == 2 and says in done.stderr and not done.stdout, (words, done)
