"""Generating, curating, training and evaluating by clicks in JupyterLab, with stand-ins instead of models."""
import pytest
from browser import Lab, write_notebook
from test_panels import EVIL, press, tick

pytestmark = pytest.mark.browser
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
from p2m_nb.model.train import TrainPanel
class Stand:
    RECIPE, steps = {}, 400
    def __repr__(self): return 'Stand-in'
    def fit(self, train, validation=None, run=None, wait=True):
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
judged = evaluate.EvaluatePanel(report)'''


@pytest.fixture(scope='module')
def opened(tmp_path_factory):
    "One notebook with all four panels, run."
    with Lab(tmp_path_factory.mktemp('lab')) as lab:
        write_notebook(lab.folder/'panels.ipynb', TASK, TEACHER, EDITS, STUDENT, REPORT, 'judged', 'report')
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
    panel.get_by_role('button', name='Train from the start').wait_for()
    heights.add(tall(panel))
    assert len(heights) == 1
    assert 30 < page.value('fitted.value.kept') < 400


def test_a_mistake_becomes_an_example_and_leaves_the_test(page):
    from playwright.sync_api import expect
    panel = page.panel(5)
    assert panel.locator('.p2m-result tbody tr').count() == page.value('len(report.rows)') == 4
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
    assert shown.locator('tbody tr').count() == 4 and shown.locator('div div').count() == 8
