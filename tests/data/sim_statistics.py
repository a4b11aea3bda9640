#!/usr/bin/python3
"""What SciPy says of the formulas of src/sim/{probability,interval,compare}.c: prints tests/data/sim_statistics.txt.

    tests/data/sim_statistics.py > tests/data/sim_statistics.txt

Needs python3-scipy; the tests need only what it printed. Each line: a name, what is given, ':', what is expected.
"""

import math
import random

import scipy
from scipy import optimize, stats


def line(name, given, expected):
    print(name, *(repr(float(v)) for v in given), ':', *(repr(float(v)) for v in expected))


def student_end(beyond, n):
    """stats.t.isf() is off by 4e-9 here and there; its sf() is not."""
    return optimize.brentq(lambda t: 2 * stats.t.sf(t, n) - beyond, 0, 1e8, xtol=1e-14, rtol=1e-14)


def distributions():
    for z in (-8, -3, -1.5, -0.1, 0, 0.7, 2.5, 6):
        line('normal_below', [z], [stats.norm.cdf(z)])
    for a, b, x in ((2, 3, 0.2), (2.5, 2.5, 0.5), (0.5, 0.5, 0.99), (40, 3, 0.9), (1000, 2000, 0.35)):
        line('beta_below', [a, b, x], [stats.beta.cdf(x, a, b)])
    for value, n in ((0.5, 1), (3.84, 1), (6, 6), (14.07, 7), (35.17, 23), (60, 23), (900, 1000), (1100, 1000)):
        line('chi_square_above', [value, n], [stats.chi2.sf(value, n)])
    for t, n in ((0, 5), (1, 1), (-2.571, 5), (1.98, 12.7), (4, 30.5), (1.96, 1e6), (9, 3)):
        line('student_beyond', [t, n], [2 * stats.t.sf(abs(t), n)])
    for beyond, n in ((0.05, 1), (0.05, 7.3), (0.05, 400), (0.01, 20), (0.9, 3)):
        line('student_end', [beyond, n], [student_end(beyond, n)])


def intervals():
    for count, of in ((0, 10), (1, 10), (5, 10), (10, 10), (430, 1000), (68247, 7863716)):
        found = stats.binomtest(count, of).proportion_ci(0.95, 'wilson')
        line('interval_share', [count, of], [found.low, found.high])
    for mean, sd, count in ((10.1, 7.5, 40), (3, 1, 2), (-1, 0, 9), (17.45, 8, 100000)):
        half = student_end(0.05, count - 1) * sd / math.sqrt(count)
        line('interval_mean', [mean, sd, count], [mean - half, mean + half])
    for count, exposure in ((0, 3), (1, 1), (17, 4), (5000, 1000.5)):
        low = stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0
        line('interval_rate', [count, exposure], [low / exposure, stats.chi2.ppf(0.975, 2 * count + 2) / 2 / exposure])


def comparisons():
    draw = random.Random(5)
    for k1, k2, shift in ((5, 9, 0), (40, 25, 1), (200, 300, 0.2)):
        a = [round(draw.gauss(10, 2), 2) for _ in range(k1)]
        b = [round(draw.gauss(10 + shift, 5), 2) for _ in range(k2)]
        t, p = stats.ttest_ind(a, b, equal_var=False)
        line('welch', [k1, k2, *a, *b], [t, p])


def shapes():
    profile = [13.66, 12.77, 12.46, 13.25, 13.12, 17.56, 17.17]   # src/sim/profiles/grocery.json
    for counts in ([130, 120, 125, 130, 145, 170, 180], [100] * 7, [1366, 1277, 1246, 1325, 1312, 1756, 1717]):
        expected = [p * sum(counts) / sum(profile) for p in profile]
        chi, p = stats.chisquare(counts, expected)
        line('shape', counts, [chi, p])


print('# Made by sim_statistics.py with SciPy', scipy.__version__)
distributions()
intervals()
comparisons()
shapes()
