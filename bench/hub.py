"""Three sets of a hub, 3,000 rows of each, from a cold cache: `hub_table` beside `datasets.load_dataset` and its streaming;
and the whole way of a learner: search the index of the hub, tick three, load and merge them.

The hub is tests/hub_server.py in a process of its own: three sets of 120,000 rows sorted by label, each in two Parquet
files. Each way runs in a fresh process with an empty cache, timed from its start until it says which rows it has: the imports are
in it, its end is not. `with_encoder_loaded` is timed once torch and the encoder are in the process, as in a notebook that has
searched before. `latency` seconds are added to every answer, as a network does. Labels: how many of the four are among the rows.

    python bench/hub.py [latency, default 0 and 0.1]
"""
import json, os, subprocess, sys, tempfile, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT/'tests'))
SETS, ROWS = [f'bench/set{i}' for i in range(3)], 3000
CODE = dict(
    hub_table='''
from p2m_nb.data.hub import hub_card, hub_table
tables = [hub_table(hub_card(name), ROWS) for name in SETS]''',
    load_dataset='''
from datasets import load_dataset
tables = [list(load_dataset(name, split='train').select(range(ROWS))) for name in SETS]''',
    streaming='''
from datasets import load_dataset
tables = [list(load_dataset(name, split='train', streaming=True).take(ROWS)) for name in SETS]''',
    search_tick_load='''
from p2m_nb.all import DatasetPanel, PromptSpec, load_datasets, search_datasets
spec = PromptSpec('Which kind of text is it?', [(f'some text of kind {l}', l) for l in 'abcd'], labels='abcd', kind='classification')
picker = DatasetPanel(search_datasets(spec, catalog='hub'), spec)
picker.tick(*SETS)
for name in SETS: picker.map(name, input='text', output='label')
made = load_datasets(picker.value, spec)
tables = [[dict(label=r['output']) for r in made if r['source'] == name] for name in SETS]''')
CODE['with_encoder_loaded'] = f"""
import time
from p2m_nb.all import load_embedder
load_embedder().embed(['one'])
began = time.perf_counter()
{CODE['search_tick_load']}
seconds = time.perf_counter() - began"""
SAY = """
import json
print(json.dumps([[[len(t), len({str(r['label']) for r in t})] for t in tables], globals().get('seconds')]), flush=True)"""


def serve(latency):
    "The hub, until whoever started it goes away; it tells on request how much it has sent."
    from hub_server import HubServer, large_sets
    with HubServer(large_sets(), fault=lambda path, n: time.sleep(latency)) as server:
        print(server.url, flush=True)
        for _ in sys.stdin: print(json.dumps([len(server.requests), server.sent]), flush=True)


def run(name, url, index):
    "Seconds, rows and labels of each set, bytes left on the disk."
    with tempfile.TemporaryDirectory() as cold:
        env = {k: v for k, v in os.environ.items() if not k.startswith('HF_')} | dict(HF_HOME=cold, HF_ENDPOINT=url)
        env |= dict(HF_DATASETS_SERVER_ENDPOINT=url, HF_HUB_DISABLE_XET='1', PYTHONPATH=str(ROOT), P2M_CACHE=index)
        code, start = f'SETS, ROWS = {SETS}, {ROWS}' + CODE[name] + SAY, time.perf_counter()
        with subprocess.Popen([sys.executable, '-c', code], env=env, stdout=subprocess.PIPE, stderr=sys.stderr, text=True) as way:
            lines = [(line, time.perf_counter() - start) for line in way.stdout]
        if way.returncode: sys.exit(f'{name} ended with {way.returncode}')
        (made, inside), seconds = json.loads(lines[-1][0]), lines[-1][1]
        kept = sum(p.stat().st_size for p in Path(cold).rglob('*') if p.is_file() and not p.is_symlink())
        return inside or seconds, made, kept


def main(latencies):
    for latency in latencies:
        command = [sys.executable, __file__, 'serve', str(latency)]
        hub = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        url = hub.stdout.readline().strip()
        def told():
            print(file=hub.stdin, flush=True)
            return json.loads(hub.stdout.readline())
        index, took = tempfile.TemporaryDirectory(), {}
        env = os.environ | dict(HF_ENDPOINT=url, P2M_CACHE=index.name, PYTHONPATH=str(ROOT))
        subprocess.run([sys.executable, '-c', "from p2m_nb.cli import main; main(['index'])"], env=env, check=True, capture_output=True)
        for name in CODE:
            before = told()
            took[name], made, kept = run(name, url, index.name)
            asked, sent = (b - a for a, b in zip(before, told()))
            print(f'latency {latency:g} s, {name:19} {took[name]:5.1f} s, rows and labels {made}, {asked} requests,'
                  f' {sent/1e6:.1f} MB sent, {kept/1e6:.1f} MB on disk', flush=True)
        theirs = took['load_dataset']
        for name in ('hub_table', 'search_tick_load', 'with_encoder_loaded'):
            print(f'RESULT {name}_seconds_latency_{latency:g} {took[name]:.1f} {theirs:.1f} {took[name]/theirs:.2f}', flush=True)
        index.cleanup()
        hub.stdin.close()
        hub.wait()


if __name__ == '__main__':
    if sys.argv[1:2] == ['serve']: serve(float(sys.argv[2]))
    else: main([float(a) for a in sys.argv[1:]] or [0, .1])
