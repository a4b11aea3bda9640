"""Roles of a town: the command line on files that each test writes, and the HTTP call."""

import difflib
import json
import os

from harness import SLOW
from town import HOSTILE, Town

# ---- command, resolve ----

def started_as(town, *words, shells=('sh', 'bash')):
    """The agent of the question, started from the one string: as resolve says it would be."""
    command, said = town.good('command', *words), town.json('resolve', *words)
    assert command.endswith('\n')
    for shell in shells:
        started = town.shell(command, shell)
        assert started['argv'] == said['argv'], (command, started['argv'], said['argv'])
        for variable in said['env']:
            assert started['env'].get(variable['name']) == variable['value'], (variable, command)
    return started


def test_a_shell_starts_exactly_what_is_resolved(t):
    town = Town(t, {'agents': {'evil': {'command': 'claude', 'provider': 'claude', 'args': HOSTILE, 'env': {
        f'V{i}': value for i, value in enumerate(HOSTILE)}}}, 'role_agents': {'polecat': 'evil'}})
    town.install('claude')
    started = started_as(town, 'polecat', '--rig', 'alpha', '--name', 'toast', '--prompt', 'gt prime')
    assert started['argv'][1:1 + len(HOSTILE)] == HOSTILE and started['argv'][-1] == 'gt prime'
    assert started['env']['GT_ROLE'] == 'alpha/polecats/toast' and started['env']['GT_AGENT'] == 'evil'
    for value in HOSTILE:
        with t.case(f'as prompt: {value!r}'):
            got = started_as(town, 'polecat', '--rig', 'alpha', f'--prompt={value}', shells=['sh'])['argv']
            if value:
                assert got[-1] == (' ' + value if value.startswith('-') else value)
        if value:
            with t.case(f'as name: {value!r}'):
                got = started_as(town, 'polecat', '--rig', 'alpha', f'--name={value}', shells=['sh'])['env']
                assert got['GT_POLECAT'] == value and got['GT_ROLE'] == f'alpha/polecats/{value}'


def test_hostile_names_of_rigs_agents_and_roles(t):
    strange = 'a b$(touch HIT)\'"'
    town = Town(t, {'agents': {strange: {'command': 'claude'}}, 'role_agents': {'witness': strange}},
                rigs={strange: {}, 'alpha': {}})
    town.install('claude')
    started = started_as(town, 'witness', '--rig', strange)
    assert started['env']['GT_RIG'] == strange and started['env']['GT_AGENT'] == strange
    for words, status, says in [(['witness', '--rig', '../alpha'], 4, 'no rig "../alpha"'),
                                (['witness', '--rig', '.git'], 4, 'no rig'),
                                (['witness', '--rig', 'alhpa'], 4, 'alpha'),
                                (['polcat', '--rig', 'alpha'], 2, 'did you mean polecat?'),
                                (['witness'], 2, '--rig'),
                                (['mayor', '--agent', 'clade'], 2, 'did you mean claude?'),
                                (['mayor', '--agent', '$(touch HIT)'], 2, 'nowhere defined'),
                                (['mayor', '--resume', '$(touch HIT)'], 2, "letters, digits"),
                                (['mayor', '--effort', 'hihg'], 2, 'high'),
                                (['mayor', '--account', 'work'], 2, 'accounts.json')]:
        with t.case(' '.join(words)):
            done = town.run('command', *words)
            assert done.returncode == status and done.stdout == '', done
            assert says in done.stderr, done.stderr
    assert not os.path.exists(os.path.join(town.base, 'HIT'))


def test_command_prints_the_command_and_nothing_else(t):
    town = Town(t, {'role_agents': {'witness': 'gemini'}})
    done = town.run('command', '--role', 'witness', '--rig', 'alpha')
    assert done.returncode == 0 and done.stdout.startswith('exec env ') and done.stdout.count('\n') == 1, done
    line = town.line_of('settings/config.json', 'witness')
    assert f'settings/config.json:{line}:' in done.stderr and 'not installed' in done.stderr, done.stderr
    town.install('gemini')
    done = town.run('command', '--role', 'witness', '--rig', 'alpha')
    assert done.returncode == 0 and done.stderr == '', done
    assert ' gemini --approval-mode yolo' in done.stdout


