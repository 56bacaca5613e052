"""The right set is taken, and one of another task never is; bundled, in a folder of thousands, and on a hub."""
import csv, sys, threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from hub_server import Repo, parquet
from test_hub import hub   # a fixture: starts hubs that this process asks
from p2m_nb.base.core import P2MError, PromptSpec
from p2m_nb.base.lm import LM, Completion
from p2m_nb.base.local import weights_path
from p2m_nb.base.store import Run
from p2m_nb.data.index import build_index
from p2m_nb.data.hub import hub_pages
from p2m_nb.data.pick import DatasetPanel
from p2m_nb.data.retrieve import MANY, is_unread, load_datasets, search_datasets

try: weights_path('minilm'); missing = ''
except P2MError as e: missing = str(e)
encoder = pytest.mark.skipif(bool(missing), reason=missing)

def chosen(spec, **kw): return [h.card.id for h in search_datasets(spec, **kw).chosen]

def classification(instruction, rows, **kw):
    return PromptSpec(instruction, [(x, y) for y, xs in rows.items() for x in xs], labels=tuple(rows), kind='classification', **kw)

MEDIA = classification('Which of seven intents does the request have?', dict(
    BookRestaurant=['reserve a table for four at an Italian place', 'find me a spot at a diner in Ohio for tonight'],
    PlayMusic=['play something by Johnny Cash', 'put on a track from 1974'],
    AddToPlaylist=['add this song to my road trip playlist', 'put Adele on the party list'],
    GetWeather=['will it snow in Denver tomorrow', 'forecast for Utah next week'],
    RateBook=['give the current novel four stars', 'rate this saga 2 out of 6'],
    SearchCreativeWork=['find the TV show called Lost Time', 'look for the painting Blue Hour'],
    SearchScreeningEvent=['when is the new Batman film on', 'movie times at the Odeon nearby']))

@encoder
def test_demo_prompt_finds_the_voice_commands():
    lines = (Path(__file__).parent.parent/'examples'/'intents'/'prompt.txt').read_text('utf-8').splitlines()
    pairs = [line.rsplit(' -> ', 1) for line in lines if ' -> ' in line]
    rows = {y: [x for x, label in pairs if label == y] for _, y in pairs}
    spec = classification(lines[0], rows, descriptions=dict(line[2:].split(': ', 1) for line in lines if line.startswith('- ')))
    hits = search_datasets(spec)
    assert [h.card.id for h in hits.chosen] == ['voice_commands']
    assert hits[0].label_map['cooking_help'] == 'find recipe' and 'thermostat' not in hits[0].label_map
    real = load_datasets(hits, spec)
    assert set(real.outputs) == set(spec.labels) and len(real) > 150
    assert real.reasons()['label not in the task'] == 72

@encoder
def test_other_tasks_get_nothing():
    assert chosen(MEDIA) == []
    assert chosen(classification('Positive or negative?', dict(positive=['great film', 'I loved it'], negative=['too long', 'a waste of money']))) == []
    assert chosen(classification('Is the ticket urgent?', {'urgent': ['my order must come tomorrow', 'someone hacked my account'],
                                                          'not urgent': ['when do you open on sundays', 'do you have a catalogue']})) == []
    assert chosen(PromptSpec('Answer.', [('What is the capital of France?', 'Paris'), ('Who wrote Hamlet?', 'Shakespeare')])) == []
    assert chosen(PromptSpec('When was the city founded?', [('Berlin', '1237-10-28'), ('Lima', '1535-01-18')])) == []

@encoder
@pytest.mark.parametrize('name, x, y', [
    ('quantities', ['two and a half kilos of potatoes', 'add 30 grams of salt', 'a quarter of a litre of milk'], ['2.5 kg', '30 g', '0.25 l']),
    ('fields', ['Order XA-1234 (red mug) never came. Tom Hill', 'Sue Park here, my teapot from BD-555 broke'],
     ['{"name": "Tom Hill", "order": "XA-1234", "item": "red mug"}', '{"name": "Sue Park", "order": "BD-555", "item": "teapot"}'])])
