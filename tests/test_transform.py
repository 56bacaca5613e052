"""Tables become a task's rows by one program, over HTTP with the real client; and nothing that a model writes does harm."""
import json, random, sys, time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from openai_server import Server, answer
from p2m_nb.base.client import OpenAILM
from p2m_nb.base.core import P2MError, PromptSpec
from p2m_nb.base.lm import LM
from p2m_nb.base.store import Run
from p2m_nb.data.program import Program, run_program
from p2m_nb.data.transform import propose_program, read_program, transform_dataset

SPEC = PromptSpec('Is the review good or bad?', [('I love it', 'good'), ('Never again', 'bad')], labels=('good', 'bad'),
                  kind='classification')
PROGRAM = dict(possible=True, why='', split=dict(columns=[], by=''), where=[], input='{body}', output='{stars}',
               steps=[dict(column='stars', source='rating', action='find', pattern='^[1-5]', by='')],
               labels=[dict(theirs=str(i), ours=('', 'bad', 'bad', '', 'good', 'good')[i]) for i in range(1, 6)])


def table(n):
    lot = random.Random(0)
    words = 'lamp kettle shop paper glue great dull never always mother broken lovely late parcel colour'.split()
    return [dict(nr=i, rating=f'{lot.randint(1, 5)} stars', body=f'row{i} ' + ' '.join(lot.sample(words, 6))) for i in range(n)]


def model(server, **more): return OpenAILM('m', base_url=server.url, api_key='k', price=(1., 1.), **more)
def asked(request): return request['messages'][-1]['content']


def test_three_thousand_rows_cost_one_call():
    rows = table(3000)
    with Server(lambda n, request: json.dumps(PROGRAM)) as server:
        start = time.process_time()  # other programs do not count
        done = transform_dataset(rows, SPEC, model(server))
        assert time.process_time() - start < 10
    assert len(server.requests) == done.answers == 1
    assert server.requests[0]['response_format']['json_schema']['strict']
    assert sum(f'row{i} ' in asked(server.requests[0]) for i in range(3000)) == 5  # the model sees five rows
    stars = [r['rating'][0] for r in rows]
    assert done.reasons() == {'left out: its label': stars.count('3')}
    assert [(r['input'], r['output']) for r in done] == [(r['body'], 'good' if r['rating'][0] in '45' else 'bad')
                                                          for r in rows if r['rating'][0] != '3']


def test_a_program_is_mended_with_its_faults():
    replies = ['Sorry?', json.dumps(PROGRAM | dict(input='{review}')), json.dumps(PROGRAM)]
    with Server(lambda n, request: replies[n]) as server: done = transform_dataset(table(50), SPEC, model(server))
    assert done.answers == 3 and done.fitting == 1
    assert 'no JSON object' in asked(server.requests[1]) and "no column 'review'" in asked(server.requests[2])
    assert [m['role'] for m in server.requests[2]['messages']] == ['system', 'user'] + ['assistant', 'user']*2


def test_rows_that_failed_are_shown_to_the_model():
    narrow = PROGRAM | dict(steps=[dict(PROGRAM['steps'][0], pattern='^[1-2]')])
    with Server(lambda n, request: json.dumps(PROGRAM if n else narrow)) as server:
        assert transform_dataset(table(50), SPEC, model(server)).fitting == 1
    assert 'nothing found for stars' in asked(server.requests[1]) and '"__reason"' in asked(server.requests[1])


def test_after_two_corrections_it_is_over():
    with Server(lambda n, request: '{}') as server:
        with pytest.raises(P2MError, match='no program'): transform_dataset(table(50), SPEC, model(server), by_row=False)
        assert len(server.requests) == 3


def rewritten(n, request):
    "A server that sees no program, and rewrites rows one by one."
    if 'Write a program' in asked(request): return json.dumps(dict(PROGRAM, possible=False, why='each must be read'))
    body = json.loads(asked(request).rsplit('\n', 1)[1])['body']
    rows = [] if 'glue' in body else [dict(input=body.capitalize(), output='awful' if 'dull' in body else 'good')]
    return json.dumps(dict(rows=rows))


def test_without_a_program_each_row_is_asked_for():
    rows = table(40)
    with Server(rewritten) as server: done = transform_dataset(rows, SPEC, model(server))
    glue, dull = sum('glue' in r['body'] for r in rows), sum('dull' in r['body'] and 'glue' not in r['body'] for r in rows)
    assert len(server.requests) == done.answers == 41 and done.program is None and glue and dull
    assert done.reasons() == {'nothing in it fits the task': glue, 'not a label': dull} and len(done) == 40 - glue - dull