def test_compat_prints_what_gas_town_does(t):
    town = Town(t, {'agents': {'odd': {'command': 'claude', 'args': ['', '~x']}}, 'role_agents': {'mayor': 'odd'}})
    town.install('claude')
    said = town.good('command', 'mayor', '--compat', '--prompt', 'say "hi" $x')
    assert said.endswith('claude  ~x "say \\"hi\\" \\$x"\n'), said   # the empty argument is gone, ~ is the shell's
    ours = town.good('command', 'mayor', '--prompt', 'say "hi" $x')
    assert " '' '~x' 'say \"hi\" $x'\n" in ours, ours


def test_a_secret_is_shown_by_name_and_looked_up_by_the_shell(t):
    town = Town(t, {'role_agents': {'mayor': 'groq-compound'}})
    town.install('claude')
    secret = {'GROQ_API_KEY': 'gsk it\'s "live" $HOME'}
    said, resolved = town.run('command', 'mayor', env=secret), town.good('resolve', 'mayor', '--json', env=secret)
    assert 'live' not in said.stdout + said.stderr + resolved
    assert {'name': 'ANTHROPIC_API_KEY', 'from': 'GROQ_API_KEY'} in json.loads(resolved)['env']
    assert town.shell(said.stdout, env=secret)['env']['ANTHROPIC_API_KEY'] == secret['GROQ_API_KEY']
    unset = town.run('command', 'mayor')
    assert unset.returncode == 0 and 'GROQ_API_KEY is not set' in unset.stderr, unset


def test_the_town_is_found_upwards(t):
    town = Town(t)
    town.install('claude')
    deep = town.file('alpha/polecats/toast')
    os.makedirs(deep)
    assert town.json('resolve', 'mayor', town=False, cwd=deep)['agent'] == 'claude'
    lost = town.run('resolve', 'mayor', town=False, cwd='/')
    assert lost.returncode == 4 and '--town' in lost.stderr, lost
    wrong = town.run('resolve', 'mayor', '--town', town.bin, town=False)
    assert wrong.returncode == 4 and 'is no town' in wrong.stderr, wrong


def test_overrides_of_one_spawn(t):
    town = Town(t, {'type_agents': {'docs': {'agent': 'gemini', 'effort': 'low'}, 'risk=high': 'codex'}})
    town.install('claude', 'gemini', 'codex')
    resolve = ['resolve', 'polecat', '--rig', 'alpha']
    assert town.json(*resolve)['rule'] == 'builtin'
    by_type = town.json(*resolve, '--type', 'docs')
    assert (by_type['agent'], by_type['rule'], by_type['effort']) == ('gemini', 'type_agents', 'low')
    assert town.json(*resolve, '--label', 'area=core', '--label', 'risk=high')['agent'] == 'codex'
    asked = town.json(*resolve, '--type', 'docs', '--agent', 'claude', '--model', 'haiku', '--effort', 'max')
    assert (asked['agent'], asked['rule'], asked['model'], asked['effort']) == ('claude', 'override', 'haiku', 'max')
    assert ' '.join(asked['argv']).count('--model haiku') == 1, asked['argv']
    assert {'name': 'CLAUDE_CODE_EFFORT_LEVEL', 'value': 'max'} in asked['env']


# ---- explain, models, presets, cost ----

def test_explain_names_every_rule_in_order_with_its_place(t):
    town = Town(t, {'role_agents': {'witness': 'gemini'}}, rigs={'alpha': {'role_agents': {'witness': 'codex'}}})
    town.install('claude', 'gemini', 'codex')
    said = town.good('explain', '--role', 'witness', '--rig', 'alpha').splitlines()
    assert said[0].startswith('witness of alpha runs codex'), said[0]
    rules = [line[3:].split()[0] for line in said[1:] if line[:3] in ('   ', '=> ')]
    assert rules[:12] == ['override', 'type_agents', 'polecat_agents', 'worker_agents', 'dog', 'cost_tier', 'rig_role',
                          'town_role', 'rig_runtime', 'rig_agent', 'town_default', 'builtin'], rules
    decided, = [line for line in said if line.startswith('=> rig_role')]
    assert f'(alpha/settings/config.json:{town.line_of("alpha/settings/config.json", "witness")}:' in decided, decided
    passed, = [line for line in said if line.startswith('   town_role')]
    assert 'gemini' in passed and f'(settings/config.json:{town.line_of("settings/config.json", "witness")}:' in passed
    steps = town.json('explain', 'witness', '--rig', 'alpha')['steps']
    assert [s['rule'] for s in steps if s['matched']][0] == 'rig_role'


