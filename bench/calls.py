"""The client of servers beside plain ways to call one, against a server on this machine: time, faults, overhead, budget.

    python bench/calls.py [all | rows | overhead | budget]

The server is a process of its own. It waits as long as its address says, then answers with five rows that are a function
of the request; it refuses and drops as often as its address says. Barriers (ask five, wait for all five, ask five more, as
Prompt2Model does) are run on a twentieth of the requests and scaled up: each takes as long as any other.
"""
import argparse, asyncio, hashlib, json, random, re, subprocess, sys, tempfile, time
from pathlib import Path
from p2m_nb.base.client import OpenAILM
from p2m_nb.base.core import PromptSpec
from p2m_nb.base.lm import Completion, Meter, Request, worst_case
from p2m_nb.base.store import CallStore, Run
from p2m_nb.data.generate import generate

ROWS, PER_REQUEST, IN_FLIGHT, LATENCY = 5000, 5, 64, 1.
SPEC = PromptSpec('Say what the user of a voice assistant wants.', kind='classification',
                  labels=('play music', 'get weather', 'set alarm', 'book table'),
                  examples=[('put on some jazz', 'play music'), ('will it rain', 'get weather'),
                            ('wake me at seven', 'set alarm'), ('a table for two', 'book table')])
WORDS = '''morning evening river mountain garden office kitchen friend sister teacher doctor summer winter coffee paper
    window market station airport bridge concert museum holiday project meeting dinner breakfast music picture story'''.split()


