"""The panels by clicks in JupyterLab, with stand-ins instead of models: thousands of datasets and models, generating, curating, training, evaluating."""
import json
from pathlib import Path
import pytest
from browser import Lab, write_notebook
from test_panels import EVIL, press, tick

pytestmark = pytest.mark.browser
INDEX = Path(__file__).resolve().parent.parent.parent/'shared/data/hub_index'   # cards of a hub; invented ones stand in for them
TASK = f'EVIL = {EVIL!r}' + '''
import time
from p2m_nb.base.core import *
from p2m_nb.base.lm import LM, Completion
from p2m_nb.base.store import Run
labels = ('play music', 'get weather', 'set alarm')
spec = PromptSpec('Say what the user wants. ' + EVIL, [(f'please {l} for me {i}', l) for l in labels for i in (1, 2)],
                  labels=labels, kind='classification')
row = lambda i, **more: dict(input=f'row {i} asks to {labels[i % 3]}' + ' ' + EVIL*(i == 2), output=labels[i % 3], source='generated', **more)
clean = Curated(map(row, range(40)), [row(40, reason='near duplicate', twin=row(0)['input'], similarity=.97)])
'''
TEACHER = '''
from p2m_nb.data.generate import GeneratePanel
words = 'now soon later today again please kindly gladly softly loudly'.split()
class Slow(LM):
    name, price, window, pause, asked = 'stand-in', (0., 0.), 6, .1, 0
    def answer(self, batch):
        Slow.asked += len(batch)
        time.sleep(self.pause*len(batch))
        text = lambda i: f'{words[i % 10]} {words[i//10 % 10]} do the thing of number {i} ' + EVIL*(i % 4 == 1)
        return [Completion(text(r.sample), 'stop', 20, 9) for r in batch]
run = Run('generated')
made = GeneratePanel(spec, run, n=30, teacher=Slow(), seed=0)
made'''
EDITS = '''
from p2m_nb.data.review import CuratePanel
edited = CuratePanel(clean, Run('curated'), spec)
edited'''
STUDENT = '''
from p2m_nb.base.ui import run_job
from p2m_nb.model.panel import TrainPanel
class Stand:
    RECIPE, steps = {}, 400
    def __repr__(self): return 'Stand-in'
    def memory(self, *_): return 'Needs little.'
    def fit(self, train, validation=None, run=None, wait=True, resume=True):
        p = self.progress = Progress('train', unit='steps')
        p.curves, p.total, self.kept = {'train': [], 'validation': []}, self.steps, None
        def work():
            p.start('Stand-in, 3 rows.')
            for i in range(1, self.steps + 1):
                if p.stopped: break
                time.sleep(.02)
                p.curves['train'].append((i, 1/i))
                p.update(i, epoch=f'epoch {i//100 + 1} of 4')
                self.kept = i
            return self
        run_job(work, p, wait)
fitted = TrainPanel(Stand(), clean, clean[:5])
fitted'''
REPORT = '''
from p2m_nb.result import evaluate
from p2m_nb.result.inspect import EvaluatePanel
evaluate._embedder = lambda: None
class Answers:
    base, seed, cut, fit_options = 'stand-in', 0, 0., {}
    def __init__(self, spec, base=None, seed=0): pass
    def fit(self, train, **options): return self
    def predict(self, xs): return [next((l for l in labels if l in x and 'odd' not in x), labels[0]) for x in xs]
    def score(self, xs, ys): return [.5]*len(xs)
    def zero_shot(self, xs): return [labels[0]]*len(xs)
test = Examples.of([(f'odd {i} get weather ' + EVIL, 'get weather') for i in range(4)]
                   + [(f'go {i} {labels[i % 3]}', labels[i % 3]) for i in range(30)], 'test.csv')
report = evaluate.evaluate_model(Answers(spec), Splits(clean, Examples(), test), spec)
judged = EvaluatePanel(report)'''

