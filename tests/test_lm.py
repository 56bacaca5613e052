"What the client for OpenAI-compatible servers does with each fault, over HTTP with the real `openai` package."
import asyncio, io, json, logging, random, subprocess, sys, threading, time, traceback, types
from pathlib import Path
import pytest
sys.path.insert(0, str(Path(__file__).parent))
from openai_server import Server, answer, error
from p2m_nb.base.core import P2MError, Progress
from p2m_nb.base.client import OpenAILM, Pace, Rate
from p2m_nb.base.local import weights_path
from p2m_nb.base.lm import Completion, Meter, Request, json_answer, worst_case
from p2m_nb.base.store import CallStore, Run

KEY = 'sk-planted-0123456789abcdef'


def model(server, concurrency=4, **changes):
    lm = OpenAILM('m', base_url=server.url, api_key=KEY, price=(1., 10.), concurrency=concurrency)
    vars(lm).update(dict(backoff=.01, timeout=5.) | changes)
    return lm


def ask(n): return [Request(prompt=f'question {i}', max_tokens=5) for i in range(n)]
def said(request): return request['messages'][-1]['content']
def texts(completions): return [c.text for c in completions]


def quota(code): return error(429, 'You have used it up', code, code)
PAGE = dict(raw=b'<html><style>b {}</style>\n<b>Welcome</b> to our site</html>', headers={'content-type': 'text/html'})

# errors that stay: said once, in the provider's words
PERMANENT = {
    '401': (error(401, 'Incorrect API key provided', 'invalid_api_key'), 'Incorrect API key', 'OPENAI_API_KEY'),
    '403': (error(403, 'Country not supported'), 'Country not supported', 'another model'),
    'wrong model': (error(404, 'The model `m` does not exist', 'model_not_found'), 'does not exist', 'name of the model'),
    'wrong address': (dict(status=404, body=dict(detail='Not Found')), 'Not Found', 'end in /v1'),
    'a page that is missing': (PAGE | dict(status=404), 'a page, no answer: b {} Welcome to our site', 'end in /v1'),
    'a site, no server': (PAGE | dict(status=405), 'Welcome', 'OpenAI-compatible'),
    'a server of files': (PAGE | dict(status=501), 'Welcome', 'OpenAI-compatible'),
    'context': (error(400, 'maximum context length is 10 tokens', 'context_length_exceeded'), 'maximum context', 'Shorten'),
    'context of llama.cpp': (error(400, 'the request exceeds the available context size', 400, 'exceed_context_size_error'),
                             'available context size', 'Shorten'),
    '400': (error(400, 'messages: bad role'), 'bad role', 'Correct'),
    '413': (error(413, 'too large'), 'too large', 'Shorten'),
    '422': (error(422, 'no such field'), 'no such field', 'Correct'),
    '402': (error(402, 'Payment required'), 'Payment', 'credit'),
    'range': (error(400, "Invalid 'temperature': decimal above maximum value"), 'maximum value', 'Correct'),
} | {code: (quota(code), 'used it up', 'Add credit or raise the limit') for code in (
    'insufficient_quota', 'credit_balance_exhausted', 'organization_spend_limit_exceeded', 'project_spend_limit_exceeded',
    'organization_usage_limit_exceeded')}

@pytest.mark.parametrize('name', PERMANENT)
def test_permanent_errors_are_told_once(name):
    reply, why, remedy = PERMANENT[name]
    with Server(lambda n, r: reply) as server, pytest.raises(P2MError) as e:
        list(model(server).complete(ask(20)))
    assert why in e.value.why and remedy in e.value.remedy
    assert 'm at 127.0.0.1' in e.value.what and '<' not in e.value.why
    assert len(server.requests) == 1   # though twenty had the same to ask


