"""Random towns: their files as people, programs and accidents write them, and questions about them.

JSON is written here by hand, because what is of interest has keys twice, in odd case and with values of wrong types.
"""

import json
import os
import random
import re

OTHERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'src', 'roles', 'others.def')
ROLES = ['mayor', 'deacon', 'boot', 'dog', 'witness', 'refinery', 'polecat', 'crew']
ODD_ROLES = ['polcat', 'Witness', 'crew ', 'alpha/crew/x/y', '']
UNKNOWN = ['worker', 'Mayor', 'a b']     # asked for, and never named by role_agents: see gastown.py
PRESETS = ['claude', 'gemini', 'codex', 'cursor', 'auggie', 'amp', 'opencode', 'copilot', 'pi', 'omp', 'vibe',
           'groq-compound']
CUSTOM = ['mine', 'claude-haiku', 'claude-sonnet', 'claude-opus', 'odd name', "it's", 'x$(id)', 'a"b', 'Claude']
NOWHERE = ['gemni', 'no such', 'né']
COMMANDS = ['claude', 'gemini', 'codex', 'cursor-agent', 'opencode', 'copilot', 'aider', 'missing', '/bin/sh',
            '/opt/x/claude', './claude', 'bin/codex', 'claude.sh', 'claude.exe', '$HOME/bin/claude', '~/claude', 'my tool',
            'node', 'agent', '', 'x/../opencode', 'gemini/']
WORDS = ['', ' ', '--model', 'opus', 'sonnet[1m]', '$(touch HIT)', '`id`', "it's", 'say "hi"', 'a\nb', 'a\tb', '~x', 'a=b',
         '^', '%', '!', '\\', '$GROQ_API_KEY', '${HOME}', '#', '*', '-p', '--settings', '--settings=x', 'é', '😀', '\u2028',
         '<&>', ';', '|', '{a,b}', '\r', '\x01', '\x7f', '+x']
VARIABLES = ['A', 'FOO', 'NODE_OPTIONS', 'CLAUDECODE', 'GT_ROLE', 'GT_AGENT', 'GT_ROOT', 'ANTHROPIC_API_KEY',
             'CLAUDE_CODE_EFFORT_LEVEL', 'OPENCODE_PERMISSION', 'odd key', '', 'GT_PROCESS_NAMES', 'B$(id)', 'a-b']
EFFORTS = ['low', 'medium', 'high', 'max', 'xhigh', 'auto', 'High', '', 'hihg', ' low']
TIERS = ['standard', 'economy', 'budget', 'custom-groq-opus', 'custom-groq-sonnet', 'economie', 'Economy', '']
NAMES = ['toast', 'denali', '', 'a b', "o'neil", '$(id)', 'x/y', '.', '..', 'a\nb', 'é', 'polecat', '/x', 'a//b', 'y/']
RIGS = ['alpha', 'beta', 'a b', "r'$(id)", 'é', 'settings', 'mayor']
PROMPTS = ['', 'gt prime', 'say "hi" $x `id` \\ !', 'a\nb', '-p', "it's", '😀' * 50, 'x' * 300, '\t', 'a,b=c', ' lead', 'é' * 121,
           '\n\nx', '\r\n']
TEXTS = ['', 'arg', 'none', 'flag', 'subcommand', 'claude', 'codex', 'x y', '.x', 'settings.json', 'SID', '../up', '/abs', 'Arg']
PASSED = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_BASE_URL', 'ANTHROPIC_MODEL', 'AWS_REGION', 'HTTP_PROXY',
          'http_proxy', 'HTTPS_PROXY', 'NO_PROXY', 'CLAUDE_CODE_USE_BEDROCK', 'CLAUDE_CODE_CLIENT_KEY', 'GROQ_API_KEY',
          'CLAUDE_CODE_EFFORT_LEVEL', 'BEADS_DOLT_PORT', 'GT_DOLT_PORT', 'BEADS_DOLT_SERVER_HOST', 'GT_DOLT_HOST',
          'NODE_OPTIONS', 'GT_ROLE', 'GT_AGENT', 'GT_ROOT', 'CLAUDECODE', 'GT_OTEL_LOGS_URL', 'VERTEX_PROJECT',
          'GOOGLE_CLOUD_PROJECT', 'ANTHROPIC_FOUNDRY_BASE_URL', 'CLAUDE_CODE_SUBAGENT_MODEL', 'OTEL_RESOURCE_ATTRIBUTES',
          'CLAUDE_CONFIG_DIR', 'GT_SESSION', 'GT_EFFORT', 'GT_MODEL_OVERRIDE', 'BD_BACKUP_ENABLED']


