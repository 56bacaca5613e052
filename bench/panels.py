"""How quick the panels are in a real browser: JupyterLab in headless Chromium, everything on this machine.

    python bench/panels.py

paint     a picker of 5,000 cards, from running the cell to its first rows on the screen, beside all 5,000 rows as pandas'
          HTML table; and by how much each makes the notebook grow.
click     from a click to what it changes on the screen, with 5,000 rows: tick, next page, sort, filter; median of five, beside
          a bare ipywidgets button whose click changes a label.
stream    while 1,000 rows stream into a panel: how long another cell takes, the longest of twenty, beside an idle kernel's.
"""
import statistics, sys, tempfile, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT/'tests'))
from browser import Lab, write_notebook

CARDS = '''
from p2m_nb.all import *
import time, ipywidgets as w, pandas as pd
from p2m_nb.base.core import Progress
from p2m_nb.base.ui import run_job
pd.set_option('display.max_rows', 6000)
about = 'Sentences that people said to a speaker in the kitchen, each with what they wanted of it.'
hits = Hits(Hit(Card(f'who/set-{i}', name=f'Set {i}', description=f'{about} Part {i}.', rows=i, licence='mit', language=('en',)), 1/(1 + i))
            for i in range(5000))
spec = PromptSpec('Say what is wanted.', labels=('a', 'b'), kind='classification')
def stream():
    p = Progress('generate', total=1000)
    def work():
        p.start('Streaming.')
        for i in range(1000):
            p.rows.append((f'row {i}', 'a', 'kept'))
            p.update(i + 1)
            time.sleep(.005)
    return run_job(work, p, wait=False)
'''
BARE = '''
label, push = w.Label('0'), w.Button(description='push')
def count(_): label.value = str(int(label.value) + 1)
push.on_click(count)
w.VBox([push, label])'''
CELLS = CARDS, 'hits.table() and pd.DataFrame(hits.table())', 'picker = DatasetPanel(hits, spec)\npicker', BARE, 'job = stream()'
# milliseconds until `seen(cell)` holds, looked at once a frame, after `act(cell)`
WATCH = '''async ([i, act, seen]) => {
  const cell = document.querySelectorAll('.jp-Notebook .jp-Cell')[i], done = new Function('cell', 'return ' + seen);
  const start = performance.now();
  new Function('cell', act)(cell);
  while (!done(cell)) {
    if (performance.now() - start > 60000) throw new Error('never: ' + seen);
    await new Promise(requestAnimationFrame);
  }
  return performance.now() - start;
}'''
RUN = ("const nb = window.jupyterapp.shell.currentWidget.content; nb.activeCellIndex = {i}; nb.deselectAll();"
       "window.jupyterapp.commands.execute('notebook:run-cell');")
ROW = ".p2m-row:not([style*='none'])"


def timed(page, i, act, seen): return page.page.evaluate(WATCH, [i, act, seen])


def painted(page, path, i, seen):
    "Milliseconds until a cell's output is on the screen, and kB that the saved notebook grows by."
    page.save()
    before = path.stat().st_size
    took = timed(page, i, RUN.format(i=i), seen)
    page.idle()
    page.save()
    return took, (path.stat().st_size - before)/1000


def clicks(page, i):
    "Name -> median milliseconds of five."
    first = f'cell.querySelector("{ROW}").textContent'
    named = lambda text: f"[...cell.querySelectorAll('button')].find(b => b.textContent.startsWith('{text}')).click()"
    field = "const f = cell.querySelector('input[placeholder=Filter]'); f.value = 'Part %d.'; f.dispatchEvent(new Event('input', {bubbles: true}));"
    ways = dict(
        tick=lambda k: (f"cell.querySelectorAll(\"{ROW}\")[{k}].querySelector('input').click()", f"cell.textContent.includes('{k + 1} ticked')"),
        page=lambda k: (named('Next'), f"cell.textContent.includes('{25*k + 26} to {25*k + 50} of')"),
        sort=lambda k: (f'window.first = {first}; ' + named('Rows'), f'{first} != window.first'),
        filter=lambda k: (field % (4000 + k), f"{first}.includes('Set {4000 + k}')"))
    return {name: statistics.median(timed(page, i, *way(k)) for k in range(5)) for name, way in ways.items()}


def echoes(page, n=20):
    "Milliseconds that a cell of `1 + 1` takes, n times."
    out = []
    for _ in range(n):
        start = time.perf_counter()
        assert page.value('1 + 1') == 2
        out.append(1000*(time.perf_counter() - start))
    return out


def result(name, ours, theirs): print(f'RESULT {name} {ours:.1f} {theirs:.1f} {ours/theirs:.2f}', flush=True)


def main():
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder)/'panels.ipynb'
        write_notebook(path, *CELLS)
        with Lab(folder) as lab, lab.open('panels.ipynb') as page:
            page.run_cell(0)
            page.idle()
            table, table_kb = painted(page, path, 1, "cell.querySelectorAll('tr').length > 5000")
            picker, picker_kb = painted(page, path, 2, f"cell.querySelectorAll(\"{ROW}\").length > 20")
            result('picker_paint_ms_beside_html_table', picker, table)
            result('picker_notebook_kb_beside_html_table', picker_kb, table_kb)
            painted(page, path, 3, "cell.querySelector('.jupyter-button')")
            push = "cell.querySelector('.jupyter-button').click()"
            bare = statistics.median(timed(page, 3, push, f"[...cell.querySelectorAll('.widget-label')].some(l => l.textContent == '{k + 1}')") for k in range(5))
            for name, took in clicks(page, 2).items(): result(f'click_{name}_ms_beside_bare_button', took, bare)
            idle = echoes(page)
            page.run_cell(4)
            page.until('"job" in globals() and job.running')
            busy = echoes(page)
            assert page.value('job.running')
            result('cell_ms_while_streaming_beside_idle', max(busy), max(idle))


if __name__ == '__main__': main()