# errors that pass
TRANSIENT = {
    '408': error(408, 'late'), '409': error(409, 'conflict'), '429': error(429, 'slow down', 'rate_limit_exceeded'),
    '500': error(500, 'oops'), '502': PAGE | dict(status=502), '503': error(503, 'overloaded'), '504': error(504, 'late'),
    'dropped': dict(cut=20), 'dropped at once': dict(cut=0), 'late': dict(delay=.6), 'not JSON': dict(raw=b'{"choices": ['),
    'a page': PAGE, 'a page said to be JSON': dict(raw=PAGE['raw']), 'nothing': dict(raw=b''), 'null': dict(raw=b'null'),
    'not compatible': dict(body=dict(hello='world')), 'error in a reply': dict(body=dict(error=dict(message='upstream'))),
}

@pytest.mark.parametrize('name', TRANSIENT)
def test_transient_errors_are_asked_again(name):
    with Server(lambda n, r: TRANSIENT[name] if n < 2 else 'fine') as server:
        assert texts(model(server, timeout=.3).complete(ask(1))) == ['fine']
    assert len(server.requests) == 3


@pytest.mark.parametrize('name', [n for n in TRANSIENT if n != 'late'])
def test_transient_errors_are_not_asked_for_ever(name):
    with Server(lambda n, r: TRANSIENT[name] if n else 'fine') as server:
        lm = model(server, tries=5)
        with pytest.raises(P2MError, match='asked 5 times'): list(lm.complete(ask(2)))
    assert len(server.requests) == 1 + 5   # it has answered before, so it is there


@pytest.mark.parametrize('reply', [PAGE, dict(body=dict(hello='world')), dict(cut=0)], ids=['page', 'JSON', 'silence'])
def test_what_never_answers_is_given_up_soon(reply):
    with Server(lambda n, r: reply) as server, pytest.raises(P2MError) as e: list(model(server).complete(ask(20)))
    assert len(server.requests) == 3 and '(asked 3 times)' in e.value.why
    if 'cut' not in reply: assert 'is it an OpenAI-compatible server?' in e.value.remedy


def test_a_server_that_stays_down_is_told_of():
    with Server(lambda n, r: error(503, 'overloaded')) as server, pytest.raises(P2MError) as e:
        list(model(server, tries=4).complete(ask(1)))
    assert 'overloaded (asked 4 times)' in e.value.why and len(server.requests) == 4


def test_nobody_there():
    with Server() as server: pass
    start = time.monotonic()
    with pytest.raises(P2MError, match='nothing answers there'): list(model(server).complete(ask(3)))
    assert time.monotonic() - start < 3


@pytest.mark.parametrize('headers', [{'retry-after': '0.4'}, {'retry-after-ms': '400'}])
def test_retry_after_is_honoured_by_all(headers):
    came = []
    def script(n, r):
        came.append(time.monotonic())
        return error(429, 'slow', headers=headers) if n == 1 else dict(delay=.1 if n < 5 else 0)
    with Server(script) as server: assert len(list(model(server, concurrency=4).complete(ask(9)))) == 9
    assert .35 <= came[5] - came[1] < 2 and len(came) == 10   # neither the same request again nor a fifth comes sooner


def test_a_wait_that_is_too_long_is_told_and_does_not_silence_the_next():
    with Server(lambda n, r: error(429, 'come back', headers={'retry-after': '9999'}) if n == 0 else 'fine') as server:
        lm = model(server)
        with pytest.raises(P2MError, match='come back'): list(lm.complete(ask(1)))
        assert texts(lm.complete(ask(1))) == ['fine']


# answers
def test_answers_as_they_are():
    replies = [answer('cut', finish='length'), answer('', finish='content_filter'), answer('x') | {'choices': []},
               {k: v for k, v in answer('five').items() if k != 'usage'}, answer('{"a": 1} trailing')]
    with Server(lambda n, r: dict(body=replies[int(said(r).split()[1])])) as server:
        got = list(model(server).complete(ask(5)))
    assert [c.finish for c in got] == ['length', 'content_filter', 'stop', 'stop', 'stop']
    assert got[2] == Completion('', 'stop', 10, 3)
    assert got[3].completion_tokens == 4 and got[3].prompt_tokens == worst_case(ask(1)[0])[0]   # not counted: the worst
    assert json_answer(got[4]) == {'a': 1}


