"""Scenarios of simulated populations on the command line: listed, shown, checked."""

import json
import os
import subprocess
import tempfile
import time

from harness import BINARY, SLOW, clean_env

SMALL = {
    'tenfold_scenario': 1,
    'name': 'small',
    'parameters': [{'name': 'share', 'value': 0.5}],
    'population': {'attributes': [{'name': 'age', 'kind': 'number', 'uniform': {'min': 18, 'max': 80}}]},
    'schedule': {'sessions_per_week': 1},
    'variables': [{'name': 'items', 'value': []}, {'name': 'total', 'value': 0}],
    'outcomes': [{'name': 'done', 'kind': 'completed'}, {'name': 'broken', 'kind': 'failed'}],
    'start': 'look',
    'states': [
        {'name': 'look',
         'steps': [{'request': {'method': 'GET', 'path': '/items'}, 'extract': [{'to': 'items', 'from': '/items'}]}],
         'next': [{'to': 'buy', 'weight': 'share'}, {'to': 'leave', 'weight': '1 - share'}]},
        {'name': 'buy', 'steps': [{'request': {'method': 'POST', 'path': '/orders'}}], 'end': 'done'},
        {'name': 'leave', 'end': 'done'}]}


def run(*words):
    return subprocess.run([BINARY, 'sim', 'scenario', *words], capture_output=True, text=True, check=False, env=clean_env(), timeout=60 * SLOW)


def check_text(text, **more):
    """What `check` says of a file with that text, its lines without the file's name."""
    with tempfile.NamedTemporaryFile('w', suffix='.json', **more) as f:
        f.write(text)
        f.flush()
        said = run('check', f.name)
        assert said.returncode in (0, 1, 2), said
        return said, [line.removeprefix(f.name + ':') for line in said.stdout.splitlines()]


def check(change, indent=1):
    """Faults of the small scenario after change(it): [(line, field, what is wrong)]; each line is that of the field's text."""
    scenario = json.loads(json.dumps(SMALL))
    change(scenario)
    text = json.dumps(scenario, indent=indent)
    said, lines = check_text(text)
    assert said.returncode == (1 if lines else 0), said
    found = []
    for line in lines:
        number, field, detail = line.split(': ', 2)
        assert 1 <= int(number) <= text.count('\n') + 1
        found.append((int(number), field, detail))
    return text.splitlines(), found


def only(change, field, detail, within=None):
    """There is one fault, of this field, on a line that has `within`."""
    lines, found = check(change)
    assert [(f, d) for _, f, d in found] == [(field, detail)], found
    if within:
        assert within in lines[found[0][0] - 1], (within, found, lines[found[0][0] - 1])


def put(*path):
    """A change: put('states', 0, 'name', value)."""
    *way, last, value = path

    def change(scenario):
        at = scenario
        for step in way:
            at = at[step]
        at[last] = value
    return change


def test_what_is_shown_is_a_file_that_is_fine(t):
    listed = json.loads(run('list', '--json').stdout)['items']
    assert [s['name'] for s in listed] == ['shopping', 'general-ecom', 'grocery', 'fleet']
    for scenario in listed:
        shown = run('show', scenario['name'])
        assert shown.returncode == 0 and len(json.loads(shown.stdout)['states']) == scenario['states']
        said, lines = check_text(shown.stdout)
        assert (said.returncode, lines) == (0, []), said


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


def test_weights_that_are_negative(t):
    only(put('states', 0, 'next', 0, 'weight', -0.5), 'states[0].next[0].weight', 'must be from 0 to 1e+300, not -0.5', '-0.5')
    only(put('states', 0, 'next', 0, 'weight', '1 - 3'), 'states[0].next[0].weight', 'must be from 0 to 1e+300, not -2', '1 - 3')
    word = {'name': 'class', 'kind': 'word', 'weights': [{'word': 'a', 'weight': -1}, {'word': 'b', 'weight': 1}]}
    only(put('population', 'attributes', [word]), 'population.attributes[0].weights[0].weight', 'must be at least 0, not -1', '-1')
    only(put('schedule', 'hours', [1] * 23 + [-1]), 'schedule.hours', 'must be numbers of at least 0, not all 0', 'hours')


def test_weights_that_are_no_numbers(t):
    only(put('states', 0, 'next', 0, 'weight', '0 / 0'), 'states[0].next[0].weight', 'division by 0 (at character 3)', '0 / 0')
    only(put('states', 0, 'next', 0, 'weight', "'much'"), 'states[0].next[0].weight', 'must be a number, not a text', 'much')
    said, lines = check_text(json.dumps(SMALL, indent=1).replace('"weight": "share"', '"weight": NaN'))
    assert said.returncode == 1 and len(lines) == 1 and "NaN" not in json.dumps(SMALL), said
    at = json.dumps(SMALL, indent=1).splitlines().index('     "weight": "share"') + 1
    assert lines[0].startswith(f'{at}:'), (at, lines)


