"""Which columns are input and output: 80 tables written for this, beside a rule that reads the columns' names only.

    python bench/mapping.py [-v]        -v shows what was proposed for each

The tables stand in tests/schemas.json, five to seven rows each, with a task and the columns that are right for it. The
rules were tuned on the first 30. The next 30 were written after that, and 27 of them were right at once; three rules were
mended by them. Then the last 20 were written, and 19 were right at once: that is the figure to expect on tables unseen.
Several inputs are right in any order. A table without input or output has {} for an answer.
"""
import json, sys, time
from pathlib import Path
from p2m_nb.base.core import PromptSpec
from p2m_nb.base.text import label_words, tokens
from p2m_nb.data.mapping import mapped, propose_columns, with_names

SCHEMAS = json.loads((Path(__file__).resolve().parent.parent/'tests'/'schemas.json').read_text(encoding='utf-8'))
INPUTS = 'input text sentence question review body message document article content prompt context premise source query'.split()
OUTPUTS = 'output label answer answers class category intent sentiment summary translation target response tag tags'.split()


def table(schema): return with_names([dict(zip(schema['columns'], r)) for r in schema['rows']], schema.get('names', {}))


def by_name(rows, spec):
    "The first column whose name has a usual word for each side."
    find = lambda words: next((c for c in rows[0] if {*tokens(label_words(c))} & {*words}), None)
    x, y = find(INPUTS), find(OUTPUTS)
    return dict(input=x, output=y) if x and y else {}


def is_right(schema, columns):
    if not columns or 'output' not in schema: return not columns and 'output' not in schema
    paths = [columns['input']] if isinstance(columns['input'], str) else columns['input']
    return columns['output'] == schema['output'] and sorted(paths) in map(sorted, [schema['input'], *schema.get('also', [])])


def main(verbose):
    right, seconds = dict(first=[], second=[], third=[]), 0.
    for schema in SCHEMAS:
        rows, spec = table(schema), PromptSpec(**schema['task'])
        start = time.time()
        columns = propose_columns(rows, spec)
        seconds += time.time() - start
        good, named = is_right(schema, columns), is_right(schema, by_name(rows, spec))
        right[schema['part']].append((good, named))
        if verbose or not good: print('right' if good else 'WRONG', schema['id'], columns)
        if verbose and columns: print(*(f'  | {l}' for l in ' -> '.join(mapped(rows[0], columns)).split('\n')), sep='\n')
    for part, pairs in [*right.items(), ('all', sum(right.values(), []))]:
        ours, names = (sum(p)/len(p) for p in zip(*pairs))
        print(f'RESULT mapping_right_{part} {ours:.3f} {names:.3f} {ours/names:.2f}')
    print(f'{1000*seconds/len(SCHEMAS):.1f} ms a table')


if __name__ == '__main__': main('-v' in sys.argv)