SETS = """
import csv, json, pathlib
from p2m_nb.data.catalog import Card, Hit, Hits
from p2m_nb.data import retrieve
from p2m_nb.data.pick import DatasetPanel
pathlib.Path('sets').mkdir()
wide = [dict(zip('abcdefgh', [f'{EVIL} row {i} says {labels[i % 3]} {c}' for c in 'abcdefg'] + [labels[i % 3]])) for i in range(30)]
pairs = [dict(first=f'{r["input"]} now', second=f'{r["input"]} again', what=r['output'].replace(' ', '_'), **{EVIL + ' a long name of a column'*4: 'x'}) for r in clean]
for name, rows in dict(wide=wide, pairs=pairs).items():
    with open(f'sets/{name}.csv', 'w', encoding='utf-8', newline='') as f:
        writer = csv.DictWriter(f, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
near = retrieve.search_datasets(spec, catalog='sets', embedder='words')
told = [json.loads(l) for l in open('datasets.jsonl', encoding='utf-8')]
def far(i, name='', description='', **more):
    facts = dict(licence=['mit', 'unknown', 'cc-by-nc-4.0', 'cc0-1.0'][i % 4], language=[('en',), ('fr',), ()][i % 3], rows=i*97 % 10**6, extras=dict(gated=i % 5 == 0))
    return Hit(Card(name, name=name, description=description, source='sets/pairs.csv', **facts), .5 - i/10**5, reason=retrieve.UNREAD)
picker = DatasetPanel(near.of([*near, *(far(i, **t) for i, t in enumerate(told))]), spec)
picker"""
BASES = """
from p2m_nb.model.base import judged as with_memory, search_models, why_model
from p2m_nb.model.choose import ModelPanel
def base(i, name='', description='', size_bytes=0, downloads=0):
    kind = ['encoder', 'causal', 'seq2seq'][i % 3]
    card = Card(name, name=name, description=description, kind='model', size_bytes=int(size_bytes), source=f'https://hub.example/{name}', extras=dict(type=kind, parameters=int(size_bytes)//4))
    return with_memory(card, spec, free=8e9)
cards = [base(i, **json.loads(l)) for i, l in enumerate(open('models.jsonl', encoding='utf-8'))]
own = search_models(spec)
found = own.of([*own, *(Hit(c, .1, why_model(c, spec), reason=c.reason) for c in cards)])
chooser = ModelPanel(found)
chooser"""


def index_files(folder):
    "The cards of a hub, as files."
    for name, n, more in (('datasets', 2494, {}), ('models', 1540, dict(size_bytes=4e8, downloads=7))):
        invented = [dict(name=f'who/{name}-{i}', description=f'Card {i} about {"speech, by bert" if i % 4 else "<b>maps</b>"}.') | more for i in range(n)]
        path = INDEX/f'{name}.jsonl'
        rows = [json.loads(l) for l in path.open(encoding='utf-8')] if path.exists() else invented
        rows[1]['description'] = f'{EVIL} {rows[1]["description"]}'
        (folder/f'{name}.jsonl').write_text('\n'.join(map(json.dumps, rows)), encoding='utf-8')


@pytest.fixture(scope='module')
def opened(tmp_path_factory):
    "One notebook with all panels, run."
    with Lab(tmp_path_factory.mktemp('lab')) as lab:
        index_files(lab.folder)
        write_notebook(lab.folder/'panels.ipynb', TASK, TEACHER, EDITS, STUDENT, REPORT, 'judged', 'report', SETS, BASES)
        with lab.open('panels.ipynb') as page:
            page.run_all()
            yield page


@pytest.fixture
def page(opened):
    yield opened
    assert opened.page.evaluate('window.PWN') is None and not opened.console


def tall(panel): return round(panel.bounding_box()['height'])


def test_generation_is_stopped_and_goes_on_without_asking_twice(page):
    panel = page.panel(1)
    assert page.value('(Slow.asked, len(made.value))') == [0, 0]
    press(panel, 'Generate 30')
    panel.get_by_role('button', name='Stop').wait_for()
    height = tall(panel)
    page.until('len(made.value) >= 8')
    assert page.value('1 + 1') == 2                              # other cells run meanwhile
    assert tall(panel) == height
    press(panel, 'Stop')
    page.until('made.progress.state == "stopped"', 5)
    panel.get_by_text('Stopped by you').wait_for()
    assert tall(panel) == height
    kept, asked = page.value('(made.value.inputs, Slow.asked)')
    assert 8 <= len(kept) < 30
    page.python('Slow.pause = .01')
    press(panel, 'Go on')
    page.until('made.progress.state == "done"')
    assert page.value('made.value.inputs')[:len(kept)] == kept
    assert page.value('len(made.value)') == 30 and page.value('run.examples == made.value')
    assert page.value('Slow.asked') == page.value('len(run.calls)') > asked   # no request went out twice
    panel.get_by_text('30 / 30').wait_for()
    assert panel.get_by_text(EVIL).count() and tall(panel) == height


