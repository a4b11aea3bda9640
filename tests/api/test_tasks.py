"""Projects, tasks and their executions, and the templates these can be made of."""

from test_executions import Execution, Squad
from test_squads import Members, at_once, etag


class Project:
    def __init__(self, t, squad=None):
        self.squad = squad or Squad(t)
        self.operator = self.squad.operator
        given = {'squad': self.squad.id, 'name': 'shop', 'repository': 'https://example.org/shop.git'}
        self.made = self.operator.post('/v1/projects', given).expect(201)
        self.id = self.made.json['id']

    def ask(self, title='a task', **more):
        return self.operator.post('/v1/tasks', {'project': self.id, 'title': title, **more})

    def add(self, title='a task', **more):
        return self.ask(title, **more).expect(201).json['id']

    def show(self, task):
        return self.operator.get(f'/v1/tasks/{task}').expect(200).json

    def change(self, task, **more):
        return self.operator.call('PATCH', f'/v1/tasks/{task}', more)

    def start(self, task, **more):
        return self.operator.post('/v1/executions', {'squad': self.squad.id, 'name': 'x', 'task': task, **more})


def test_a_project_is_changed(t):
    project = Project(t)
    path = f'/v1/projects/{project.id}'
    changed = project.operator.call('PATCH', path, {'name': 'Shop', 'repository': None}, headers=etag(project.made)).expect(200)
    assert (changed.json['name'], changed.json['repository']) == ('Shop', None)
    project.operator.call('PATCH', path, {'name': 'x'}, headers=etag(project.made)).expect(412)
    assert project.operator.get(path).expect(200).json == changed.json
    listed = project.operator.get('/v1/projects', query={'squad': project.squad.id}).expect(200).items
    assert listed == [changed.json]
    project.operator.post('/v1/projects', {'squad': 'sq_0000000000009', 'name': 'x'}).expect(422).names('squad')


def test_tasks_are_made_and_listed(t):
    project = Project(t)
    made = project.add('Limit requests', external_id='SHOP-7', priority='critical', description='At most ten a second.')
    shown = project.show(made)
    assert (shown['status'], shown['priority'], shown['external_id'], shown['needs']) == ('pending', 'critical', 'SHOP-7', [])
    project.ask(external_id='SHOP-7').expect(409, 'already_exists').names('external_id')
    other = project.add()
    assert project.change(other, status='completed', title='done').expect(200).json['version'] == 2
    listed = project.operator.get('/v1/tasks', query={'project': project.id}).expect(200).items
    assert [task['id'] for task in listed] == [other, made]
    done = project.operator.get('/v1/tasks', query={'project': project.id, 'status': 'completed'}).expect(200).items
    assert [task['id'] for task in done] == [other]


def test_what_tasks_need_is_no_ring(t):
    project = Project(t)
    a = project.add('a')
    b = project.add('b', needs=[a])
    c = project.add('c', needs=[b])
    assert project.show(c)['needs'] == [b]
    for ring in ([c], [b], [a]):
        project.change(a, needs=ring).expect(422, 'cycle').names('needs[0]')
    assert project.show(a)['needs'] == []
    elsewhere = Project(t).add()
    for wrong in (['tk_0000000000009'], ['a'], [elsewhere]):
        project.ask(needs=wrong).expect(422, 'invalid').names('needs[0]')
    project.ask(needs=[a, a]).expect(422, 'invalid').names('needs[1]')
    project.change(b, needs=[]).expect(200)
    project.change(a, needs=[c]).expect(200)
    project.change(b, needs=[a]).expect(422, 'cycle')


def test_rings_are_refused_at_once(t):
    """Two that would close a ring together: one of them is refused."""
    project = Project(t)
    for _ in range(5):
        a, b = project.add('a'), project.add('b')
        answers = at_once(lambda: project.change(a, needs=[b]), lambda: project.change(b, needs=[a]))
        assert sorted(answer.status for answer in answers) == [200, 422]


def test_a_task_stands_where_its_execution_does(t):
    """Of the original's defects the sixth: what was completed could fail, and be completed twice."""
    project = Project(t)
    squad, task = project.squad, project.add()
    steps = [{'name': 'build'}, {'name': 'ok?', 'kind': 'approval', 'needs': ['build']}]
    execution = Execution(squad, project.start(task, steps=steps).expect(202).json['id'])
    assert project.show(task)['status'] == 'in_progress' and execution.show()['task'] == task
    item = squad.claim()
    assert item['payload']['task'] == task
    squad.settle(item).expect(200)
    assert project.show(task)['status'] == 'blocked'
    execution.call('approve', {'step': execution.step('ok?')['id'], 'approve': True}).expect(200)
    done = project.show(task)
    assert done['status'] == 'completed'
    execution.call('cancel').expect(409)
    assert project.show(task) == done
    failing = project.add()
    project.start(failing, steps=[{'name': 'build'}]).expect(202)
    squad.settle(squad.claim(), 'fail', error='no', retry=False).expect(200)
    assert project.show(failing)['status'] == 'failed'


def test_a_task_belongs_to_the_squad(t):
    """The seventh defect: a task of another squad could be executed."""
    project, other = Project(t), Project(t)
    project.start(other.add(), steps=[{'name': 'a'}]).expect(422).names('task')
    project.start('tk_0000000000009', steps=[{'name': 'a'}]).expect(422).names('task')


def test_a_task_waits_for_those_it_needs(t):
    project = Project(t)
    first = project.add()
    second = project.add(needs=[first])
    project.start(second, steps=[{'name': 'a'}]).expect(409, 'conflict')
    project.change(first, status='completed').expect(200)
    project.start(second, steps=[{'name': 'a'}]).expect(202)


def test_a_template_gives_the_steps(t):
    members = Members(t)
    project = Project(t, members.squad)
    tester = members.add('tester')['id']
    templates = {item['name']: item for item in t.caller('reader').get('/v1/squad-templates').expect(200).items}
    assert [s['name'] for s in templates['software-development']['steps']] == ['plan', 'build', 'test', 'review', 'approval']
    for name in templates:
        project.start(project.add(), template=name, start=False).expect(202)
    execution = Execution(project.squad, project.start(project.add(), template='software-development', input={'n': 1}).expect(202).json['id'])
    assert [step.get('member') for step in execution.show()['steps']] == [None, None, tester, None, None]
    assert project.squad.claim()['payload']['input'] == {'n': 1}
    project.start(project.add(), template='poetry').expect(422).names('template')
    project.start(project.add(), template='software-development', steps=[{'name': 'a'}]).expect(422).names('template')
    project.start(project.add()).expect(422).names('steps')


def test_a_step_names_a_role(t):
    members = Members(t)
    squad = members.squad
    designer = members.add('designer')
    squad.add({'name': 'draw', 'role': 'designer'})
    assert squad.claim()['payload']['member'] == designer['id']
    members.call('POST', designer, verb='/deactivate').expect(200)
    body = {'squad': squad.id, 'name': 'x', 'steps': [{'name': 'draw', 'role': 'designer'}]}
    squad.operator.post('/v1/executions', body).expect(422).names('steps[0].role')
