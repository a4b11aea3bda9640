"""What pages say out of the tables is made anew where it stands, and nothing else is touched."""

import sys

import tap
import docgen


def test_a_piece_within_a_line():
    text = 'None for <!-- made: calls without a key -->`/old`<!-- end -->.\n'
    made = docgen.filled(text)
    assert made.startswith('None for <!-- made: calls without a key -->`/health/live`, ') and made.endswith('<!-- end -->.\n')
    assert '`/openapi.json`' in made and '/old' not in made and '/v1/work' not in made
    assert docgen.filled(made) == made


def test_a_piece_of_several_lines():
    made = docgen.filled('above\n\n<!-- made: scopes -->\n<!-- end -->\n\nbelow\n')
    lines = made.splitlines()
    assert lines[2:4] == ['<!-- made: scopes -->', '| scope | what it is for |'] and lines[-3] == '<!-- end -->'
    assert [line.split('`')[1] for line in lines if '`' in line][:2] == ['NONE', 'READER']
    assert docgen.filled(made) == made


def test_every_field_of_a_scenario_is_there():
    made = docgen.filled('<!-- made: scenario fields -->\n<!-- end -->\n')
    types = docgen.defined(docgen.SCENARIO, 'TYPE')
    titles = [line[4:] for line in made.splitlines() if line.startswith('### ')]
    assert titles[:2] == ['file', 'parameter'] and sorted(titles) == sorted(map(docgen.title_of, types))
    assert '| `probability` | expression | `1` | An expression: how probable it is that they do. |' in made
    assert '| `kind` | `completed` or `abandoned` or `failed` | a fault | What it means. |' in made
    assert '| `states` | list of [state](#state), at most 256 | a fault | The states. |' in made


def test_functions_and_names_of_expressions():
    made = docgen.filled('<!-- made: expression functions -->\n<!-- end -->\n<!-- made: expression names -->\n<!-- end -->\n')
    assert '| `chance(p)` | true with probability p |' in made and '| `hour` | hour of the simulated day, 0 to 23 |' in made


def test_the_data_directory_is_the_home():
    page = docgen.configuration(None)
    assert '| `--data` | `TENFOLD_HOME` |' in page and '| `--listen` | `TENFOLD_LISTEN` |' in page


def test_a_page_without_pieces_stays_as_it_is():
    assert docgen.filled('<!-- runs -->\n```sh\ntrue\n```\n') == '<!-- runs -->\n```sh\ntrue\n```\n'


if __name__ == '__main__':
    sys.exit(tap.main(sys.modules[__name__]))
