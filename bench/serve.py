"""A served student, its requests answered in batches, beside the same server that answers them one by one.

    python bench/serve.py [all | classifier | causal]

Each server is a process of its own, and so are its callers: 32 connections, each asking /v1/chat/completions again as soon
as it has its answer. Both servers are asked in turn, three times. At the end the batched one gets SIGTERM under load, and
the answers that arrived are compared with the number of requests that it says it took.
"""
import argparse, asyncio, json, re, signal, statistics, subprocess, sys, tempfile, time
from pathlib import Path
from p2m_nb.base.core import Examples, PromptSpec
from p2m_nb.model.choose import student_for

CALLERS, ROUNDS = 32, 3
P2M = [sys.executable, '-c', 'import sys; from p2m_nb.cli import main; sys.exit(main())']


def classifier():
    "MiniLM on voice commands, and texts to ask it."
    spec = PromptSpec('Say what the user of a voice assistant wants.', labels=('play music', 'get weather', 'set alarm'),
                      kind='classification')
    asks = {'play music': 'play the {} album by the {} band', 'get weather': 'what will the weather be like in {} {}',
            'set alarm': 'wake me up at {} on {} morning please'}
    words = 'red old quiet seven Monday Oslo summer last new Friday northern little eight Lima'.split()
    rows = [(asks[l].format(a, b), l) for l in spec.labels for a in words for b in words if a != b]
    rows = rows[::7] + rows[3::7]
    return student_for(spec, 'minilm', 0).fit(Examples.of(rows[:60], 'made'), epochs=2), [x for x, _ in rows], 800


def causal():
    "SmolLM2 on dates, whose answers have a few tokens, and texts to ask it."
    spec = PromptSpec('Write the date of the sentence as YYYY-MM-DD.', kind='extraction')
    months = 'January February March April May June July August September October November December'.split()
    rows = [(f'They met on {1 + (7*m + i) % 28} {name} {1950 + (13*i + m) % 70} in the town hall.',
             f'{1950 + (13*i + m) % 70}-{m:02d}-{1 + (7*m + i) % 28:02d}') for i in range(12) for m, name in enumerate(months, 1)]
    return student_for(spec, 'smollm2', 0).fit(Examples.of(rows[:64], 'made'), epochs=2), [x for x, _ in rows], 64


class Server:
    "`p2m serve`, ready to be asked."
    def __init__(self, folder, *options):
        command = [*P2M, 'serve', str(folder), '--port', '0', *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.host, port = re.search(r'http://([\d.]+):(\d+)/v1', self.process.stdout.readline()).groups()
        self.port = int(port)

    def end(self):
        "Exit code, and how many requests it says it took and answered."
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate()[1]
        answered, taken = (int(n.replace(',', '')) for n in re.search(r'([\d,]+) of ([\d,]+) requests answered', said).groups())
        return self.process.returncode, answered, taken


async def ask(reader, writer, text):
    "The answer to one request, or None if the line was closed."
    body = json.dumps(dict(model='student', messages=[dict(role='user', content=text)])).encode()
    head = f'POST /v1/chat/completions HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n'
    try:
        writer.write(head.encode() + body)
        status, *headers = (await reader.readuntil(b'\r\n\r\n')).decode().split('\r\n')
        length = next(int(h.split(':')[1]) for h in headers if h.lower().startswith('content-length'))
        answer = json.loads(await reader.readexactly(length))
        return answer['choices'][0]['message']['content'] if '200' in status else None
    except (OSError, asyncio.IncompleteReadError): return None


async def load(server, texts, callers=CALLERS):
    "Ask all texts; seconds in all, seconds of each, and the answers, None where the line was closed."
    left, seconds, answers = iter(enumerate(texts)), [], [None]*len(texts)
    async def caller():
        reader, writer = await asyncio.open_connection(server.host, server.port)
        for i, text in left:
            start = time.perf_counter()
            answers[i] = await ask(reader, writer, text)
            if answers[i] is None: break
            seconds.append(time.perf_counter() - start)
        writer.close()
    start = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return time.perf_counter() - start, seconds, answers


def told(name, ours, alternative, digits=2): # the last lines say so again
    LINES.append(f'RESULT {name} {ours:.{digits}f} {alternative:.{digits}f} {ours/alternative:.3f}')
    print(LINES[-1], flush=True)

LINES = []


def throughput(kind, servers, texts):
    "Requests a second and the 95th percentile of the time that one takes, batched and one by one."
    rates, late, answers = ({name: [] for name in servers} for _ in range(3))
    for _ in range(ROUNDS):
        for name, server in servers.items():
            whole, seconds, answers[name] = asyncio.run(load(server, texts))
            rates[name].append(len(texts)/whole)
            late[name].append(1000*statistics.quantiles(seconds, n=20)[-1])
        print(f'{kind}, requests a second:', {n: round(r[-1], 1) for n, r in rates.items()}, flush=True)
    same = sum(a == b for a, b in zip(*answers.values()))/len(texts)
    print(f'{kind}: {same:.1%} of the answers are the same', flush=True)
    told(f'serve_{kind}_requests_a_second', *(statistics.median(rates[n]) for n in servers))
    told(f'serve_{kind}_p95_ms', *(statistics.median(late[n]) for n in servers))


async def ended(server, texts):
    "Requests answered that arrived, and what the server says, if it is told to end under load."
    callers = asyncio.create_task(load(server, texts))
    await asyncio.sleep(2)
    code, answered, taken = await asyncio.to_thread(server.end)
    arrived = len((await callers)[1])
    return code, arrived, answered, taken


def measure(kind):
    student, texts, n = globals()[kind]()
    with tempfile.TemporaryDirectory() as home:
        folder = student.save(Path(home)/kind)
        servers = dict(batched=Server(folder), single=Server(folder, '--batch-size', '1'))
        try:
            texts = (texts*(-(-n//len(texts))))[:n]
            throughput(kind, servers, texts)
            code, arrived, answered, taken = asyncio.run(ended(servers['batched'], texts*50))
            arrived += ROUNDS*n
            print(f'{kind}: SIGTERM under load, exit code {code}, {taken:,} taken, {answered:,} answered, {arrived:,} arrived', flush=True)
            assert code == 0
            told(f'serve_{kind}_lost_of_accepted', taken - arrived, taken, 0)
        finally:
            for server in servers.values(): server.process.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('part', nargs='?', default='all', choices=['all', 'classifier', 'causal'])
    part = parser.parse_args().part
    for kind in ('classifier', 'causal') if part == 'all' else (part,): measure(kind)
    print(*LINES, sep='\n')

if __name__ == '__main__': main()