class Dice(random.Random):
    """Some towns are as they should be, some are not, and some hold little that is."""
    strangeness = 1

    def odd(self, share):
        return self.random() < share * self.strangeness


class Members(list):
    """An object: a list of (key, value), so that a key can stand there twice."""


class Raw(str):
    """Written as it is."""


# ---- values, mostly right ----

def text(r, among, strange=0.02):
    return odd_value(r) if r.odd(strange) else r.choice(among)


def odd_value(r):
    if r.random() < 0.2:
        return Raw(r.choice(['1.0', '1e3', '-0', '9223372036854775808', '1e400', '-', '01', '.5', 'True', '"\\x"', '"a\tb"', '[1,]',
                             '"\\ud800"', '"\\ud83d\\ude00"', '"\\u0041"', '[[[[[[[[]]]]]]]]', 'nul', '""""', '{"a" 1}']))
    return r.choice([None, None, None, 1, 1.5, True, [], Members(), 'x', ['x'], Members([('x', 'y')])])


def texts(r, among, most=4):
    return odd_value(r) if r.odd(0.04) else [text(r, among, 0.01) for _ in range(r.randrange(most))]


def mapping(r, keys, values, most=4):
    return odd_value(r) if r.odd(0.02) else Members((r.choice(keys), text(r, values, 0.01)) for _ in range(r.randrange(most)))


def some(r, fields, share):
    """A share of the fields, in any order, a few of them twice, unknown or spelled oddly."""
    chosen = [(key, make(r)) for key, make in fields.items() if r.random() < share]
    if chosen and r.random() < 0.06:
        key = r.choice(chosen)[0]
        chosen.append((key, fields[key](r)))
    if r.random() < 0.05:
        chosen.append((r.choice(['_comment', 'unknown', 'comand']), odd_value(r)))
    r.shuffle(chosen)
    return Members((spelled(r, key), value) for key, value in chosen)


def spelled(r, key):
    return r.choice([key.upper(), key.title(), key.replace('s', 'ſ').replace('k', 'K'), key.replace('_', '')]) \
        if r.random() < 0.02 else key


def number(r):
    return odd_value(r) if r.odd(0.03) else r.choice([0, 1, 500, -1, 10 ** 12])


def others(name):
    """A section of the settings that only has to be of the right types, from the table that we know them by."""
    kinds = {'TEXT': a_text, 'BOOL': boolean, 'INT': number, 'NUMBER': number, 'TEXTS': words,
             'TEXT_MAP': lambda r: mapping(r, NAMES, TEXTS)}
    fields = {key: others(inner) if kind == 'OBJECT' else kinds[kind]
              for kind, key, inner in re.findall(r'([A-Z_]+)_\("(\w+)"(?:, (\w+))?\)', SECTIONS[name])}
    return lambda r: some(r, fields, 0.3)


def boolean(r):
    return odd_value(r) if r.odd(0.02) else r.random() < 0.5


def words(r):
    return texts(r, WORDS)


def a_text(r):
    return text(r, TEXTS, 0.01)


def variables(r):
    return mapping(r, VARIABLES, WORDS)


def acp(r):
    return some(r, {'mode': a_text, 'command': a_text, 'args': words}, 0.5)


