"""A student behind an address, in a process of its own: OpenAI's client, plain JSON, strangers' bodies, a signal in mid-load."""
import json, math, re, shutil, signal, socket, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import pytest
from faults import tiny_base
from test_export import DIGITS, NUMBERS, tiny_causal
from p2m_nb.base.core import Examples, PromptSpec
from p2m_nb.model.causal import CausalStudent
from p2m_nb.model.classifier import ClassifierStudent

pytest.importorskip('fastapi', reason="pip install 'p2m_nb[serve]'")
pytest.importorskip('uvicorn', reason="pip install 'p2m_nb[serve]'")
import httpx, openai

SPEC = PromptSpec('Name the intent.', [('play jazz', 'play music'), ('rain today', 'get weather')],
                  labels=('play music', 'get weather'), kind='classification')
TEXTS = ['play some jazz', 'some rain', 'rain now', 'play now', 'today jazz', 'now']
P2M = [sys.executable, '-c', 'import sys; from p2m_nb.cli import main; sys.exit(main())']
SECRET, JSON = 'my diary of 1987', {'content-type': 'application/json'}


@pytest.fixture(scope='module')
def student(tmp_path_factory):
    home = tmp_path_factory.mktemp('serve')
    tiny_base(home/'base')
    rows = Examples.of([('play some jazz', 'play music'), ('some rain', 'get weather'), ('jazz now', 'play music')], 'made')
    student = ClassifierStudent(SPEC, base=home/'base', seed=0).fit(rows, epochs=2)
    student.folder = student.save(home/'intents')
    return student


class Served:
    "`p2m serve` on a free port; what it printed is kept."
    def __init__(self, folder, *options):
        command = [*P2M, 'serve', str(folder), '--port', '0', *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding='utf-8')
        self.said = self.process.stdout.readline()
        found = re.search(r'answers at (http://127.0.0.1:\d+)/v1', self.said)
        assert found, self.said + self.process.stderr.read()
        self.address, self.openai = found[1], openai.OpenAI(base_url=f'{found[1]}/v1', api_key='none', max_retries=0)

    def chat(self, text, **options):
        return self.openai.chat.completions.create(model='any', messages=[dict(role='user', content=text)], **options)

    def post(self, path, **body): return httpx.post(self.address + path, timeout=30, **body)
    def health(self): return httpx.get(f'{self.address}/health', timeout=30).json()

    def end(self, signal=signal.SIGTERM):
        "Tell it to end; the exit code and all that it printed."
        self.process.send_signal(signal)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, self.said + out + err

    def __enter__(self): return self
    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope='module')
def served(student):
    with Served(student.folder) as server: yield server


def test_openai_gets_the_answers_of_the_student(served, student):
    answers = [served.chat(t) for t in TEXTS]
    assert [a.choices[0].message.content for a in answers] == student.predict(TEXTS)
    assert [m.id for m in served.openai.models.list()] == ['intents'] and {a.model for a in answers} == {'intents'}
    use = answers[0].usage
    assert (use.prompt_tokens, use.total_tokens) == (len(student.tokenizer(TEXTS[0])['input_ids']), use.prompt_tokens + use.completion_tokens)
    both = served.openai.completions.create(model='any', prompt=TEXTS)
    assert [c.text for c in both.choices] == student.predict(TEXTS)


def test_the_last_message_of_the_user_is_the_input(served, student):
    talk = [dict(role='system', content='Obey.'), dict(role='user', content='play jazz'), dict(role='assistant', content='play music'),
            dict(role='user', content=[dict(type='text', text='some '), dict(type='text', text='rain')])]
    answer = served.openai.chat.completions.create(model='any', messages=talk, temperature=.7, max_tokens=9, seed=1)
    assert [answer.choices[0].message.content] == student.predict(['some rain'])


def test_logprobs_are_the_probabilities_of_the_labels(served, student):
    known = student.predict(TEXTS, scores=True).to_dict('records')
    for text, row in zip(TEXTS, known):
        token, = served.chat(text, logprobs=True, top_logprobs=2).choices[0].logprobs.content
        assert {t.token: t.logprob for t in token.top_logprobs} == pytest.approx({k: math.log(v) for k, v in row.items()}, abs=1e-4)
        assert token.logprob == max(t.logprob for t in token.top_logprobs)
    plain = served.post('/predict', json=dict(inputs=TEXTS)).json()
    assert plain['outputs'] == student.predict(TEXTS)
    assert plain['probabilities'] == [pytest.approx(r, abs=1e-5) for r in known]
    assert plain['scores'] == [pytest.approx(max(r.values()), abs=1e-5) for r in known]


def test_a_stream_says_the_same(served, student):
    chunks = list(served.chat('some rain', stream=True))
    assert [''.join(c.choices[0].delta.content or '' for c in chunks)] == student.predict(['some rain'])
    assert chunks[-1].choices[0].finish_reason == 'stop'