def test_order_is_kept_and_the_window_bounds_what_is_read():
    given, pulled = 0, []
    def requests():
        for i, r in enumerate(ask(60)):
            pulled.append((i, given))
            yield r
    def script(n, r): return dict(body=answer(said(r)), delay=random.Random(said(r)).random()*.02)
    with Server(script) as server:
        lm = model(server, concurrency=3)
        for i, c in enumerate(lm.complete(requests())):
            assert c.text == f'question {i}'
            given = i + 1
    assert lm.window == 12 and 1 < server.most <= 3
    assert [g for _, g in pulled] == [max(0, i - 11) for i in range(60)]   # always at the same moment


def test_concurrency_is_felt_out():
    came = []
    def script(n, r):
        came.append(time.monotonic())
        return dict(delay=.3)
    with Server(script) as server: list(model(server, concurrency=24).complete(ask(60)))
    assert came[1] - came[0] > .25 and 16 < server.most <= 24   # the first goes alone, then 16, then all
    pace, lot = Pace(16, 64), random.Random(0)
    for i in range(2000): pace.answered(busy=lot.random() < .05)   # refused by chance, not for their number
    assert pace.limit == 64
    pace.answered(busy=True, wait=.01)
    assert pace.limit < 64


def test_a_server_that_takes_six_at_once_gets_about_so_many():
    server = Server(lambda n, r: dict(delay=.08) if server.in_flight <= 6 else error(429, 'one at a time, please'))
    with server:
        lm = model(server, concurrency=64, tries=30)
        assert len(list(lm.complete(ask(200)))) == 200
    assert 4 <= lm.pace.limit <= 16 and len(server.requests) < 400


def test_what_a_minute_allows_is_not_passed():
    came = []
    def script(n, r):
        came.append(time.monotonic())
        return 'ok'
    with Server(script) as server:
        lm = OpenAILM('m', base_url=server.url, concurrency=64, requests_per_minute=61*20)   # 20 a second
        list(lm.complete(ask(50)))
    assert 1.4 < came[-1] - came[0] < 2.5
    assert all(later - sooner > .9 for sooner, later in zip(came, came[41:]))   # 20 saved up, 20 a second; + 1 at the edge


def test_tokens_of_a_minute_are_given_back_where_they_were_not_used():
    with Server(lambda n, r: dict(body=answer('ok', prompt_tokens=10, completion_tokens=10))) as server:
        lm = OpenAILM('m', base_url=server.url, concurrency=4, tokens_per_minute=61*400)   # 400 a second
        requests = [Request(prompt=str(i), max_tokens=300) for i in range(60)]             # 382 at worst, 20 in fact
        start = time.monotonic()
        list(lm.complete(requests))
        took = time.monotonic() - start
    assert 60*20/400 - 1 < took < 10 and lm.pace.rates[1].room <= 400   # by the worst case it were 57 s


@pytest.mark.parametrize('per_minute', [1, 7, 60, 1000, 30000])
def test_no_minute_sees_more(per_minute):
    lot, rate, now, passed = random.Random(per_minute), Rate(per_minute), 0., []
    while now < 300:
        step = lot.choice([.001, .1, .9, 5])   # now and then nothing is asked for a while
        now, rate.at = now + step, rate.at - step
        while rate.free(1):
            rate.take(1)
            passed.append(now)
    assert all(b - a > 60 for a, b in zip(passed, passed[per_minute:])) and len(passed) > per_minute


QUIRKS = {
    'response_format': error(400, "'response_format' is not supported"),
    'max_tokens': error(400, "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."),
    'temperature': error(400, "Unsupported value: 'temperature' does not support 1.0 with this model.", 'unsupported_value'),
    'seed': dict(status=422, body=dict(detail=[dict(type='extra_forbidden', loc=['body', 'seed'], msg='Extra inputs ...')])),
    'top_p': error(400, 'Unrecognized request argument supplied: top_p'),
    'stop': error(400, "this model doesn't accept stop"),
}

