"""What pages say out of the tables is made anew where it stands, and nothing else is touched."""

import sys

import tap
import docgen


def test_a_piece_within_a_line():
    text = 'None for <!-- made: calls without a key -->`/old`<!-- end -->.\n'
    made = docgen.filled(text)
    assert made.startswith('None for <!-- made: calls without a key -->`/health/live`, ') and made.endswith('<!-- end -->.\n')
    assert '`/openapi.json`' in made and '/old' not in made and '/v1/' not in made
    assert docgen.filled(made) == made


def test_a_piece_of_several_lines():
    made = docgen.filled('above\n\n<!-- made: scopes -->\n<!-- end -->\n\nbelow\n')
    lines = made.splitlines()
    assert lines[2:4] == ['<!-- made: scopes -->', '| scope | what it is for |'] and lines[-3] == '<!-- end -->'
    assert [line.split('`')[1] for line in lines if '`' in line][:2] == ['NONE', 'READER']
    assert docgen.filled(made) == made


def test_the_data_directory_is_the_home():
    page = docgen.configuration(None)
    assert '| `--data` | `TENFOLD_HOME` |' in page and '| `--listen` | `TENFOLD_LISTEN` |' in page


def test_a_page_without_pieces_stays_as_it_is():
    assert docgen.filled('<!-- runs -->\n```sh\ntrue\n```\n') == '<!-- runs -->\n```sh\ntrue\n```\n'


if __name__ == '__main__':
    sys.exit(tap.main(sys.modules[__name__]))
