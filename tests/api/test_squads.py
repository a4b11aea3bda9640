"""Squads: what they are and who is in them."""

import concurrent.futures

from agents import Agent
from harness import until
from test_changes import everything, last
from test_executions import Squad


def at_once(*calls):
    """What they answer, in their order."""
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def etag(answer):
    return {'If-Match': answer.headers['etag']}


def test_a_squad_is_changed(t):
    """Of the original's defects the third: changing or deleting a squad never worked."""
    operator = t.caller('operator')
    made = operator.post('/v1/squads', {'name': 'old', 'description': 'x', 'config': {'a': 1}}).expect(201)
    path = f'/v1/squads/{made.json["id"]}'
    changed = operator.call('PATCH', path, {'name': 'new'}, headers=etag(made)).expect(200)
    assert (changed.json['name'], changed.json['description'], changed.json['version']) == ('new', 'x', 2)
    assert operator.get(path).expect(200).json == changed.json
    operator.call('PATCH', path, {'name': 'late'}, headers=etag(made)).expect(412)
    bare = operator.call('PATCH', path, {'description': '', 'config': None}, headers=etag(changed)).expect(200).json
    assert (bare['name'], bare['description'], bare['config']) == ('new', '', None)
    operator.call('PATCH', path, {'name': ''}).expect(422).names('name')
    t.caller('worker').call('PATCH', path, {'name': 'mine'}).expect(403)


def test_changes_meet_in_one_batch(t):
    """A pause and a change of the name at the same time: neither takes the other back."""
    squad = Squad(t)
    path, operators = f'/v1/squads/{squad.id}', [t.caller('operator') for _ in range(4)]
    at_once(*[lambda o=o, i=i: o.call('PATCH', path, {'name': f'name {i}'}).expect(200) for i, o in enumerate(operators)],
            *[lambda o=o: o.post(path + '/pause').expect(200) for o in operators])
    shown = squad.operator.get(f'/v1/squads/{squad.id}').expect(200).json
    assert (shown['status'], shown['version']) == ('paused', 6) and shown['name'].startswith('name ')


def test_a_squad_is_archived_when_nothing_of_it_runs(t):
    squad = Squad(t)
    execution = squad.add({'name': 'a'})
    path = f'/v1/squads/{squad.id}'
    squad.operator.call('DELETE', path).expect(409, 'conflict')
    execution.call('cancel').expect(200)
    squad.operator.call('DELETE', path, headers={'If-Match': '"7"'}).expect(412)
    squad.operator.call('DELETE', path).expect(204)
    squad.operator.call('DELETE', path).expect(204)
    assert squad.operator.get(path).expect(200).json['status'] == 'archived'
    for method, url, body in (('POST', path + '/pause', None), ('POST', path + '/resume', None), ('PATCH', path, {'name': 'x'}),
                              ('POST', '/v1/executions', {'squad': squad.id, 'name': 'x', 'steps': [{'name': 'a'}]})):
        squad.operator.call(method, url, body).expect(409, 'conflict')


def test_squads_are_listed_by_status(t):
    kept, paused, archived = Squad(t, 'kept'), Squad(t, 'resting'), Squad(t, 'gone')
    paused.pause()
    archived.operator.call('DELETE', f'/v1/squads/{archived.id}').expect(204)

    def listed(status):
        return {squad['id'] for squad in kept.operator.get('/v1/squads', query={'status': status, 'limit': 1000}).expect(200).items}
    assert [kept.id in listed(s) for s in ('active', 'paused', 'archived')] == [True, False, False]
    assert [paused.id in listed(s) for s in ('active', 'paused', 'archived')] == [False, True, False]
    assert [archived.id in listed(s) for s in ('active', 'paused', 'archived')] == [False, False, True]


# ---- members ----

class Members:
    def __init__(self, t, squad=None):
        self.squad = squad or Squad(t)
        self.operator, self.path = self.squad.operator, f'/v1/squads/{self.squad.id}/members'

    def ask(self, role='backend_developer', **more):
        return self.operator.post(self.path, {'role': role, **more})

    def add(self, role='backend_developer', **more):
        return self.ask(role, **more).expect(201).json

    def call(self, method, member, body=None, verb='', **more):
        return self.operator.call(method, f'/v1/squad-members/{member["id"]}{verb}', body, **more)

    def list(self, **query):
        return self.operator.get(self.path, query=query).expect(200).items


