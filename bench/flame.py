"""Flame graphs (Brendan Gregg): stacks as boxes, as wide as their share of the samples, callers below callees."""

from xml.sax.saxutils import escape, quoteattr

WIDTH, ROW, TOP, SMALLEST = 1200, 17, 34, 0.6
LETTER = 6.2    # of the font below, in pixels
COLOURS = {'kernel': '#e8a87c', 'SQLite': '#85b8cb', 'libmicrohttpd': '#c9b6e4', 'tenfold': '#9bc88b'}
OTHER, THREAD = '#d8d4c8', '#c4c4c4'


class Box:
    """A frame with what it called. `label` is a thread's name at the bottom, else (function, component)."""

    def __init__(self, label):
        self.label, self.count, self.called = label, 0, {}

    def add(self, stack, count):
        self.count += count
        if stack:
            self.called.setdefault(stack[0], Box(stack[0])).add(stack[1:], count)

    def depth(self):
        return 1 + max((box.depth() for box in self.called.values()), default=0)

    def text(self):
        return self.label if isinstance(self.label, str) else self.label[0]

    def colour(self):
        return THREAD if isinstance(self.label, str) else COLOURS.get(self.label[1], OTHER)


def draw(box, x, bottom, scale, total, out):
    width = box.count * scale
    if width < SMALLEST:
        return
    name, y = box.text(), bottom - ROW
    where = '' if isinstance(box.label, str) else f' ({box.label[1]})'
    title = escape(f'{name}{where}: {box.count / total:.1%}')
    shown = name if len(name) * LETTER < width - 4 else name[:int((width - 4) / LETTER)]
    out.append(f'<g><title>{title}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}" '
               f'fill={quoteattr(box.colour())}/>')
    out.append(f'<text x="{x + 2:.1f}" y="{y + 12}">{escape(shown)}</text></g>' if len(shown) > 2 else '</g>')
    for _, inner in sorted(box.called.items(), key=str):
        draw(inner, x, y, scale, total, out)
        x += inner.count * scale


def svg(stacks, title):
    """A picture of {(thread, frame, …): samples}."""
    root = Box('all')
    for stack, count in stacks.items():
        root.add(stack, count)
    height = TOP + ROW * root.depth()
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" '
           'font-size="10">',
           f'<rect width="{WIDTH}" height="{height}" fill="#fffdf8"/>',
           f'<text x="6" y="14" font-size="12">{escape(title)}</text>']
    x = 6
    for name, colour in COLOURS.items():
        out.append(f'<rect x="{x}" y="20" width="9" height="9" fill="{colour}"/><text x="{x + 12}" y="28">{name}</text>')
        x += 24 + int(len(name) * LETTER)
    draw(root, 0, height, WIDTH / root.count, root.count, out)
    return '\n'.join([*out, '</svg>', ''])
