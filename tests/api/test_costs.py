"""What calls of models cost, by execution, squad and tenant; and squads that are paused when they have spent what they may."""

import json
import os

from harness import until
from test_executions import Squad
from test_models import cost_of, member, streamed


def call(model='claude-opus-5-5', **tokens):
    return {'provider': 'claude', 'model': model, **tokens}


def test_costs(t):
    squad = Squad(t)
    who = member(squad, 'tester')
    execution = squad.add({'name': 'plan'}, {'name': 'test', 'role': 'tester', 'needs': ['plan'], 'max_attempts': 2})
    known = call(input_tokens=1000, cached_tokens=400, output_tokens=100)
    squad.settle(squad.claim(), used={'calls': [known, call('nobody-knows-it', input_tokens=5, output_tokens=5)]}).expect(200)
    item = squad.claim()
    squad.settle(item, 'fail', error='again', used={'calls': [call()]}).expect(200)
    item = until(lambda: squad.claim(wait_ms=5000))
    squad.settle(item, used={'calls': [known, call(micro_usd=7)]}).expect(200)
    with t.case('an answer that is asked for again costs nothing more'):
        squad.settle(item, used={'calls': [known]}).expect(200)
    report = cost_of(execution)
    each = 600 * 4 + 400 * 0.2 + 100 * 20   # millionths of a dollar
    assert each == 4480 and [e['micro_usd'] for e in report['entries']] == [7, 4480, None, None, 4480], report['entries']
    first = report['entries'][-1]
    assert (first['input_price'], first['cached_price'], first['output_price']) == (4000000, 200000, 20000000)
    assert report['entries'][3]['input_price'] is None and report['entries'][2]['input_tokens'] is None
    total = report['total']
    assert (total['calls'], total['unknown'], total['micro_usd'], total['cost']) == (5, 2, 8967, 'at least USD 0.008967'), total
    unknown = next(s for s in report['sums'] if s['model'] == 'nobody-knows-it')
    assert (unknown['cost'], unknown['micro_usd'], unknown['input_tokens']) == ('unknown', None, 5)
    by_member = {s.get('member'): s['micro_usd'] for s in cost_of(execution, by='member')['sums']}
    assert by_member == {None: 4480, who: 4487}
    with t.case('names stand beside ids'):
        assert [(e.get('step_name'), e.get('member_name')) for e in report['entries']][1:] == [('test', 'tester')] * 2 + [('plan', None)] * 2
        assert {s.get('name') for s in cost_of(execution, by='member')['sums']} == {None, 'tester'}
        assert cost_of(execution, by='squad')['sums'][0]['name'] == 'builders'
    operator = squad.operator
    of_squad = operator.get(f'/v1/squads/{squad.id}/cost').expect(200).json
    assert of_squad['total']['micro_usd'] == 8967 and of_squad['month'] == report['entries'][0]['at'][:7]
    assert operator.get(f'/v1/squads/{squad.id}/cost', query={'month': '2020-02'}).expect(200).json['total']['cost'] == 'USD 0.000000'
    everything = operator.get('/v1/costs').expect(200).json
    assert next(s for s in everything['sums'] if s['squad'] == squad.id)['micro_usd'] == 8967


def test_a_month_that_is_none_is_refused(t):
    for month in ('2026-13', '2026-1x', '26-1111', '2026-00'):
        with t.case(month):
            t.operator.get('/v1/costs', query={'month': month}).expect(422, 'invalid').names('month')


def test_an_ordinary_item_has_no_cost(t):
    calls = lambda: t.operator.get('/v1/costs').expect(200).json['total']['calls']
    item, before = t.worker.add(t.type), calls()
    held = t.worker.claim(t.type)[0]
    assert held['id'] == item['id']
    t.worker.settle(held, used={'calls': [call(input_tokens=1000, output_tokens=100)]}).expect(200)
    assert calls() == before