def test_a_member_is_in_a_role(t):
    members = Members(t)
    made = members.add(specialization='python_fastapi', provider='anthropic', model='large')
    assert (made['name'], made['town_role'], made['active'], made['own_prompt']) == ('backend-developer', 'polecat', True, False)
    assert 'FastAPI' in made['system_prompt']
    assert members.add()['name'] == 'backend-developer-2'
    assert 'FastAPI' not in members.add(specialization='cobol')['system_prompt'], 'an unknown one gets the prompt of its role'
    rule = {role: members.add(role)['town_role'] for role in ('project_manager', 'ai_ml_project_manager', 'tester', 'designer')}
    assert rule == {'project_manager': 'mayor', 'ai_ml_project_manager': 'mayor', 'tester': 'refinery', 'designer': 'polecat'}
    own = members.add(name='ada', town_role='crew', system_prompt='Be brief.')
    assert (own['town_role'], own['system_prompt'], own['own_prompt']) == ('crew', 'Be brief.', True)
    assert members.call('GET', own).expect(200).json == own
    members.ask(name='ada').expect(409, 'already_exists').names('name')
    members.ask(name='Ada!').expect(422).names('name')
    for wrong, said in (('developer', 'did you mean "backend_developer" or "frontend_developer"?'), ('testr', 'did you mean "tester"?'),
                        ('poet', 'must be one of project_manager, tech_lead, ')):
        assert said in members.ask(wrong).expect(422).names('role').json['detail'], wrong
    members.ask(agent='nobody-of-this-name').expect(422).names('agent')


def test_a_template_gives_the_members(t):
    operator, admin = t.caller('operator', tenant='templates'), t.caller('admin', tenant='templates')

    def members_of(squad):
        return operator.get(f'/v1/squads/{squad["id"]}/members').expect(200).items

    templates = operator.get('/v1/squad-templates').expect(200).items
    for template in templates:
        with t.case(template['name']):
            assert {step['role'] for step in template['steps'] if 'role' in step} <= set(template['members'])
            squad = operator.post('/v1/squads', {'name': 'made', 'template': template['name']}).expect(201).json
            members = members_of(squad)[::-1]
            assert [m['role'] for m in members] == template['members']
            assert [m['name'] for m in members] == [role.replace('_', '-') for role in template['members']]
            assert all(m['active'] and m['squad'] == squad['id'] for m in members)
            body = {'squad': squad['id'], 'name': 'x', 'template': template['name'], 'start': False}
            execution = operator.post('/v1/executions', body).expect(202).json['id']
            steps = operator.get(f'/v1/executions/{execution}').expect(200).json['steps']
            assert all(step['member'] for step in steps if step['kind'] != 'approval'), steps
    with t.case('once for an idempotency key'):
        again = {'Idempotency-Key': 'squad-of-a-template'}
        body = {'name': 'once', 'template': 'software-development'}
        made = [operator.call('POST', '/v1/squads', body, headers=again).expect(201).json for _ in range(2)]
        assert made[0] == made[1] and len(members_of(made[0])) == 5
    with t.case('no such template'):
        operator.post('/v1/squads', {'name': 'x', 'template': 'poetry'}).expect(422).names('template')
    with t.case('the plan allows fewer, and nothing is half made'):
        admin.call('PUT', '/v1/plan', {'plan': 'starter'}).expect(200)
        before = operator.get('/v1/squads').expect(200).items
        said = operator.post('/v1/squads', {'name': 'x', 'template': 'software-development'}).expect(409, 'conflict').names('template')
        assert 'has 5 members, the plan starter allows 3' in said.json['detail'] and said.json['detail'].endswith('set a wider plan')
        assert operator.get('/v1/squads').expect(200).items == before
        admin.call('PUT', '/v1/plan', {'plan': 'pro'}).expect(200)
        operator.post('/v1/squads', {'name': 'x', 'template': 'software-development'}).expect(201)


def test_followers_are_told_of_members_of_a_template(t):
    since = last(t.admin)
    squad = t.operator.post('/v1/squads', {'name': 'x', 'template': 'machine-learning'}).expect(201).json['id']
    ids = {m['id'] for m in t.operator.get(f'/v1/squads/{squad}/members').expect(200).items}
    assert len(ids) == 4
    until(lambda: ids | {squad} <= {c['id'] for c in everything(t.admin, since)}, what='changes of the squad and its members')