def test_rows_are_dropped_edited_and_found_again(page):
    panel = page.panel(2)
    assert page.value('edited.value == clean')
    for i in (0, 4): tick(panel, i)
    press(panel, 'Drop 2 ticked')
    page.until('len(edited.value) == 38')
    assert page.value("[r['reason'] for r in edited.value.rejected]").count('by you') == 2
    tick(panel, 0)
    press(panel, 'Edit')
    panel.locator('textarea:visible').first.fill(f'is it warm {EVIL}')
    panel.locator('input[list]').fill('no such label')
    press(panel, 'Save')
    panel.get_by_text('is not among the labels').wait_for()
    assert not page.value("'is it warm' in str(edited.value.inputs)")
    panel.locator('input[list]').fill('get weather')
    press(panel, 'Save')
    page.until(f"edited.value[0]['input'] == {f'is it warm {EVIL}'!r} and edited.value[0]['output'] == 'get weather'")
    panel.get_by_role('button', name='Star', exact=True).click()
    press(panel, 'Starred 1')
    page.until("[r['id'] for r in edited.table.shown] == [2]")
    press(panel, 'Rejected 3')
    page.until('len(edited.table.shown) == 3')
    for name, rows in (('Duplicates 1', 2), ('Kept 38', 25)):
        press(panel, name)
        page.until(f'len(edited.table.shown) == {rows}')
    assert page.value('CuratePanel(clean, Run("curated"), spec).value == edited.value')   # each click was kept at once
    before = page.value('edited.value.inputs')
    page.python('exec(edited.code(), globals())')
    assert page.value('clean.inputs') == before


def test_training_shows_its_curve_and_stops_with_what_it_has(page):
    panel, heights = page.panel(3), set()
    heights.add(tall(panel))
    press(panel, 'Train on 40 rows')
    panel.get_by_role('button', name='Stop').wait_for()
    for _ in range(6):
        heights.add(tall(panel))
        page.page.wait_for_timeout(100)
    page.until('fitted.progress.done > 30')
    assert panel.locator('svg path.p2m-c0').get_attribute('d').count('L') > 5
    press(panel, 'Stop')
    page.until('fitted.progress.state == "stopped"', 5)
    panel.get_by_role('button', name='Start afresh').wait_for()
    heights.add(tall(panel))
    assert len(heights) == 1
    assert 30 < page.value('fitted.value.kept') < 400


def test_a_mistake_becomes_an_example_and_leaves_the_test(page):
    from playwright.sync_api import expect
    panel = page.panel(5)
    assert panel.locator('.p2m-result tbody tr').count() == page.value('len(report.rows)') == 5
    for name in ('Confusion', 'Labels'):
        press(panel, name)
        panel.locator('.p2m-figures:visible').nth(1).get_by_text('get weather').first.wait_for()
        expect(panel.locator('.p2m-row:visible')).to_have_count(0)
    press(panel, 'Errors')
    expect(panel.locator('.p2m-row:visible')).to_have_count(4)
    for i in (1, 2): tick(panel, i)
    panel.locator('.p2m-row summary').first.click()
    panel.get_by_text('nearest training row').first.wait_for()
    press(panel, 'Add 2 to the examples')
    page.until('len(judged.examples) == 2')
    assert page.value("(len(judged.test), judged.value is report, set(judged.examples.outputs) == {'get weather'})") == [32, True, True]
    shown = page.cell(6).locator('.jp-OutputArea table').first                 # the report by itself: the same figures, no widget
    assert shown.locator('tbody tr').count() == 5 and shown.locator('div div').count() == 10


