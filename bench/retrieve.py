"""Search: DataFinder's queries on 3,327 dataset descriptions, and a hub of 100,000 cards on this disk.

    python bench/retrieve.py                   both
    python bench/retrieve.py datafinder        BM25, MiniLM, plain rank fusion, ours; keyphrase and sentence queries
    python bench/retrieve.py cards             time to index, to ask, to ask first in a new process; memory; rank_bm25 beside

Both need data that are no part of this repository (`--data`). DataFinder's figures are means over twenty random halves of
its queries; what ours is set to is chosen anew on the other half each time, by the sum of all six figures, so that a
setting is never judged by the queries that chose it. The vectors are kept in the cache: a second run is short. The cards
are made of the names and sentences of real ones; each measurement runs in a process of its own.
"""
import argparse, json, random, subprocess, sys, tempfile, time
from itertools import islice
from pathlib import Path
import numpy as np
from p2m_nb.base.core import from_jsonl
from p2m_nb.base.local import cache_path
from p2m_nb.base.search import NEAREST, PULL, WEIGHT, Index, blend
from p2m_nb.base.text import tokens
from p2m_nb.data.catalog import Card
from p2m_nb.data.index import CardIndex, build_index, card_text

ROOT = Path(__file__).resolve().parent.parent
KINDS, METRICS = dict(keyphrase='keyphrases', sentence='query'), ('recall@5', 'recall@25', 'MRR')

def read(path): return from_jsonl(path.read_text(encoding='utf-8'))

# ---------------------------------------------------------------- DataFinder
GRID = [(w, n, p) for w in (.06, .12, .24, .36) for n, p in ((0, 0.), (5, .5), (10, .5), (10, 1.), (20, 1.))]

NAMES = ('BM25', 'MiniLM', 'rank fusion', 'our BM25', 'ours')   # rank_bm25 as it comes; the first three are others' ways

def ranks(scores): return np.argsort(np.argsort(-scores, kind='stable'), kind='stable') + 1

def figures(scores, wanted):
    "recall@5, recall@25 and reciprocal rank of one query."
    at = ranks(scores)[wanted]
    return (at <= 5).mean(), (at <= 25).mean(), 1/at.min()

def datafinder(args):
    from rank_bm25 import BM25Okapi
    from p2m_nb.base.local import load_embedder
    folder = args.data/'datafinder'
    if not folder.is_dir(): return print(f'DataFinder is skipped: there is no {folder}')
    documents, queries = read(folder/'documents.jsonl'), read(folder/'queries.jsonl')
    texts, place = [d['contents'] for d in documents], {d['id']: i for i, d in enumerate(documents)}
    wanted, kept, encoder = [[place[i] for i in q['relevant']] for q in queries], cache_path()/'bench-datafinder', load_embedder()
    Index.write(kept, texts)
    index, plain = Index.open(kept, texts.__getitem__, encoder), BM25Okapi([tokens(t) for t in texts])
    index.embed_all()
    vectors, n = index.vectors.take(np.arange(len(texts))), np.log1p(len(texts))
    table = {}   # (method, kind) -> array (queries, metrics)
    for kind, field in KINDS.items():
        asked = [q[field] for q in queries]
        bm25 = [plain.get_scores(tokens(q)) for q in asked]
        words, vectors_of_queries = [index.by_words(q)/n for q in asked], encoder.embed(asked)
        cosine = list(vectors_of_queries @ vectors.T)
        fused = [1/(60 + ranks(c)) + np.where(b > 0, 1/(60 + ranks(b)), 0) for b, c in zip(bm25, cosine)]
        shipped = [scores_of(index.search(q, len(texts)), len(texts)) for q in asked]
        scores = dict(zip(NAMES, (bm25, cosine, fused, words, shipped)))
        scores |= {g: [blend(w, vectors, q, *g) for w, q in zip(words, vectors_of_queries)] for g in GRID}
        for name, found in scores.items(): table[name, kind] = np.array([figures(s, w) for s, w in zip(found, wanted)])
    report(table, len(queries))

def scores_of(hits, n):
    "A score for each place: the earlier, the higher."
    out = np.zeros(n)
    for rank, (i, _) in enumerate(hits): out[i] = n - rank
    return out