def test_what_a_server_does_not_take_is_found_out_once():
    def script(n, r): return next((reply for part, reply in QUIRKS.items() if part in r), 'plain. And more')
    requests = [Request(prompt=str(i), schema={'type': 'object'}, stop=('.',)) for i in range(20)]
    with Server(script) as server:
        lm = model(server)
        assert texts(lm.complete(requests)) == ['plain']*20 and lm.refused == set(QUIRKS)
        assert len(server.requests) == 20 + len(QUIRKS)
        assert texts(lm.complete(requests)) == ['plain']*20
        assert len(server.requests) == 40 + len(QUIRKS)   # it is not tried again
    assert set(server.requests[-1]) == {'model', 'messages', 'max_completion_tokens'} and 'without' in repr(lm)


@pytest.mark.parametrize('part', QUIRKS)
def test_one_quirk_leaves_the_rest(part):
    with Server(lambda n, r: QUIRKS[part] if part in r else 'fine') as server:
        lm = model(server)
        list(lm.complete([Request(prompt='1', schema={'type': 'object'}, stop=('.',))]))
    assert lm.refused == {part} and len(server.requests) == 2


def test_what_is_sent():
    schema = dict(type='object', properties={}, additionalProperties=False)
    request = Request(messages=(dict(role='system', content='s'), dict(role='user', content='u')), max_tokens=7,
                      temperature=.5, top_p=.9, stop=('\n',), schema=schema, sample=3)
    with Server() as server: list(model(server).complete([request]))
    sent = server.requests[0]
    assert [m['role'] for m in sent['messages']] == ['system', 'user'] and sent['stop'] == ['\n']
    assert (sent['max_tokens'], sent['temperature'], sent['top_p'], sent['seed']) == (7, .5, .9, 3)
    assert sent['response_format']['json_schema']['strict'] is True
    assert {k.lower(): v for k, v in server.headers[0].items()}['authorization'] == f'Bearer {KEY}'


# money
def test_what_is_stored_costs_nothing(tmp_path):
    with Server(lambda n, r: said(r)) as server:
        calls, lm = CallStore(tmp_path/'calls.sqlite'), model(server)
        first = list(lm.complete(ask(10), calls, Meter(price=lm.price), Progress('generate')))
        meter = Meter(max_cost=0., max_calls=0, price=lm.price)
        again = list(model(server).complete(ask(10), calls, meter))
        list(lm.complete(ask(12), calls))
    assert texts(first) == texts(again) and all(c.stored for c in again) and not any(c.stored for c in first)
    assert len(server.requests) == 12 and meter.cost == 0
    use = calls.usage()
    assert use['generate']['calls'] == 10 and use['generate']['cost'] == pytest.approx(10*(10*1 + 3*10)/1e6)


def test_the_same_question_in_flight_is_asked_once():
    with Server(lambda n, r: dict(delay=.02)) as server: assert len(list(model(server).complete(ask(1)*5))) == 5
    assert len(server.requests) == 1


def test_usage_stands_in_the_run_over_a_resume(tmp_path):
    with Server(lambda n, r: said(r)) as server:
        for n in (4, 4, 10):   # closed after four, looked at again, gone on with
            run, lm = Run(tmp_path/'run'), model(server)
            list(lm.complete(ask(n), run.calls, progress=Progress('generate')))
            run.note('generate', kept=n)
            run.close()
            told = json.loads((tmp_path/'run'/'run.json').read_text(encoding='utf-8'))['stages']['generate']
            assert told == dict(kept=n, usage=run.usage['stages']['generate']) and told['usage']['calls'] == n
        list(lm.complete(ask(12)[10:], run.calls, progress=Progress('curate')))
    with run.write('curate', {}) as folder: (folder/'rows').write_text('rows')   # a stage that notes nothing
    assert {k: v['usage'] for k, v in run.info['stages'].items()} == run.usage['stages']
    assert told['usage']['cost'] == pytest.approx(10*(10*1 + 3*10)/1e6) and len(server.requests) == 12


