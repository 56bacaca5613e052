"Curation that asks a teacher: over HTTP with the real client, and killed at any of its writes. `python test_curate.py FOLDER` kills."
import json, os, re, subprocess, sys, tempfile
from pathlib import Path
import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import faults
from openai_server import Server, answer
from p2m_nb.base.core import Curated, Examples, P2MError, PromptSpec
from p2m_nb.base.store import Run
from p2m_nb.data.curate import curate

DATES = PromptSpec('Write the date.', [('on 3 March 2021', '2021-03-03'), ('1 May 1999', '1999-05-01')], kind='extraction')
INTENTS = PromptSpec('Name the intent.', [('play jazz', 'play music'), ('will it rain', 'get weather')],
                     labels=('play music', 'get weather'), kind='classification')
ROWS = Examples.of([('2 May 2001', '2001-05-02'), ('7 June 2004', '2004-07-06'), ('9 July 2005', '2005-07-09'),
                    ('8 June 1990', '1990-06-08'), ('1 August 2010', '2010-08-01')], 'generated')


def said(input, nth):
    "The teacher is sure of May and June 2004, wavers for July, and cannot write August."
    if 'August' in input: return 'in August'
    return {'May': '2001-05-02', '2004': '2004-06-07', '1990': '1990-06-08'}.get(
        next((k for k in ('May', '2004', '1990') if k in input), ''), f'2005-07-{10 + nth:02d}')


class Votes(faults.InProcess):
    def text(self, request): return ' ' + said(request.prompt.split('\n')[-2], request.sample)


def curated(folder, teacher):
    "Five rows put to the vote."
    run = Run(folder)
    clean = curate(ROWS, DATES, run=run, teacher=teacher, seed=0)
    return [clean.rows, clean.rejected.rows, run.usage['calls'], run.facts('curate')['kept']]


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='kills forked children')
def test_killed_at_every_write():
    memory = '/dev/shm' if Path('/dev/shm').is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        told = subprocess.run([sys.executable, __file__, folder], capture_output=True, text=True, cwd=HERE.parent,
                              env=os.environ | {'PYTHONPATH': str(HERE.parent), 'OMP_NUM_THREADS': '1'})
    assert told.returncode == 0, told.stderr
    report = json.loads(told.stdout.splitlines()[-1])
    assert report['found'] == [] and report['twice'] == 0
    assert report['kills'] == report['writes'] >= 15 and report['asked'] == 5 + 3


def teacher(server, price=(1., 1.)):
    from p2m_nb.base.client import OpenAILM
    return OpenAILM('m', base_url=server.url, api_key='none', price=price, concurrency=2)


def question(request): return json.loads(request['messages'][-1]['content'].rsplit('\n', 1)[1])['input']


def dates_server():
    asked = {}
    def script(n, request):
        x = question(request)
        asked[x] = asked.get(x, -1) + 1
        return dict(body=answer(json.dumps(dict(output=said(x, asked[x]))), 50, 10))
    return Server(script)


def test_votes_over_http(tmp_path):
    with dates_server() as server:
        run = Run(tmp_path/'run')
        clean = curate(ROWS, DATES, run=run, teacher=teacher(server), seed=0)
        assert [(r['output'], r['weight']) for r in clean] == [('2001-05-02', 1.), ('2004-06-07', .6667), ('1990-06-08', 1.)]
        assert clean.reasons() == {'no majority': 2}
        assert clean[1]['outvoted'] == '2004-07-06'
        bought = len(server.requests)
        assert bought == 5 + 3 == run.usage['stages']['curate']['calls']
        assert all(r['temperature'] == .7 for r in server.requests)
        assert curate(ROWS, DATES, run=run, teacher=teacher(server), seed=0) == clean
        other = curate(ROWS, DATES, run=run, teacher=teacher(server), seed=1)   # done anew, from the stored answers
        assert other == clean and len(server.requests) == bought
        run.close()


def test_the_budget_of_the_run_is_not_passed(tmp_path):
    with dates_server() as server:
        run = Run(tmp_path/'run')
        run.calls.put({'before': dict(text='', prompt_tokens=90, completion_tokens=10, cost=.004, stage='generate')})
        cap = .0047
        clean = curate(ROWS, DATES, run=run, teacher=teacher(server), seed=0, max_cost=cap)
        assert 0 < len(server.requests) < 8 and run.usage['cost'] <= cap
        assert len(clean) >= len(ROWS) - len(server.requests)   # who was not asked about stays
        assert run.latest('curate') is None   # not finished
        whole = curate(ROWS, DATES, run=run, teacher=teacher(server), seed=0, max_cost=1.)
        assert len(whole) == 3 and len(server.requests) == 8 and run.latest('curate')
        run.close()


def test_a_chat_teacher_votes_on_labels(tmp_path):
    def script(n, request): return json.dumps(dict(output='play music' if 'play' in question(request) else 'get weather'))
    class Blank:   # an embedder that sees no difference: the probe is sure of nothing
        def embed(self, texts): return __import__('numpy').ones((len(texts), 1), dtype='float32')
    words = 'some any more that this such the your'.split()
    rows = Examples.of([(f'play {w} songs please', 'play music') for w in words] + [(f'is rain in {w} town', 'get weather') for w in words]
                       + [('play rain sounds now', 'get weather')], 'generated')
    with Server(script) as server:
        clean = curate(rows, INTENTS, teacher=teacher(server), embedder=Blank(), seed=0)
        assert len(server.requests) == 3*len(rows)
    assert [r['input'] for r in clean.rejected if r['reason'] == 'label in doubt'] == ['play rain sounds now']
    assert all(max(r['soft_labels']) == r['soft_labels'][INTENTS.labels.index(r['output'])] for r in clean)


def test_mistakes_are_told_before_work():
    class Never:
        name, price = 'never', None
        def complete(self, *given, **more): raise AssertionError('asked')
    for given, words in ((dict(check=r'\d+'), "rejects the prompt's own example"), (dict(check='('), 'not a regular expression'),
                         (dict(votes=1), 'decide nothing'), (dict(max_cost=1.), 'no price'), (dict(check={'type': 7}), 'not a JSON schema')):
        with pytest.raises(P2MError, match=re.escape(words)): curate(ROWS, DATES, teacher=Never(), **given)


def test_rows_that_were_set_aside_vote_and_stand_in():
    again = [dict(input='2 may 2001.', output='2001-02-05', source='generated', reason='duplicate')]*2
    clean = curate(Curated(ROWS.rows[:1], again), DATES)
    assert (clean[0]['output'], clean[0]['outvoted'], clean[0]['weight']) == ('2001-02-05', '2001-05-02', .6667)


if __name__ == '__main__':
    faults.TASKS['curate'] = (curated, Votes)
    print(json.dumps(faults.check('curate', sys.argv[1])))