def test_explain_tells_how_far_it_came_before_an_error(t):
    town = Town(t, {'role_agents': {'witness': 'gemni'}})
    done = town.run('explain', 'witness', '--rig', 'alpha')
    assert done.returncode == 2 and 'did you mean gemini?' in done.stderr, done
    assert '   rig_role ' in done.stdout, done.stdout


def test_models_says_which_line_decided(t):
    town = Town(t, {'role_agents': {'witness': 'gemini', 'mayor': 'none-such'}},
                rigs={'alpha': {'role_agents': {'polecat': 'codex'}}, 'beta': {}})
    town.install('claude', 'gemini', 'codex')
    rows = {(r.get('rig'), r['role']): r for r in town.json('models')['items']}
    assert len(rows) == 4 + 2 * 4, rows
    polecat, witness = rows['alpha', 'polecat'], rows['beta', 'witness']
    assert polecat['agent'] == 'codex' and polecat['effort'] == 'high'
    assert polecat['source'] == f'alpha/settings/config.json:{town.line_of("alpha/settings/config.json", "polecat")}'
    assert witness['source'] == f'settings/config.json:{town.line_of("settings/config.json", "witness")}'
    assert rows['beta', 'polecat']['source'] == 'builtin'
    assert rows[None, 'deacon']['estimated_usd_per_day'] > 0
    assert 'none-such' in rows[None, 'mayor']['trouble'] and 'trouble' not in polecat
    table = town.good('models', '--rig', 'alpha').splitlines()
    assert table[0].split()[:2] == ['RIG', 'ROLE'] and len(table) == 5
    assert 'ESTIMATED USD PER DAY' in table[0]
    nowhere = town.run('models', '--rig', 'alhpa')
    assert nowhere.returncode == 4 and nowhere.stdout == '' and 'did you mean alpha?' in nowhere.stderr, nowhere


def test_presets_of_the_program_and_of_a_town(t):
    town = Town(t, {'agents': {'mine': {'command': 'claude', 'args': ['', 'x']}}})
    town.install('claude')
    alone = {p['name']: p for p in town.json('presets', town=False)['items']}
    assert len(alone) == 14 and alone['codex']['alone'] == 'exec --json' and alone['codex']['source'] == 'built in'
    assert alone['claude']['installed'] and not alone['gemini']['installed']
    town.write('settings/agents.json', {'version': 1, 'agents': {'gemini': {'args': ['--yes']}}})
    all_ = {p['name']: p for p in town.json('presets')['items']}
    assert alone['claude-haiku']['model'] == 'haiku' and alone['claude-haiku']['source'] == 'cost tiers', alone
    assert all_['mine']['resume'] == '--resume', all_['mine']     # as it is started: with what Claude brings
    assert len(all_) == 15 and all_['gemini']['args'] == ['--yes'] and all_['mine']['args'] == ['', 'x']
    assert all_['mine']['source'] == f'settings/config.json:{town.line_of("settings/config.json", "mine")}'


def test_cost_is_estimated_by_role_and_tier(t):
    town = Town(t, {'budgets': {'alpha': {'usd_per_day': 20}}})
    town.install('claude')
    one, many = town.json('cost'), town.json('cost', '--polecats', '5')
    polecat, = [r for r in one['roles'] if r['role'] == 'polecat']
    more = many['estimated_usd_per_day'] - one['estimated_usd_per_day']
    assert abs(more - 4 * polecat['estimated_usd_per_day']) < 0.06, (more, polecat)
    tiers = {x['tier']: x['estimated_usd_per_day'] for x in one['tiers']}
    assert tiers['budget'] < tiers['economy'] < tiers['standard'] <= one['estimated_usd_per_day'] + 0.01, tiers
    budget, = one['budgets']
    assert budget['budget'] == 'alpha' and budget['usd_per_day'] == 20 and budget['spent_usd'] == 0
    assert 'estimated_usd_per_day' in town.good('cost').splitlines()[0]


