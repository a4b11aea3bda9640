"""tenfold worker run --role: which agent an item starts, how, and what its end means for its pool and its budget."""

import json
import os
import subprocess

from harness import BINARY, SLOW, until
from model_endpoint import Endpoint, Reply, spoken
from test_executions import Squad
from test_worker import Worker, is_gone, pid_in
from town import HOSTILE, Town


def work(t, town, *flags, type_=None, until_empty=True):
    """A worker of the town's roles, on the test's own queue."""
    env = {**town.env, 'TENFOLD_URL': t.server.url, 'TENFOLD_KEY': t.caller('worker').key}
    return Worker(t, flags=[*(['--until-empty'] if until_empty else []), '--town', town.path, *flags], env=env,
                  type_=type_)


def worked(t, town, *flags):
    worker = work(t, town, '--role', 'polecat', '--rig', 'alpha', '--name', 'toast', *flags)
    status, summary = worker.wait()
    assert status == 0, (status, summary, worker.complaints())
    return summary, worker.complaints()


def said_by(t, item):
    """What the stand-in that worked on the item printed."""
    return json.loads(t.worker.show(item)['result']['output'].splitlines()[-1])


def state_of(town):
    folder = os.path.join(town.data, 'towns')
    name, = [n for n in os.listdir(folder) if n.endswith('.json')]
    with open(os.path.join(folder, name), encoding='utf-8') as f:
        return f.read()


def test_a_worker_starts_the_agent_of_a_role_with_the_item_as_its_prompt(t):
    town = Town(t, {'role_agents': {'polecat': 'claude'}})
    town.install('claude')
    town.env.update(ANTHROPIC_BASE_URL='https://other.example', CLAUDECODE='1', MINE='kept')
    item = t.worker.add(t.type, title='Fix the "roof"; $(touch HIT)', description='--resume x\nTwo lines.',
                        payload={'n': 1}, labels={'area': 'core', 'urgent': ''}, team='blue')
    summary, complaints = worked(t, town, '--team', 'blue')
    assert summary['completed'] == 1 and complaints == '', complaints
    said = said_by(t, item)
    prompt = said['argv'][-1]
    assert said['argv'][:2] == ['claude', '--dangerously-skip-permissions'], said['argv']
    assert said['argv'][-2] == '-p' and '--output-format' in said['argv'], said['argv']
    assert prompt == (f'Work item {item["id"]}: Fix the "roof"; $(touch HIT)\nType: {t.type}\nTeam: blue\n'
                      'Labels: area=core, urgent\n\n--resume x\nTwo lines.\n\nPayload (JSON):\n{"n": 1}\n'), prompt
    assert said['stdin'] == ''
    assert 'ANTHROPIC_BASE_URL' not in said['env'] and said['env']['CLAUDECODE'] == '' and said['env']['MINE'] == 'kept'
    assert said['env']['GT_ROLE'] == 'alpha/polecats/toast' and said['env']['TENFOLD_WORK_ID'] == item['id']
    assert said['env']['CLAUDE_CODE_EFFORT_LEVEL'] == 'high' and said['env']['GT_ROOT'] == os.path.realpath(town.path)
    used = t.worker.show(item)['used']
    assert used == {'agent': 'claude', 'effort': 'high'}, used


def test_no_item_can_become_an_option_or_be_read_by_a_shell(t):
    town = Town(t, {'role_agents': {'polecat': 'gemini'}})
    town.install('gemini')
    titles = [x for x in HOSTILE if x and '\u202e' not in x]
    items = [t.worker.add(t.type, title=title, description=title, payload=title) for title in titles]
    summary, _ = worked(t, town)
    assert summary['completed'] == len(items)
    for item, title in zip(items, titles):
        argv = said_by(t, item)['argv']
        assert argv[:-1] == said_by(t, items[0])['argv'][:-1], argv
        assert argv[-1].startswith(f'Work item {item["id"]}: {title}\n') and argv[-2] == '-p', argv


