"""The walkthrough as a learner has it: opened in JupyterLab, run from top to bottom, then corrected by clicks."""
import json, shutil
from pathlib import Path
import pytest
from browser import Lab
from test_panels import press, tick

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parent.parent
PANELS = 'PromptPanel DatasetPanel CuratePanel ModelPanel EvaluatePanel DemoPanel'.split()


@pytest.fixture(scope='module')
def cells(): # of the notebook: source -> number
    nb = json.loads((ROOT/'nbs/tutorials/01_walkthrough.ipynb').read_text(encoding='utf-8'))
    return [''.join(c['source']) for c in nb['cells']]


@pytest.fixture(scope='module')
def page(tmp_path_factory):
    "A copy of the notebook beside a copy of the example; its run goes into the copy's own folder."
    with Lab(tmp_path_factory.mktemp('lab'), env=dict(OMP_NUM_THREADS='2')) as lab:
        folder = lab.folder/'nbs/tutorials'
        folder.mkdir(parents=True)
        nb = json.loads((ROOT/'nbs/tutorials/01_walkthrough.ipynb').read_text(encoding='utf-8'))
        for c in nb['cells']:
            if c['cell_type'] == 'code': c['outputs'] = []
        (folder/'walk.ipynb').write_text(json.dumps(nb), encoding='utf-8')
        shutil.copytree(ROOT/'examples', lab.folder/'examples')
        with lab.open('nbs/tutorials/walk.ipynb') as page:
            page.run_all(600)
            yield page


def cell(cells, text): return next(i for i, source in enumerate(cells) if text in source)


def test_it_runs_untouched_and_every_panel_stands(page, cells):
    assert page.page.locator('.jp-RenderedText[data-mime-type="application/vnd.jupyter.stderr"]').count() == 0
    for name in PANELS:
        panel = page.panel(cell(cells, f'{name}('))
        panel.wait_for()
        box = panel.bounding_box()
        assert box['height'] > 60 and box['width'] > 400, name
    rows = page.value("{r['name']: r['value'] for r in report.rows}")
    assert list(rows) == ['student', 'own_examples', 'teacher_few_shot', 'base_zero_shot', 'nearest_example', 'majority']
    assert rows['student'] > rows['majority'] and page.value('report.rows[0]["n"]') == 176
    assert page.value('([h.card.id for h in picker.value], len(real) > 0, spec == panel.value)') == [['voice_commands'], True, True]
    assert not page.console


def test_a_tick_changes_what_is_loaded(page, cells):
    panel, before = page.panel(cell(cells, 'DatasetPanel(')), page.value('[h.card.id for h in picker.value]')
    tick(panel, 0)   # it was chosen; now it is not
    page.until('[h.card.id for h in picker.value] == []')
    page.run_cell(cell(cells, 'real = load_datasets'))
    page.idle()
    assert page.value('len(real)') == 0
    tick(panel, 0)
    page.until(f'[h.card.id for h in picker.value] == {before!r}')


def test_a_row_is_edited_and_kept(page, cells):
    panel, old = page.panel(cell(cells, 'CuratePanel(')), page.value('clean[0]["input"]')
    assert page.value('rows.value == clean')
    tick(panel, 0)
    press(panel, 'Edit')
    panel.locator('textarea:visible').first.fill('would you play something slow')
    press(panel, 'Save')
    page.until('rows.value[0]["input"] == "would you play something slow"')
    panel.get_by_text('edited by you').first.wait_for()
    assert page.value('CuratePanel(clean, run).value == rows.value') and old not in page.value('rows.value.inputs')


def test_generating_is_stopped_by_the_toolbar_and_goes_on(page, cells):
    i = cell(cells, 'synth = generate(')
    page.python('run.close(); run, N = Run(KEEP + "_again"), 240')
    page.run_cell(i)
    page.panel(i).locator('.p2m-list').get_by_text('kept').first.wait_for(timeout=60_000)   # a first block of answers is in
    page.page.locator('[data-command="notebook:interrupt-kernel"], [title^="Interrupt the kernel"]').first.click()
    page.idle(60)
    part, stored = page.value('(synth.inputs, len(run.calls))')
    assert 0 < len(part) < 240 and stored >= len(part)
    page.panel(i).get_by_text('Stopped by you').first.wait_for()
    assert page.value('run.examples is None')   # a part is not taken for the whole
    page.run_cell(i)
    page.idle(180)
    assert page.value('synth.inputs')[:len(part)] == part and page.value('len(synth)') > 200
    page.panel(i).get_by_text(f'{stored} from store').first.wait_for()
    assert page.value('run.examples == synth')


def test_every_panel_is_pictured_and_none_is_clipped(page, cells):
    "The pictures stay in build/screens: light, dark and narrow."
    folder = ROOT/'build'/'screens'
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shown = dict(prompt='PromptPanel(', datasets='DatasetPanel(', generate='generate(spec', curate='CuratePanel(', model='ModelPanel(',
                 train='.fit(', evaluate='EvaluatePanel(', demo='DemoPanel(')
    answers = page.panel(cell(cells, shown['demo']))
    answers.get_by_role('button', name='text Maria').click()
    answers.locator('.p2m-answers').get_by_text('send message').first.wait_for()
    for look, dark, width in (('light', False, 1200), ('dark', True, 1200), ('narrow', False, 400)):
        page.page.set_viewport_size(dict(width=width, height=1000))
        page.theme(dark)
        for name, text in shown.items():
            panel = page.panel(cell(cells, text))
            panel.scroll_into_view_if_needed()
            panel.screenshot(path=str(folder/f'{name}_{look}.png'))
            assert panel.evaluate('e => e.scrollWidth <= e.clientWidth + 1'), (name, look)
    page.page.set_viewport_size(dict(width=1200, height=1000))
    page.theme(False)