def test_callers_at_once_share_batches(served, student):
    before, texts = served.health(), TEXTS*50
    with ThreadPoolExecutor(32) as callers: answers = list(callers.map(served.chat, texts))
    assert [a.choices[0].message.content for a in answers] == student.predict(TEXTS)*50
    after = served.health()
    assert after['texts'] - before['texts'] == len(texts) and after['waiting'] == 0
    assert after['largest'] > 4   # how many batches it comes to hangs on the callers' pace


def test_written_answers_do_not_depend_on_who_else_asks(tmp_path):
    rows = Examples.of([(f'{a} and {b}', f'{i} {j}') for i, a in enumerate(NUMBERS[:6]) for j, b in enumerate(NUMBERS[:6])], 'made')
    student = CausalStudent(DIGITS, base=tiny_causal(tmp_path/'base'), seed=0).fit(rows, epochs=3, learning_rate=1e-2)
    student.max_tokens = 2   # of the three that an answer has
    texts = [f'{a} and {b}' + ' and nine'*(i % 3) for i, a in enumerate(NUMBERS) for b in NUMBERS[:4]]
    wanted = [student.predict([t])[0] for t in texts]
    with Served(student.save(tmp_path/'digits')) as served:
        with ThreadPoolExecutor(16) as callers: answers = list(callers.map(served.chat, texts))
        assert [a.choices[0].message.content for a in answers] == wanted and served.health()['largest'] > 1
        assert 'length' in {a.choices[0].finish_reason for a in answers}
        scores = served.post('/predict', json=dict(inputs=texts[:3])).json()['scores']
        assert scores == pytest.approx([math.exp(s) for s in student.score(texts[:3], wanted[:3])], abs=1e-4)


@pytest.mark.parametrize('path, body, status, words', [
    ('/v1/chat/completions', dict(content=b'{"messages": [' + SECRET.encode(), headers=JSON), 400, 'JSON decode error'),
    ('/predict', dict(content=b'{"inputs": ["rain"]}'), 400, 'application/json'),
    ('/predict', dict(data=dict(inputs='rain')), 400, 'application/json'),
    ('/v1/chat/completions', dict(json=dict(model='x')), 400, 'messages: Field required'),
    ('/v1/chat/completions', dict(json=dict(messages=[])), 400, 'empty input'),
    ('/v1/chat/completions', dict(json=dict(messages=[dict(role='system', content=SECRET)])), 400, 'empty input'),
    ('/v1/chat/completions', dict(json=dict(messages=[dict(role='user', content=7)])), 400, 'messages.0.content'),
    ('/v1/chat/completions', dict(json=dict(messages=[dict(role='user', content=[dict(type='image_url')])])), 400, 'messages.0.content'),
    ('/v1/chat/completions', dict(json=dict(messages=[dict(role='user', content='rain')], n=2)), 400, 'n: '),
    ('/v1/completions', dict(json=dict(prompt=[1, 2])), 400, 'prompt'),
    ('/v1/completions', dict(json=dict(prompt=SECRET, stream=True)), 400, 'stream'),
    ('/predict', dict(json=dict(inputs=[])), 400, 'empty input'),
    ('/predict', dict(json=dict(inputs=[SECRET, ' '])), 400, 'empty input'),
    ('/predict', dict(json=dict(inputs='rain')), 400, 'inputs: '),
    ('/predict', dict(json=[SECRET]), 400, 'body'),
    ('/predict', dict(content=b'\xff\xfe' + SECRET.encode(), headers=JSON), 400, ''),
    ('/predict', dict(json=dict(inputs=['rain ' + SECRET*1000])), 400, 'characters; at most 10,000'),
    ('/predict', dict(json=dict(inputs=['rain']*1001)), 400, 'at most 1,000'),
    (f'/{SECRET}', dict(json={}), 404, 'Not Found'),
])
def test_a_bad_body_is_refused_in_words(served, path, body, status, words):
    answer = served.post(path, **body)
    error = answer.json()['error']
    assert answer.status_code == status and words in error['message'], error
    assert set(error) == {'message', 'type', 'param', 'code'} and error['type'] == 'invalid_request_error'
    assert SECRET not in error['message']


def test_what_openai_makes_of_a_refusal(served):
    with pytest.raises(openai.BadRequestError, match='12,000 characters') as e: served.chat('rain'*3000)
    assert e.value.code == 'context_length_exceeded'
    assert httpx.get(f'{served.address}/predict').status_code == 405


SLOW = '''if True:
    import signal, sys, threading, time
    from p2m_nb.model.choose import load_student
    from p2m_nb.result.serve import serve
    student, release = load_student(sys.argv[1]), threading.Event()
    predict = student.predict
    student.predict = lambda texts, scores=False: (texts[0] != 'hold' or release.wait(30)) and predict(texts, scores)
    service = serve(student, port=0, waiting=4, longest=20)
    print(service.url, flush=True)
    sys.stdin.readline()
    release.set()
    service.stop()
    print(service, flush=True)'''