def test_no_template_adds_more_than_the_worst_case():
    from transformers import AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(weights_path('smollm2'))   # each digit is a token, and a byte
    for roles in ('user', 'system user', 'user assistant user', 'system user assistant user assistant user'):
        for text in ('', '0123456789'*50):
            request = Request([dict(role=r, content=text) for r in roles.split()])
            asked = tokenizer.apply_chat_template(list(request.messages), add_generation_prompt=True)['input_ids']
            assert len(text) < len(asked) <= worst_case(request)[0]


def test_a_cap_ends_the_answers():
    with Server(lambda n, r: said(r)) as server:
        meter = Meter(max_calls=7)
        assert texts(model(server).complete(ask(30), meter=meter)) == [f'question {i}' for i in range(7)]
        assert meter.full and len(server.requests) == 7
        meter = Meter(max_cost=.0004, price=(1., 10.))
        list(model(server).complete(ask(30), meter=meter))
    assert 0 < meter.cost <= .0004 and meter.full


def test_a_small_request_does_not_overtake_one_that_waits_for_room():
    sizes = [200, 300, 20, 20]   # tokens of the answer at worst; the second has no room before the first has come
    requests = [Request(prompt=str(i), max_tokens=size) for i, size in enumerate(sizes)]
    with Server(lambda n, r: dict(delay=.05)) as server:
        meter = Meter(max_tokens=450)
        assert len(list(model(server, reached=True).complete(requests, meter=meter))) == 4 and not meter.full
    assert server.texts()[:2] == ['0', '1'] and sorted(server.texts()) == ['0', '1', '2', '3']   # the last two go together


def test_an_answer_that_was_lost_counts_against_the_cap():
    with Server(lambda n, r: dict(cut=10)) as server:
        meter = Meter(max_calls=2)
        assert list(model(server).complete(ask(5), meter=meter)) == []
    assert len(server.requests) == 2 and meter.calls == 0 and len(meter.doubtful) == 2


class Draws(OpenAILM):
    "A model whose line is drawn by lot: it answers, is busy, or loses an answer that it bills."
    async def _ask(self, body):
        lot = self.lots
        await asyncio.sleep(lot.random()*.002)
        prompt, most = worst_case(Request(body['messages'], max_tokens=body['max_tokens']))
        draw = lot.random()
        if draw < self.trouble/2: raise openai_error(lot.choice([429, 500, 503]))
        used = (lot.randint(1, prompt), lot.randint(0, most))
        self.billed = [x + y for x, y in zip(self.billed, (1, sum(used), (used[0]*1. + used[1]*10.)/1e6))]
        if draw < self.trouble: raise ValueError('lost on the way')
        return Completion('x', 'stop', *used)


def openai_error(status):
    import httpx, openai
    http = sys.modules.get('httpx2', httpx)
    reply = http.Response(status, request=http.Request('POST', 'http://localhost'))
    return openai.APIStatusError('busy', response=reply, body=None)