def test_open_outputs_of_the_same_form(name, x, y):
    spec = PromptSpec('Write it in the form shown.', list(zip(x, y)), kind='extraction')
    assert chosen(spec) == [name]

@encoder
def test_a_set_of_the_same_task_is_taken_though_its_rows_follow_a_pattern():
    news = classification('Which section of the newspaper does the headline belong to?', dict(
        sports=['City beat Rangers on penalties', 'Champion pulls out of final'], politics=['Prime minister faces vote of no confidence', 'Senate passes budget'],
        economy=['Bank shares fall after profit warning', 'Car maker to shed 300 jobs']))
    hits = search_datasets(news)
    assert [h.card.id for h in hits.chosen] == ['headlines'] and hits[0].label_map == dict(sport='sports', politics='politics', business='economy')
    assert 'shares' in hits[0].why and 'headline' in hits[0].why


# what is asked for
LAMPS = classification('What should the lamp do?', {y: [f'{how}turn {y} the {x}' for how in ('', 'please ') for x in ('lamp', 'big lamp', 'bulb')] for y in ('on', 'off')})
SAID = [dict(said=f'{x} in the {room}', command=f'switch_{y}') for room in 'hall kitchen cellar office attic garage'.split()
        for x, y in (('turn on the lamp', 'on'), ('turn off the lamp', 'off'))]*3

