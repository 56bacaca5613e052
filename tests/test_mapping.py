"""Columns of foreign tables are found, and read into the task's form."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent/'bench'))
from mapping import SCHEMAS, is_right, table
from p2m_nb.base.core import PromptSpec
from p2m_nb.data.mapping import at, mapped, propose_columns, texts_of

PROPOSED = {s['id']: propose_columns(table(s), PromptSpec(**s['task'])) for s in SCHEMAS}

@pytest.mark.parametrize('part, n', [('first', 30), ('second', 30), ('third', 20)])
def test_columns_are_right(part, n):
    mine = [s for s in SCHEMAS if s['part'] == part]
    wrong = [s['id'] for s in mine if not is_right(s, PROPOSED[s['id']])]
    assert len(mine) == n and len(wrong) <= 1, wrong

@pytest.mark.parametrize('schema', [s for s in SCHEMAS if 'output' in s], ids=lambda s: s['id'])
def test_every_row_becomes_an_example(schema):
    assert all(all(mapped(r, PROPOSED[schema['id']])) for r in table(schema))

def of(id): return next(s for s in SCHEMAS if s['id'] == id)

def test_parts_take_the_captions_of_the_prompt():
    x, y = mapped(table(of('squad'))[0], PROPOSED['squad'])
    assert x.startswith('Question: Who built the lighthouse at Skerry Point?\nContext: The lighthouse') and y == 'Robert Hale'

def test_names_stand_in_the_way_of_nothing():
    "Without telling names the cells decide."
    for id in ('movie_sentiment', 'order_records', 'dates', 'news_summaries', 'airline_tweets', 'claims_evidence'):
        s = of(id)
        blind = {c: f'c{i}' for i, c in enumerate(s['columns'])}
        got = propose_columns([{blind[c]: v for c, v in r.items()} for r in table(s)], PromptSpec(**s['task']))
        if id == 'claims_evidence': assert got['output'] == blind['label']
        else: assert (got['input'], got['output']) == (blind[s['input'][0]], blind[s['output']]), id

def test_odd_cells_do_no_harm():
    rows = [{'a': None, 'b': [], 'c': {}, 'd.e': 1, 'f': [[1], [2]], 'g': [{}, None]}, {'a': {'x': None}, 'b': [1, {'k': 2}]}, {}]
    assert set(texts_of(rows)) >= {'d.e'} and at(rows[0], 'd.e') == 1
    assert propose_columns(rows, PromptSpec('Sort.', labels=('a', 'b'))) == {}
    deep = value = {}
    for _ in range(2000): value['k'] = value = {}
    assert texts_of([{'deep': deep, 'text': 'x'}]) == {'text': ['x']}
    assert at({'deep': 'text'}, 'deep.k.0.*') is None and mapped({}, dict(input=('a', 'b'), output='c')) == ('', '')

def test_braces_and_captions_in_names_and_cells_are_text():
    row = {'{0}': '{input.__class__}', 'a.b': 'x}{', 'y': '1'}
    assert mapped(row, dict(input=('{0}', 'a.b'), output='y')) == ('0: {input.__class__}\nb: x}{', '1')
