"""The panels in JupyterLab: every click changes state that Python sees, nothing jumps, and nothing foreign runs."""
import pytest
from browser import Lab, write_notebook

pytestmark = pytest.mark.browser
EVIL = '<img src=x onerror="window.PWN=1">'
SPEC = f'''
from p2m_nb.base.core import *
from p2m_nb.base.table import *
from p2m_nb.base.ui import *
from p2m_nb.data.catalog import Card, Hit, Hits
spec = PromptSpec('Say what a person at home wants.', labels=('set alarm', 'get weather', '{EVIL}'), kind='classification', examples=[
    ('wake me at six', 'set alarm'), ('will it rain today', 'get weather'), ('{EVIL} hello', '{EVIL}')])
'''
WORK = '''
import time
def job(n, pause=.01):
    p = Progress('generate', total=n)
    p.bars = {'a': (0, n), 'b': (0, n)}
    def work():
        p.start('A stand-in. Free.')
        for i in range(n):
            if p.stopped: break
            p.rows.append((f'row {i} <img src=x onerror="window.PWN=1">', 'ab'[i % 2], 'kept' if i % 3 else 'duplicate'))
            p.bars['ab'[i % 2]], p.counts['duplicate'] = (i//2 + 1, n), i//3 + 1
            p.update(i + 1)
            time.sleep(pause)
        return p.done
    return work, p
'''


@pytest.fixture(scope='module')
def lab(tmp_path_factory):
    with Lab(tmp_path_factory.mktemp('lab')) as lab: yield lab


@pytest.fixture
def opened(lab, request):
    "Write the cells that a test is marked with, open them, and find nothing foreign run at the end."
    write_notebook(lab.folder/f'{request.node.name}.ipynb', *request.param)
    with lab.open(f'{request.node.name}.ipynb') as page:
        yield page
        assert page.page.evaluate('window.PWN') is None
        assert not page.console


def cells(*sources): return pytest.mark.parametrize('opened', [sources], indirect=True, ids=[''])
def tick(panel, i): panel.locator('.p2m-row:visible').nth(i).click(position=dict(x=200, y=15))
def press(panel, name): panel.get_by_role('button', name=name).first.click()


@cells(SPEC + WORK, 'first, p = job(3000)\nkept = run_job(first, p)', 'after = kept', 'second, q = job(3000)\nj = run_job(second, q, wait=False)')
def test_work_is_stopped_by_the_toolbar_and_by_the_button(opened):
    page = opened
    page.run_all(wait=False)
    panel = page.panel(1)
    panel.get_by_text('toolbar stops').wait_for(timeout=60_000)
    assert panel.get_by_role('button', name='Stop').is_hidden()      # a click could not reach a blocked kernel
    heights = set()
    for _ in range(5):
        page.page.wait_for_timeout(200)
        heights.add(panel.bounding_box()['height'])
    assert len(heights) == 1
    page.interrupt()
    page.page.locator('.jp-Cell').nth(1).locator('.jp-OutputArea-output').first.wait_for(state='attached')
    page.until('"kept" in globals()')
    assert 0 < page.value('kept') < 3000
    page.run_cell(3)
    page.until('"j" in globals() and q.done > 20')
    press(page.panel(3), 'Stop')
    page.until('not j.running', seconds=5)
    assert page.value('q.state') == 'stopped' and 20 < page.value('j.result()') < 3000
    page.panel(3).get_by_text('Stopped by you').wait_for()


@cells(SPEC + f'''
rows = [dict(id=i, name=f'set {{i}} {EVIL}', n=i, disabled='gated' if i == 2 else '') for i in range(60)]
table = TickTable(rows, [Column('name', 'Name'), Column('n', 'Rows', '70px', right=True, narrow=True)], details=lambda r: esc(r['name']))
class Both(Panel):
    def body(self): return TickView(table, empty='Nothing.').widgets
panel = Both()
panel''', 'Both()')
def test_ticks_survive_filter_sort_page_and_a_second_view(opened):
    page = opened
    page.run_all()
    panel = page.panel(0)
    ticks = lambda: page.value('sorted(table.ticks)')
    tick(panel, 0)
    page.until('table.ticks == {0}')
    panel.locator('.p2m-row:visible').nth(1).locator('summary').click()     # opens the row, ticks nothing
    tick(page.panel(1), 2)                                                  # a row that says why it cannot be ticked
    panel.get_by_label('Page').fill('3')
    page.page.keyboard.press('Enter')
    page.until('table.begin == 50')
    press(panel, 'Back')
    page.until('table.begin == 25')
    tick(panel, 1)
    page.until('table.ticks == {0, 26}')
    panel.get_by_placeholder('Filter').fill('set 4')
    page.until('table.words == "set 4"')
    press(panel, 'Rows')
    page.until('table.key == "n"')
    tick(page.panel(1), 0)
    page.until('len(table.ticks) == 3')
    assert ticks() == [0, 26, 54]
    assert panel.locator('.p2m-row:visible').first.locator('input').is_checked()
    panel.get_by_placeholder('Filter').focus()
    on_box = lambda: page.page.evaluate('document.activeElement.type') == 'checkbox'
    for _ in range(12): on_box() or page.page.keyboard.press('Tab')         # buttons, heads, then the first box
    assert on_box()
    page.page.keyboard.press('Space')
    page.until('len(table.ticks) == 2')


