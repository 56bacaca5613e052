"""Base models of a hub: found in an index, judged, fetched with the real client from tests/hub_server.py, and trained."""
import sys
from pathlib import Path
import pytest
sys.path.insert(0, str(Path(__file__).parent))
from hub_server import Repo
from test_hub import hub   # a fixture: starts hubs that this process asks
from test_retrieve import Chatty
from p2m_nb.base.core import Examples, P2MError, PromptSpec
from p2m_nb.data.hub import hub_pages
from p2m_nb.data.index import build_index
from p2m_nb.model.base import fetch_model, fetched, search_models
from p2m_nb.base.store import Run
from p2m_nb.model.choose import ModelPanel, student_for

SPEC = PromptSpec('What does the user of the speaker want?', labels=('music', 'weather'), kind='classification',
                  examples=[('play jazz', 'music'), ('will it rain', 'weather')])
HEAD = dict(license='apache-2.0', language=['en'])


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    "The files of a two-layer encoder with random weights."
    from transformers import BertConfig, BertModel, BertTokenizerFast
    folder = tmp_path_factory.mktemp('tiny')
    (folder/'vocab.txt').write_text('\n'.join('[PAD] [UNK] [CLS] [SEP] [MASK] play jazz will it rain music'.split()), encoding='utf-8')
    BertTokenizerFast(str(folder/'vocab.txt')).save_pretrained(folder)
    BertModel(BertConfig(vocab_size=11, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16)).save_pretrained(folder)
    return {p.name: p.read_bytes() for p in folder.iterdir()}

def model(files, type='BertModel', weights=4000, **more):
    said = dict(config=dict(architectures=[type]), safetensors=dict(total=weights, parameters=dict(F32=weights)), library_name='transformers', pipeline_tag='text-classification')
    return Repo(files, kind='model', **dict(card=HEAD, description='What the user of a speaker wants.') | said | more)

@pytest.fixture
def indexed(hub, files, tmp_path, monkeypatch):
    "A hub of models, and its index."
    from huggingface_hub import constants
    monkeypatch.setenv('P2M_CACHE', str(tmp_path))
    monkeypatch.setattr(constants, 'HF_HUB_CACHE', str(tmp_path/'hub_cache'))
    server = hub({'acme/speaker-tiny': model(files, downloads=900), 'acme/speaker-rare': model(files), 'acme/speaker-huge': model({}, weights=10**12, downloads=10**6),
                  'acme/speaker-pickle': model({'config.json': files['config.json'], 'pytorch_model.bin': b'x'}, safetensors=None),
                  'acme/speaker-closed': model(files, gated='manual', downloads=5), 'acme/speaker-t5': model(files, 'T5ForConditionalGeneration'),
                  'acme/speaker-empty': model({'config.json': b'{}'}, downloads=1)})
    build_index(hub_pages('model'), kind='model')
    return server

def test_a_model_of_the_hub_is_found_fetched_and_trained(indexed):
    hits = search_models(SPEC, catalog='hub')
    found = {h.card.id: h.card for h in hits}
    order = [h.card.id for h in hits]
    assert order.index('acme/speaker-tiny') < order.index('acme/speaker-rare')                # downloads decide
    reasons = {name: found[f'acme/speaker-{name}'].reason for name in ('huge', 'pickle', 'closed', 't5')}
    assert [w in reasons[n] for n, w in (('huge', 'training needs'), ('pickle', 'no safetensors'), ('closed', 'gated'))] == [True]*3 and not reasons['t5']
    tiny = found['acme/speaker-tiny']
    assert 200_080_000 <= tiny.extras['needed'] < 210_000_000 and tiny.extras['to_answer'] == 200_016_000
    assert fetched(tiny) is None and not indexed.paths('speaker-tiny/resolve')               # nothing is fetched by looking
    panel = ModelPanel(hits)
    panel.tick('acme/speaker-tiny')
    assert 'to fetch' in panel.status() and "catalog='hub'" in panel.code()
    student = student_for(SPEC, base=panel.value)
    student.fit(Examples.of(list(SPEC.examples)*4), epochs=1)
    assert set(student.predict(['play jazz'])) <= set(SPEC.labels)
    place = fetched(tiny)
    assert place.name == tiny.revision and not [p for p in place.rglob('*') if p.suffix in ('.bin', '.py')]
    asked = len(indexed.requests)
    assert fetch_model(tiny) == place and len(indexed.requests) == asked                      # the second time from the disk
    assert [h.card.id for h in search_models(SPEC, catalog='hub', on_disk=True, type='encoder') if 'acme' in h.card.id] == ['acme/speaker-tiny']

def test_the_teacher_writes_the_card_to_look_for_once(indexed, tmp_path):
    teacher, run = Chatty(), Run(tmp_path/'run')
    look = lambda: search_models(SPEC, catalog='hub', teacher=teacher, run=run)
    first, again = look(), look()                                          # the free memory on a card may have changed
    assert [h.card.id for h in first] == [h.card.id for h in again] and teacher.asked == 1
    assert "query='Zebras: commands to lamps.'" in again.given
    assert run.facts('choose')['usage']['calls'] == 1
    assert search_models(SPEC, teacher=teacher) and teacher.asked == 1     # what is on this machine needs no words

def test_what_is_too_large_is_out(indexed):
    assert 'acme/speaker-huge' not in [h.card.id for h in search_models(SPEC, catalog='hub', max_bytes=1e9)]

@pytest.mark.parametrize('id, why', [('acme/speaker-empty', 'no safetensors'), ('acme/speaker-closed', 'gated'), ('acme/nowhere', 'cannot be fetched')])
def test_what_cannot_be_fetched_says_why(indexed, id, why):
    from p2m_nb.data.catalog import Card
    with pytest.raises(P2MError, match=why): fetch_model(Card(id, kind='model', source=f'{indexed.url}/{id}'))

def test_a_torn_download_is_told_and_mended_the_next_time(indexed):
    card = next(h.card for h in search_models(SPEC, catalog='hub') if h.card.id == 'acme/speaker-tiny')
    indexed.fault = lambda path, n: dict(raw=b'x'*50, cut=10, headers={'content-type': 'application/octet-stream'}) if path.endswith('model.safetensors') or '/store/' in path else None
    with pytest.raises(P2MError, match='cannot be fetched'): fetch_model(card)
    assert fetched(card) is None
    indexed.fault = lambda path, n: None
    assert (fetch_model(card)/'model.safetensors').stat().st_size > 1000

def test_without_a_network_what_was_fetched_still_works(indexed, monkeypatch):
    card = next(h.card for h in search_models(SPEC, catalog='hub') if h.card.id == 'acme/speaker-tiny')
    place = fetch_model(card)
    monkeypatch.setattr('huggingface_hub.constants.HF_HUB_OFFLINE', True)
    assert fetch_model(card) == place
    rare = next(h.card for h in search_models(SPEC, catalog='hub') if h.card.id == 'acme/speaker-rare')
    with pytest.raises(P2MError, match='cannot be fetched'): fetch_model(rare)

def test_a_hub_without_an_index_says_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.setenv('P2M_CACHE', str(tmp_path))
    with pytest.raises(P2MError, match='`p2m index --models`'): search_models(SPEC, catalog='hub')
