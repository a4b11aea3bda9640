"""GET /v1/work: filters, pages, words; live items and finished ones in one list, newest first."""

import threading


def pages(caller, **query):
    """Every item of a list, page by page."""
    found, cursor = [], None
    while True:
        answer = caller.get('/v1/work', query={**query, **({'cursor': cursor} if cursor else {})}).expect(200)
        found += answer.items
        cursor = answer.json['next_cursor']
        assert len(found) <= 100000, 'the pages never end'
        if cursor is None:
            return found


def filled(t, count=250):
    """Items in every state that lasts; their ids, in the order of lists (newest first, which ids tell to the ms)."""
    w = t.worker
    made = [i['id'] for i in w.post('/v1/work/batch', {'items': [
        {'type': t.type, 'title': f'number {n} of {"many" if n % 2 else "few"}', 'priority': ['low', 'high'][n % 2],
         'team': ['red', ''][n % 2]} for n in range(count)]}).expect(201).items]
    claimed = w.claim(t.type, agent='lister', max=100)
    w.post('/v1/work/settle', {'items': [{'id': i['id'], 'token': i['token'], 'outcome': 'completed'}
                                         for i in claimed[:60]]}).expect(200)
    w.post('/v1/work/settle', {'items': [{'id': i['id'], 'token': i['token'], 'outcome': 'failed', 'error': 'no',
                                          'retry': False} for i in claimed[60:80]]}).expect(200)
    return sorted(made, reverse=True)


def test_pages_hold_each_item_once(t):
    made = filled(t)
    for limit in (1000, 50, 7):
        with t.case(f'{limit} a page'):
            listed = [i['id'] for i in pages(t.worker, type=t.type, limit=limit)]
            assert listed == made, f'{len(listed)} of {len(made)}, each once, newest first'


def test_filters(t):
    made = filled(t)
    w = t.worker
    for query, count, member in [
            ({'state': 'completed'}, 60, ('state', 'completed')), ({'state': 'failed'}, 20, ('state', 'failed')),
            ({'state': 'leased'}, 20, ('state', 'leased')), ({'state': 'ready'}, 150, ('state', 'ready')),
            ({'state': 'blocked'}, 0, ('state', 'blocked')), ({'priority': 'low'}, 125, ('priority', 'low')),
            ({'team': 'red'}, 125, ('team', 'red')), ({'agent': 'lister'}, 100, ('claimed_by', 'lister')),
            ({'agent': 'nobody'}, 0, None), ({'q': 'many'}, 125, None), ({'q': 'number 17'}, None, None),
            ({'q': 'FEW number'}, 125, None), ({'q': 'absent'}, 0, None)]:
        with t.case(str(query)):
            found = pages(w, type=t.type, **query)
            assert count is None and found or len(found) == count, f'{len(found)} instead of {count}'
            assert all(i['id'] in made for i in found)
            assert not member or all(i[member[0]] == member[1] for i in found)
    with t.case('no such type'):
        assert pages(w, type='nobody') == []


def test_what_nobody_holds_is_claimed_by_nobody(t):
    w, item = t.worker, t.worker.add(t.type)

    def holder():
        by_agent = [i['id'] for i in pages(w, type=t.type, agent='ann')]
        listed, shown = pages(w, type=t.type)[0].get('claimed_by'), w.show(item).get('claimed_by')
        assert listed == shown and by_agent == ([item['id']] if shown == 'ann' else []), (listed, shown, by_agent)
        return shown

    assert holder() is None
    held = w.claim(t.type, agent='ann')[0]
    assert holder() == 'ann'
    w.settle(held, 'release').expect(200)
    assert holder() is None, 'it was given back'
    w.settle(w.claim(t.type, agent='ann')[0]).expect(200)
    assert holder() == 'ann', 'who did it stays known'


def test_a_list_that_changes_meanwhile(t):
    """What is there all the while is listed exactly once, though items are added, claimed and finished."""
    made = set(filled(t))
    stop = threading.Event()

    def churn():
        w = t.caller('worker')
        while not stop.is_set():
            w.add(t.type)
            for item in w.claim(t.type, max=3):
                w.settle(item)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        listed = [i['id'] for i in pages(t.worker, type=t.type, limit=5)]
    finally:
        stop.set()
        thread.join()
    assert len(listed) == len(set(listed)), 'no item twice'
    assert made <= set(listed), f'{len(made - set(listed))} are missing'


def test_many_others_make_pages_short_not_slow(t):
    """At most 10,000 entries are visited a call: the page may be empty, and the cursor goes on."""
    w = t.worker
    first = w.add(t.type)
    for _ in range(13):
        w.post('/v1/work/batch', {'items': [{'type': t.type + '.other'}] * 1000}).expect(201)
    answer = w.get('/v1/work', query={'type': t.type}).expect(200)
    assert answer.items == [] and answer.json['next_cursor']
    assert [i['id'] for i in pages(w, type=t.type)] == [first['id']]