# ---- check ----

def test_check_points_at_each_mistake_and_fails_if_a_spawn_would_not_run(t):
    town = Town(t, rigs={'alpha': {}, 'beta': {'role_agents': {'polecat': 'codx'}}})
    town.install('claude', 'codex')
    town.write('settings/config.json', '{\n  "role_agents": {"mayor": "claude", "polcat": "codex"},\n'
                                       '  "role_effort": {"mayor": "hihg"}\n}\n')
    done = town.run('check')
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and len(lines) >= 3, done
    assert 'settings/config.json:2:38: error: unknown role "polcat" in role_agents; did you mean polecat?' in lines, lines
    assert any(x.startswith('settings/config.json:3:28: error: ') and 'did you mean high?' in x for x in lines), lines
    line = town.line_of('beta/settings/config.json', 'codx')
    assert any(x.startswith(f'beta/settings/config.json:{line}:') and 'did you mean codex?' in x for x in lines), lines
    said = json.loads(town.run('check', '--json').stdout)
    assert len(said['items']) == len(lines) and not said['all_run'] and said['errors'] == len(
        [x for x in said['items'] if x['severity'] == 'error'])
    assert {'file': 'settings/config.json', 'line': 2, 'column': 38}.items() <= [
        x for x in said['items'] if 'polcat' in x['text']][0].items()


def test_check_of_a_good_town_is_silent_and_of_a_file_that_is_none_says_where(t):
    town = Town(t, {'role_agents': {'witness': 'gemini'}})
    town.install('claude', 'gemini')
    done = town.run('check')
    assert done.returncode == 0 and done.stdout == '' and 'every spawn runs' in done.stderr, done
    os.unlink(os.path.join(town.bin, 'gemini'))
    done = town.run('check')
    assert done.returncode == 1 and 'gemini' in done.stdout, done
    for text, place in [('{"role_agents": {},}', '1:19'), ('', ''), ('\ufeff{}', '1:1'), ('{} x', '1:4'), ('[]', '1:1'),
                        ('{"role_agents": [1]}', '1:17')]:
        with t.case(text):
            town.write('alpha/settings/config.json', text)
            done = town.run('check')
            assert done.returncode == 1 and f'alpha/settings/config.json:{place}' in done.stdout, done


# ---- set, unset, tier, consolidate ----

ODD_FILE = ('{\r\n\t"_comment" : "mind the  spaces",\r\n\t"role_agents": { "mayor":"claude" ,  "witness" : "claude" },\r\n'
            '\t"unknown": [1,2,  {"x":null}], "Role_Effort": {}\r\n}\r\n')


def changed_lines(before, after):
    """Lines that are only in one of them; line ends count."""
    return [line for line in difflib.ndiff(before.splitlines(True), after.splitlines(True)) if line[0] in '+-']


def test_set_changes_that_line_and_nothing_else(t):
    town = Town(t)
    town.install('claude', 'gemini')
    with open(town.file('settings/config.json'), 'w', encoding='utf-8', newline='') as f:
        f.write(ODD_FILE)

    def text():
        with open(town.file('settings/config.json'), encoding='utf-8', newline='') as f:
            return f.read()

    said = town.good('set', 'witness', 'gemini')
    assert said == 'settings/config.json:3: role_agents.witness: claude → gemini\n', said
    assert text() == ODD_FILE.replace('"witness" : "claude"', '"witness" : "gemini"')
    assert town.json('resolve', 'witness', '--rig', 'alpha')['agent'] == 'gemini'
    again = town.run('set', 'witness', 'gemini', '--json')
    assert again.returncode == 0 and json.loads(again.stdout) == {
        'file': 'settings/config.json', 'written': False, 'changes': []}, again
    assert town.good('set', 'witness', 'claude', '--dry-run').endswith('gemini → claude\n')
    assert '"witness" : "gemini"' in text()
    town.good('set', 'witness', 'claude')
    assert text() == ODD_FILE
    town.good('set', 'deacon', 'gemini')
    added = changed_lines(ODD_FILE, text())
    assert [x[0] for x in added if x[0] != '?'] in (['-', '+'], ['+']) and '"deacon"' in added[-1], added
    town.good('unset', 'deacon')
    assert text() == ODD_FILE