@cells(SPEC + 'from p2m_nb.data.parse import PromptPanel\npanel = PromptPanel(spec)\npanel')
def test_prompt_panel(opened):
    page = opened
    page.run_all()
    assert page.value('panel.value == spec')
    panel = page.panel(0)
    tick(panel, 1)
    page.until('panel.at == 1')
    press(panel, 'Edit row 2')
    page.until('panel.form == 2')
    panel.get_by_placeholder('output', exact=True).fill('get wether')
    press(panel, 'Save')
    panel.get_by_role('button', name='Use get weather').click()
    page.until('panel.doubt is None and panel.form is None')
    assert page.value('panel.value == spec')
    panel.get_by_label('Language').fill('fr')
    page.page.keyboard.press('Enter')
    page.until('panel.value.language == "fr"')
    tick(panel, 0)
    press(panel, 'Drop 1 unticked')
    page.until('len(panel.value.examples) == 2')
    assert page.value('eval(panel.code().removeprefix("spec = ")) == panel.value')


@cells(SPEC + '''
import csv, pathlib
from p2m_nb.data.retrieve import *
from p2m_nb.data.pick import DatasetPanel
pathlib.Path('sets').mkdir()
for name, column in (('mine', 'intent'), ('other', 'team')):
    with open(f'sets/{name}.csv', 'w', encoding='utf-8', newline='') as f:
        csv.writer(f).writerows([('text', column)] + [(f'{x} please, number {i}', 'get_weather' if y == 'get weather' else 'alarm')
                                                      for i in range(20) for x, y in spec.examples[:2]])
hits = search_datasets(spec, catalog='none', folder='sets', embedder='words')
panel = DatasetPanel(hits, spec)
panel''')
def test_dataset_panel(opened):
    page = opened
    page.run_all()
    assert page.value('panel.value == hits.chosen')
    panel = page.panel(0)
    if page.value('len(panel.value)'): press(panel, 'Clear')
    page.until('not panel.value')
    assert panel.get_by_role('button', name='Use 0 datasets').is_disabled()
    tick(panel, 0)
    page.until('len(panel.value) == 1')
    panel.get_by_placeholder('a label of the set').fill('alarm')
    panel.get_by_placeholder('drop, or a label here').fill('set alarm')
    press(panel, 'Map label')
    page.until('panel.value[0].label_map.get("alarm") == "set alarm"')
    press(panel, 'Use 1 dataset')
    page.until('panel.loaded is not None')
    assert page.value('len(panel.loaded)') > 0
    page.python('here = dict(globals()); exec(panel.code(), here); assert here["picked"] == panel.value')


@cells(SPEC + '''
from p2m_nb.result.demo import DemoPanel
class Student:
    spec = spec
    def predict(self, inputs, scores=False):
        import pandas as pd
        return pd.DataFrame([[.7, .2, .1]], columns=spec.labels)
panel = DemoPanel(Student())
panel''')
def test_demo_panel(opened):
    page = opened
    page.run_all()
    panel = page.panel(0)
    panel.get_by_placeholder('Write an input').click()
    page.page.keyboard.type('wake me <b>now</b>')
    assert page.value('panel.value') == []                                  # not on every key
    page.page.keyboard.press('Enter')
    page.until('len(panel.value) == 1')
    press(panel, 'will it rain today')
    page.until('len(panel.value) == 2')
    panel.get_by_placeholder('The right answer').fill('get weather')
    press(panel, 'Wrong: keep it')
    page.until('len(panel.kept) == 1')
    assert page.value('panel.kept[0]["output"]') == 'get weather'


@cells(SPEC, f'''
class Fixed(Panel):
    title = '{EVIL}'
    def status(self): return 'One of <b>two</b> states.'
    def static(self): return table_html([dict(a=1)], ['a'])
    def code(self): return Code('a = 1')
Fixed()''')
def test_a_reopened_notebook_shows_the_plain_form(opened, lab):
    page = opened
    page.run_all()
    assert page.cell(1).locator('.p2m-static').is_hidden()
    press(page.panel(1), 'Code')
    assert page.panel(1).locator('textarea').last.input_value() == 'a = 1'
    for width in (1200, 580, 420):
        page.page.set_viewport_size(dict(width=width, height=900))
        box = page.panel(1).bounding_box()
        assert page.panel(1).evaluate('e => e.scrollWidth <= e.clientWidth + 1') and box['width'] < width
    page.save()
    name = page.page.url.split('/doc/tree/')[1].split('?')[0]
    page.shut_down()
    context = lab.browser.new_context()
    try:
        again = context.new_page()
        again.goto(f'http://127.0.0.1:{lab.port}/doc/tree/{name}?token={lab.token}', timeout=120_000)
        again.locator('.p2m-static').first.wait_for(state='visible', timeout=60_000)
        again.wait_for_timeout(1500)
        assert again.get_by_text('model not found').filter(visible=True).count() == 0
    finally: context.close()
