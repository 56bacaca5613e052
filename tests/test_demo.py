"""The Gradio page of a student, in a browser: asking, putting right, limits, and no request that leaves this machine."""
import json, re, subprocess, sys
from pathlib import Path
import pytest
from browser import ARGS, chromium
from test_panels import EVIL

pytestmark = pytest.mark.browser
pytest.importorskip('gradio', reason="pip install 'p2m_nb[demo]'")
SERVE = f'EVIL = {EVIL!r}' + '''
import sys, time
from p2m_nb.base.core import *
from p2m_nb.result.demo import DemoPanel
labels = ('play music', 'get weather', EVIL) if sys.argv[1] == 'closed' else None
spec = PromptSpec('Say what the user wants. *a* [b](http://c.example) ' + EVIL, labels=labels,
                  kind='classification' if labels else 'generation',
                  examples=[('play some jazz', 'play music'), ('will it rain ' + EVIL, labels[2] if labels else 'weather')])
class Stand:
    spec, most = spec, 0
    def predict(self, inputs, scores=False):
        import pandas as pd
        Stand.most += 1
        assert Stand.most == 1, 'asked twice at once'
        time.sleep(.2)
        Stand.most -= 1
        if 'crash' in inputs[0]: raise RuntimeError('at /home/me/secret')
        if not labels: return pd.DataFrame(dict(output=[f'about {inputs[0]} {EVIL}'], score=[-.1]))
        p = [.7, .2, .1] if 'jazz' in inputs[0] else [.1, .3, .6]
        return pd.DataFrame([p], columns=labels)
_, url, _ = DemoPanel(Stand()).launch(longest=60, prevent_thread_lock=True, quiet=True, server_port=int(sys.argv[2]))
print(url, flush=True)
sys.stdin.readline()
'''


class Page:
    "The page in a browser without a network; what it asked for elsewhere is in `.elsewhere`."
    def __init__(self, folder, kind, dark=False):
        from browser import free_port
        from playwright.sync_api import sync_playwright
        command = [sys.executable, '-c', SERVE, kind, str(free_port())]
        self.process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url, self.elsewhere, self.complaints = self.process.stdout.readline().strip(), [], []
        assert self.url, 'the page was not served'
        self.playwright = sync_playwright().start()
        self.browser = self.playwright.chromium.launch(executable_path=chromium(), headless=True, args=[*ARGS, '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'])
        self.page = self.browser.new_page(viewport=dict(width=900, height=800), color_scheme='dark' if dark else 'light')
        self.page.on('request', lambda r: self.elsewhere.append(r.url) if not re.match(r'http://127\.0\.0\.1|data:|blob:', r.url) else None)
        self.page.on('pageerror', lambda e: self.complaints.append(str(e)))
        self.page.on('dialog', lambda d: self.complaints.append(d.message) or d.dismiss())
        self.page.goto(self.url)
        self.page.get_by_label('Input').wait_for(timeout=60_000)

    def ask(self, text):
        self.page.get_by_label('Input').fill(text)
        self.page.get_by_role('button', name='Answer', exact=True).click()
    def sees(self, text): self.page.get_by_text(text).first.wait_for(timeout=20_000)
    def __enter__(self): return self
    def __exit__(self, *_):
        self.browser.close()
        self.playwright.stop()
        self.process.kill()
        self.process.communicate()


def test_a_page_for_labels(tmp_path):
    with Page(tmp_path, 'closed') as it:
        page = it.page
        it.sees('Say what the user wants. *a* [b](http://c.example) ' + EVIL)   # as it was written
        it.ask('play the jazz of 1960')
        it.sees('70%')
        assert page.get_by_test_id('label-output-value').text_content().strip() == 'play music'
        page.get_by_text('will it rain ' + EVIL).click()   # an example goes into the field
        page.get_by_role('button', name='Answer', exact=True).click()
        it.sees('60%')
        assert page.get_by_test_id('label-output-value').text_content().strip() == EVIL
        page.get_by_text('Is the answer wrong?').click()
        page.get_by_label('The right one').click()
        page.get_by_role('option', name='get weather').click()
        page.get_by_role('button', name='Keep it').click()
        it.sees('Kept in')
        row, = map(json.loads, (tmp_path/'flagged'/'flagged.jsonl').read_text(encoding='utf-8').splitlines())
        assert row == dict(input='will it rain ' + EVIL, output='get weather', answered=EVIL, score=.6)
        page.screenshot(path=tmp_path/'light.png')
        it.ask('   ')
        it.sees('it is empty')
        it.ask('crash')
        page.wait_for_timeout(1500)
        assert '/home/me' not in page.content()
        assert it.elsewhere == [] and it.complaints == []


def test_a_page_for_open_answers_and_its_limits(tmp_path):
    with Page(tmp_path, 'open', dark=True) as it:
        page = it.page
        it.ask('rain')
        page.wait_for_function(f'[...document.querySelectorAll("textarea")].some(t => t.value === {json.dumps("about rain " + EVIL)})')
        page.get_by_label('Input').fill('x'*100)
        assert len(page.get_by_label('Input').input_value()) == 60   # the field takes no more
        said = page.evaluate('''async url => {
            const r = await fetch(url + 'gradio_api/call/answer', {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify({data: ['x'.repeat(100)]})});
            return await (await fetch(url + 'gradio_api/call/answer/' + (await r.json()).event_id)).text(); }''', it.url)
        assert 'error' in said and '"output"' not in said   # nor does the server
        page.screenshot(path=tmp_path/'dark.png')
        for text in 'abcd':   # who asks at once is answered one after the other
            page.evaluate('''([url, text]) => { fetch(url + 'gradio_api/call/answer', {method: 'POST', headers: {'content-type': 'application/json'},
                body: JSON.stringify({data: [text]})}); }''', [it.url, text])
        it.ask('after all of them')
        page.wait_for_function('[...document.querySelectorAll("textarea")].some(t => t.value.startsWith("about after all"))')
        assert it.elsewhere == [] and it.complaints == []