def test_a_large_payload_goes_to_standard_input(t):
    town = Town(t, {'role_agents': {'polecat': 'codex'}})
    town.install('codex', does='')
    payload = {'long': 'x' * 200000}
    item = t.worker.add(t.type, payload=payload)
    with open(os.path.join(town.bin, 'codex'), 'w', encoding='utf-8') as f:
        f.write('#!/bin/sh\nprintf "%s\\n" "$@"\nwc -c\n')
    worked(t, town)
    output = t.worker.show(item)['result']['output']
    assert output.startswith('exec\n') and 'is on standard input' in output, output
    assert int(output.splitlines()[-1]) == len(json.dumps(payload))


def test_each_item_is_resolved_anew(t):
    town = Town(t, {'role_agents': {'polecat': 'claude'}, 'type_agents': {
        'size=small': {'agent': 'gemini', 'model': 'flash', 'effort': 'low'}}})
    # The first agent changes the file, as a person might meanwhile.
    town.install('claude', does='sed s/claude/codex/ "$GT_ROOT/settings/config.json" >"$STAND_INS/new" && '
                                'mv "$STAND_INS/new" "$GT_ROOT/settings/config.json"')
    town.install('gemini', 'codex')
    items = [t.worker.add(t.type, labels=labels) for labels in ({}, {'size': 'small'}, {'size': 'large'})]
    worked(t, town)
    assert [said_by(t, item)['argv'][0] for item in items] == ['claude', 'gemini', 'codex']
    used = [t.worker.show(item)['used'] for item in items]
    assert [u['agent'] for u in used] == ['claude', 'gemini', 'codex']
    assert (used[1]['model'], used[1]['effort']) == ('flash', 'low') and 'model' not in used[0], used


def test_a_quota_hit_cools_down_and_the_next_of_the_pool_takes_over(t):
    town = Town(t, {'agent_pools': {'fast': {'agents': ['codex', 'gemini'], 'fallback': 'claude'}},
                    'role_agents': {'polecat': 'fast'}})
    town.install('codex', does='echo "ERROR: You have hit your usage limit" >&2; exit 1')
    town.install('gemini', 'claude')
    items = [t.worker.add(t.type, max_attempts=1) for _ in range(3)]
    summary, complaints = worked(t, town)
    assert summary['completed'] == 3 and summary['released'] == 1 and summary['failed'] == 0, summary
    assert complaints.count('codex cools down for 60 min') == 1, complaints
    assert {t.worker.show(item)['used']['agent'] for item in items} == {'gemini'}
    assert all(t.worker.show(item)['failures'] == 0 for item in items)
    # It is remembered: by the next worker, and by whoever asks.
    later = t.worker.add(t.type)
    worked(t, town)
    assert t.worker.show(later)['used']['agent'] == 'gemini'
    assert town.json('resolve', 'polecat', '--rig', 'alpha')['runs'] == 'gemini'
    said = town.run('explain', 'polecat', '--rig', 'alpha')
    assert 'it cools down for' in said.stderr and 'gemini in place of codex' in said.stdout, said


def test_an_agent_whose_provider_is_away_costs_the_item_an_attempt(t):
    town = Town(t, {'agent_pools': {'fast': {'agents': ['codex', 'gemini']}}, 'role_agents': {'polecat': 'fast'}})
    town.install('codex', does='echo "authentication_error" >&2; exit 1')
    town.install('gemini')
    item = t.worker.add(t.type, max_attempts=2, backoff={'kind': 'fixed', 'base_ms': 0})
    worked(t, town)
    shown = t.worker.show(item)
    assert shown['state'] == 'completed' and shown['failures'] == 1 and shown['used']['agent'] == 'gemini', shown


def test_a_limit_is_of_the_account_when_there_is_one(t):
    town = Town(t, {'role_agents': {'polecat': 'claude'}, 'role_accounts': {'polecat': ['work', 'home']}})
    town.write('mayor/accounts.json', {'version': 1, 'default': 'work', 'accounts': {
        name: {'email': 'x@example.org', 'config_dir': os.path.join(town.base, name)} for name in ('work', 'home')}})
    town.install('claude', does='case $CLAUDE_CONFIG_DIR in *work) echo "Claude AI usage limit reached|4102444800"; exit 1;; esac')
    items = [t.worker.add(t.type) for _ in range(3)]
    summary, complaints = worked(t, town)
    assert summary['completed'] == 3 and summary['released'] == 1, (summary, complaints)
    assert complaints.count('account work cools down') == 1, complaints
    assert all(said_by(t, item)['env']['CLAUDE_CONFIG_DIR'].endswith('/home') for item in items)
    # With both used up it is the agent that has nothing left.
    town.install('claude', does='echo "Claude AI usage limit reached"; exit 1')
    t.worker.add(t.type)
    worker = work(t, town, '--role', 'polecat', '--rig', 'alpha', '--name', 'toast')
    status, summary = worker.wait()
    assert status == 5 and summary['released'] == 2 and summary['completed'] == 0, (status, summary, worker.complaints())


