"Search against rank_bm25; the index of cards killed, shared, damaged, brought up to date, and asked from a cold process."
import json, math, os, random, subprocess, sys, tempfile, threading
from dataclasses import replace
from pathlib import Path
import numpy as np
import pytest
sys.path.insert(0, str(Path(__file__).parent))
from test_faults import own_mounts
from p2m_nb.base.core import P2MError, Progress
from p2m_nb.base.search import B, K1, Index, Vectors, digest, top
from p2m_nb.base.text import tokens
from p2m_nb.data.catalog import Card
from p2m_nb.data.index import CardIndex, build_index, left_off

HERE = Path(__file__).parent
WORLD = ['Commands to a voice assistant, with intents.', 'Kurze Befehle an einen Sprachassistenten.', 'Commandes vocales à la maison, avec leur but.',
         '電影評論，好評或差評。', 'คำสั่งเสียงในบ้าน', 'Голосовые команды умному дому.', 'أوامر صوتية للمنزل', '영화 평점과 감상',
         'Movie reviews, good or bad.', 'Recipes of soups.']


class Hashed:
    "An embedder that needs no model, and tells what it was asked."
    def __init__(self, d=16): self.d, self.seen = d, []
    def embed(self, texts):
        self.seen += texts
        out = np.stack([np.random.default_rng(digest(t)).normal(size=self.d) for t in texts])
        return out/np.linalg.norm(out, axis=1, keepdims=True)


# rank_bm25 is the oracle: its scores, once it uses Lucene's inverse document frequency, are ours times k1 + 1
def oracle(texts, query):
    from rank_bm25 import BM25Okapi
    words = [tokens(t) for t in texts]
    made = BM25Okapi(words, k1=K1, b=B)
    has = {w: sum(w in set(t) for t in words) for w in made.idf}
    made.idf = {w: math.log(1 + (len(texts) - c + .5)/(c + .5)) for w, c in has.items()}
    return made.get_scores(tokens(query))/(K1 + 1)


def corpus(name):
    draw = random.Random(name)
    if name == 'world': return WORLD
    if name == 'two': return WORLD[:2]
    if name == 'one': return WORLD[:1]
    words = list('電影評論好壞音樂天氣') if name == 'Chinese' else 'play jazz book table weather rain alarm light send list'.split()
    return [('' if name == 'Chinese' else ' ').join(draw.choices(words, k=draw.randint(2, 12))) for _ in range(80)]


@pytest.mark.parametrize('name', ['world', 'two', 'one', 'English', 'Chinese'])
def test_scores_and_order_are_those_of_rank_bm25(name, tmp_path):
    texts = corpus(name)
    Index.write(tmp_path, texts)
    queries = random.Random(1).choices(texts, k=10) + ['jazz and rain and rain', '好音樂', WORLD[4], 'nothing of it: 42']
    for index in (Index(texts), Index.open(tmp_path, texts.__getitem__)):
        for query in queries:
            theirs = oracle(texts, query)
            np.testing.assert_allclose(index.by_words(query), theirs, atol=1e-5)
            found = index.search(query, len(texts))
            assert sorted(i for i, _ in found) == np.flatnonzero(theirs > 0).tolist()
            np.testing.assert_allclose([s for _, s in found], sorted(theirs[theirs > 0], reverse=True), atol=1e-5)


@pytest.mark.parametrize('query, first', [('Befehle im Haus', 1), ('commandes pour la maison', 2), ('差評', 3), ('เสียงในบ้าน', 4),
                                          ('команды дому', 5), ('أوامر', 6), ('감상', 7), ('ＭＯＶＩＥ　reviews', 8)])
def test_any_script_finds_its_text(query, first): assert Index(WORLD).search(query)[0][0] == first


@pytest.mark.parametrize('texts', [[], [''], ['', '?!', '\n']])
def test_nothing_to_find_is_no_error(texts, tmp_path):
    Index.write(tmp_path, texts)
    for embedder in (None, Hashed()):
        for index in (Index(texts, embedder), Index.open(tmp_path, texts.__getitem__, embedder)):
            assert len(index.search('anything', 5)) <= len(texts) and index.search('anything', 0) == []
            assert index.search('anything', only=np.zeros(len(texts), dtype=bool)) == []


def test_ties_keep_their_order():
    scores = np.random.default_rng(0).integers(0, 4, 500)
    for k in (1, 7, 130, 500, 900): assert top(scores, k).tolist() == sorted(range(500), key=lambda i: (-scores[i], i))[:k]


