"""Rules of routing: whom a question goes to, and why."""

from test_squads import Members, at_once, etag


class Routing(Members):
    def rule(self, *to, **more):
        return self.squad.operator.post('/v1/routing-rules', {'squad': self.squad.id, 'to': list(to), **more})

    def made(self, *to, **more):
        return self.rule(*to, **more).expect(201).json['id']

    def tenant_rule(self, *to, **more):
        return self.squad.operator.post('/v1/routing-rules', {'to': list(to), **more})

    def route(self, text='', **query):
        return self.squad.operator.get(f'/v1/squads/{self.squad.id}/route', query={'text': text, **query}).expect(200).json

    def roles(self, *given, **more):
        return [level.get('role', 'person') for level in self.route(*given, **more)['levels']]


def test_the_built_in_way(t):
    routing = Routing(t)
    assert routing.roles() == ['person']
    routing.add('project_manager')
    routing.add('tech_lead')
    assert routing.roles() == ['tech_lead', 'project_manager', 'person']
    routing.add('solution_architect')
    assert routing.roles() == ['tech_lead', 'solution_architect', 'project_manager', 'person']
    assert routing.roles(kind='architecture') == ['solution_architect', 'tech_lead', 'project_manager', 'person']
    assert routing.route()['rule'] is None and 'built-in' in routing.route()['why']


def test_which_rule_counts(t):
    """A squad's before the tenant's, higher priorities first, of equal ones the newest; else those of the kind default."""
    routing = Routing(t)
    for role in ('tester', 'designer', 'tech_lead', 'devops_engineer'):
        routing.add(role)
    kind = f'kind-{routing.squad.id[3:]}'.lower()
    tenants = routing.tenant_rule('tester', kind=kind, priority=100).expect(201).json['id']
    assert routing.route(kind=kind)['rule'] == tenants
    squads = routing.made('designer', kind=kind)
    assert routing.route(kind=kind)['rule'] == squads
    newer = routing.made('tech_lead', kind=kind)
    assert routing.route(kind=kind)['rule'] == newer
    higher = routing.made('devops_engineer', kind=kind, priority=1, keywords=['deploy', 'roll back'])
    assert routing.route('Shall we Deploy?', kind=kind)['rule'] == higher
    assert routing.route('Shall we roll back', kind=kind)['rule'] == higher
    assert routing.route('Is it deployed?', kind=kind)['rule'] == newer
    fallback = routing.made('tester')
    assert routing.route(kind='other')['rule'] == fallback
    said = routing.route('Which colour?', kind=kind)
    looked = [(rule['rule'], rule['matched'], rule['why']) for rule in said['looked_at'] if rule['rule'] in (higher, newer)]
    assert looked == [(higher, False, 'none of its words stands in the question'),
                      (newer, True, f"the first squad's rule for the kind {kind} that matches")]
    assert said['why'] == looked[1][2] and said['looked_at'][-1]['rule'] == newer
    routing.squad.operator.call('PATCH', f'/v1/routing-rules/{newer}', {'active': False}).expect(200)
    assert routing.route(kind=kind)['rule'] == squads
    routing.squad.operator.call('DELETE', f'/v1/routing-rules/{squads}').expect(204)
    assert routing.route(kind=kind)['rule'] == tenants
    routing.squad.operator.call('DELETE', f'/v1/routing-rules/{tenants}').expect(204)


def test_a_rule_for_who_asks(t):
    routing = Routing(t)
    developer = routing.add('backend_developer')['id']
    lead = routing.add('tech_lead')['id']
    rule = routing.made('tech_lead', from_role='backend_developer')
    assert routing.route(from_role='backend_developer')['rule'] == rule
    assert routing.route(**{'from': developer})['rule'] == rule
    assert routing.route(from_role='tester')['rule'] is None and routing.route()['rule'] is None
    path, elsewhere = f'/v1/squads/{routing.squad.id}/route', Routing(t).add('tester')['id']
    routing.squad.operator.get(path, query={'from': elsewhere}).expect(422).names('from')
    routing.squad.operator.get(path, query={'from_role': 'boss'}).expect(422).names('from_role')
    with t.case('who asks is not asked, and nobody twice'):
        routing.made(lead, 'tech_lead', 'designer', kind='twice')
        said = routing.route(kind='twice')
        assert [level.get('member') for level in said['levels']] == [lead, None]
        assert said['skipped'] == ['tech_lead: is asked already', 'designer: nobody who is active is that']
        assert routing.route(kind='twice', **{'from': lead})['skipped'][0] == f'{lead}: who asks is not asked'


