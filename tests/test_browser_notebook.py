"""The panels in Notebook 7, which is another application with the same cells."""
import pytest
from browser import Lab, write_notebook
from test_panels import EVIL, SPEC, WORK, press, tick

pytestmark = pytest.mark.browser
OWN = {"Cannot read properties of undefined (reading 'schema')"}   # Notebook 7.6 says it of an empty notebook too


def test_work_is_stopped_and_rows_are_ticked(tmp_path):
    write_notebook(tmp_path/'panels.ipynb', SPEC + WORK, 'second, q = job(3000)\nj = run_job(second, q, wait=False)',
                   f'''t = TickTable([dict(id=i, name=f'set {{i}} {EVIL}') for i in range(2000)], [Column('name', 'Set')], [3])
class Sets(Panel):
    def body(self): return TickView(t, empty='Nothing.').widgets
Sets()''')
    with Lab(tmp_path, app='notebook') as lab, lab.open('panels.ipynb') as page:
        page.run_all(wait=False)
        page.until('"t" in globals() and q.done > 20')
        press(page.panel(1), 'Stop')
        page.until('not j.running', seconds=5)
        page.panel(1).get_by_text('Stopped by you').wait_for()
        table = page.panel(2)
        table.get_by_placeholder('Filter').fill('set 77')
        page.until('t.words == "set 77"')
        tick(table, 0)
        page.until('t.ticks == {3, 77}')
        assert page.page.evaluate('window.PWN') is None and {*page.console} <= OWN