def test_a_failure_of_the_work_cools_nobody_down(t):
    town = Town(t, {'role_agents': {'polecat': 'claude'}})
    town.install('claude', does='echo "3 tests failed" >&2; exit 1')
    item = t.worker.add(t.type)
    summary, complaints = worked(t, town)
    assert summary['failed'] == 1 and 'cools down' not in complaints
    shown = t.worker.show(item)
    assert shown['error'].startswith('exit status 1: 3 tests failed') and shown['used']['agent'] == 'claude', shown


def test_when_nothing_can_run_items_go_back_and_the_worker_says_why(t):
    town = Town(t, {'role_agents': {'polecat': 'gemini'}})
    item = t.worker.add(t.type)
    worker = work(t, town, '--role', 'polecat', '--rig', 'alpha')
    status, summary = worker.wait()
    assert status == 5 and summary['released'] == 1 and summary['completed'] == 0, (status, summary)
    assert "there is no command 'gemini'" in worker.complaints(), worker.complaints()
    shown = t.worker.show(item)
    assert shown['state'] == 'ready' and shown['failures'] == 0, shown


def test_tokens_are_recorded_and_a_spent_budget_stops(t):
    town = Town(t, {'role_agents': {'polecat': 'claude'}, 'budgets': {'alpha': {'usd_per_day': 1, 'warn_at': 0.5}}})
    result = {'type': 'result', 'usage': {'input_tokens': 12345, 'output_tokens': 678}, 'total_cost_usd': 0.6}
    town.install('claude', does=f"echo '{json.dumps(result)}'")
    items = [t.worker.add(t.type) for _ in range(3)]
    worker = work(t, town, '--role', 'polecat', '--rig', 'alpha')
    status, summary = worker.wait()
    complaints = worker.complaints()
    assert status == 5 and summary['completed'] == 2 and summary['released'] == 1, (status, summary, complaints)
    assert 'budget' in complaints and 'nothing more is started on it today' in complaints, complaints
    assert [t.worker.state(item) for item in items] == ['completed', 'completed', 'ready']
    assert '24690' in state_of(town) and not os.path.exists(town.file('towns'))
    cost = town.json('cost')
    assert cost['recorded_usd_today'] == 1.2, cost
    assert cost['budgets'][0]['state'] == 'over' and cost['budgets'][0]['spent_usd'] == 1.2, cost['budgets']


def test_a_cancelled_item_stops_its_agent(t):
    town = Town(t, {'role_agents': {'polecat': 'claude'}})
    town.install('claude')
    pid = os.path.join(town.base, 'pid')
    with open(os.path.join(town.bin, 'claude'), 'w', encoding='utf-8') as f:
        f.write(f'#!/bin/sh\necho $$ >{pid}\nexec sleep 600\n')
    item = t.worker.add(t.type)
    worker = work(t, town, '--role', 'polecat', '--rig', 'alpha', until_empty=False)
    running = pid_in(pid)
    t.operator.post(f'/v1/work/{item["id"]}/cancel').expect(200)
    until(lambda: is_gone(running), what='the end of the agent')
    until(lambda: 'was cancelled' in worker.complaints(), what='the word of it')


def test_what_is_wrong_with_a_role_is_told_before_the_first_claim(t):
    town = Town(t, {'role_agents': {'polecat': 'gemni'}})
    item = t.worker.add(t.type)
    for flags, says in [(['--role', 'polecat', '--rig', 'alpha'], 'did you mean gemini?'),
                        (['--role', 'polcat', '--rig', 'alpha'], 'did you mean polecat?'),
                        (['--role', 'polecat'], '--rig')]:
        worker = work(t, town, *flags)
        status, summary = worker.wait()
        assert status == 2 and summary is None and says in worker.complaints(), worker.complaints()
    assert t.worker.show(item)['attempt'] == 0
    done = subprocess.run([BINARY, 'worker', 'run', '--type', 'x'], capture_output=True, text=True, check=False,
                          env=town.env, timeout=60 * SLOW)
    assert done.returncode == 2 and '--role' in done.stderr, done
    done = subprocess.run([BINARY, 'worker', 'run', '--role', 'mayor', '--', 'true'], capture_output=True, text=True,
                          check=False, env=town.env, timeout=60 * SLOW)
    assert done.returncode == 2 and 'command' in done.stderr, done