def test_a_budget_is_never_passed_and_nothing_is_lost():
    with Server(lambda n, request: dict(body=answer(rewritten(n, request), 400, 20))) as server:
        done = transform_dataset(table(40), SPEC, model(server, concurrency=2), max_cost=.012)
    assert 1 < len(server.requests) < 41
    assert done.reasons()['not asked: stopped, or no budget left'] > 0 and len(done) + len(done.rejected) == 40


def test_a_run_keeps_the_answers(tmp_path):
    with Server(rewritten) as server:
        first = transform_dataset(table(20), SPEC, model(server), run=Run(tmp_path/'run'))
        paid = len(server.requests)
        again = transform_dataset(table(20), SPEC, model(server), run=Run(tmp_path/'run'))
    assert again == first and len(server.requests) == paid == 21
    assert Run(tmp_path/'run').usage['stages']['transform']['calls'] == 21


def test_an_expression_that_never_ends_is_refused_in_time():
    slow = dict(PROGRAM, steps=[*PROGRAM['steps'], dict(column='x', source='body', action='find', pattern='^(.*?,){15}P', by='')])
    rows = [r | dict(body='1,'*40) for r in table(20)]
    start = time.process_time()
    with Server(lambda n, request: json.dumps(PROGRAM if n else slow)) as server: transform_dataset(rows, SPEC, model(server))
    assert time.process_time() - start < 8  # it would take years
    assert 'takes too long' in asked(server.requests[1])


class Says(LM):
    name, chat = 'says', True


@pytest.mark.parametrize('program', [
    dict(input='{body.__class__}'), dict(input='{body[0]}'), dict(input='{body!r:>1000000000}'), dict(input='{}'), dict(output='{'),
    dict(steps=[dict(column='x', source='body', action='eval', pattern='1', by='')]),
    dict(steps=[dict(column='x y', source='body', action='lower', pattern='', by='')]),
    dict(steps=[dict(column='x', source='body', action='find', pattern='(', by='')]),
    dict(where=[dict(column='rating', operator='at least', value='many')]),
    dict(labels=[dict(theirs='1', ours='awful')]), dict(split=dict(columns=['absent'], by=''))])
def test_what_is_no_program_is_refused(program):
    with pytest.raises(P2MError): run_program(read_program(PROGRAM | program), table(20), SPEC)


def test_any_json_is_a_program_or_an_error():
    "A thousand programs, each bent in a few places."
    lot, rows = random.Random(0), table(12) + [dict(nr=None, rating=['3'], body={'a': 1}), {}]
    odd = [None, '', 0, [], {}, '{body}', '{rating}', 'body', 'nr', '(a', '.', [None], {'columns': ['body'], 'by': ' '}, 'is', 'x'*500]
    def bend(value):
        if lot.random() < .04: return lot.choice(odd)
        if isinstance(value, dict): return {k: bend(v) for k, v in value.items() if lot.random() > .01}
        return [bend(v) for v in value] if isinstance(value, list) else value
    ran = 0
    for _ in range(1000):
        try: program = read_program(bend(PROGRAM))
        except P2MError: continue
        if program is None: continue
        try: done = run_program(program, rows, SPEC)
        except P2MError: continue
        ran += 1
        assert all(r['input'] and r['output'] in SPEC.labels for r in done) and done._repr_html_()
    assert ran > 50


def test_foreign_text_is_escaped():
    rows = [dict(rating=f'{i % 2 + 4}', body='<script>alert(1)</script>' + str(i)) for i in range(8)]
    done = run_program(read_program(PROGRAM | dict(input='<img src=x>{body}')), rows, SPEC)
    assert len(done) == 8 and '<script' not in done._repr_html_() and '<img' not in done._repr_html_()


def test_a_model_that_only_continues_is_refused():
    plain = Says()
    plain.chat = False
    with pytest.raises(P2MError, match='chat model'): propose_program(table(5), SPEC, plain)
    with pytest.raises(P2MError, match='no rows'): propose_program([], SPEC, Says())


def test_a_program_made_by_hand_needs_no_model():
    done = run_program(Program('{body}', '{rating}'), table(5), PromptSpec('Say the stars.'))
    assert [r['output'] for r in done] == [r['rating'] for r in table(5)]