def report(table, n):
    mean = lambda name, rows: np.concatenate([table[name, k][rows].mean(0) for k in KINDS])
    rng, halves, head = np.random.default_rng(0), [], [f'{k} {m}' for k in KINDS for m in METRICS]
    print(f'all {n} queries; ours as shipped: weight {WEIGHT}, nearest {NEAREST}, pull {PULL}')
    print(f"{'':22}", *head)
    for name in (*NAMES, *GRID):
        print(f'{str(name):22}', *(f'{x:{len(h)}.3f}' for x, h in zip(mean(name, np.arange(n)), head)))
    for _ in range(20):
        order = rng.permutation(n)
        chosen, other = order[:n//2], order[n//2:]
        best = max(GRID, key=lambda g: mean(g, chosen).sum())
        halves.append([mean(name, other) for name in NAMES[:3]] + [mean(best, other)])
    halves = np.mean(halves, axis=0)
    for h, (*plain, ours) in zip(head, halves.T):
        print(f"RESULT datafinder_{h.replace(' ', '_')} {ours:.3f} {max(plain):.3f} {ours/max(plain):.3f}")

# ---------------------------------------------------------------- 100,000 cards
QUERIES = ('movie reviews with the sentiment of the writer', 'question answering over paragraphs of Wikipedia', 'German',
           'utterances to a voice assistant, labelled with what the user wants to have done by it, for intent detection')
TAKES = dict(language='en de fr zh es'.split(), licence='mit apache-2.0 cc-by-4.0 unknown'.split(),
             tasks='text-classification question-answering translation'.split())

def made_cards(data, n, seed=0):
    "Cards of the sentences of two real ones each, in another order; each tenth is a copy of an earlier one."
    real = [c for name in ('datasets', 'models') for c in read(data/'hub_index'/f'{name}.jsonl')]
    lines, draw = [c['description'].split('\n') for c in real], random.Random(seed)
    for i in range(n):
        a, b = i % len(real), draw.randrange(len(real))
        if i % 10 or not i:
            said = '\n'.join(draw.sample(lines[a], len(lines[a]))[:8] + draw.sample(lines[b], min(2, len(lines[b]))))
            name = f"{real[a]['name'].rpartition('/')[2]}-{draw.randrange(10**6)}"
        facts = {k: draw.choice(v) for k, v in TAKES.items()}
        yield dict(id=f'user{i}/{name}', name=name, description=said, language=[facts['language']], licence=facts['licence'],
                   size_bytes=draw.randrange(10**9), extras=dict(downloads=draw.randrange(10**5), tasks=[facts['tasks']]))

def stored_cards(folder):
    with open(folder/'cards.jsonl', encoding='utf-8') as f:
        for line in f:
            card = json.loads(line)
            yield Card(**card | dict(language=tuple(card['language'])))

def peak():
    "Most memory that this process has had, in MB."
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith('VmHWM'): return int(line.split()[1])/1e3

def texts(folder): return (card_text(c) for c in stored_cards(folder))

def step_words(folder):
    "The index of words alone."
    start, used = time.perf_counter(), time.process_time()
    Index.write(folder/'words', texts(folder))
    return dict(seconds=time.perf_counter() - start, cpu=time.process_time() - used, memory=peak())

def step_rank_bm25(folder):
    "The same with rank_bm25, in memory."
    from rank_bm25 import BM25Okapi
    start = time.perf_counter()
    index = BM25Okapi([tokens(t) for t in texts(folder)])
    built = time.perf_counter() - start
    return dict(seconds=built, query=query_time(lambda q: np.argsort(-index.get_scores(tokens(q)))[:25], 3), memory=peak())

def step_build(folder):
    "All of it: cards stored page by page, copies folded, index made."
    def pages():
        cards = stored_cards(folder)
        while page := list(islice(cards, 500)): yield page, 'next', '2026-01-01'
        yield [], None, '2026-01-01'
    start = time.perf_counter()
    build_index(pages(), folder)
    return dict(seconds=time.perf_counter() - start, memory=peak())

def query_time(ask, times=20):
    "Median seconds of one query of the slowest kind."
    def one(q):
        start = time.perf_counter()
        ask(q)
        return time.perf_counter() - start
    return max(float(np.median([one(q) for _ in range(times)])) for q in QUERIES)

def step_warm(folder):
    "Many questions to one index."
    index = CardIndex.open(folder)
    ask = lambda q: index.search(q, 25)
    filtered = lambda q: index.search(q, 25, language='de', licence='open')
    return dict(cards=len(index), query=query_time(ask), filtered=query_time(filtered), memory=peak())

COLD = '''import sys
from p2m_nb.data.index import CardIndex
hits = CardIndex.open(sys.argv[1]).search(sys.argv[2])
assert len(hits) == 10 and 'torch' not in sys.modules and 'transformers' not in sys.modules'''

def cards(args):
    if not (args.data/'hub_index').is_dir(): return print(f"100,000 cards are skipped: there is no {args.data/'hub_index'}")
    with tempfile.TemporaryDirectory() as folder:
        with open(Path(folder)/'cards.jsonl', 'w', encoding='utf-8') as f:
            f.writelines(json.dumps(c) + '\n' for c in made_cards(args.data, args.cards))
        def step(name):
            command = [sys.executable, __file__, '--step', name, '--folder', folder]
            told = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
            print(f'{name}: {told.strip()}', flush=True)
            return json.loads(told)
        words, plain, build, warm = (step(name) for name in ('words', 'rank_bm25', 'build', 'warm'))
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            subprocess.run([sys.executable, '-c', COLD, folder, QUERIES[0]], check=True)
            seconds.append(time.perf_counter() - start)
    memory = max(words['memory'], build['memory'])
    told = dict(index_seconds=(words['seconds'], plain['seconds']), build_seconds=(build['seconds'], plain['seconds']),
                query_ms=(1e3*warm['query'], 1e3*plain['query']), filtered_query_ms=(1e3*warm['filtered'], 1e3*plain['query']),
                index_memory_mb=(memory, plain['memory']), search_memory_mb=(warm['memory'], plain['memory']),
                cold_seconds=(min(seconds), plain['seconds']))
    for what, (ours, theirs) in told.items():
        print(f'RESULT cards_{args.cards}_{what} {ours:.3f} {theirs:.3f} {ours/theirs:.3f}')

def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = dict(datafinder=datafinder, cards=cards)
    steps = dict(words=step_words, rank_bm25=step_rank_bm25, build=step_build, warm=step_warm)
    ask.add_argument('part', nargs='?', choices=parts)
    ask.add_argument('--data', type=Path, default=ROOT.parent/'shared'/'data', help='where datafinder/ and hub_index/ are')
    ask.add_argument('--cards', type=int, default=100_000, help='how many')
    ask.add_argument('--step', choices=steps, help=argparse.SUPPRESS)
    ask.add_argument('--folder', type=Path, help=argparse.SUPPRESS)
    args = ask.parse_args()
    if args.step: return print(json.dumps(steps[args.step](args.folder)))
    for part in [args.part] if args.part else parts: parts[part](args)

if __name__ == '__main__': main()