class Answers(asyncio.Protocol):
    "One connection. Its addresses are /milliseconds/percent refused/percent dropped/..., milliseconds as 50 or 50-150."
    lot = random.Random(0)
    def connection_made(self, transport): self.transport, self.got = transport, b''

    def data_received(self, data):
        self.got += data
        head, _, rest = self.got.partition(b'\r\n\r\n')
        length = int((re.search(rb'content-length: *(\d+)', head, re.I) or [0, 0])[1])
        if not _ or len(rest) < length: return
        self.got = rest[length:]
        wait, busy, drop = head.split(b'/')[1:4]
        low, _, high = wait.decode().partition('-')
        wait, draw = self.lot.uniform(float(low), float(high or low))/1000, self.lot.random()*100
        if draw < float(busy): self.reply(429, dict(error=dict(message='too many requests')))
        else:
            cut = draw < float(busy) + float(drop)
            asyncio.get_running_loop().call_later(wait, self.reply, 200, said(json.loads(rest[:length])), cut)

    def reply(self, status, body, cut=False):
        if self.transport.is_closing(): return
        data = json.dumps(body).encode()
        head = f'HTTP/1.1 {status} said\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n'
        self.transport.write(head.encode() + data[:len(data)//2 if cut else None])
        if cut: self.transport.close()


def said(request):
    "Five rows of the label that the request names, from nothing but the request."
    text = json.dumps([request['messages'], request.get('seed')])
    label = next((l for l in SPEC.labels if f'whose output is "{l}"' in request['messages'][-1]['content']), '')
    lot = random.Random(hashlib.sha256(text.encode()).digest())
    rows = [dict(input=f"please do it for the {' '.join(lot.sample(WORDS, 6))}", output=label) for _ in range(PER_REQUEST)]
    choice = dict(index=0, finish_reason='stop', message=dict(role='assistant', content=json.dumps(dict(rows=rows))))
    return dict(id='1', object='chat.completion', created=0, model='m', choices=[choice],
                usage=dict(prompt_tokens=200, completion_tokens=150, total_tokens=350))


async def serve():
    server = await asyncio.get_running_loop().create_server(Answers, '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def rows_in(address, concurrency=IN_FLIGHT):
    "Seconds for ROWS kept rows, the rows, and how many answers they took."
    lm = OpenAILM('m', base_url=address, price=(.15, .6), concurrency=concurrency)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(folder)
        start = time.monotonic()
        made = generate(SPEC, ROWS, teacher=lm, max_cost=100., seed=0, run=run)
        seconds, answers = time.monotonic() - start, len(run.calls)
        run.close()
    assert len(made) == ROWS, made
    return seconds, made.rows, answers


def bodies(n):
    "So many requests as the `openai` package takes them."
    messages = [dict(role='user', content='Write 5 new examples whose output is "set alarm"')]
    return [dict(model='m', messages=messages, max_tokens=300, temperature=1., top_p=1., seed=i) for i in range(n)]


def sdk(address, n, at_once, barrier=False):
    "Seconds for n requests by the bare `openai` package, so many at once; with a barrier all are waited for before the next."
    from openai import AsyncOpenAI
    async def work():
        async with AsyncOpenAI(api_key='none', base_url=address, max_retries=0) as client:
            free = asyncio.Semaphore(at_once)
            async def one(body):
                async with free: return await client.chat.completions.create(**body)
            await one(bodies(1)[0])   # imports and connects
            start = time.monotonic()
            step = at_once if barrier else n
            for k in range(0, n, step): await asyncio.gather(*map(one, bodies(n)[k:k+step]))
            return time.monotonic() - start
    return asyncio.run(work())


def told(name, ours, alternative, digits=2): # the last lines say so again
    LINES.append(f'RESULT {name} {ours:.{digits}f} {alternative:.{digits}f} {ours/alternative:.3f}')
    print(LINES[-1], flush=True)

LINES = []


def rows(url):
    import openai   # which is no part of the time, as with the barriers
    clean, whole, answers = rows_in(f'{url}/{LATENCY*1000:.0f}/0/0')
    print(f'{ROWS:,} rows of {answers:,} answers in {clean:.1f} s', flush=True)
    part = ROWS//PER_REQUEST//20
    barriers = 20*sdk(f'{url}/{LATENCY*1000:.0f}/0/0', part, 5, barrier=True)
    print(f'barriers of five: {barriers:.0f} s, scaled up from {part} requests', flush=True)
    faults, again, _ = rows_in(f'{url}/{LATENCY*1000:.0f}/5/2')
    mixed, other, _ = rows_in(f'{url}/0-150/0/0')   # answers come in any order
    print(f'5 % refused, 2 % dropped: {faults:.1f} s, the same rows: {again == whole}; '
          f'answers in any order: {mixed:.1f} s, the same rows: {other == whole}', flush=True)
    assert again == whole and other == whole
    told('calls_seconds_5000_rows', clean, barriers)
    told(f'calls_seconds_beside_ideal_{IN_FLIGHT}_in_flight', clean, ROWS/PER_REQUEST/IN_FLIGHT*LATENCY)
    told('calls_seconds_with_faults_beside_without', faults, clean)


def overhead(url, n=1000):
    "Requests a second where the server takes no time: ours with its store on disk, and the bare package."
    rates = dict(ours=[], bare=[])
    for _ in range(3):   # in turn; the best of three, because others may use this machine
        lm = OpenAILM('m', base_url=f'{url}/0/0/0', price=(.15, .6), concurrency=IN_FLIGHT)
        lm.reached, lm.pace.limit = True, IN_FLIGHT
        requests = [Request(b['messages'], max_tokens=300, sample=b['seed']) for b in bodies(n)]
        with tempfile.TemporaryDirectory() as folder:
            calls = CallStore(Path(folder)/'calls.sqlite')
            assert len(list(lm.complete(requests[:1], CallStore()))) == 1   # imports and connects
            start = time.monotonic()
            assert len(list(lm.complete(requests, calls, Meter(max_cost=100., price=lm.price)))) == n
            rates['ours'].append(n/(time.monotonic() - start))
            calls.close()
        rates['bare'].append(n/sdk(f'{url}/0/0/0', n, IN_FLIGHT))
        print('requests a second:', {k: round(v[-1]) for k, v in rates.items()}, flush=True)
    told('calls_requests_a_second', max(rates['ours']), max(rates['bare']), 0)


class Draws(OpenAILM):
    "A model whose line is drawn by lot: it answers and bills any amount up to the reservation, or loses what it billed."
    async def _ask(self, body):
        prompt, most = worst_case(Request(body['messages'], max_tokens=body['max_tokens']))
        await asyncio.sleep(self.lots.random()*.002)
        used = self.lots.randint(1, prompt), self.lots.randint(0, most)
        self.billed += used[0]/1e6 + used[1]*10/1e6
        if self.lots.random() < self.trouble: raise ValueError('lost on the way')
        return Completion('x', 'stop', *used)


class After(Meter):
    "The usual way: look at the bill after it came, and stop when the cap is reached."
    def reserve(self, request):
        with self.lock:
            self.full = self.spent.cost >= self.caps.cost
            if not self.full: self.held.append(hold := type(self.spent)(1, 0, 0.))
        return None if self.full else hold


def spent(seed, meter):
    "How much of its cap one schedule spends."
    lot = random.Random(seed)
    lm = Draws('m', base_url='http://localhost:1', price=(1., 10.), concurrency=lot.randint(1, 64))
    vars(lm).update(lots=lot, trouble=lot.choice([0, .02, .2]), billed=0., backoff=.0005, tries=50, reached=True)
    requests = [Request(prompt='x'*lot.randint(1, 60), max_tokens=lot.randint(1, 50), sample=i) for i in range(100)]
    cap = lot.uniform(.0005, .02)
    list(lm.complete(requests, meter=meter(max_cost=cap, price=lm.price)))
    while lm.pace.in_flight: time.sleep(.001)   # what is on its way when a run ends is billed too
    return lm.billed/cap


def budget(url=None, schedules=1000):
    shares = {m: sorted(spent(seed, m) for seed in range(schedules)) for m in (Meter, After)}
    for m, s in shares.items(): print(f'{m.__name__}: spent / cap {s[-1]:.3f} at most, {s[len(s)//2]:.3f} in the middle', flush=True)
    told('calls_spent_of_cap', shares[Meter][-1], shares[After][-1], 3)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('part', nargs='?', default='all', choices=['all', 'rows', 'overhead', 'budget', 'serve'])
    part = parser.parse_args().part
    if part == 'serve': return asyncio.run(serve())
    with subprocess.Popen([sys.executable, __file__, 'serve'], stdout=subprocess.PIPE, text=True) as server:
        try:
            url = f'http://127.0.0.1:{server.stdout.readline().strip()}'
            for name in ('overhead', 'budget', 'rows') if part == 'all' else (part,): globals()[name](url)
        finally: server.kill()
    print(*LINES, sep='\n')

if __name__ == '__main__': main()