def test_weights_whose_sum_is_zero(t):
    def closed(scenario):
        for way in scenario['states'][0]['next']:
            way['weight'] = 0
    only(closed, 'states[0].next', 'must have weights with a sum above 0', '"next"')
    word = {'name': 'class', 'kind': 'word', 'weights': [{'word': 'a', 'weight': 0}]}
    only(put('population', 'attributes', [word]), 'population.attributes[0].weights', 'must have a sum above 0', '"weights"')
    only(put('schedule', 'weekdays', [0] * 7), 'schedule.weekdays', 'must be numbers of at least 0, not all 0', '"weekdays"')


def test_names_that_nobody_has_given(t):
    step = {'set': [{'to': 'totl', 'value': 1}]}
    only(put('states', 2, 'steps', [step]), 'states[2].steps[0].set[0].to', 'there is no variable "totl"; did you mean "total"?', 'totl')
    step = {'set': [{'to': 'total', 'value': 'sum(itms, i -> i.price)'}]}
    only(put('states', 2, 'steps', [step]), 'states[2].steps[0].set[0].value',
         'there is no "itms"; did you mean "items"? (at character 5)', 'itms')
    only(put('schedule', 'sessions_per_week', 'agent.agee / 20'), 'schedule.sessions_per_week',
         'there is no agent.agee; did you mean "age"? (at character 7)', 'agee')
    only(put('states', 1, 'steps', 0, 'request', 'path', '/orders/{{sharee}}'), 'states[1].steps[0].request.path',
         'there is no "sharee"; did you mean "share"? (at character 11)', 'sharee')
    only(put('population', 'correlations', [{'between': ['age', 'agee'], 'r': 0.5}]), 'population.correlations[0].between',
         'there is no attribute "agee"; did you mean "age"?', '"between"')
    only(put('profile', 'grocry'), 'profile', 'there is no profile "grocry"; did you mean "grocery"?', 'grocry')
    only(put('states', 0, 'next', 0, 'to', 'bye'), 'states[0].next[0].to', 'there is no state "bye"; did you mean "buy"?', 'bye')


def test_fields_that_there_are_not(t):
    def misspelt(scenario):
        scenario['states'][1]['stepz'] = scenario['states'][1].pop('steps')
    only(misspelt, 'states[1].stepz', 'there is no such field; did you mean "steps"?', 'stepz')
    only(lambda scenario: scenario.pop('schedule'), 'schedule', 'is required')
    only(put('states', 0, 'steps', 0, 'request', 'method', 'GETT'), 'states[0].steps[0].request.method',
         "must be one of GET, HEAD, POST, PUT, PATCH, DELETE, not 'GETT'; did you mean \"GET\"?", 'GETT')


def test_what_all_requests_have_is_said_once(t):
    only(put('headers', {'Host': 'example.org'}), 'headers.Host', 'is written by the client itself', 'Host')
    only(put('headers', {'X-Key': '{{kee}}'}), 'headers.X-Key', 'there is no "kee"; did you mean "key"? (at character 3)', 'kee')


def test_of_very_many_faults_eight_are_said(t):
    text = json.dumps({**SMALL, 'states': [*SMALL['states'][:1], {'name': 'buy', 'steps': [{'chance': n} for n in range(2, 30)], 'end': 'done'},
                                           *SMALL['states'][2:]]}, indent=1)
    said, lines = check_text(text)
    assert len(lines) == 8 and said.stderr == '8 faults or more: it cannot be run\n', said


def test_loops_in_which_no_time_passes(t):
    def ring(scenario):
        scenario['states'][2] = {'name': 'leave', 'next': [{'to': 'again'}]}
        scenario['states'].append({'name': 'again', 'steps': [{'think': 0}], 'next': [{'to': 'leave'}, {'to': 'buy'}]})
    _, found = check(ring)
    assert [(f, d) for _, f, d in found] == [
        ('states[2].next', 'leads from "leave" back to it without a request and without thinking: no time would pass')], found

    def slow_ring(scenario):
        ring(scenario)
        scenario['states'][3]['steps'] = [{'think': 1}]
    assert check(slow_ring)[1] == []