# vectors
def test_vectors_are_made_on_demand_and_once(tmp_path):
    texts = [f'{"jazz" if i % 5 == 0 else "rain"} number {i}' for i in range(3000)]
    Index.write(tmp_path, texts)
    index = Index.open(tmp_path, texts.__getitem__, Hashed())
    first = index.search('jazz', 20)
    asked = set(index.embedder.seen) & set(texts)
    assert asked == set(texts[::5])   # only texts that share a word with the query
    again = Index.open(tmp_path, texts.__getitem__, Hashed())
    assert again.search('jazz', 20) == first and not set(again.embedder.seen) & set(texts)
    again.search('rain', 20)
    assert len(set(again.embedder.seen) & set(texts)) == 1000   # the best by words, and no more


def test_stopping_keeps_what_was_made(tmp_path):
    texts, progress = [f'text {i}' for i in range(1000)], Progress('embed', 1000)
    Index.write(tmp_path, texts)
    class Slow(Hashed):
        def embed(self, texts):
            if len(self.seen) > 200: progress.stop()
            return super().embed(texts)
    Index.open(tmp_path, texts.__getitem__, Slow()).embed_all(progress)
    assert progress.done == 512
    class Broken(Hashed):
        def embed(self, texts):
            if len(self.seen) > 200: raise KeyboardInterrupt
            return super().embed(texts)
    with pytest.raises(KeyboardInterrupt): Index.open(tmp_path, texts.__getitem__, Broken()).embed_all()
    last = Hashed()
    Index.open(tmp_path, texts.__getitem__, last).embed_all()
    assert len(last.seen) == 1 + 1000 - 512 - 256


def test_another_embedder_has_vectors_of_its_own(tmp_path):
    Index.write(tmp_path, WORLD)
    for d in (8, 16, 8):
        index = Index.open(tmp_path, WORLD.__getitem__, Hashed(d))
        index.embed_all()
        np.testing.assert_allclose(index.vectors.take(np.arange(len(WORLD))), Hashed(d).embed(WORLD), atol=1e-3)
    assert len(list(tmp_path.glob('vectors-*.bin'))) == 2 and len(index.embedder.seen) == 1


WORKER = '''import sys, numpy as np
from test_index import Hashed
from p2m_nb.base.search import Vectors, digest
texts = [f'text {i}' for i in range(2000)]
order = np.random.default_rng(int(sys.argv[2])).permutation(2000)
vectors = Vectors(np.array([digest(t) for t in texts], dtype=np.uint64), texts.__getitem__, Hashed(), sys.argv[1])
for i in range(0, 2000, 100): vectors.make(order[i:i+100])'''


def test_two_programs_make_vectors_at_once(tmp_path):
    command = lambda seed: [sys.executable, '-c', WORKER, tmp_path, str(seed)]
    workers = [subprocess.Popen(command(seed), cwd=HERE, env=os.environ | {'PYTHONPATH': str(HERE.parent)}) for seed in range(2)]
    assert [w.wait() for w in workers] == [0, 0]
    texts = [f'text {i}' for i in range(2000)]
    vectors = Vectors(np.array([digest(t) for t in texts], dtype=np.uint64), None, Hashed(), tmp_path)
    np.testing.assert_allclose(vectors.take(np.arange(2000)), Hashed().embed(texts), atol=1e-3)
    assert len(vectors.rows) < 4000   # each saw some of what the other had made


# the index of cards
def a_card(i, day=1, **more): return Card(f'user{i}/set{i}', f'Set {i}', f'Sentences about topic{i} and others.', language=('en',),
                                          extras=dict(last_modified=f'2026-01-{day:02d}', downloads=i), **more)

def hub(cards, since=None, cursor=None, size=3):
    "Pages as a hub gives them: newest first, from a cursor on, down to a date."
    cards = sorted(cards, key=lambda c: c.extras['last_modified'], reverse=True)
    for i in range(cursor or 0, len(cards), size):
        fresh = [c for c in cards[i:i+size] if not since or c.extras['last_modified'] >= since]
        whole = len(fresh) == size and i + size < len(cards)
        yield fresh, i + size if whole else None, cards[i].extras['last_modified']
        if not whole: return