def write_csv(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'w', encoding='utf-8', newline='') as f:
        writer = csv.DictWriter(f, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

class Chatty(LM):
    name, price, chat, asked = 'chatty', (0., 0.), True, 0
    def answer(self, batch):
        self.asked += len(batch)
        return [Completion('Zebras: commands to lamps.', 'stop', 9, 9) for _ in batch]

def test_the_teacher_writes_the_card_to_look_for_once(tmp_path):
    write_csv(tmp_path/'sets'/'zebras.csv', [dict(a=f'x{i}', b='yn'[i % 2]) for i in range(20)])
    write_csv(tmp_path/'sets'/'horses.csv', [dict(a=f'z{i}', b='yn'[i % 2]) for i in range(20)])
    teacher, run = Chatty(), Run(tmp_path/'run')
    look = lambda: search_datasets(LAMPS, catalog=str(tmp_path/'sets'), embedder='words', teacher=teacher, run=run)
    hits = look()
    assert hits[0].card.id == 'zebras' and teacher.asked == 1 and "query='Zebras: commands to lamps.'" in hits.given
    assert look() == hits and teacher.asked == 1
    assert run.facts('retrieve')['usage']['calls'] == 1 and run.facts('retrieve')['query'] == 'Zebras: commands to lamps.'

def test_a_card_to_look_for_that_would_pass_the_cap_is_not_written(tmp_path):
    write_csv(tmp_path/'sets'/'horses.csv', SAID)
    teacher = Chatty()
    teacher.price = (1., 1.)
    hits = search_datasets(LAMPS, catalog=str(tmp_path/'sets'), embedder='words', teacher=teacher, max_cost=1e-6)
    assert teacher.asked == 0 and hits[0].card.id == 'horses'

def test_a_prompt_in_another_language_finds_its_set(tmp_path):
    rooms = 'Flur Küche Keller Büro Garage Bad Diele Stube'.split()
    write_csv(tmp_path/'befehle.csv', [dict(satz=f'mach bitte das Licht im {r} {y}', tat=y) for r in rooms for y in ('an', 'aus')])
    write_csv(tmp_path/'orders.csv', [dict(text=f'please bring me {i} bags of rice', kind='ab'[i % 2]) for i in range(30)])
    spec = classification('Was soll das Licht tun?', {y: [f'mach das Licht {y}', f'das Licht bitte {y}', f'Licht im Bad {y}', f'{y} mit dem Licht', f'Licht {y}']
                                                     for y in ('an', 'aus')}, language='de')
    hits = search_datasets(spec, catalog=str(tmp_path), embedder='words')
    assert [h.card.id for h in hits.chosen] == ['befehle'] and hits[0].label_map == dict(an='an', aus='aus')

def test_filters_and_what_to_loosen():
    hits = search_datasets(LAMPS, embedder='words', language='fr')
    assert [h.card.id for h in hits] == ['dates']
    none = search_datasets(LAMPS, embedder='words', language='fr', licence='cc0-1.0', loadable=True)
    assert not none and "without licence='cc0-1.0' there are 1" in none.note and 'loadable' not in none.note
    assert none.note in DatasetPanel(none, LAMPS).static_html().replace('&#x27;', "'")
    with pytest.raises(P2MError, match='There are language'): search_datasets(LAMPS, lang='fr')


# a folder
def test_a_folder_of_ten_thousand_files_is_searched_by_name_first(tmp_path):
    for i in range(10_000): (tmp_path/f'part_{i:05}.csv').write_text('a,b\n1,2\n', encoding='utf-8')
    write_csv(tmp_path/'zz'/'lamp_commands.csv', SAID)
    hits = search_datasets(LAMPS, catalog=str(tmp_path), embedder='words')
    assert [h.card.id for h in hits.chosen] == ['zz/lamp_commands']
    assert hits.note == f'{10_001 - MANY:,} of 10,001 files were skipped: their names say less of this task.'

def test_copies_are_one_hit(tmp_path):
    for name in ('lamps', 'lamps_copy'): write_csv(tmp_path/f'{name}.csv', SAID)
    hits = search_datasets(LAMPS, catalog=str(tmp_path), embedder='words')
    assert [h.card.id for h in hits] == ['lamps'] and hits[0].card.extras['copies'] == ['lamps_copy']

def test_a_column_that_is_gone_is_told(tmp_path):
    write_csv(tmp_path/'lamps.csv', SAID)
    hits = search_datasets(LAMPS, catalog=str(tmp_path), embedder='words')
    gone = hits[0].replace(columns=dict(input='said', output='order'))
    with pytest.raises(P2MError, match="column 'order': the table does not have it any more"): load_datasets([gone], LAMPS)


# a hub
LAMP_ROWS = [dict(said=r['said'] + f' {i}', command=i//600) for i, r in enumerate(sorted(SAID*34, key=lambda r: r['command'])[:1200])]
HEAD = dict(license='mit', language=['en'], task_categories=['text-classification'])
def lamps(**more):
    files = {'data/train-00000-of-00001.parquet': parquet(LAMP_ROWS, dict(command=['switch_off', 'switch_on']), group=100)}
    return Repo(files, **dict(card=HEAD, description='Spoken commands that turn a lamp on or off.') | more)

@pytest.fixture
def indexed(hub, tmp_path, monkeypatch):
    "A hub whose index is built; `<b>` and a gated set are in it."
    monkeypatch.setenv('P2M_CACHE', str(tmp_path))
    server = hub({'acme/lamps': lamps(downloads=9), 'fork/lamps': lamps(), 'acme/closed': lamps(gated='auto', description='Closed commands to a lamp, on or off.'),
                  'acme/old': Repo({'old.py': b'1/0'}, description='A <b>lamp</b> data set that a program makes.')})
    build_index(hub_pages())
    return server

def test_a_hub_is_searched_read_and_loaded(indexed, tmp_path):
    hits = search_datasets(LAMPS, catalog='hub', embedder='words')
    assert [h.card.id for h in hits.chosen] == ['acme/lamps']
    hit = hits[0]
    assert hit.card.extras['copies'] == ['fork/lamps'] and hit.card.revision == indexed.repos['acme/lamps'].sha and hit.card.licence == 'mit'
    assert hit.columns == dict(input='said', output='command') and hit.label_map == dict(switch_on='on', switch_off='off')   # though sorted by label
    found = {h.card.id: h for h in hits}
    assert 'gated' in found['acme/closed'].reason and 'script only' in found['acme/old'].reason and 'Index of the hub of 20' in hits.note
    run = Run(tmp_path/'run')
    real = load_datasets(hits, LAMPS, run=run, max_rows=400)
    assert len(real) + len(real.rejected) == 400 and set(real.outputs) == {'on', 'off'}
    fact, = run.facts('retrieve')['datasets']
    assert (fact['id'], fact['licence'], fact['revision']) == ('acme/lamps', 'mit', hit.card.revision)

def test_without_a_network_the_last_index_still_answers(indexed, monkeypatch):
    monkeypatch.setattr('huggingface_hub.constants.ENDPOINT', 'http://127.0.0.1:9')
    hits = search_datasets(LAMPS, catalog='hub', embedder='words')
    assert 'acme/lamps' in [h.card.id for h in hits] and all(is_unread(h) for h in hits) and not hits.chosen
    assert 'Rows of the hub are not read: there is no connection' in hits.note

def test_a_hub_without_an_index_says_how_to_make_one(hub, tmp_path, monkeypatch):
    monkeypatch.setenv('P2M_CACHE', str(tmp_path))
    with pytest.raises(P2MError, match='Make it once with `p2m index`'): search_datasets(LAMPS, catalog='hub', embedder='words')

def test_filters_reach_the_index(indexed):
    hits = search_datasets(LAMPS, catalog='hub', embedder='words', licence='open', gated=False)
    assert [h.card.id for h in hits] == ['acme/lamps']
    none = search_datasets(LAMPS, catalog='hub', embedder='words', language='fr', gated=False)
    assert not none and "without language='fr' there are 3" in none.note

def test_a_panel_reads_a_set_of_the_hub_when_it_is_ticked(indexed, monkeypatch):
    monkeypatch.setattr('p2m_nb.data.retrieve.READ_HUB', 0)
    hits = search_datasets(LAMPS, catalog='hub', embedder='words')
    panel = DatasetPanel(hits, LAMPS)
    assert all(is_unread(h) for h in hits) and not panel.value
    panel.tick('acme/lamps')
    assert panel.value[0].columns == dict(input='said', output='command') and len(panel.df) == 3
    panel.tick('acme/closed')                                   # marked once it is looked at, and unticked
    assert [h.card.id for h in panel.value] == ['acme/lamps'] and 'gated' in panel.hits['acme/closed'].reason
    panel.use()                                                 # in the background
    assert len(panel.job.result()) == len(panel.loaded) > 0 and panel.status().startswith('Done')
    panel.take('acme/lamps', 50)
    here = {}
    exec(f'from p2m_nb.all import *\n{panel.code()}', here)
    assert here['real'] == panel.load() and len(here['real']) + len(here['real'].rejected) == 50
    assert load_datasets(hits.choose('acme/lamps'), LAMPS, max_rows=50) == load_datasets(panel.value.choose('acme/lamps'), LAMPS, max_rows=50)

def test_a_panel_shows_what_went_wrong_on_the_hub_and_goes_on(indexed, monkeypatch):
    panel = DatasetPanel(search_datasets(LAMPS, catalog='hub', embedder='words'), LAMPS)
    panel.view
    assert [h.card.id for h in panel.value] == ['acme/lamps']
    indexed.fault = lambda path, n: dict(status=500, body={})
    panel._use.click()
    with pytest.raises(P2MError, match='the server answers 500'): panel.job.result()
    panel.draw()
    assert 'the server answers 500' in panel._error.value and not panel._use.disabled
    indexed.fault = lambda path, n: None
    panel._use.click()
    assert len(panel.job.result()) > 0
    panel.draw()
    assert panel._error.value == '' and 'Done' in panel._head.value

def test_reading_a_hub_is_stopped_and_goes_on(indexed):
    panel = DatasetPanel(search_datasets(LAMPS, catalog='hub', embedder='words'), LAMPS)
    panel.view
    begun, go = threading.Event(), threading.Event()
    def hold(path, n):
        begun.set()
        go.wait(20)
    indexed.fault = hold
    panel._use.click()
    assert begun.wait(20)
    panel.draw()
    assert 'Reading 0 of 1 datasets' in panel._head.value and panel._use.layout.display == 'none' and panel._stop.layout.display is None
    panel._stop.click()
    go.set()
    panel.job.result()
    panel.draw()
    assert panel.loaded is None and 'Stopped by you' in panel._head.value and panel._use.layout.display is None
    panel._use.click()
    assert len(panel.job.result()) > 0
    panel.draw()
    assert 'Done' in panel._head.value