def test_qa_tester_is_a_tester(t):
    """The twelfth defect of the original: its own templates name a role that it refuses."""
    members = Members(t)
    made = members.add('qa_tester')
    assert (made['role'], made['name'], made['town_role']) == ('tester', 'tester', 'refinery')
    assert [m['id'] for m in members.list(role='qa_tester')] == [m['id'] for m in members.list(role='tester')] == [made['id']]


def test_every_role_has_a_prompt(t):
    schema = t.admin.get('/openapi.json').expect(200).json['components']['schemas']['squad_member_new']
    role = schema['properties']['role']
    roles = role.get('enum') or [one['const'] for one in role['oneOf']]
    assert len(roles) == 14
    for role in roles:
        assert Members(t).add(role)['system_prompt'].startswith('You ')


def test_a_member_is_changed(t):
    members = Members(t)
    agent = Agent(t, 'member-of-a-squad')
    made = members.ask(name='ada', model='large').expect(201)
    member = made.json
    changed = members.call('PATCH', member, {'name': 'bob', 'agent': agent.handle, 'model': None}, headers=etag(made)).expect(200).json
    assert (changed['name'], changed['agent'], changed['model'], changed['version']) == ('bob', agent.id, None, 2)
    members.call('PATCH', member, {'name': 'eve'}, headers=etag(made)).expect(412)
    members.add(name='carl')
    members.call('PATCH', member, {'name': 'carl'}).expect(409).names('name')
    off = members.call('POST', member, verb='/deactivate').expect(200).json
    assert not off['active'] and members.call('POST', member, verb='/deactivate').expect(200).json == off
    assert [m['name'] for m in members.list(active='true')] == ['carl'] and [m['name'] for m in members.list(active='false')] == ['bob']
    assert members.call('POST', member, verb='/activate').expect(200).json['active']
    members.call('DELETE', member).expect(204)
    members.call('GET', member).expect(404)
    assert [m['name'] for m in members.list()] == ['carl'] and 'system_prompt' not in members.list()[0]


def test_an_archived_squad_keeps_its_members(t):
    members = Members(t)
    made = members.add()
    members.operator.call('DELETE', f'/v1/squads/{members.squad.id}').expect(204)
    members.ask().expect(409)
    members.call('PATCH', made, {'name': 'late'}).expect(409)
    members.call('DELETE', made).expect(409)
    assert members.list()[0]['id'] == made['id']


def test_the_plan_bounds_active_members(t):
    """Also when eight ask at once, and for those that come back."""
    assert t.admin.get('/v1/plan').expect(200).json == {'plan': 'pro', 'active_members': 10}
    operators = [t.caller('operator') for _ in range(8)]
    for _ in range(10):
        members = Members(t)
        for i in range(7):
            members.add(name=f'member-{i}')
        answers = at_once(*[lambda o=o, i=i: o.post(members.path, {'role': 'designer', 'name': f'designer-{i}'})
                            for i, o in enumerate(operators)])
        assert sorted(a.status for a in answers) == [201] * 3 + [409] * 5
    resting = [members.add(active=False) for _ in range(8)]
    members.call('POST', resting[0], verb='/activate').expect(409)
    for member in members.list(active='true')[:2]:
        members.call('POST', member, verb='/deactivate').expect(200)
    answers = at_once(*[lambda o=o, m=m: o.post(f'/v1/squad-members/{m["id"]}/activate') for o, m in zip(operators, resting)])
    assert sorted(a.status for a in answers) == [200] * 2 + [409] * 6
    assert len(members.list(active='true')) == 10


def test_an_admin_sets_the_plan(t):
    operator, admin = t.caller('operator', tenant='planned'), t.caller('admin', tenant='planned')
    operator.call('PUT', '/v1/plan', {'plan': 'enterprise'}).expect(403)
    assert admin.call('PUT', '/v1/plan', {'plan': 'starter'}).expect(200).json == {'plan': 'starter', 'active_members': 3}
    path = f'/v1/squads/{operator.post("/v1/squads", {"name": "x"}).expect(201).json["id"]}/members'
    for _ in range(3):
        operator.post(path, {'role': 'tester'}).expect(201)
    assert 'starter' in operator.post(path, {'role': 'tester'}).expect(409).json['detail']
    assert admin.call('PUT', '/v1/plan', {'plan': 'enterprise'}).expect(200).json == {'plan': 'enterprise', 'active_members': 50}
    operator.post(path, {'role': 'tester'}).expect(201)
    assert t.admin.get('/v1/plan').json['plan'] == 'pro', 'of that tenant only'