def test_datasets_are_found_among_thousands_and_ticks_are_kept(page):
    panel = page.panel(7)
    assert page.value('len(picker.table.rows)') == page.value('len(told)') + 2 >= 2400
    chosen = page.value('sorted(picker.table.ticks)')
    tick(panel, 5)
    page.until(f'len(picker.table.ticks) == {len(chosen) + 1}')
    ticked = page.value('picker.at')                                          # read when it was ticked
    assert page.value(f'picker.hits[{ticked!r}].columns["output"]') == 'what'
    press(panel, 'Next')
    page.until('picker.table.begin == 25')
    panel.get_by_placeholder('Filter').fill('speech')
    page.until('picker.table.words == "speech" and picker.table.begin == 0')
    assert 0 < page.value('len(picker.table.found)') < 2400
    for name, kept in (('English only', 'language'), ('open licence', 'open'), ('hide gated', 'gated')):
        before = page.value('len(picker.table.found)')
        press(panel, name)
        page.until(f'len(picker.table.found) < {before}')
        assert page.value(f"{{str(r[{kept!r}]) for r in picker.table.found}}.__len__()") == 1
    press(panel, 'Rows')
    page.until('picker.table.key == "rows"')
    sizes = page.value("[r['rows'] for r in picker.table.found]")
    assert sizes == sorted(sizes, reverse=True) and page.value(f'{ticked!r} in picker.table.ticks')
    for name in ('English only', 'open licence', 'hide gated'): press(panel, name)
    panel.get_by_placeholder('Filter').fill('')
    page.until('len(picker.table.found) == len(told) + 2')


def test_columns_are_pressed_in_order_or_typed(page):
    panel = page.panel(7)
    page.python('picker.table.tick(*picker.table.ticks, on=False); picker.tick("pairs")')
    panel.get_by_text('input', exact=True).wait_for()
    row = lambda side: panel.locator('.p2m-bar', has=panel.page.get_by_text(side, exact=True))
    state = lambda: page.value('picker.hits["pairs"].columns')
    page.python('picker.map("pairs", input="second", output="what")')
    row('input').get_by_role('button', name='first').click()
    page.until('picker.hits["pairs"].columns["input"] == ("second", "first")')
    panel.get_by_text('second: {second}').wait_for()
    row('output').get_by_role('button', name='first').click()
    panel.get_by_text('it cannot be both input and output').wait_for()
    assert state()['output'] == 'what'
    assert page.value('len(picker.preview("pairs"))') > 0 and panel.locator('.p2m-three .p2m-item').count() == 3
    page.python('picker.tick("wide")')
    typed = row('input').locator('input[list]')
    typed.fill('a + c')
    page.page.keyboard.press('Enter')
    page.until('picker.hits["wide"].columns.get("input") == ("a", "c")')
    typed.fill('a + zebra')
    page.page.keyboard.press('Enter')
    panel.get_by_text('wide has none of that name').wait_for()
    press(panel, 'Use 2 datasets')
    page.until('picker.loaded is not None')
    assert page.value('sorted({r["source"] for r in picker.loaded})') == ['pairs', 'wide'] and page.value('len(picker.df)') == 6


@pytest.mark.parametrize('width', [1200, 480, 400])
def test_nothing_is_clipped_when_it_is_narrow(page, width):
    page.python('picker.tick("pairs"); picker.show("pairs"); picker.draw()')
    page.page.set_viewport_size(dict(width=width, height=1000))
    for i in (5, 7, 8):
        panel = page.panel(i)
        panel.scroll_into_view_if_needed()
        assert panel.evaluate('e => e.scrollWidth <= e.clientWidth + 1') and panel.bounding_box()['width'] < width
        over = """e => [...e.querySelectorAll('button,input')].filter(b => b.offsetParent && b.type != 'checkbox'
                      && b.getBoundingClientRect().right > e.getBoundingClientRect().right + 1).map(b => b.textContent)"""
        assert panel.evaluate(over) == []
    page.page.set_viewport_size(dict(width=1200, height=1000))


def test_one_base_model_of_many_is_ticked(page):
    panel = page.panel(8)
    assert page.value('chooser.value.id') == 'minilm' and page.value('len(chooser.bases)') > 1500
    press(panel, 'can be used')
    page.until('all(not r["disabled"] for r in chooser.table.found)')
    panel.get_by_placeholder('Filter').fill('bert')
    page.until('chooser.table.words == "bert"')
    press(panel, 'To train')
    page.until('chooser.table.key == "needed"')
    needs = page.value("[r['needed'] for r in chooser.table.found]")
    assert needs == sorted(needs, reverse=True) and max(needs) <= 8e9
    if needs: tick(panel, 0)
    if needs: page.until('chooser.value.id != "minilm" and len(chooser.table.ticks) == 1')
    panel.get_by_placeholder('Filter').fill('')
    press(panel, 'on this machine')
    page.until('len(chooser.table.found) <= 2')
    page.python('chooser.tick("minilm")')
    assert page.value('chooser.value.id') == 'minilm'