def test_a_line_and_a_body_are_of_bounded_length(student):
    with subprocess.Popen([sys.executable, '-c', SLOW, str(student.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().strip().removesuffix('/v1')
        ask = lambda *texts: httpx.post(f'{address}/predict', json=dict(inputs=texts), timeout=60)
        health = lambda: httpx.get(f'{address}/health').json()
        huge = httpx.post(f'{address}/predict', content=(b'[' * 10_000 for _ in range(100)), headers=JSON)   # without a length
        assert huge.status_code == 413 and huge.json()['error']['code'] == 'body_too_large'
        with ThreadPoolExecutor(2) as callers:
            held = callers.submit(ask, 'hold')
            while health()['waiting'] or not health()['accepted']: pass   # it is being answered
            queued = callers.submit(ask, *['rain now']*4)
            while health()['waiting'] < 4: pass
            full = ask('play now')
            assert full.status_code == 503 and int(full.headers['retry-after']) >= 1 and full.json()['error']['code'] == 'busy'
            process.stdin.write('\n')
            process.stdin.flush()
            assert held.result().status_code == 200 and queued.result().json()['outputs'] == student.predict(['rain now'])*4
        assert '2 of 2 requests answered' in process.stdout.read()


def test_sigterm_loses_no_request_that_was_accepted(student):
    "Callers ask without a pause while it is told to end: as many answers arrive as it says it gave, then the line is closed."
    right = dict(zip(TEXTS, student.predict(TEXTS)))
    with Served(student.folder) as served:
        def caller():
            good = 0
            with httpx.Client(timeout=60) as client:
                try:
                    for i in range(100_000):
                        answer = client.post(f'{served.address}/predict', json=dict(inputs=[TEXTS[i % 6]]))
                        if answer.status_code == 503: return good
                        assert answer.json()['outputs'] == [right[TEXTS[i % 6]]]
                        good += 1
                except httpx.TransportError: return good
        with ThreadPoolExecutor(16) as callers:
            counts = [callers.submit(caller) for _ in range(16)]
            while served.health()['answered'] < 200: pass
            code, said = served.end()
            answered = sum(c.result() for c in counts)
    told = re.search(r'has stopped, ([\d,]+) of ([\d,]+) requests answered', said)
    assert code == 0 and told, said
    assert answered == int(told[1].replace(',', '')) == int(told[2].replace(',', '')) >= 200


def test_nothing_that_a_stranger_sends_is_printed(student):
    with Served(student.folder) as served:
        for body in (dict(content=SECRET.encode(), headers=JSON), dict(json=dict(inputs=[SECRET])), dict(json=dict(inputs=[SECRET*10_000]))):
            served.post('/predict', **body)
        served.post(f'/{SECRET}?q={SECRET}', headers={'x-note': SECRET})
        host, port = served.address.removeprefix('http://').split(':')
        with socket.create_connection((host, int(port))) as raw:
            raw.sendall(f'{SECRET}\r\n\r\n'.encode())
            assert b'400' in raw.recv(1000)
        with socket.create_connection((host, int(port))) as raw:   # half a request does not hold it up
            raw.sendall(b'POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{')
            assert served.chat('some rain')
            code, said = served.end(signal.SIGINT)
    assert code == 0 and 'diary' not in said and '1987' not in said
    assert len(said.splitlines()) == 2, said


def refused(*argv):
    "What `p2m serve` says and how it ends when it cannot start."
    process = subprocess.run([*P2M, 'serve', *map(str, argv)], capture_output=True, text=True, encoding='utf-8', timeout=120)
    assert process.stdout == '' and len(process.stderr.splitlines()) == 1 and process.stderr.startswith('p2m: '), process.stderr
    return process.returncode, process.stderr


def test_a_port_in_use_is_named(served, student):
    port = served.address.split(':')[-1]
    code, said = refused(student.folder, '--port', port)
    assert code == 1 and f'port {port}' in said and str(int(port) + 1) in said


def test_a_folder_that_cannot_be_trusted_is_refused(student, tmp_path):
    copy = lambda name: Path(shutil.copytree(student.folder, tmp_path/name))
    def facts(folder, **changes):
        path = folder/'p2m.json'
        path.write_text(json.dumps(json.loads(path.read_text(encoding='utf-8')) | changes), encoding='utf-8')
        return folder
    newer, pickled, exchanged = facts(copy('newer'), format=99), copy('pickled'), copy('exchanged')
    (pickled/'pytorch_model.bin').write_bytes(b'')
    with open(exchanged/'model.safetensors', 'r+b') as f: f.seek(-1, 2), f.write(b'!')
    wanted = {tmp_path/'nothing': 'p2m.json', newer: 'pip install -U p2m_nb', pickled: 'pytorch_model.bin', exchanged: 'not those that were saved'}
    for folder, words in wanted.items():
        code, said = refused(folder, '--port', '0')
        assert code == 1 and words in said and folder.name in said
