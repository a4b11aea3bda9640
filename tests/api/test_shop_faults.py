"""The demo shop made slow, strict or broken on request, and what it says of its callers: what a simulator is tried on."""

import select
import socket
import time

from harness import SLOW, Caller, until
from shop import Customer, new_shop

REQUEST = b'GET /api/products HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer dev:a%d\r\n\r\n'


def open_many(shop, count):
    sockets = [socket.create_connection(shop.address, timeout=60 * SLOW) for _ in range(count)]
    for i, one in enumerate(sockets):
        one.sendall(REQUEST % i)
    return sockets


def first_lines(sockets):
    """Of each answer, and close."""
    lines = []
    for one in sockets:
        lines.append(one.makefile('rb').readline())
        one.close()
    return lines


def test_372_calls_are_in_flight_at_once_and_the_shop_says_so(t):
    shop = new_shop(t, '--slow-ms', '2s')
    began = time.monotonic()
    lines = first_lines(open_many(shop, 372))
    took = time.monotonic() - began
    assert all(line.startswith(b'HTTP/1.1 200') for line in lines), lines
    assert 2 <= took, took
    status = shop.status()
    assert status['in_flight_peak'] == status['requests'] == len(status['arrivals_us']) == 372, status['in_flight_peak']
    assert status['in_flight'] == 0 and status['arrivals_us'] == sorted(status['arrivals_us'])


def test_the_log_of_arrivals_is_exact_and_a_reset_forgets_it(t):
    shop = new_shop(t)
    anna = Customer(shop, 'anna')
    times = []
    for _ in range(20):
        times.append(time.monotonic())
        anna.get('/api/stores').expect(200)
    times.append(time.monotonic())
    seen = shop.status()['arrivals_us']
    assert len(seen) == 20
    offset = times[0] - seen[0] / 1e6
    assert all(times[i] - 0.25 * SLOW <= offset + seen[i] / 1e6 <= times[i + 1] + 0.25 * SLOW for i in range(20))
    Caller(shop).post('/api/simulation/reset').expect(200)
    status = shop.status()
    assert status['arrivals_us'] == [] and status['requests'] == 0


def test_more_calls_a_second_than_the_limit_are_refused_with_retry_after(t):
    shop = new_shop(t, '--limit-rps', '5')
    anna = Customer(shop, 'anna')
    answers = [anna.get('/api/stores') for _ in range(12)]
    refused = [answer for answer in answers if answer.status == 429]
    assert answers[0].status == 200 and 1 <= len(refused) <= 7
    assert all(answer.code == 'rate_limited' and int(answer.headers['retry-after']) >= 1 for answer in refused)
    status = shop.status()
    assert status['requests'] == 12 and status['refused'] == len(refused)


def test_calls_fail_as_often_as_asked_and_leave_nothing_behind(t):
    shop = new_shop(t, '--fail-percent', '100')
    for _ in range(5):
        Customer(shop, 'anna').call('PUT', '/api/user/store', {'store_id': 'st_0000000000001'}).expect(500, 'internal')
    assert shop.status()['failed'] == 5
    some = new_shop(t, '--fail-percent', '30')
    anna = Customer(some, 'anna')
    failed = sum(anna.get('/api/stores').status == 500 for _ in range(600))
    assert 180 - 67 <= failed <= 180 + 67, failed    # six standard deviations
    assert some.status()['failed'] == failed


def test_a_stall_holds_every_answer_until_it_is_over(t):
    shop = new_shop(t, '--stall', '1500ms', '--stall-after', '0s')
    began = time.monotonic()
    sockets = open_many(shop, 20)
    early, _, _ = select.select(sockets, [], [], 0.5)
    assert not early or time.monotonic() - began > 1.4
    assert all(line.startswith(b'HTTP/1.1 200') for line in first_lines(sockets))
    assert time.monotonic() - began >= 1.4
    again = time.monotonic()
    Customer(shop, 'anna').get('/api/stores').expect(200)
    assert time.monotonic() - again < 1.4 * SLOW


def test_a_shop_that_is_told_to_stop_answers_those_who_wait(t):
    shop = new_shop(t, '--slow-ms', '60s')
    sockets = open_many(shop, 30)
    until(lambda: shop.status()['in_flight'] == 30, what='thirty calls in flight')
    shop.stop()
    assert all(line.startswith(b'HTTP/1.1 200') for line in first_lines(sockets))