def indexed(folder, teacher=None):
    "Two visits to a hub, the first stopped after a page; vectors for all; what a search then finds."
    cards = [a_card(i, i + 1) for i in range(7)]
    stopped, folder = Progress('index'), Path(folder)
    stopped.stop()
    build_index(hub(cards, **left_off(folder)), folder, progress=stopped)
    build_index(hub(cards, **left_off(folder)), folder)
    index = CardIndex.open(folder)
    index.embed_all(Hashed())
    hits = index.search('topic5 and others', 3, Hashed(8))
    return [sorted(c.id for c in index), hits[0][0].id, index.whole, left_off(folder)]


HARNESS = '''import json, sys, bm25s, filelock, faults, test_index
faults.TASKS['index'] = (test_index.indexed, faults.InProcess)
faults.torn = lambda folder, torn=faults.torn: torn(folder/'datasets')
print(json.dumps((faults.small_disks if sys.argv[2:] else faults.check)('index', sys.argv[1])))'''

def harmed(*given, before=()):
    "What faults.py found, which forks and is best alone."
    memory = '/dev/shm' if Path('/dev/shm').is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        told = subprocess.run([*before, sys.executable, '-c', HARNESS, folder, *given], capture_output=True, text=True, cwd=HERE,
                              env=os.environ | {'PYTHONPATH': str(HERE.parent), 'OMP_NUM_THREADS': '1'})
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout.splitlines()[-1])


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='kills forked children')
def test_killed_at_every_write():
    report = harmed()
    assert report['found'] == [] and report['kills'] == report['writes'] >= 100


@pytest.mark.skipif(not own_mounts(), reason='needs a mount namespace')
def test_a_disk_that_is_full_is_told_and_costs_nothing():
    report = harmed('--disks', before=['unshare', '-rm'])
    assert report['found'] == [] and report['full'] >= 3


def test_a_visit_that_breaks_off_goes_on_where_it_was(tmp_path):
    cards = [a_card(i, i + 1) for i in range(10)]
    def broken(pages):
        yield next(pages)
        raise P2MError('the hub', 'it is down', 'Try again later.')
    with pytest.raises(P2MError, match='down'): build_index(broken(hub(cards)), tmp_path)
    assert left_off(tmp_path) == dict(since=None, cursor=3)
    with pytest.raises(P2MError, match='p2m index'): CardIndex.open(tmp_path)
    build_index(hub(cards, **left_off(tmp_path)), tmp_path)
    assert len(CardIndex.open(tmp_path)) == 10 and left_off(tmp_path) == dict(since='2026-01-10', cursor=None)


def test_only_what_changed_is_taken_in_and_embedded(tmp_path):
    cards = [a_card(i, i + 1) for i in range(10)]
    build_index(hub(cards), tmp_path)
    before = CardIndex.open(tmp_path)
    before.embed_all(Hashed())
    cards = cards[:4] + [replace(a_card(4, 20), description='Now about whales.')] + cards[5:] + [a_card(10, 21)]
    taken = []
    build_index((taken.extend(c.id for c in p[0]) or p for p in hub(cards, **left_off(tmp_path))), tmp_path)
    assert taken == ['user10/set10', 'user4/set4', 'user9/set9']
    index, last = CardIndex.open(tmp_path), Hashed()
    index.embed_all(last)
    assert len(index) == 11 and len(last.seen) == 1 + 2
    assert [c.id for c, _ in index.search('whales')] == ['user4/set4'] and before.search('whales') == []


def test_one_writer_at_a_time_and_readers_meanwhile(tmp_path):
    build_index(hub([a_card(1)]), tmp_path)
    inside, done = threading.Event(), threading.Event()
    def slow():
        yield [a_card(2)], None, '2026-01-02'
        inside.set()
        done.wait(20)
    work = threading.Thread(target=build_index, args=(slow(), tmp_path))
    work.start()
    assert inside.wait(20)
    try:
        assert [c.id for c, _ in CardIndex.open(tmp_path).search('topic1')] == ['user1/set1']
        other = 'import sys; from p2m_nb.data.index import build_index; build_index(iter(()), sys.argv[1])'
        told = subprocess.run([sys.executable, '-c', other, tmp_path], capture_output=True, text=True, cwd=HERE.parent)
        assert 'another program' in told.stderr
    finally: done.set(); work.join()
    assert len(CardIndex.open(tmp_path)) == 2