def test_a_rigs_file_is_made_when_it_is_missing(t):
    town = Town(t, rigs={})
    town.install('claude', 'codex')
    os.makedirs(town.file('beta'))
    town.good('set', 'polecat', 'codex', '--rig', 'beta')
    assert json.loads(town.read('beta/settings/config.json'))['role_agents'] == {'polecat': 'codex'}
    assert town.json('resolve', 'polecat', '--rig', 'beta')['agent'] == 'codex'
    missing = town.run('set', 'polecat', 'codex', '--rig', 'gamma')
    assert missing.returncode == 4 and not os.path.exists(town.file('gamma')), missing


def test_what_would_not_resolve_is_not_written(t):
    town = Town(t, {'role_agents': {'witness': 'claude'}})
    town.install('claude')
    before = town.read('settings/config.json')
    for words, says in [(['set', 'witness', 'gemni'], 'did you mean gemini?'), (['set', 'witnes', 'claude'], 'witness'),
                        (['set', 'witness', '"; touch HIT'], 'nowhere defined'), (['tier', 'economie'], 'economy'),
                        (['unset', 'polcat'], 'polecat')]:
        done = town.run(*words)
        assert done.returncode == 2 and says in done.stderr and done.stdout == '', (words, done)
        assert town.read('settings/config.json') == before
    town.good('set', 'witness', 'gemni', '--force')
    assert '"witness": "gemni"' in town.read('settings/config.json')
    town.write('settings/config.json', '{"role_agents": {},}')
    broken = town.run('set', 'witness', 'claude', '--force')
    assert broken.returncode == 2 and 'settings/config.json:1:' in broken.stderr, broken
    assert town.read('settings/config.json') == '{"role_agents": {},}'


def test_a_tier_is_written_and_works(t):
    town = Town(t, {'_comment': 'keep me', 'role_agents': {'mayor': 'claude'}})
    town.install('claude')
    town.good('tier', 'economy')
    models = {(r.get('rig'), r['role']): r for r in town.json('models')['items']}
    assert models[None, 'mayor']['model'] == 'sonnet[1m]' and models[None, 'mayor']['effort'] == 'medium'
    assert models['alpha', 'witness']['effort'] == 'low' and models[None, 'boot']['model'] == 'haiku'
    assert json.loads(town.read('settings/config.json'))['_comment'] == 'keep me'
    town.good('tier', 'standard')
    boot = town.json('resolve', 'boot')
    assert boot['model'] == 'haiku' and boot['would_run'] and boot['warnings'] == [], boot


def test_consolidate_leaves_every_answer_as_it_was(t):
    town = Town(t, {'role_agents': {'witness': 'gemini'}},
                rigs={f'rig{i}': {'role_agents': {'polecat': ['codex', 'claude'][i % 2]}} for i in range(6)})
    town.install('claude', 'codex', 'gemini')

    def answers():
        return [(r.get('rig'), r['role'], r['agent'], r['effort']) for r in town.json('models')['items']]

    before = answers()
    changes = town.good('consolidate').splitlines()
    assert len([c for c in changes if 'rigs.rig' in c]) == 6, changes
    assert answers() == before
    assert 'role_agents' not in town.read('rig0/settings/config.json')


# ---- HTTP ----