def test_a_cap_is_never_passed():
    schedules, stopped_early = 150, 0   # `make bench-calls` draws 1,000
    for seed in range(schedules):
        lot = random.Random(seed)
        lm = Draws('m', base_url='http://localhost:1', api_key=KEY, price=(1., 10.), concurrency=lot.choice([1, 2, 4, 16]))
        vars(lm).update(lots=lot, trouble=lot.choice([0, .1, .5]), billed=[0, 0, 0.], backoff=.0005, tries=20, reached=True)
        size = lambda: dict(prompt='x'*lot.randint(1, 60), max_tokens=lot.randint(1, 50))
        requests = [Request(**size(), sample=i) for i in range(lot.randint(1, 24))]
        total = sum(sum(worst_case(r)) for r in requests)
        caps = dict(max_cost=lot.uniform(0, total*8)/1e6, max_calls=lot.choice([None, 3, 10]),
                    max_tokens=lot.choice([None, lot.randint(1, total)]))
        meter = Meter(price=lm.price, **caps)
        got = list(lm.complete(requests, meter=meter))
        for billed, cap in zip(lm.billed, (caps['max_calls'], caps['max_tokens'], caps['max_cost'])):
            assert cap is None or billed <= cap*(1 + 1e-9), (seed, lm.billed, caps)
        assert not meter.held and len(got) <= meter.calls
        assert (len(got) == len(requests)) or meter.full
        stopped_early += meter.full
    assert schedules*.2 < stopped_early < schedules   # the caps did bite, and not always


# stopping
def test_stop_is_quick_and_what_is_on_its_way_is_stored():
    with Server(lambda n, r: dict(delay=.5 if n >= 4 else 0)) as server:
        calls, progress, lm = CallStore(), Progress('generate'), model(server)
        threading.Timer(.2, progress.stop).start()
        start = time.monotonic()
        got = list(lm.complete(ask(40), calls, progress=progress))
        assert time.monotonic() - start < .45 and 1 <= len(got) < 40
        sent = len(server.requests)
        time.sleep(.7)
        assert len(calls) == sent == len(server.requests) > len(got)


def test_answers_on_their_way_survive_the_end_of_the_program(tmp_path):
    with Server(lambda n, r: dict(delay=.4)) as server:
        program = f"""
from p2m_nb.base.client import OpenAILM
from p2m_nb.base.lm import Request
from p2m_nb.base.store import CallStore
lm = OpenAILM('m', base_url={server.url!r}, concurrency=3)
answers = lm.complete((Request(prompt=str(i)) for i in range(9)), CallStore({str(tmp_path/'calls.sqlite')!r}))
next(answers)
"""
        subprocess.run([sys.executable, '-c', program], check=True, cwd=Path(__file__).parent.parent)
        assert len(CallStore(tmp_path/'calls.sqlite')) == len(server.requests) < 9


def test_an_error_keeps_what_was_paid_for():
    def script(n, r): return error(401, 'revoked') if said(r) == 'question 6' else dict(body=answer(said(r)), delay=.01)
    with Server(script) as server:
        calls, got = CallStore(), []
        with pytest.raises(P2MError, match='revoked'):
            for c in model(server).complete(ask(40), calls): got.append(c.text)
        time.sleep(.1)
    assert got == [f'question {i}' for i in range(6)] and len(calls) == len(server.requests) - 1


def test_a_full_disk_is_told(tmp_path):
    class Full(CallStore):
        def put(self, answers): raise P2MError('calls.sqlite', 'the disk is full', 'Make room.')
    with Server() as server, pytest.raises(P2MError, match='disk is full'): list(model(server).complete(ask(3), Full()))


def test_a_slow_disk_does_not_hold_the_others_up():
    class Slow(CallStore):
        puts = 0
        def put(self, answers):
            self.puts += 1
            time.sleep(.05)
            super().put(answers)
    with Server(lambda n, r: dict(delay=.05)) as server:
        calls, lm = Slow(), model(server, concurrency=16, reached=True)
        for request, completion in zip(requests := ask(100), lm.complete(requests, calls)):
            assert calls.get([request.key('m')])   # stored before it is given
    assert len(calls) == 100 and calls.puts < 50


def test_under_a_running_loop():
    async def cell(): return texts(model(server).complete(ask(3)))
    with Server(lambda n, r: said(r)) as server: assert asyncio.run(cell()) == [r.prompt for r in ask(3)]


