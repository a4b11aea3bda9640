"""Figures as people read them: medians with their range, Markdown tables, and the place they are kept in a page."""

import re
import statistics


def number(value):
    """Three significant digits or so, with thousands apart."""
    if value is None:
        return '–'
    if abs(value) >= 100:
        return f'{value:,.0f}'
    return f'{value:.3g}' if abs(value) < 10 else f'{value:.1f}'


def spread(values):
    """The median, and how far the rounds went apart."""
    values = [v for v in values if v is not None]
    if not values:
        return '–'
    middle = number(statistics.median(values))
    return middle if len(values) == 1 else f'{middle} ({number(min(values))}–{number(max(values))})'


def milliseconds(us_values):
    return spread([us / 1000 for us in us_values if us is not None])


def table(head, rows):
    """Markdown; the first column is text, the others are figures."""
    lines = ['| ' + ' | '.join(head) + ' |', '|---|' + '---:|' * (len(head) - 1)]
    return '\n'.join(lines + ['| ' + ' | '.join(row) + ' |' for row in rows])


def replace_section(path, name, text):
    """Puts text between the markers of this name in a page."""
    begin, end = f'<!-- {name}: begin -->', f'<!-- {name}: end -->'
    with open(path, encoding='utf-8') as f:
        page = f.read()
    if begin not in page or end not in page:
        raise RuntimeError(f'{path} has no section {name}')
    new = re.sub(f'{re.escape(begin)}.*?{re.escape(end)}', lambda _: f'{begin}\n\n{text}\n\n{end}', page, flags=re.S)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(new)
