"""The demo shop (tenfold sim shop): what a customer can do, what is kept, and that many at once spoil nothing."""

import threading

from harness import Caller, until
from shop import MONDAY, STORE, Customer, Shop, new_shop, product

SESSION = '11111111-2222-4333-8444-5555555555aa'


def together(count, what):
    """Runs what(0), what(1) … at the same time; their values in order."""
    values, barrier = [None] * count, threading.Barrier(count)

    def run(i):
        barrier.wait()
        values[i] = what(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return values


def cents(dollars):
    return round(dollars * 100)


def test_a_customer_goes_from_the_shelves_to_an_order(t):
    anna = Customer(new_shop(t), 'anna', session=SESSION)
    assert [store['id'] for store in anna.get('/api/stores').expect(200).items][0] == STORE
    assert anna.get('/api/user/store').json == {'store': None}
    anna.put('pr_0000000000001').expect(400, 'no_store_chosen')
    anna.choose()
    assert anna.get('/api/user/store').json['store']['name'] == anna.get(f'/api/stores/{STORE}').json['name']
    vitamins = anna.get('/api/products/search', query={'query': 'VITAMIN d'}).expect(200).items
    assert [item['category'] for item in vitamins] == ['vitamins', 'vitamins'], vitamins
    line = anna.put(vitamins[0]['id'], 2).expect(200).json['cart_item']
    assert cents(line['line_total']) == 2 * cents(vitamins[0]['price'])
    assert anna.put(vitamins[0]['id']).expect(200).json['cart_item'] == {**line, 'quantity': 3, 'line_total': 73.47}
    anna.call('PUT', f'/api/cart/items/{line["id"]}', {'quantity': 1}).expect(200)
    other = anna.put(vitamins[1]['id']).expect(200).json['cart_item']
    anna.call('DELETE', f'/api/cart/items/{other["id"]}').expect(200)
    cart = anna.cart()
    assert (cart['item_count'], len(cart['items']), cart['store']['id']) == (1, 1, STORE)
    made = anna.order().expect(201).json['order']
    assert made['totals']['final_total'] == vitamins[0]['price'] and made['is_simulated'] and made['created_at'][:10] == MONDAY[:10]
    assert anna.cart()['items'] == []
    assert anna.get(f'/api/orders/{made["id"]}').expect(200).json == made
    assert [order['id'] for order in anna.get('/api/orders', query={'limit': 5}).expect(200).items] == [made['id']]
    assert anna.get(f'/api/products/{vitamins[0]["id"]}').json['in_stock'] == vitamins[0]['in_stock'] - 1
    recommended = anna.get('/api/products/recommendations', query={'limit': 3}).expect(200).items
    assert len(recommended) == 3 and recommended[0]['id'] == vitamins[0]['id']
    stats = anna.server.stats()
    assert {k: stats[k] for k in ('customers', 'sessions', 'orders', 'simulated_orders', 'events')} == \
        {'customers': 1, 'sessions': 1, 'orders': 1, 'simulated_orders': 1, 'events': 6}, stats


def test_there_are_27_products_in_17_categories(t):
    anna = Customer(new_shop(t), 'anna')
    items = anna.get('/api/products').expect(200).items
    assert len(items) == 27 and len({item['category'] for item in items}) == 17
    assert (min(item['price'] for item in items), max(item['price'] for item in items)) == (3.99, 37.0)
    snacks = anna.get('/api/products', query={'category': 'snacks', 'limit': 1}).expect(200).items
    assert [item['category'] for item in snacks] == ['snacks']


def fill(customer):
    for number in '123456789abcdefghjkm':
        customer.put('pr_000000000000' + number, 2).expect(200)


def test_coupons_take_off_what_they_say_and_nothing_becomes_negative(t):
    shop = new_shop(t)
    for name in ('anna', 'bert', 'cleo'):
        customer = Customer(shop, name).choose()
        fill(customer)
        judged = customer.get('/api/coupons/eligible').expect(200).json
        wallet = customer.get('/api/coupons/wallet').expect(200).items
        assert len(judged['eligible']) + len(judged['ineligible']) == len(wallet) == 32
        for coupon in wallet:
            added = customer.post('/api/cart/coupons', {'coupon_id': coupon['id']}).expect(200).json
            assert added['coupon'] == coupon and added['summary']['final_total'] >= 0
        summary = customer.get('/api/cart/summary').expect(200).json
        assert summary == added['summary'] and summary['item_discounts'] > 0
        assert len(customer.cart()['coupons']) == 32
        order = customer.order().expect(201).json['order']
        totals = order['totals']
        assert {k: summary[k] for k in totals} == totals
        assert cents(totals['subtotal']) == cents(totals['final_total']) + cents(totals['discount_total'])
        assert cents(totals['item_discounts']) == sum(cents(item['discount']) for item in order['items'])
        assert len(order['applied_coupons']['frontstore']) <= 1
        used = {coupon['id'] for coupon in order['applied_coupons']['item_level'] + order['applied_coupons']['frontstore']}
        assert used <= {coupon['id'] for coupon in wallet}
        assert Caller(shop).get(f'/api/offers/stats/{name}').expect(200).json['redeemed'] == len(used)
    assert shop.stats()['coupons_redeemed'] > 0


def test_a_coupon_must_be_in_the_wallet_and_goes_with_its_week(t):
    shop = new_shop(t)
    anna = Customer(shop, 'anna').choose()
    wallet = {coupon['id'] for coupon in anna.get('/api/coupons/wallet').items}
    strange = next(f'cp_000000000000{digit}' for digit in '123456789abcdefghjk' if f'cp_000000000000{digit}' not in wallet)
    anna.post('/api/cart/coupons', {'coupon_id': strange}).expect(404, 'not_found')
    mine = sorted(wallet)[0]
    anna.post('/api/cart/coupons', {'coupon_id': mine}).expect(200)
    anna.when = '2026-03-09T00:00:00Z'
    assert mine not in {coupon['id'] for coupon in anna.get('/api/coupons/wallet').items}, 'given twice within 28 days'
    assert anna.cart()['coupons'] == []
    anna.when = MONDAY
    anna.call('DELETE', f'/api/cart/coupons/{mine}').expect(200)
    anna.call('DELETE', f'/api/cart/coupons/{mine}').expect(404, 'not_found')
    anna.post('/api/coupon-interactions', {'coupon_id': mine, 'action': 'applied'}).expect(201)
    anna.post('/api/coupon-interactions', {'coupon_id': mine, 'action': 'eaten'}).expect(422, 'invalid')
    anna.post('/api/coupon-interactions', {'coupon_id': 'cp_0000000000zzz', 'action': 'applied'}).expect(404, 'not_found')


def test_offers_are_given_weekly_once_and_not_again_for_28_days(t):
    shop = new_shop(t)
    clerk = Caller(shop)
    weeks = []
    for day in ('03-02', '03-09', '03-16', '03-23', '03-30'):
        at = {'X-Simulated-Time': f'2026-{day}T12:00:00Z'}
        given = together(8, lambda _, at=at: Caller(shop).post('/api/offers/refresh', {'user_id': 'anna'}, headers=at))
        assert sum(answer.expect(200).json['refreshed'] for answer in given) == 1
        offers = clerk.get('/api/offers/wallet/anna', headers=at).expect(200).json
        kinds = [coupon['type'] for coupon in offers['items']]
        assert kinds.count('frontstore') == 2 and len(kinds) == 32 and offers['short_by'] == 0
        assert offers['items'][0]['eligible_until'][:10] > offers['next_refresh_at'][:10]
        weeks.append({coupon['id'] for coupon in offers['items']})
    for i, week in enumerate(weeks):
        for later in weeks[i + 1:i + 4]:
            assert not week & later
    stats = clerk.get('/api/offers/stats/anna').expect(200).json
    assert (stats['cycles'], stats['assigned']) == (5, 160)


def test_no_line_and_no_piece_is_lost_when_many_add_at_once(t):
    shop = new_shop(t)
    Customer(shop, 'anna').choose()
    ids = [f'pr_000000000000{digit}' for digit in '12345678']

    def add(i):
        anna = Customer(shop, 'anna')
        for product_id in ids[i % 8:] + ids[:i % 8]:
            anna.put(product_id).expect(200)

    together(16, add)
    cart = Customer(shop, 'anna').cart()
    assert {item['product_id']: item['quantity'] for item in cart['items']} == {product_id: 16 for product_id in ids}
    assert cart['item_count'] == 128


def test_a_shelf_is_never_sold_twice(t):
    shop = new_shop(t)
    brush = product(shop, 'Electric toothbrush')

    customers = [Customer(shop, f'c{i}').choose() for i in range(40)]
    together(40, lambda i: customers[i].put(brush['id'], 5).expect(200))
    answers = together(40, lambda i: customers[i].order())
    made = [answer for answer in answers if answer.status == 201]
    refused = [answer for answer in answers if answer.status != 201]
    assert len(made) == brush['in_stock'] // 5 == 30
    for answer in refused:
        answer.expect(400, 'out_of_stock')
    assert product(shop, 'Electric toothbrush')['in_stock'] == 0
    assert shop.stats()['orders'] == 30
    late = Customer(shop, 'late').choose()
    late.put(brush['id']).expect(400, 'out_of_stock')


def test_one_cart_becomes_one_order(t):
    shop = new_shop(t)
    Customer(shop, 'anna').choose().put('pr_0000000000001').expect(200)
    answers = together(12, lambda _: Customer(shop, 'anna').order())
    assert sorted(answer.status for answer in answers) == [201] + [400] * 11
    assert shop.stats()['orders'] == 1


def test_a_session_is_one_customers_own(t):
    shop = new_shop(t)
    anna = Customer(shop, 'anna', session=SESSION).choose()
    anna.put('pr_0000000000001').expect(200)
    Customer(shop, 'anna', session=SESSION.upper()).put('pr_0000000000001').expect(200)
    assert shop.stats()['sessions'] == 1
    Customer(shop, 'bert', session=SESSION).get('/api/cart').expect(403, 'forbidden')
    for wrong in ('', 'x', SESSION[:-1], SESSION + '0', SESSION.replace('-', '0')):
        answer = anna.get('/api/cart', headers={'X-Shopping-Session-Id': wrong}).expect(400, 'malformed')
        assert 'X-Shopping-Session-Id' in answer.json['detail']


def test_bad_input_is_refused_naming_what_is_wrong(t):
    anna = Customer(new_shop(t), 'anna').choose()
    for body, status, code in [({}, 400, 'missing_field'), ({'product_id': 7}, 400, 'mistyped'),
                               ({'product_id': 'pr_0000000000001', 'quantity': 0}, 422, 'invalid'),
                               ({'product_id': 'pr_0000000000001', 'quantity': 1001}, 422, 'invalid'),
                               ({'product_id': 'pr_0000000000001', 'colour': 1}, 400, 'unknown_field'),
                               ({'product_id': 'st_0000000000001'}, 422, 'invalid'),
                               ({'product_id': 'pr_00000000000zz'}, 404, 'not_found'),
                               (b'{', 400, 'malformed')]:
        with t.case(f'{body}'):
            anna.post('/api/cart/items', body).expect(status, code)
    anna.put('pr_000000000000q', 700).expect(200)
    anna.put('pr_000000000000q', 301).expect(422, 'invalid').names('quantity')
    anna.call('DELETE', '/api/cart').expect(200)
    anna.order().expect(400, 'cart_empty')
    for path in ('/api/products/pr_00000000000zz', '/api/products/1', '/api/orders/or_0000000000001', '/api/stores/st_0000000000009'):
        anna.get(path).expect(404, 'not_found')
    anna.call('PUT', '/api/user/store', {'store_id': 'st_0000000000009'}).expect(404, 'not_found')
    anna.call('DELETE', '/api/cart/items/ci_0000000000001').expect(404, 'not_found')
    anna.get('/api/orders', query={'limit': 101}).expect(422, 'invalid').names('limit')
    anna.get('/api/nothing').expect(404, 'no_route')
    for when in ('yesterday', '1969-12-31T23:59:59Z', '2300-01-01T00:00:00Z', '2026-03-02'):
        anna.get('/api/cart', headers={'X-Simulated-Time': when}).expect(400, 'malformed')
    for key in (None, 'anna', 'dev:', 'dev:' + 'a' * 129, 'key:anna'):
        Caller(anna.server, key).get('/api/cart').expect(401, 'unauthenticated')


def test_nobody_sees_anothers_cart_or_orders(t):
    shop = new_shop(t)
    anna, bert = Customer(shop, 'anna').choose(), Customer(shop, 'bert').choose()
    line = anna.put('pr_0000000000001').expect(200).json['cart_item']
    bert.call('PUT', f'/api/cart/items/{line["id"]}', {'quantity': 9}).expect(404, 'not_found')
    bert.call('DELETE', f'/api/cart/items/{line["id"]}').expect(404, 'not_found')
    order = anna.order().expect(201).json['order']
    bert.get(f'/api/orders/{order["id"]}').expect(404, 'not_found')
    assert bert.cart()['items'] == [] and bert.get('/api/orders').items == []


def test_the_shops_own_clock_is_for_callers_that_do_not_say_what_time_it_is(t):
    shop = new_shop(t)
    clerk = Caller(shop)
    anna = Customer(shop, 'anna', when=None).choose()
    assert not shop.status()['running']
    started = clerk.post('/api/simulation/start', {'calendar_start': '2025-01-06T00:00:00Z', 'time_scale': 3600}).expect(200).json
    assert started['running'] and started['simulated_at'][:10] == '2025-01-06'
    until(lambda: shop.status()['simulated_at'] >= '2025-01-06T00:10', what='ten simulated minutes')
    stood = clerk.post('/api/simulation/stop').expect(200).json['simulated_at']
    assert shop.status()['simulated_at'] == stood
    assert clerk.post('/api/simulation/advance', {'hours': 24}).expect(200).json['simulated_at'][:10] > stood[:10]
    anna.put('pr_0000000000001').expect(200)
    order = anna.order().expect(201).json['order']
    assert order['is_simulated'] and order['created_at'][:7] == '2025-01'
    clerk.post('/api/simulation/start', {'time_scale': 0}).expect(422, 'invalid').names('time_scale')
    clerk.post('/api/simulation/start', {'calendar_start': '1950-01-01T00:00:00Z'}).expect(422, 'invalid').names('calendar_start')
    clerk.post('/api/simulation/reset').expect(200)
    assert shop.stats()['orders'] == shop.stats()['customers'] == 0 and not shop.status()['running']
    anna.choose().put('pr_0000000000001').expect(200)
    assert not anna.order().expect(201).json['order']['is_simulated']


def test_what_was_answered_is_there_after_a_crash(t):
    shop = new_shop(t)
    anna = Customer(shop, 'anna', session=SESSION).choose()
    line = anna.put('pr_0000000000001', 2).expect(200).json['cart_item']
    order = anna.order().expect(201).json['order']
    kept = anna.put('pr_0000000000002').expect(200).json['cart_item']
    shop.kill()
    shop.start()
    anna = Customer(shop, 'anna', session=SESSION)
    assert anna.cart()['items'] == [kept] and anna.get('/api/orders').items[0]['id'] == order['id']
    assert anna.put('pr_0000000000003').expect(200).json['cart_item']['id'] > max(line['id'], kept['id'])


def test_two_shops_share_no_directory_and_no_server_lends_its_store(t):
    shop = new_shop(t)
    second = Shop(data=shop.data, store_url=shop.store_url)
    second.start(wait_for=None)
    assert second.process.wait(20) == 3
    assert f'is served by process {shop.process.pid}' in second.log(), second.log()
    if t.store == 'sqlite':
        return
    stranger = new_shop(t, start=False, store_url=t.server.store_url, store='sqlite')
    stranger.start(wait_for=None)
    assert stranger.process.wait(20) == 3 and 'for another use' in stranger.log(), stranger.log()


def test_several_shops_may_share_a_database(t):
    t.needs_several_processes()
    first = new_shop(t)
    second = new_shop(t, store_url=first.store_url)
    brush = product(first, 'Electric toothbrush')

    def buy(i):
        customer = Customer((first, second)[i % 2], f'c{i}').choose()
        customer.put(brush['id'], 5).expect(200)
        return customer.order().status

    assert sorted(together(40, buy)) == [201] * 30 + [400] * 10
    assert second.stats()['orders'] == 30