# ---- steps of squads ----

def squad_of(t, *members):
    squad = Squad(t)
    for role, more in members:
        squad.operator.post(f'/v1/squads/{squad.id}/members', {'role': role, **more}).expect(201)
    return squad


def carried_out(t, town, squad, *flags, command=()):
    env = {**town.env, 'TENFOLD_URL': t.server.url, 'TENFOLD_KEY': t.caller('worker').key}
    worker = Worker(t, *command, flags=['--until-empty', '--squad', squad.id, '--town', town.path, '--rig', 'alpha', *flags], env=env, type_='')
    status, summary = worker.wait()
    assert status == 0, (status, summary, worker.complaints())
    return summary


def test_members_run_what_their_town_says(t):
    town = Town(t, {'role_agents': {'mayor': 'claude', 'refinery': 'gemini', 'polecat': 'codex', 'crew': 'opencode'}})
    town.install('claude', 'gemini', 'codex', 'opencode')
    squad = squad_of(t, ('project_manager', {}), ('tester', {}), ('backend_developer', {'name': 'ada'}),
                     ('designer', {'town_role': 'crew', 'name': 'eve'}), ('data_scientist', {'provider': 'claude', 'model': 'haiku'}))
    roles = ['project_manager', 'tester', 'backend_developer', 'designer', 'data_scientist']
    execution = squad.add(*({'name': role, 'kind': 'model', 'role': role, 'input': {'branch': 'main'}} for role in roles))
    carried_out(t, town, squad)
    said = {role: json.loads(execution.step(role)['result']['output'].splitlines()[-1]) for role in roles}
    assert [said[role]['argv'][0] for role in roles] == ['claude', 'gemini', 'codex', 'opencode', 'claude'], execution.show()
    assert said['backend_developer']['env']['GT_ROLE'] == 'alpha/polecats/ada'
    assert said['designer']['env']['GT_ROLE'] == 'alpha/crew/eve'
    assert 'haiku' in ' '.join(said['data_scientist']['argv'])
    prompt = said['backend_developer']['argv'][-1]
    assert prompt.startswith(f'Step {execution.step("backend_developer")["id"]}: backend_developer\n\nYou build what runs on servers.')
    assert '{"branch": "main"}' in prompt
    report = squad.operator.get(f'/v1/executions/{execution.id}/cost').expect(200).json
    assert report['total']['calls'] == 5 and report['total']['cost'] == 'unknown', report


def test_an_endpoint_is_asked_for_the_model_that_the_town_says(t):
    town = Town(t, {'role_agents': {'mayor': 'thinker'}, 'agents': {'thinker': {'command': 'claude', 'args': ['--model', 'opus']}}})
    town.install('claude', 'sh')
    endpoint = Endpoint(t, Reply(spoken('ok')))
    squad = squad_of(t, ('project_manager', {}))
    squad.add({'name': 'plan', 'kind': 'model', 'role': 'project_manager'})
    carried_out(t, town, squad, '--model-url', endpoint.url, '--model', 'tiny')
    assert endpoint.asked[0]['model'] == 'opus'


def test_with_a_town_and_a_command_the_command_has_the_steps_of_its_kind(t):
    town = Town(t, {'role_agents': {'polecat': 'codex'}})
    town.install('codex')
    squad = squad_of(t, ('tech_lead', {}))
    execution = squad.add({'name': 'think', 'kind': 'model', 'role': 'tech_lead'}, {'name': 'compile', 'needs': ['think']})
    carried_out(t, town, squad, command=['/bin/echo', 'compiled'])
    assert execution.step('compile')['result']['output'] == 'compiled\n'
    assert 'codex' in execution.step('think')['result']['output']