def test_only_sums_of_costs_or_the_newest_entries_are_read_where_no_more_is_asked_for(t):
    squad = Squad(t)
    execution = squad.add({'name': 'plan'})
    squad.settle(squad.claim(), used={'calls': [call('a', micro_usd=5), call('b', micro_usd=5)]}).expect(200)
    whole, sums, newest = cost_of(execution), cost_of(execution, entries=0), cost_of(execution, entries=1)
    assert [e['model'] for e in whole['entries']] == ['b', 'a'] and not whole['more']
    assert sums == {name: whole[name] for name in ('total', 'sums', 'more')}
    assert newest == {**whole, 'entries': whole['entries'][:1], 'more': True}
    assert cost_of(execution, entries=2) == whole
    squad.operator.get(f'/v1/executions/{execution.id}/cost', query={'entries': 1001}).expect(422, 'invalid').names('entries')


def test_what_a_call_cost_stays_when_prices_change(t):
    server = t.new_server(start=False)

    def cost_with(price):
        with open(os.path.join(server.data, 'prices.json'), 'w', encoding='utf-8') as f:
            json.dump([{'model': 'own', 'input': price, 'output': 0, 'date': '2026-11'}], f)
        server.start()
        squad = Squad(t, server=server)
        squad.add({'name': 'plan'})
        squad.settle(squad.claim(), used={'calls': [call('own', input_tokens=1000, output_tokens=10)]}).expect(200)
        return {s['squad']: s['micro_usd'] for s in squad.operator.get('/v1/costs').expect(200).json['sums']}, squad.id

    before, first = cost_with(2)
    server.stop()
    after, second = cost_with(7)
    assert before == {first: 2000} and after == {first: 2000, second: 7000}


def test_costs_are_of_the_tenant(t):
    squad, theirs = Squad(t), t.caller('reader', tenant='cheap')
    squad.add({'name': 'plan'})
    squad.settle(squad.claim(), used={'calls': [call(input_tokens=5, output_tokens=5)]}).expect(200)
    assert squad.operator.get('/v1/costs').expect(200).json['total']['calls'] > 0
    assert theirs.get('/v1/costs').expect(200).json['total']['calls'] == 0


# ---- budgets ----

def test_a_squad_is_paused_when_its_budget_is_spent(t):
    squad = Squad(t)
    operator = squad.operator
    path = f'/v1/squads/{squad.id}/budget'
    assert operator.get(path).expect(200).json == {'squad': squad.id, 'micro_usd': None, 'spent_micro_usd': 0, 'is_spent': False}
    assert operator.call('PUT', path, {'micro_usd': 10000}).expect(200).json['micro_usd'] == 10000
    t.caller('reader').call('PUT', path, {'micro_usd': 1}).expect(403)
    operator.call('PUT', path, {'micro_usd': 0}).expect(422)
    known = call(input_tokens=1000, cached_tokens=400, output_tokens=100)   # 4480 millionths
    execution = squad.add(*({'name': name} for name in 'abcd'))
    for spent in (4480, 8960):
        squad.settle(squad.claim(), used={'calls': [known]}).expect(200)
        assert operator.get(path).expect(200).json['spent_micro_usd'] == spent
    assert operator.get(f'/v1/squads/{squad.id}').expect(200).json['status'] == 'active'
    squad.settle(squad.claim(), used={'calls': [call('nobody-knows-it', input_tokens=1, output_tokens=1), known]}).expect(200)
    assert operator.get(f'/v1/squads/{squad.id}').expect(200).json['status'] == 'paused'
    assert squad.claim() is None and (execution.state, execution.show()['block']) == ('blocked', 'pause')
    assert operator.get(path).expect(200).json == {'squad': squad.id, 'micro_usd': 10000, 'spent_micro_usd': 13440, 'is_spent': True}
    with t.case('a larger one, and it goes on'):
        operator.call('PUT', path, {'micro_usd': 14000}).expect(200)
        squad.resume()
        squad.settle(squad.claim()).expect(200)
        assert execution.state == 'completed'
        assert 'the squad is paused: it has spent 13440 of 10000' in [e['message'] for e in streamed(t, execution, 'log')][0]
    with t.case('none'):
        operator.call('PUT', path, {'micro_usd': None}).expect(200)
        assert operator.get(path).expect(200).json['micro_usd'] is None