@pytest.mark.parametrize('spoil', ['format', 'manifest', 'words', 'digests', 'facts', 'database'])
def test_an_index_that_cannot_be_read_says_how_to_make_it_again(tmp_path, spoil):
    build_index(hub([a_card(1), a_card(2)]), tmp_path, 'model')
    home, made = tmp_path/'models', tmp_path/'models'/'index'
    told = json.loads((made/'manifest.json').read_text())
    if spoil == 'format': (made/'manifest.json').write_text(json.dumps(told | dict(params=told['params'] | dict(format=0))))
    if spoil == 'manifest': (made/'manifest.json').write_text('{')
    if spoil == 'words': (made/'words'/'indices.csc.index.npy').write_bytes(b'short')
    if spoil == 'digests': (made/'digests.npy').unlink()
    if spoil == 'facts': (made/'facts.npz').write_bytes((made/'facts.npz').read_bytes()[:-30])
    if spoil == 'database': (home/'cards.sqlite').write_bytes(b'no database at all'*99)
    with pytest.raises(P2MError, match='again with `p2m index --models'): CardIndex.open(tmp_path, 'model')
    if spoil == 'database':
        with pytest.raises(P2MError, match='damaged'): left_off(tmp_path, 'model')
        with pytest.raises(P2MError, match='damaged'): build_index(hub([a_card(1)]), tmp_path, 'model')
    else:
        build_index(hub([a_card(3)]), tmp_path, 'model')
        assert len(CardIndex.open(tmp_path, 'model')) == 3


def test_what_a_stranger_wrote_stays_text(tmp_path):
    card = Card('a/b', '<b>bold</b>\ud800', '{0.__class__} %s \x00 ../../x', licence='../x, ' + 'y'*99_999, language=('en',),
                extras=dict(tasks=['../../up', 'a/b'], tags=['<i>']))
    build_index(iter([([card], None, '')]), tmp_path/'here')
    index = CardIndex.open(tmp_path/'here')
    assert [c.id for c, _ in index.search('bold class', task='../../up', licence='../X')] == ['a/b']
    assert {p.name for p in tmp_path.iterdir()} == {'here'} and index[0].description == card.description


COLD = '''import sys
from p2m_nb.data.index import CardIndex
index = CardIndex.open(sys.argv[1])
print(index.search('topic3')[0][0].id, repr(index), *{'torch', 'transformers', 'datasets', 'pandas'} & set(sys.modules), sep='|')'''


def test_a_cold_process_answers_without_a_model_or_network(tmp_path):
    build_index(hub([a_card(i) for i in range(9)]), tmp_path)
    told = subprocess.run([sys.executable, '-c', COLD, tmp_path], capture_output=True, text=True, check=True, cwd=HERE.parent).stdout
    first, shown, *heavy = told.strip().split('|')
    assert first == 'user3/set3' and shown.startswith('9 datasets, as of 20') and heavy == []


# the command
def test_the_command_lists_then_brings_up_to_date(tmp_path, monkeypatch, capsys):
    from huggingface_hub import constants
    from hub_server import HubServer, Repo
    from p2m_nb.base import local
    from p2m_nb.cli import main
    from p2m_nb.data import remote
    repo = lambda i: Repo({'data/train-00000.jsonl': b'{"text": "a"}'}, modified=f'2026-01-{i + 1:02d}T00:00:00.000Z', description=f'About topic{i}.')
    encoder = Hashed()
    monkeypatch.setattr(local, 'load_embedder', lambda: encoder)
    with HubServer({f'acme/set{i}': repo(i) for i in range(7)}, page=3) as server:
        monkeypatch.setattr(constants, 'ENDPOINT', server.url)
        monkeypatch.setattr(constants, 'HF_HUB_OFFLINE', False)
        monkeypatch.delenv('HF_TOKEN', raising=False)
        assert main(['index', str(tmp_path)]) == 0
        assert '7 datasets, as of' in capsys.readouterr().out and len(server.paths('/api/datasets')) == 3
        server.repos['acme/new'] = repo(20)
        assert main(['index', '--dense', str(tmp_path)]) == 0
        out, err = capsys.readouterr()
        assert '8 datasets' in out and 'changed since 2026-01-07' in err and len(server.paths('/api/datasets')) == 4
    monkeypatch.setattr(constants, 'ENDPOINT', 'http://127.0.0.1:9')
    monkeypatch.setattr(remote, 'BACKOFF', .01)
    assert [c.id for c, _ in CardIndex.open(tmp_path).search('topic20')] == ['acme/new']   # the hub is gone, the index is here
    assert len(CardIndex.open(tmp_path).search('topic20', embedder=encoder)) == 8 and len(encoder.seen) == 1 + 8 + 1 + 1
    assert main(['index', str(tmp_path)]) == 1 and 'Traceback' not in capsys.readouterr().err
    assert len(CardIndex.open(tmp_path)) == 8
