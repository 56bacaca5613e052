"The hub: lists, cards, rows and tables, over HTTP with the real `huggingface_hub` and `datasets` against tests/hub_server.py."
import json, os, socket, subprocess, sys, time
from collections import Counter
from pathlib import Path
import pyarrow as pa
import pytest
sys.path.insert(0, str(Path(__file__).parent))
from hub_server import BRANCH, HubServer, Repo, parquet
from p2m_nb.base.core import P2MError
from p2m_nb.data import remote
from p2m_nb.data.hub import hub_card, hub_pages, hub_rows, hub_table

ROOT = Path(__file__).resolve().parent.parent
TOKEN = 'hf_planted0123456789abcdef'
ROWS = [dict(text=f'the review number {i}', label=i//500) for i in range(2000)]   # sorted by label, as many sets are
NAMES = ['poor', 'fair', 'good', 'great']
REVIEWS = parquet(ROWS, dict(label=NAMES), group=50)
TRAIN = 'data/train-00000-of-00001.parquet'
HEAD = dict(pretty_name='Reviews', license='mit', language=['en'], task_categories=['text-classification'])
EMPTY = parquet(pa.table(dict(a=pa.array([], pa.string()))))
README = b'---\nlicense: mit\n---\n# Reviews\nOf <b>lamps</b>.'
PAGE = dict(raw=b'<!DOCTYPE html><p>Please log in to the hotel network</p>', headers={'content-type': 'text/html'})


@pytest.fixture
def hub(monkeypatch):
    "Starts hubs that the clients of this process ask."
    import datasets, huggingface_hub
    from huggingface_hub import HfFileSystem, constants
    started = []
    def start(repos=None, token=None, **more):
        repos = {'acme/reviews': Repo({TRAIN: REVIEWS, 'README.md': README}, card=HEAD)} | (repos or {})
        server = HubServer(repos, **more).__enter__()
        started.append(server)
        template = server.url + '/{repo_id}/resolve/{revision}/{filename}'
        changed = dict(ENDPOINT=server.url, HUGGINGFACE_CO_URL_TEMPLATE=template, HF_HUB_OFFLINE=False)
        for where, names in ((constants, changed), (datasets.config, dict(HF_ENDPOINT=server.url, HF_HUB_OFFLINE=False)),
                             (remote, dict(BACKOFF=.01, SILENCE=1.))):
            for name, value in names.items(): monkeypatch.setattr(where, name, value)
        monkeypatch.setenv('HF_DATASETS_SERVER_ENDPOINT', server.url)
        monkeypatch.setenv('HF_TOKEN', token) if token else monkeypatch.delenv('HF_TOKEN', raising=False)
        HfFileSystem.clear_instance_cache()
        return server
    yield start
    for server in started: server.__exit__()


def day(i): return f'2025-02-{i + 1:02d}T00:00:00.000Z'
def many(n): return {f'acme/set{i:02d}': Repo({TRAIN: REVIEWS}, modified=day(i)) for i in range(n)}
def only(part, told): return lambda path, n: told if part in path else None
def ids(pages): return [c.id for cards, *_ in pages for c in cards]


# the server is a hub to the clients that it is made for
def test_the_real_clients_read_it(hub):
    from datasets import load_dataset
    from huggingface_hub import HfApi, HfFileSystem
    server = hub(many(3), page=2)
    api = HfApi(endpoint=server.url)
    listed = [d.id for d in api.list_datasets(full=True, sort='last_modified')]
    assert listed == ['acme/set02', 'acme/set01', 'acme/set00', 'acme/reviews']
    assert api.dataset_info('acme/reviews').sha == server.repos['acme/reviews'].sha
    assert [api.file_exists('acme/reviews', f, repo_type='dataset') for f in (TRAIN, 'x')] == [True, False]
    assert HfFileSystem(endpoint=server.url).ls('datasets/acme/reviews', detail=False)
    rows = list(load_dataset('acme/reviews', split='train', streaming=True))
    assert rows == ROWS
    assert [r | dict(label=NAMES[r['label']]) for r in rows] == hub_table(hub_card('acme/reviews'), 2000)


# lists
def test_pages_follow_cursors_newest_first(hub):
    server = hub(many(7), page=3)
    pages = list(hub_pages())
    assert ids(pages) == [f'acme/set{i:02d}' for i in reversed(range(7))] + ['acme/reviews']
    assert [c for _, c, _ in pages] == ['3', '6', None] and pages[0][2] == day(6)
    assert ids(hub_pages(cursor='6')) == ['acme/set00', 'acme/reviews']
    before = len(server.requests)
    assert ids(hub_pages(since=day(5))) == ['acme/set06', 'acme/set05'] and len(server.requests) == before + 1


def test_models_are_listed_too(hub):
    config, weights = dict(architectures=['BertModel']), dict(total=9, parameters=dict(F32=9))
    hub({'acme/tiny': Repo(kind='model', config=config, safetensors=weights)})
    (cards, cursor, _), = hub_pages('model')
    assert [(c.id, c.kind, c.size_bytes, c.usable) for c in cards] == [('acme/tiny', 'model', 36, True)] and cursor is None


def test_a_card_says_what_the_list_says(hub):
    more = dict(downloads=12, likes=3, tags=['size_categories:1K<n<10K', 'lamps'], description='Of lamps.')
    hub({'acme/reviews': Repo({TRAIN: REVIEWS}, card=HEAD, **more)})
    (card,), *_ = next(hub_pages())
    assert (card.name, card.licence, card.language, card.description) == ('Reviews', 'mit', ('en',), 'Of lamps.')
    assert card.rows == 0 and card.extras['size_category'] == '1K<n<10K'   # the list does not say how many
    said = [card.extras[k] for k in ('downloads', 'likes', 'tasks', 'tags')]
    assert said == [12, 3, ['text-classification'], ['lamps']]


ODD = dict(features=[dict(name='a', dtype=dict(class_label='x')), 3], splits=dict(train=7))

@pytest.mark.parametrize('card', ['text', [], dict(language=dict(a=1), license=None, dataset_info='?', configs=3),
                                  dict(dataset_info=ODD, task_categories=[None, {}])])
def test_a_head_that_is_nonsense_costs_nothing(hub, card):
    hub({'acme/odd': Repo({TRAIN: REVIEWS}, card=card)})
    assert ids(hub_pages()) == ['acme/reviews', 'acme/odd'] and hub_card('acme/odd').rows == 2000


def test_a_link_to_elsewhere_is_not_followed(hub):
    asked = []
    link = {'link': '<http://127.0.0.1:9/api/datasets?cursor=1>; rel="next"'}
    server = hub(fault=lambda path, n: dict(body=[dict(id=f'a/b{n}')], headers=link if n == 0 else {}))
    assert ids(hub_pages()) == ['a/b0', 'a/b1'] and 'cursor=1' in server.requests[1][0]


def test_a_cursor_that_is_no_longer_known_begins_anew(hub):
    server = hub(fault=first(dict(status=400, headers={'x-error-message': 'Invalid cursor'})))
    assert ids(hub_pages(cursor='old')) == ['acme/reviews']
    assert ['cursor=old' in p for p in server.paths()] == [True, False]


# faults that pass
def first(told): return lambda path, n: told if n == 0 and path == '/api/datasets' else None

PASS = {'retry-after': dict(status=429, headers={'retry-after': '0'}), '500': dict(status=500), '503': dict(status=503),
        'ratelimit': dict(status=429, headers={'ratelimit': '"api";r=0;t=0'}), '502': PAGE | dict(status=502),
        'dropped': dict(body=[], cut=1), 'late': dict(delay=1.5)}

@pytest.mark.parametrize('name', PASS)
def test_faults_that_pass_are_asked_again(hub, name):
    server = hub(fault=first(PASS[name]))
    assert ids(hub_pages()) == ['acme/reviews'] and len(server.paths('/api/datasets')) == 2


def test_a_hub_that_is_busy_is_waited_for_as_told(hub):
    hub(fault=first(dict(status=429, headers={'retry-after': '1'})))
    start = time.monotonic()
    list(hub_pages())
    assert 1 <= time.monotonic() - start < 3


def test_but_not_for_ever(hub):
    server = hub(fault=lambda path, n: dict(status=429, headers={'retry-after': '3600'}))
    with pytest.raises(P2MError, match='429.*Wait 3,600 seconds'): list(hub_pages())
    assert len(server.requests) == 1


# faults that stay
STAY = {'a page': (PAGE, 'web page'), 'not JSON': (dict(raw=b'[{"id":'), 'not answer with JSON'),
        '500': (dict(status=500), '500; asked 6 times'), 'cut': (dict(body=[], cut=1), 'asked 6 times'),
        '400': (dict(status=400, headers={'x-error-message': 'bad limit'}), 'bad limit')}

@pytest.mark.parametrize('name', STAY)
def test_faults_that_stay_are_told(hub, name):
    told, why = STAY[name]
    hub(fault=lambda path, n: told)
    with pytest.raises(P2MError) as e: list(hub_pages())
    assert why in str(e.value) and '127.0.0.1' in e.value.what


def test_a_server_that_drips_is_given_up(hub, monkeypatch):
    monkeypatch.setattr(remote, 'LONGEST', .3)
    monkeypatch.setattr(remote, 'TRIES', 2)
    hub(fault=lambda path, n: dict(body=['x'*100], drip=.05))
    with pytest.raises(P2MError, match='takes too long; asked 2 times'): hub_card('acme/reviews')


def test_no_network(hub, monkeypatch):
    from huggingface_hub import constants
    hub()
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        monkeypatch.setattr(constants, 'ENDPOINT', f'http://127.0.0.1:{s.getsockname()[1]}')
        with pytest.raises(P2MError, match='no connection to 127.0.0.1.*Check the network; the last index'): list(hub_pages())
    monkeypatch.setattr(constants, 'ENDPOINT', 'http://no-such-host.invalid')
    with pytest.raises(P2MError, match='no connection'): hub_card('acme/reviews')


def test_a_wrong_token_is_told_and_not_shown(hub):
    server = hub(token=TOKEN)
    with pytest.raises(P2MError, match='refuses your token.*HF_TOKEN') as e: list(hub_pages())
    assert TOKEN not in f'{e.value!r} {e.getrepr()}' and len(server.requests) == 1
    assert server.requests[0][1]['authorization'] == f'Bearer {TOKEN}'


@pytest.mark.parametrize('name', ['acme/absent', 'acme/private'])
def test_a_name_that_is_not_there(hub, name):
    hub({'acme/private': Repo({TRAIN: REVIEWS}, private=True)})
    with pytest.raises(P2MError, match='nothing of that name that you may see'): hub_card(name)
    for no in ('../../etc/passwd', 'acme/..', '..', 'http://acme'):
        with pytest.raises(P2MError, match='no name on a hub'): hub_card(no)


# one set, looked at closely
def test_a_close_look(hub):
    server = hub()
    card = hub_card('acme/reviews')
    assert [p.split('?')[0].split('/')[-1] for p in server.paths()] == ['reviews', 'info', 'README.md']
    assert (card.usable, card.rows, card.columns) == (True, 2000, dict(text='string', label='string'))
    assert card.description == 'Reviews Of lamps .' and card.extras['labels'] == dict(label=NAMES)
    assert card.extras['configs'] == {'default': {'train': [[TRAIN, len(REVIEWS)]]}}
    assert card.revision == card.extras['files_revision'] and len(card.revision) == 40
    assert json.loads(json.dumps(card.extras)) == card.extras


def test_a_close_look_without_the_viewer(hub):
    hub({'acme/unseen': Repo({TRAIN: REVIEWS}, viewer=False), 'acme/none': Repo({TRAIN: EMPTY}, viewer=False)})
    card = hub_card('acme/unseen')
    assert (card.rows, card.columns) == (2000, dict(text='string', label='string'))
    assert (card.extras['labels'], card.extras['viewer']) == (dict(label=NAMES), False)
    assert len(hub_rows(card, 3)) == 3
    assert hub_card('acme/none').reason == 'empty: it has no rows'


LONG = parquet([dict(text=c*3_000_000) for c in 'xyz'])
UNUSABLE = {'gated': (Repo({TRAIN: REVIEWS}, gated='auto'), 'gated: it is gated and you have no access'),
            'script only': (Repo({'odd.py': b'exit()'}), 'script only: odd.py would have to be run, and it has no Parquet'),
            'empty': (Repo({TRAIN: EMPTY}), 'empty'),
            'no table': (Repo({'photo.png': b'x', 'README.md': b''}), 'no table: it has no CSV'),
            'nothing': (Repo({}), 'no table'),
            'too large': (Repo({TRAIN: LONG}), 'too large: one row takes 3 MB'),
            'sound': (Repo({TRAIN: parquet([dict(audio=b'x')])}), 'no text')}

@pytest.mark.parametrize('name', UNUSABLE)
def test_what_cannot_be_used_is_marked(hub, name):
    repo, why = UNUSABLE[name]
    hub({'acme/odd': repo})
    card = hub_card('acme/odd')
    assert not card.usable and card.reason.startswith(why)
    with pytest.raises(P2MError, match=why.split(':')[0]): hub_table(card, 5)
    if name in ('gated', 'script only'):   # the list shows it already
        listed = next(c for cards, *_ in hub_pages() for c in cards if c.id == 'acme/odd')
        assert not listed.usable and listed.reason.startswith(name)


def test_a_gated_set_with_access(hub):
    hub({'acme/gated': Repo({TRAIN: REVIEWS}, gated='manual')}, token=TOKEN, tokens={TOKEN: ['acme/gated']})
    card = hub_card('acme/gated')
    assert (card.usable, card.extras['gated']) == (True, 'manual') and len(hub_table(card, 10)) == 10


def test_a_gated_set_with_a_login_that_has_no_access(hub):
    hub({'acme/gated': Repo({TRAIN: REVIEWS}, gated='manual')}, token=TOKEN, tokens={TOKEN: []})
    assert hub_card('acme/gated').reason.startswith('gated')


def test_a_script_with_a_parquet_branch_is_read_from_there(hub):
    copy = {'default/partial-train/0000.parquet': REVIEWS, 'default/test/0000.parquet': parquet(ROWS[:5]),
            'other/train/0000.parquet': parquet(ROWS[:7])}
    server = hub({'acme/odd': Repo({'odd.py': b'exit()'}, copy=copy)})
    card = hub_card('acme/odd')
    assert card.usable and card.extras['branch'] == BRANCH
    assert card.extras['files_revision'] == server.repos['acme/odd'].branches[BRANCH] != card.revision
    assert [len(hub_table(card, 50, *place)) for place in ((), (None, 'test'), ('other', 'train'))] == [50, 5, 7]
    assert not [p for p in server.paths() if 'odd.py' in p]   # the program is not even fetched


def test_a_card_of_a_set_that_went_away_is_marked(hub):
    server = hub()
    card = hub_card('acme/reviews')
    del server.repos['acme/reviews']
    assert not hub_card(card).usable and 'nothing of that name' in hub_card(card).reason
    with pytest.raises(P2MError, match='nothing of that name'): hub_table(card, 5)


# rows
def test_first_rows_are_one_request(hub):
    server = hub()
    (card,), *_ = next(hub_pages())
    assert hub_rows(card, 2) == [dict(text='the review number 0', label='poor'), dict(text='the review number 1', label='poor')]
    assert [p.split('?')[0] for p in server.paths()] == ['/api/datasets', '/rows']


@pytest.mark.parametrize('told', [dict(status=500), PAGE, dict(status=404), dict(body=dict(rows=[])), dict(delay=1.5)])
def test_first_rows_without_the_viewer_come_from_the_files(hub, told):
    hub(fault=only('/rows', told))
    rows = hub_rows(hub_card('acme/reviews'), 3)
    assert len(rows) == 3 and rows[0]['label'] == 'poor'


def test_rows_are_of_the_revision_of_the_card(hub):
    newer = parquet([dict(headline='something else', label=0) for _ in range(50)])
    server = hub({'acme/news': Repo({TRAIN: REVIEWS}, {TRAIN: newer})})
    old, new = list(server.repos['acme/news'].revisions)
    pinned, newest = hub_card('acme/news', old), hub_card('acme/news')
    assert (pinned.revision, newest.revision) == (old, new)
    assert list(hub_rows(pinned, 2)[0]) == ['text', 'label'] and list(hub_rows(newest, 2)[0]) == ['headline', 'label']
    assert hub_table(pinned, 20, columns=['text'])[0]['text'].startswith('the review')
    with pytest.raises(P2MError, match=f"'text' of acme/news at {new[:12]}.*headline, label.*revision that had it"):
        hub_table(newest, 20, columns=['text'])
    with pytest.raises(P2MError, match='no such revision'): hub_card('acme/news', '0'*40)


# tables
def test_a_sample_is_spread_over_the_table(hub):
    server = hub()
    card, before = hub_card('acme/reviews'), server.sent
    rows = hub_table(card, 400)
    assert len(rows) == 400 and Counter(r['label'] for r in rows) == {name: 100 for name in NAMES}
    assert rows == hub_table(card, 400) and len({r['text'] for r in rows}) == 400


def test_of_a_large_table_little_is_read(hub):
    import random
    draw = random.Random(0)
    noise = lambda bits: [f'{draw.getrandbits(bits):x}' for _ in range(120_000)]
    table = pa.table(dict(text=noise(400), other=noise(200)))
    for group in (1000, 120_000):   # rows in groups, and all in one large group
        data = parquet(table, group=group)
        server = hub({'acme/large': Repo({TRAIN: data})})
        card, before = hub_card('acme/large'), server.sent
        assert len(hub_table(card, 3000, columns=['text'])) == 3000
        assert server.sent - before < len(data)*.25


def test_nested_values_dates_labels_and_pictures(hub):
    import datetime
    rows = [dict(id=i, image=dict(bytes=b'..', path='a.png'), answers=dict(text=['a', 'b'], start=[0, 1]), tags=[0, 1],
                 on=datetime.date(2024, 5, 1)) for i in range(30)]
    data = parquet(rows)
    schema = pa.parquet.read_schema(pa.BufferReader(data))
    noted = json.loads(schema.metadata[b'huggingface'])
    tag = dict(names=['O', 'B'], _type='ClassLabel')
    noted['info']['features'] |= dict(tags=dict(feature=tag, _type='List'), image=dict(_type='Image'))
    table = pa.Table.from_pylist(rows).replace_schema_metadata({'huggingface': json.dumps(noted)})
    pa.parquet.write_table(table, out := pa.BufferOutputStream())
    hub({'acme/nested': Repo({TRAIN: out.getvalue().to_pybytes()})})
    card = hub_card('acme/nested')
    expected = dict(id=0, answers=dict(text=['a', 'b'], start=[0, 1]), tags=['O', 'B'], on='2024-05-01')
    assert hub_table(card, 30)[0] == expected and json.dumps(hub_table(card, 3))
    assert card.columns == dict(id='number', image='bytes', answers='object', tags='list', on='string')


TEXTS = {'csv': ('train.csv', b'text,label\n"a, b",good\nc,poor\n'),
         'tsv': ('train.tsv', b'text\tlabel\na, b\tgood\nc\tpoor\n'),
         'jsonl': ('data/train.jsonl', b'{"text": "a, b", "label": "good"}\n{"text": "c", "label": "poor"}\n')}

@pytest.mark.parametrize('name', TEXTS)
def test_text_files_are_read_at_the_revision(hub, name):
    path, data = TEXTS[name]
    server = hub({'acme/text': Repo({path: data}, {path: b'nothing'}, viewer=False)})
    card = hub_card('acme/text', list(server.repos['acme/text'].revisions)[0])
    assert hub_table(card, 10) == [dict(text='a, b', label='good'), dict(text='c', label='poor')] == hub_rows(card)
    assert hub_table(card, 1, columns=['label']) == [dict(label='good')]
    with pytest.raises(P2MError, match="column 'title' of acme/text"): hub_table(card, 1, columns=['title'])


@pytest.mark.parametrize('name', ['a.csv', 'a.jsonl', 'a.json'])
def test_of_a_large_text_file_little_is_read(hub, name):
    rows = [dict(text=f'{i:0200d}', label='good') for i in range(40_000)]
    data = json.dumps(rows) if name == 'a.json' else '\n'.join(map(json.dumps, rows)) if name == 'a.jsonl' else \
        '\n'.join(['text,label'] + [f"{r['text']},good" for r in rows])
    server = hub({'acme/text': Repo({name: data.encode()}, viewer=False)})
    assert hub_table(hub_card('acme/text'), 3000) == rows[:3000]
    assert server.sent < 2.5e6 < 8e6 < len(data) and len(server.paths(name)) <= 2


def test_what_is_measured_counts_more_than_what_is_claimed(hub):
    claim = dict(dataset_info=dict(features=[dict(name='a', dtype='image')], splits=[dict(name='train', num_examples=0)]))
    hub({'acme/odd': Repo({TRAIN: REVIEWS}, card=claim)})
    card = hub_card('acme/odd')
    assert card.usable and (card.rows, list(card.columns)) == (2000, ['text', 'label'])


def test_a_copy_of_the_same_revision_is_preferred_to_text(hub):
    copy = {'default/train/0000.parquet': REVIEWS}
    hub({'acme/both': Repo({'train.csv': TEXTS['csv'][1]}, copy=copy)})
    card = hub_card('acme/both')
    assert (card.extras['format'], card.extras['branch']) == ('parquet', BRANCH) and len(hub_table(card, 2000)) == 2000


def test_a_copy_of_another_revision_is_not(hub):
    first, last = ({'train.csv': b'text\n%s\n' % text} for text in (b'old', b'new'))
    server = hub({'acme/both': Repo(first, last, copy={'default/train/0000.parquet': parquet([dict(text='new')])})})
    old = hub_card('acme/both', list(server.repos['acme/both'].revisions)[0])
    assert hub_table(old, 5) == [dict(text='old')] and old.extras['format'] == 'csv'
    assert hub_card('acme/both').extras['format'] == 'parquet'


def test_names_of_files_are_quoted(hub):
    odd, up = ({path: REVIEWS} for path in ('data/50% off? #1 [é]/train.parquet', '../../train.parquet'))
    hub({'acme/odd': Repo(odd, viewer=False), 'acme/up': Repo(up, viewer=False)})
    assert len(hub_table(hub_card('acme/odd'), 10)) == 10
    assert hub_card('acme/up').reason.startswith('no table')


CLAIMED = dict(dataset_info=dict(features=[dict(name='text', dtype='string')]))
BROKEN = {'end': REVIEWS[:-8] + b'notPAR1!', 'middle': REVIEWS[:200] + b'\0'*3000 + REVIEWS[3200:],
          'text': b'some text'*50, 'short': b'PAR1'}

@pytest.mark.parametrize('name', BROKEN)
def test_a_damaged_table(hub, name):
    hub({'acme/odd': Repo({TRAIN: BROKEN[name]}, viewer=False, card=CLAIMED)})
    with pytest.raises(P2MError, match='damaged'): hub_table(hub_card('acme/odd'), 2000)


def test_a_download_that_is_cut_is_asked_again_and_then_told(hub):
    cut = only('/store/', dict(raw=b'x'*1000, cut=10, status=206))
    server = hub(fault=lambda path, n: cut(path, n) if n == 0 else None)
    assert len(hub_table(hub_card('acme/reviews'), 100)) == 100
    server.fault = only('/store/', dict(raw=b'x'*10, status=206))
    with pytest.raises(P2MError, match=f'acme/reviews, {TRAIN}.*cut short; asked 4 times'):
        hub_table(hub_card('acme/reviews'), 100)


def test_a_page_in_the_place_of_a_file(hub):
    hub(fault=only('/store/', PAGE))
    with pytest.raises(P2MError, match='cut short|web page'): hub_table(hub_card('acme/reviews'), 100)


def test_a_server_that_knows_no_parts_is_read_whole(hub):
    hub(fault=only('/store/', dict(raw=REVIEWS, headers={'content-type': 'application/octet-stream'})))
    assert len(hub_table(hub_card('acme/reviews'), 100)) == 100


def test_the_login_stays_with_the_hub(hub):
    server = hub(token=TOKEN, tokens={TOKEN: []})
    other = HubServer().__enter__()
    try:
        other.store['x'] = REVIEWS
        away = dict(status=302, raw=b'', headers={'location': f'{other.url}/store/x'})
        server.fault = lambda path, n: away if '/resolve/' in path and path.endswith('.parquet') else None
        assert len(hub_table(hub_card('acme/reviews'), 100)) == 100
        assert other.requests and not any('authorization' in {k.lower() for k in h} for _, h in other.requests)
    finally: other.__exit__()


def test_one_of_its_rows_is_too_large(hub):
    hub({'acme/long': Repo({TRAIN: LONG}, viewer=False, card=CLAIMED)})
    card = hub_card('acme/long')
    assert card.usable   # nobody said how large it is
    with pytest.raises(P2MError, match='a single row of it takes 3 MB'): hub_table(card, 2)


# as a user has it: settings from the environment, a cold cache, and nothing left behind
def test_from_the_environment_nothing_is_left_on_the_disk(tmp_path):
    repos = {'acme/reviews': Repo({TRAIN: REVIEWS}), 'acme/text': Repo({'train.csv': TEXTS['csv'][1]}, viewer=False)}
    code = '''if True:
        from p2m_nb.data.hub import *
        cards = [c for page, *_ in hub_pages() for c in page]
        print(sorted(len(hub_table(c, 500)) for c in cards))'''
    with HubServer(repos) as server:
        env = {k: v for k, v in os.environ.items() if not k.startswith(('HF_', 'XDG_'))}
        env |= dict(HF_ENDPOINT=server.url, HF_HOME=str(tmp_path/'hf'), HOME=str(tmp_path), TMPDIR=str(tmp_path))
        said = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, env=env, cwd=ROOT, timeout=60)
    assert said.stdout.strip() == '[2, 500]', said.stderr
    assert [p.name for p in tmp_path.rglob('*') if p.is_file() and 'agent' not in p.name] == []   # the client's own list