RUNTIME = {
    'provider': lambda r: text(r, PRESETS + CUSTOM + ['', 'generic']),
    'command': lambda r: text(r, COMMANDS),
    'args': words,
    'env': variables,
    'initial_prompt': lambda r: text(r, PROMPTS),
    'prompt_mode': a_text,
    'session': lambda r: some(r, {'session_id_env': a_text, 'config_dir_env': a_text}, 0.6),
    'hooks': lambda r: some(r, {'provider': a_text, 'dir': a_text, 'settings_file': a_text, 'informational': boolean}, 0.5),
    'tmux': lambda r: some(r, {'process_names': words, 'ready_prompt_prefix': a_text, 'ready_delay_ms': number}, 0.5),
    'instructions': lambda r: some(r, {'file': a_text}, 0.8),
    'acp': acp,
    'exec_wrapper': words,
}
ENTRY = {
    'name': a_text, 'command': RUNTIME['command'], 'args': words, 'env': variables, 'process_names': words,
    'session_id_env': a_text, 'resume_flag': a_text, 'continue_flag': a_text, 'resume_style': a_text,
    'supports_hooks': boolean, 'supports_fork_session': boolean,
    'non_interactive': lambda r: some(r, {'subcommand': a_text, 'prompt_flag': a_text, 'output_flag': a_text}, 0.5),
    'prompt_mode': a_text, 'config_dir_env': a_text, 'config_dir': a_text, 'hooks_provider': a_text, 'hooks_dir': a_text,
    'hooks_settings_file': a_text, 'hooks_informational': boolean, 'hooks_use_settings_dir': boolean,
    'ready_prompt_prefix': a_text, 'ready_delay_ms': number, 'instructions_file': a_text,
    'emits_permission_warning': boolean, 'has_turn_boundary_drain': boolean, 'escape_cancels_request': boolean, 'acp': acp,
    'tmux': RUNTIME['tmux'],
}
AGENTS = PRESETS + CUSTOM * 3 + NOWHERE


def runtime(r):
    return odd_value(r) if r.odd(0.03) else some(r, RUNTIME, 0.25)


def agents(r):
    return Members((r.choice(CUSTOM * 3 + PRESETS), runtime(r)) for _ in range(r.randrange(4)))


def roles(r):
    return mapping(r, ROLES * 2 + ODD_ROLES, AGENTS + [''], 6)


def efforts(r):
    return mapping(r, ROLES * 2 + ODD_ROLES + UNKNOWN, EFFORTS, 5)


def members_of_crew(r):
    return mapping(r, NAMES, AGENTS)


def an_agent(r):
    return text(r, AGENTS + [''])


def duration(r):
    return text(r, ['', '30s', '1h', '1h30m', '5', 'x', '-1s', '0', '1.5h', '1µs'])


def rarely(make):
    """Or null, which says nothing."""
    return lambda r: make(r) if r.random() < 0.3 else None


def merge_queue(r):
    return some(r, {'enabled': boolean, 'on_conflict': lambda r: text(r, ['', 'assign_back', 'auto_rebase', 'x']),
                    'poll_interval': duration, 'stale_claim_timeout': duration, 'max_concurrent': number,
                    'target_branch': a_text, 'integration_branches': boolean, 'retry_flaky_tests': number,
                    'run_tests': boolean, 'test_command': a_text}, 0.2)


with open(OTHERS, encoding='utf-8') as table:
    SECTIONS = dict(re.findall(r'SECTION\((\w+),((?:[^()]|\([^()]*\))*)\)', table.read().split('*/', 1)[1]))