# secrets
def test_the_key_is_nowhere(tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    lines = io.StringIO()
    logging.getLogger().addHandler(handler := logging.StreamHandler(lines))
    run, told = Run(tmp_path/'run'), []
    def script(n, r): return 'fine' if n < 3 else error(401, f'Incorrect API key provided: {KEY}')
    with Server(script) as server:
        lm, progress, meter = model(server), Progress('generate'), Meter()
        list(lm.complete(ask(3), run.calls, meter, progress))
        run.note('generate', model=repr(lm), meter=repr(meter))
        try: list(lm.complete(ask(5), run.calls, meter, progress))
        except P2MError as e: told = [str(e), repr(e), *traceback.format_exception(e), str(e.__cause__), str(e.__context__)]
    logging.getLogger().removeHandler(handler)
    assert 'Incorrect API key provided: ***' in told[0] and len(run.calls) == 3
    run.calls.export_jsonl(tmp_path/'run'/'calls.jsonl')
    seen = told + [repr(lm), str(vars(lm)), repr(run), run._repr_html_(), lines.getvalue(), caplog.text, *capfd.readouterr(),
                   str(progress.facts), repr(meter), repr(run.calls)]
    files = [p.read_bytes() for p in (tmp_path/'run').rglob('*') if p.is_file()]
    assert len(files) >= 3
    for text in seen + [f.decode('latin-1') for f in files]: assert KEY not in text and KEY[3:] not in text


@pytest.mark.parametrize('options, why', [
    (dict(api_key=''), 'OPENAI_API_KEY'), (dict(base_url='localhost:8000'), 'http://localhost:8000/v1'),
    (dict(api_key='two words'), 'no key has'), (dict(api_key='k', price=.15), 'price'),
    (dict(api_key='k', concurrency=0), 'concurrency'), (dict(api_key='k', model=''), 'needs its name'),
    (dict(api_key='k', tokens_per_minute=-1), 'nothing would ever be sent')])
def test_bad_input_is_told_before_any_request(options, why, monkeypatch):
    monkeypatch.delenv('OPENAI_API_KEY', raising=False)
    with pytest.raises(P2MError) as e: OpenAILM(**dict(model='m') | options)
    assert why in str(e.value) and 'words' not in str(e.value)


def test_the_key_may_be_among_the_secrets_of_colab(monkeypatch):
    class Userdata:
        def get(self, name): return {'OPENAI_API_KEY': KEY}[name]
    monkeypatch.delenv('OPENAI_API_KEY', raising=False)
    monkeypatch.setitem(sys.modules, 'google.colab', types.ModuleType('google.colab'))
    monkeypatch.setitem(sys.modules, 'google.colab.userdata', Userdata())
    assert OpenAILM('m')._key() == KEY
    monkeypatch.setattr(Userdata, 'get', lambda self, name: {}[name])   # the secret is not there
    with pytest.raises(P2MError, match='OPENAI_API_KEY'): OpenAILM('m')


def test_a_cap_without_a_price_is_refused():
    with pytest.raises(P2MError, match='price='): Meter(max_cost=5)


# the store, which two programs may write at once
def test_two_processes_share_a_store(tmp_path):
    program = """if True:
        import sys
        from p2m_nb.base.store import CallStore
        calls = CallStore(sys.argv[1])
        for i in range(100):
            calls.put({f'{sys.argv[2]} {i}': dict(text='x'*2000, n=i), f'both {i}': dict(text='y'*2000, n=i)})
            assert len(calls.get([f'{sys.argv[2]} {i}', f'both {i}'])) == 2"""
    command = [sys.executable, '-c', program, str(tmp_path/'calls.sqlite')]
    jobs = [subprocess.Popen([*command, name], cwd=Path(__file__).parent.parent) for name in 'ab']
    assert [job.wait(60) for job in jobs] == [0, 0]
    calls = CallStore(tmp_path/'calls.sqlite')
    found = calls.get(f'{name} {i}' for name in ('a', 'b', 'both') for i in range(100))
    assert len(calls) == len(found) == 300 and {a['n'] for a in found.values()} == set(range(100))
