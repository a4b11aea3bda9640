"""The built-in shoppers beside published figures, and a shop's own books beside what they say of themselves.

What is asked of the records here is asked without a line of the program: shares, medians, gaps and distances are
counted anew from the rows.
"""

import math
import statistics

from harness import NotHere
from shop import new_shop
from sim import Run

# Instacart, 2017: shares of 3,421,083 orders by hour, and by weekday, Monday first
HOURS = [0.67, 0.36, 0.22, 0.16, 0.16, 0.28, 0.89, 2.69, 5.21, 7.54, 8.43, 8.32, 7.98, 8.13, 8.27, 8.29, 7.97, 6.69, 5.35, 4.11, 3.05, 2.28, 1.80, 1.17]
WEEKDAYS = [13.66, 12.77, 12.46, 13.25, 13.12, 17.56, 17.17]
DAY_S = 86400
WEEK_H = 168


def assert_share(count, of, low, high):
    """Within the band, widened by two standard errors of what this run can tell."""
    p = count / of
    error = 2 * math.sqrt(p * (1 - p) / of)
    assert low - error <= p <= high + error, f'{count} of {of} is {p:.4f}, not from {low} to {high} (2 errors: {error:.4f})'


def distance(counts, shares):
    """Total variation: 0 the same, 1 nothing in common."""
    return sum(abs(c / sum(counts) - s / sum(shares)) for c, s in zip(counts, shares)) / 2


def assert_said(run, **counted):
    """The program's own report has the same figures, and calls none of them different."""
    said = run.realism()
    assert all(verdict in ('alike', 'open') for _, verdict in said.values()), said
    for figure, value in counted.items():
        assert abs(said[figure][0] - value) < 1e-9, (figure, value, said)


def mocked(t, scenario, weeks, agents):
    """From a Monday 00:00 on, so that each hour of the week is there as often as the others."""
    if t.store != 'sqlite':
        raise NotHere('no store has a part in it')
    run = Run(t, '--scenario', scenario, '--mock-api', '--start', '2026-01-05', '--threads', '2', cycles=weeks * WEEK_H, agents=agents)
    assert run.outcomes['failed'] == 0 and run.counts['requests_failed'] == 0
    return run


def test_visitors_of_a_shop_are_like_published_ones(t):
    weeks, agents = 4, 4000
    run = mocked(t, 'general-ecom', weeks, agents)
    sessions, bought = run.counts['sessions'], run.outcomes['completed']
    carts = bought + run.outcomes['abandoned']
    assert_share(bought, sessions, 0.02, 0.035)             # Monetate 3.01%, Oribi 2.2%
    assert_share(carts, sessions, 0.10, 0.11)               # REES46 0.100, Oribi 11%
    assert_share(run.outcomes['abandoned'], carts, 0.65, 0.75)   # Baymard 70.2%
    assert abs(run.kept('views') / sessions - 4.41) < 5 * 3.9 / math.sqrt(sessions)   # REES46; 3.9 is its standard deviation
    # REES46: 3.06 sessions of a user in 31 days; agents differ by a lognormal of sigma 0.8
    per_week = sessions / agents / weeks
    assert abs(per_week - 3.06 * 7 / 31) < 5 * 0.69 * math.sqrt((math.exp(0.64) - 1) / agents + 1 / sessions), per_week
    assert_said(run, conversion=bought / sessions, carts=carts / sessions, abandonment=run.outcomes['abandoned'] / carts, visits=per_week)


def orders_of(run):
    """The times of each agent's orders, in seconds, in order."""
    orders = {}
    for agent, at in run.ask("SELECT agent, started_ms FROM sim_sessions WHERE outcome = 'completed' ORDER BY agent, started_ms"):
        orders.setdefault(agent, []).append(at // 1000)
    return orders


def gaps(orders, end):
    """Days to the next order, 30 for 30 and more, of the orders after which 30 days were seen."""
    found = []
    for times in orders.values():
        days = [at // DAY_S for at in times]
        for day, after in zip(days, days[1:] + [math.inf]):
            if day + 30 < end // DAY_S:
                found.append(min(30, after - day))
    return found


def test_households_order_groceries_like_published_ones(t):
    weeks = 10
    run = mocked(t, 'grocery', weeks, 900)
    bought = run.outcomes['completed']
    assert_share(run.outcomes['abandoned'], run.counts['sessions'], 0.65, 0.75)   # Baymard 70.2%
    baskets = [n for n, in run.ask("SELECT json_extract(kept, '$.items') FROM sim_sessions WHERE outcome = 'completed'")]
    assert len(baskets) == bought > 2000
    assert statistics.median(baskets) in (7, 8, 9) and 9 < statistics.mean(baskets) < 11.2   # Instacart 8 and 10.107
    orders = orders_of(run)
    ended = min(times[0] for times in orders.values()) // DAY_S * DAY_S + weeks * 7 * DAY_S
    days = gaps(orders, ended)
    assert 9.5 < statistics.mean(days) < 12.5 and 6 <= statistics.median(days) <= 8   # 11.11 and 7
    assert_share(sum(d <= 7 for d in days), len(days), 0.45, 0.56)   # 50.4%
    assert sum(d == 7 for d in days) > 1.3 * sum(d in (6, 8) for d in days) / 2   # the peak after a week
    assert_said(run, basket_mean=statistics.mean(baskets), basket_median=statistics.median(baskets), gap_mean=statistics.mean(days),
                gap_median=statistics.median_low(days), abandonment=run.outcomes['abandoned'] / run.counts['sessions'])
    by_hour, by_weekday = [0] * 24, [0] * 7
    for at in (at for times in orders.values() for at in times):
        by_hour[at // 3600 % 24] += 1
        by_weekday[(at // DAY_S + 3) % 7] += 1   # 1970 began on a Thursday
    # chance alone makes it about 0.4 * sqrt(classes / orders)
    assert distance(by_hour, HOURS) < 0.05 + 0.4 * math.sqrt(24 / bought), by_hour
    assert distance(by_weekday, WEEKDAYS) < 0.05 + 0.4 * math.sqrt(7 / bought), by_weekday


def test_a_shops_books_are_what_its_shoppers_say(t):
    for scenario, agents in (('general-ecom', 300), ('grocery', 40)):
        with t.case(scenario):
            shop = new_shop(t)
            run = Run(t, '--scenario', scenario, '--target', shop.url, '--set', 'think_seconds=0', cycles=24, agents=agents)
            assert run.outcomes['failed'] == 0 and run.counts['requests_failed'] == 0, run.report
            said = shop.stats()
            assert said['orders'] == said['simulated_orders'] == run.outcomes['completed']
            assert abs(said['revenue'] - run.kept('total')) < 0.01
            assert said['carts'] == 0