TOWN = {
    'type': lambda r: text(r, ['town-settings'] * 9 + ['x', '']), 'version': lambda r: r.choice([1] * 9 + [0, 2, 99, '1']),
    'cli_theme': a_text, 'default_agent': an_agent, 'agents': agents, 'role_agents': roles, 'crew_agents': members_of_crew,
    'role_effort': efforts, 'cost_tier': lambda r: text(r, TIERS), 'disabled_patrols': words, 'agent_email_domain': a_text,
    **{name: rarely(others(name)) for name in ('operational', 'convoy', 'scheduler', 'web_timeouts', 'worker_status',
                                               'feed_curator')},
}
RIG = {
    'type': lambda r: text(r, ['rig-settings'] * 12 + ['x', '']), 'version': lambda r: r.choice([1] * 12 + [0, 2, '1']),
    'agent': an_agent, 'agents': agents, 'role_agents': roles, 'worker_agents': members_of_crew, 'role_effort': efforts,
    'merge_queue': merge_queue, 'crew': lambda r: some(r, {'startup': a_text}, 0.7),
    **{name: rarely(others(name)) for name in ('workflow', 'theme', 'namepool')},
}
RUNTIME_OF_RIG = {**RIG, 'runtime': runtime}


def registry(r):
    entries = Members((r.choice(CUSTOM * 2 + PRESETS), odd_value(r) if r.odd(0.02) else some(r, ENTRY, 0.15))
                      for _ in range(r.randrange(5)))
    return some(r, {'version': lambda r: r.choice([1] * 9 + [2, '1']), 'agents': lambda r: entries}, 0.97)


def accounts(r):
    handles = Members((r.choice(['work', 'home', "o'neil"]),
                       some(r, {'email': a_text, 'config_dir': lambda r: text(r, ['/a b', '~/c', '/d', '~', '$HOME']),
                                'description': a_text}, 0.93)) for _ in range(r.randrange(3)))
    return some(r, {'version': lambda r: r.choice([1] * 9 + [2, 0]), 'accounts': lambda r: handles,
                    'default': lambda r: r.choice(['work', 'home', '', 'nobody'])}, 0.9)


# ---- as text ----

def escaped(r, s):
    """A text of JSON, now and then with characters spelled out."""
    said = json.dumps(s, ensure_ascii=r.random() < 0.5)
    return said.replace('/', '\\/') if r.random() < 0.05 else said


def written(r, value, indent='\n'):
    if isinstance(value, (Members, list)):
        opening, closing = '{}' if isinstance(value, Members) else '[]'
        inner = indent + '  '
        parts = [f'{escaped(r, v[0])}: {written(r, v[1], inner)}' if isinstance(value, Members) else written(r, v, inner)
                 for v in value]
        return opening + inner + (',' + inner).join(parts) + indent + closing if parts else opening + closing
    if isinstance(value, Raw):
        return value
    return escaped(r, value) if isinstance(value, str) else json.dumps(value)


def damaged(r, said):
    return r.choice([said[:r.randrange(len(said) + 1)], said + ' x', '\ufeff' + said, '', said.replace('}', ',}', 1), '// x\n' + said,
                     said.replace('"', "'"), 'null', '[]', said + said, said.replace(':', ' :\t\r\n'), f' {said}\n\n'])