def test_a_server_answers_for_its_town(t):
    town = Town(t, {'role_agents': {'polecat': 'codex'}, 'type_agents': {'docs': 'gemini'},
                    'agents': {'odd': {'command': 'claude', 'args': ['', 'x'], 'env': {'MY_API_KEY': 'sk-live'}}}},
                rigs={'alpha': {'role_agents': {'witness': 'odd'}}})
    town.install('claude', 'codex', 'gemini')
    secret = {'ANTHROPIC_API_KEY': 'sk-from-the-environment'}
    server = t.new_server('--town', town.path, env={**town.env, **secret})
    caller = t.caller('worker', server)

    def resolve(status=200, **query):
        return caller.get('/v1/roles/resolve', query=query).expect(status)

    with t.case('as the command line does'):
        for query in [{'role': 'polecat', 'rig': 'alpha', 'name': 'toast'}, {'role': 'witness', 'rig': 'alpha'},
                      {'role': 'polecat', 'rig': 'alpha', 'type': 'docs', 'name': ''}, {'role': 'mayor', 'rig': ''}]:
            words = [w for k, v in query.items() if v for w in (f'--{k}', v)]
            there, here = resolve(**query).json, town.json('resolve', *words)
            for member in ['agent', 'runs', 'rule', 'effort', 'argv', 'would_run', 'sources', 'steps', 'warnings']:
                assert there.get(member) == here.get(member), (query, member, there, here)
    with t.case('no secrets'):
        odd = resolve(role='witness', rig='alpha')
        assert '' in odd.json['argv'] and 'x' in odd.json['argv'], odd.json['argv']
        assert b'sk-' not in odd.body and 'command' not in odd.json, odd.body
        env = {v['name']: v for v in odd.json['env']}
        assert env['ANTHROPIC_API_KEY'] == {'name': 'ANTHROPIC_API_KEY', 'from': 'ANTHROPIC_API_KEY'}
        assert env['MY_API_KEY'] == {'name': 'MY_API_KEY'} and env['GT_RIG']['value'] == 'alpha'
    with t.case('labels, and what is asked for once'):
        town.write('settings/config.json', {'type_agents': {'risk=high': 'codex'}})
        assert resolve(role='witness', rig='alpha', label='risk=high').json['agent'] == 'codex'
        assert resolve(role='mayor', agent='gemini', effort='low').json['effort'] == 'low'
    with t.case('what is wrong is told'):
        resolve(422, role='polcat', rig='alpha').expect(422, 'invalid')
        assert 'did you mean polecat?' in resolve(422, role='polcat', rig='alpha').json['detail']
        resolve(404, role='polecat', rig='beta').expect(404, 'not_found')
        resolve(404, role='polecat', rig='../alpha')
        resolve(400, rig='alpha').expect(400, 'missing_field')
    with t.case('not for readers'):
        t.caller('reader', server).get('/v1/roles/resolve', query={'role': 'mayor'}).expect(403)


def test_a_change_is_seen_by_the_next_call_and_half_a_file_by_none(t):
    town = Town(t, {'role_agents': {'mayor': 'codex'}})
    town.install('claude', 'codex', 'gemini')
    caller = t.caller('worker', t.new_server('--town', town.path, env=town.env))

    def mayor(status=200):
        return caller.get('/v1/roles/resolve', query={'role': 'mayor'}).expect(status).json

    assert mayor()['agent'] == 'codex'
    for agent in ['gemini', 'claude', 'codex', 'gemini']:
        town.write('settings/config.json', {'role_agents': {'mayor': agent}})
        assert mayor()['agent'] == agent
    whole = town.read('settings/config.json')
    town.write('settings/config.json', whole[:len(whole) // 2])
    kept = mayor()
    assert kept['agent'] == 'gemini' and not kept['as_written'], kept
    assert any(w.get('file') == 'settings/config.json' for w in kept['warnings']), kept['warnings']
    town.write('settings/config.json', whole.replace('gemini', 'claude'))
    assert mayor()['agent'] == 'claude' and mayor()['warnings'] == []


def test_a_file_that_never_was_good_is_the_servers_state(t):
    town = Town(t)
    town.write('settings/config.json', '{"role_agents": {"mayor": "gemini",}}')
    caller = t.caller('worker', t.new_server('--town', town.path, env=town.env))
    refused = caller.get('/v1/roles/resolve', query={'role': 'mayor'}).expect(409, 'conflict').json
    assert 'settings/config.json:1:' in refused['detail'], refused


def test_without_a_town(t):
    refused = t.worker.get('/v1/roles/resolve', query={'role': 'mayor'}).expect(404, 'not_found').json
    assert '--town' in refused['detail']
    server = t.new_server('--town', '/nonexistent', start=False)
    server.start(wait_for=None)
    assert server.process.wait(20 * SLOW) == 4 and 'is no town' in server.log(), server.log()