def test_qa_tester_is_a_tester(t):
    """The twelfth defect: some parts said qa_tester, others tester."""
    routing = Routing(t)
    tester = routing.add('qa_tester')['id']
    shown = routing.rule('qa_tester', kind='tests').expect(201).json
    assert shown['to'] == ['tester']
    assert routing.route(kind='tests')['levels'][0] == {'level': 0, 'role': 'tester', 'member': tester}
    rule = routing.made('designer', from_role='qa_tester', kind='looks')
    assert routing.route(kind='looks', from_role='tester')['rule'] == rule == routing.route(kind='looks', from_role='qa_tester')['rule']


def test_rules_that_cannot_be(t):
    routing, other = Routing(t), Routing(t)
    member, elsewhere = routing.add('tester')['id'], other.add('tester')['id']

    def refused(field, *to, **more):
        routing.rule(*to, **more).expect(422).names(field)

    with t.case('a question would go in circles'):
        refused('to[1]', 'tech_lead', 'tech_lead')
        refused('to[2]', 'qa_tester', 'tech_lead', 'tester')
        refused('to[1]', member, member)
        refused('to[1]', 'tech_lead', 'backend_developer', from_role='backend_developer')
        refused('to[0]', 'tester', from_role='qa_tester')
    with t.case('nobody is that'):
        refused('to[1]', 'tech_lead', 'boss')
        refused('to[0]', 'sm_0000000000009')
        refused('to[0]', elsewhere)
        refused('from_role', 'tech_lead', from_role='boss')
        routing.tenant_rule(member).expect(422).names('to[0]')
    refused('to')
    refused('to', *['tech_lead'] * 8)
    refused('kind', 'tech_lead', kind='Not a slug')
    refused('keywords[0]', 'tech_lead', keywords=['two\nlines'])
    refused('squad', 'tech_lead', squad='sq_0000000000009')
    refused('on_silence', 'tech_lead', on_silence='shout')


def test_a_rule_is_changed(t):
    routing = Routing(t)
    made = routing.rule('tech_lead', kind='style', keywords=['tabs']).expect(201)
    path = f'/v1/routing-rules/{made.json["id"]}'
    operator = routing.squad.operator
    changed = operator.call('PATCH', path, {'to': ['designer', 'tech_lead'], 'keywords': [], 'from_role': 'tester'}, headers=etag(made)).expect(200).json
    assert (changed['to'], changed['keywords'], changed['from_role'], changed['version']) == (['designer', 'tech_lead'], [], 'tester', 2)
    operator.call('PATCH', path, {'priority': 5}, headers=etag(made)).expect(412)
    operator.call('PATCH', path, {'from_role': 'designer'}).expect(422).names('to[0]')
    assert operator.call('PATCH', path, {'from_role': None}).expect(200).json['from_role'] is None
    operator.call('PATCH', path, {'to': []}).expect(422).names('to')
    assert operator.get('/v1/routing-rules', query={'squad': routing.squad.id}).expect(200).items == [operator.get(path).expect(200).json]
    t.caller('worker').call('DELETE', path).expect(403)
    operator.call('DELETE', path, headers=etag(made)).expect(412)
    operator.call('DELETE', path).expect(204)
    operator.get(path).expect(404)


def test_a_squad_has_only_so_many_rules(t):
    routing = Routing(t)
    made = [routing.rule('tech_lead', kind=f'k{n}').status for n in range(197)]
    assert set(made) == {201}
    answers = at_once(*[lambda n=n: routing.rule('tech_lead', kind=f'more{n}') for n in range(8)])
    assert sorted(answer.status for answer in answers) == [201] * 3 + [409] * 5