def test_a_thousand_steps(t):
    def long(scenario):
        scenario['states'] = [
            {'name': f's{i}', 'steps': [{'request': {'method': 'GET', 'path': f'/{i}/{k}'}} for k in range(50)],
             **({'next': [{'to': f's{i + 1}'}]} if i < 19 else {'end': 'done'})} for i in range(20)]
        scenario['start'] = 's0'
    begun = time.monotonic()
    assert check(long)[1] == []
    assert time.monotonic() - begun < 2 * SLOW
    only(put('states', 0, 'steps', [{'think': 1}] * 65), 'states[0].steps', 'may have at most 64 entries, not 65')


def test_ten_megabytes(t):
    begun = time.monotonic()
    said, lines = check_text(json.dumps({**SMALL, 'about': 'x' * 10_000_000}))
    assert said.returncode == 2 and not lines and 'has more than 8388608 bytes' in said.stderr, said.stderr[-300:]
    rows = [{'id': n, 'name': 'x' * 100} for n in range(9_000)]
    said, lines = check_text(json.dumps({**SMALL, 'tables': [{'name': 'goods', 'rows': rows}]}))
    assert said.returncode == 0, said
    assert time.monotonic() - begun < 5 * SLOW


def test_deep_nesting(t):
    for deep in (json.dumps(SMALL)[:-1] + ', "about": ' + '[' * 100_000, '[' * 1_000_000,
                 json.dumps({**SMALL, 'variables': [{'name': 'v', 'value': 0}]}).replace('"value": 0', '"value": ' + '{"a": ' * 63 + '1' + '}' * 63)):
        said, lines = check_text(deep)
        assert said.returncode == 1 and len(lines) == 1, (said, lines)
    only(put('states', 0, 'next', 0, 'weight', '(' * 200 + '1' + ')' * 200), 'states[0].next[0].weight',
         'nested deeper than 64 (at character 65)')


def test_names_that_stand_twice(t):
    def twice(*path):
        def change(scenario):
            at = scenario
            for step in path:
                at = at[step]
            at.append(json.loads(json.dumps(at[0])))
        return change
    only(twice('variables'), 'variables[2].name', 'stands twice, also in variables[0]')
    only(twice('parameters'), 'parameters[1].name', 'stands twice, also in parameters[0]')
    only(twice('population', 'attributes'), 'population.attributes[1].name', 'stands twice, also in attributes[0]')
    only(lambda scenario: scenario['variables'].append({'name': 'share', 'value': 0}), 'variables[2].name',
         'is also the name of a parameter, in parameters[0]')
    _, found = check(twice('states'))
    assert (found[0][1], found[0][2]) == ('states[3].name', 'stands twice, also in states[0]'), found
    said, lines = check_text(json.dumps(SMALL, indent=1).replace('"name": "small"', '"name": "small",\n "name": "large"'))
    assert said.returncode == 1 and lines == ['4:2: member "name" stands twice in its object'], (said, lines)


def test_another_version(t):
    only(put('tenfold_scenario', 2), 'tenfold_scenario', 'is 2, and this tenfold reads version 1', '2')

    def of_the_future(scenario):
        scenario['tenfold_scenario'] = 7
        scenario['telepathy'] = True
    only(of_the_future, 'tenfold_scenario', 'is 7, and this tenfold reads version 1')
    only(lambda scenario: scenario.pop('tenfold_scenario'), 'tenfold_scenario', 'is required')


def test_what_is_no_json(t):
    text = json.dumps(SMALL, indent=1)
    for broken in (text[:len(text) // 2], text.replace('"start":', '"start"'), text.replace('"look"', '"lo\nok"', 1), '', '\0', text + '}'):
        said, lines = check_text(broken)
        assert said.returncode == 1 and len(lines) == 1, (said, lines)
        line, column = lines[0].split(':')[:2]
        assert 1 <= int(line) <= broken.count('\n') + 1 and int(column) >= 1, lines
    with tempfile.NamedTemporaryFile('wb', suffix='.json') as f:
        f.write(b'{"name": "\xff"}')
        f.flush()
        assert run('check', f.name).returncode == 1


def test_what_is_no_file(t):
    with tempfile.TemporaryDirectory() as folder:
        for action in ('check', 'show'):
            said = run(action, folder)
            assert said.returncode == 2 and 'not a file' in said.stderr, said
        pipe = os.path.join(folder, 'pipe')
        os.mkfifo(pipe)
        said = run('check', pipe)
        assert said.returncode == 2 and 'not a file' in said.stderr, said


def test_shoppers_know_what_the_shop_has(t):
    shoppers = json.loads(run('show', 'shopping').stdout)
    products, coupons = (table['rows'] for table in shoppers['tables'])
    preferred, = (a['words'] for a in shoppers['population']['attributes'] if a['name'] == 'preferred_categories')
    for what, liked in (('category', set(preferred)), ('brand', {p['brand'] for p in products})):
        assert {p[what] for p in products} == liked == {c[what] for c in coupons} - {None}, what