def write(r, path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    said = written(r, value)
    with open(path, 'w', encoding='utf-8', newline='') as f:
        f.write(damaged(r, said) if r.odd(0.04) else said)


# ---- a town ----

def install(r, folder):
    os.makedirs(folder)
    for name in ['claude', 'gemini', 'codex', 'cursor-agent', 'opencode', 'copilot', 'aider', 'pi', 'my tool', 'amp']:
        if r.random() < 0.7:
            with open(os.path.join(folder, name), 'w', encoding='utf-8') as f:
                f.write('#!/bin/sh\n')
            os.chmod(f.name, 0o644 if r.random() < 0.1 else 0o755)


def settings_of(r, folder, fields):
    if r.random() < 0.9:
        write(r, os.path.join(folder, 'settings', 'config.json'), some(r, fields, 0.5))
    if r.random() < 0.5:
        write(r, os.path.join(folder, 'settings', 'agents.json'), registry(r))


def dolt(r, town):
    if r.random() < 0.1:
        os.makedirs(os.path.join(town, '.dolt-data'))
        with open(os.path.join(town, '.dolt-data', 'config.yaml'), 'w', encoding='utf-8') as f:
            f.write(r.choice(['listener:\n  port: 3307\n', 'listener:\n  host: x\n  port: "12"\n', 'user:\n  port: 1\n',
                              'listener:\nuser:\n  port: 5\n', 'listener:\n  port: -1\n', 'listener:\n  port: 33 # x\n']))
    if r.random() < 0.1:
        write(r, os.path.join(town, 'mayor', 'daemon.json'), Members([('env', Members([('GT_DOLT_PORT', text(
            r, ['3308', '+5', '007', 'x', '', ' 1', '99999999999999999999']))]))]))


def build(r, base):
    town = os.path.join(base, r.choice(['gt', 'my town', "t'$(id)", 'é']))
    rigs = r.sample(RIGS, r.randrange(1, 3))
    write(r, os.path.join(town, 'mayor', 'town.json'), Members([('type', 'town'), ('version', 1), ('name', 'x')]))
    settings_of(r, town, TOWN)
    for rig in rigs:
        if rig == 'settings':       # the town's own folder, whose settings would be settings/settings
            os.makedirs(os.path.join(town, rig), exist_ok=True)
        settings_of(r, os.path.join(town, rig), RUNTIME_OF_RIG if r.random() < 0.3 else RIG)
    if r.random() < 0.4:
        write(r, os.path.join(town, 'mayor', 'accounts.json'), accounts(r))
    dolt(r, town)
    install(r, os.path.join(base, 'bin'))
    return town, rigs


# ---- questions ----

def environment(r, base):
    path = os.path.join(base, 'bin')
    env = {'PATH': r.choice([path] * 8 + [f'/usr/bin:{path}', f'bin:{path}', f':{path}', 'bin', '']),
           'HOME': os.path.join(base, 'home'), 'TENFOLD_HOME': os.path.join(base, 'data')}
    env.update((name, r.choice(WORDS[1:] + ['1', '4317', 'high'])) for name in PASSED if r.random() < 0.04)
    if r.random() < 0.2:
        env['GT_COST_TIER'] = r.choice(TIERS)
    if r.random() < 0.1:
        env['GT_ACCOUNT'] = r.choice(['work', 'home', 'nobody'])
    if r.random() < 0.1:
        env['GT_OTEL_METRICS_URL'] = 'http://metrics:1/x y'
    return env


def agent_for_once(r):
    if r.random() < 0.8:
        return ''
    return ' '.join([r.choice(AGENTS)] + r.sample(['acp', '--x', "it's", '', '$y'], r.choice([0, 0, 1, 2])))


def question(r, base, town, rigs):
    role = r.choice(ROLES * 4 + ['crew'] * 6 + UNKNOWN)
    in_rig = role in ('witness', 'refinery', 'polecat', 'crew') or r.random() < 0.1
    here = os.path.join(base, r.choice(['elsewhere', 'here', 'here']))
    return {'town': town, 'rig': r.choice(rigs) if in_rig and r.random() < 0.97 else '', 'role': role,
            'name': r.choice(NAMES) if r.random() < 0.7 else r.choice(['toast', 'denali']), 'prompt': r.choice(PROMPTS),
            'agent': agent_for_once(r), 'account': r.choice(['work', 'home', 'nobody']) if r.random() < 0.1 else '',
            'cwd': here, 'env': environment(r, base)}


def make(seed, base, count):
    """A town below base, and questions about it."""
    r = Dice(seed)
    r.strangeness = r.choice([0, 0, 0, 0.3, 1, 2])
    town, rigs = build(r, base)
    for name in ('home', 'here', 'elsewhere'):
        os.makedirs(os.path.join(base, name))
    if r.random() < 0.3:
        settings_of(r, os.path.join(base, 'here'), RUNTIME_OF_RIG)
    return [question(r, base, town, rigs) for _ in range(count)]
