"""A real language model over the wire: llama.cpp serves SmolLM2 on this machine, and the client has to live with it."""
import shutil, socket, subprocess, sys, time
from pathlib import Path
import pytest
from p2m_nb.all import Meter, OpenAILM, P2MError, Request, Run, annotate, generate, load_lm, parse_prompt
from p2m_nb.base.lm import json_answer, worst_case
from p2m_nb.data.template import answer_schema

pytest.importorskip('xllamacpp', reason="pip install 'p2m_nb[llama]'")
SERVE = [sys.executable, str(Path(__file__).resolve().parent.parent/'examples'/'llama.py')]
PROMPT = '''Say what the user of a voice assistant wants. The intent is one of: play music, get weather.

put on some jazz -> play music
play the new album by Adele -> play music
will it rain tomorrow -> get weather
how cold is it in Oslo -> get weather
'''


def address(stdout):
    "Where a server answers, once it does."
    line = stdout.readline()
    assert 'answers at http://127.0.0.1:' in line, line
    return line.split()[-1]


def is_up(url):
    host, port = url.split('/')[2].split(':')
    with socket.socket() as s: return s.connect_ex((host, int(port))) == 0


def wait_until_down(url, seconds=15):
    end = time.time() + seconds
    while is_up(url) and time.time() < end: time.sleep(.1)
    return not is_up(url)


@pytest.fixture(scope='module')
def url():
    "A server for this file; it is told to end here, and ends by itself with these tests if they are killed."
    with subprocess.Popen([*SERVE, '--port', '0'], stdout=subprocess.PIPE, text=True) as server:
        try: yield (found := address(server.stdout))
        finally: server.terminate()
    assert wait_until_down(found)


@pytest.fixture
def lm(url): return OpenAILM('smollm2', base_url=url, price=(.15, .60), concurrency=2)


@pytest.fixture(scope='module')
def spec(): return parse_prompt(PROMPT)


def ask(i, **options): return Request((dict(role='system', content='Be brief.'), dict(role='user', content=f'Name {i} colours.')), **options)


def test_it_answers_and_counts(url):
    lm = load_lm('smollm2', base_url=url, price=(.15, .60))
    meter = Meter(price=lm.price)
    answer, = lm.complete([ask(30, max_tokens=8, temperature=0.)], meter=meter)
    assert answer.text.strip() and (answer.finish, answer.completion_tokens) == ('length', 8)
    assert 10 < answer.prompt_tokens <= worst_case(ask(30))[0]
    assert meter.cost == pytest.approx((answer.prompt_tokens*.15 + 8*.60)/1e6)


def test_answers_hold_to_their_schema(lm, spec):
    "So small a model keeps to no form by itself: the server sees to it if the client asks for it."
    asked = [ask(i, max_tokens=60, schema=answer_schema(spec)) for i in range(4)]
    answers = [json_answer(c) for c in lm.complete(asked)]
    assert {a['output'] for a in answers} <= set(spec.labels)
    assert json_answer(next(lm.complete([ask(3, max_tokens=20)]))) is None


def test_a_cap_holds(lm):
    cap = 2.5*sum(n*p for n, p in zip(worst_case(ask(1, max_tokens=8)), lm.price))/1e6
    meter = Meter(max_cost=cap, price=lm.price)
    answers = list(lm.complete([ask(i, max_tokens=8) for i in range(30)], meter=meter))
    assert 2 <= len(answers) < 30 and meter.full and 0 < meter.cost <= cap


def test_a_run_is_bought_once(lm, spec, tmp_path):
    run = Run(tmp_path/'run')
    how = dict(n=2, teacher=lm, seed=0, temperature=1., max_cost=.05, run=run)
    rows = generate(spec, **how)
    assert rows.histogram() == dict.fromkeys(spec.labels, 1)
    use = run.usage
    assert 0 < use['cost'] <= .05 and use['calls'] == len(run.calls)
    shutil.rmtree(run.path/'generate')   # the rows are gone, the answers are not
    assert generate(spec, **how) == rows and run.usage == use


def test_the_teacher_answers_in_labels(lm, spec, tmp_path):
    asked, run = ['put on a waltz', 'is it windy outside', 'play something by Bach'], Run(tmp_path/'run')
    answers = annotate(lm, spec, asked, run=run)
    assert len(answers) == 3 and set(answers) <= set(spec.labels)
    assert annotate(lm, spec, asked, run=run) == answers and len(run.calls) == 3


def test_what_it_refuses_is_told_once(lm, url):
    with pytest.raises(P2MError, match='context size'): list(lm.complete([ask('many '*3000)]))
    elsewhere = OpenAILM('smollm2', base_url=url.replace('/v1', '/v7'))
    with pytest.raises(P2MError, match='404') as e: list(elsewhere.complete([ask(1)]))
    assert 'base_url' in e.value.remedy and lm.retries == elsewhere.retries == 0


def test_it_serves_while_a_command_runs():
    look = 'import sys, urllib.request as u; sys.exit(u.urlopen(sys.argv[1]).status - 193)'
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
        taken = subprocess.run([*SERVE, '--port', str(port)], capture_output=True, text=True)   # bound by this test
    assert taken.returncode == 1 and f'port {port}' in taken.stderr and '--port' in taken.stderr
    command = [sys.executable, '-c', look, f'http://127.0.0.1:{port}/health']
    assert subprocess.run([*SERVE, '--port', str(port), *command]).returncode == 7
    assert not is_up(f'http://127.0.0.1:{port}/')


@pytest.mark.skipif(sys.platform == 'win32', reason='a process there does not learn that its parent has gone')
def test_it_ends_with_the_program_that_started_it():
    start = f'import subprocess; subprocess.run({[*SERVE, "--port", "0"]!r})'
    with subprocess.Popen([sys.executable, '-c', start], stdout=subprocess.PIPE, text=True) as parent:
        url = address(parent.stdout)
        assert is_up(url)
        parent.kill()
    assert wait_until_down(url)
