"""Drive JupyterLab, or Notebook 7, in headless Chromium: `with Lab(folder) as lab, lab.open('walk.ipynb') as page: page.run_all()`."""
import json, os, secrets, shutil, socket, subprocess, sys, time, urllib.request
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage']
SETTINGS = {'notebook-extension/tracker': {'windowingMode': 'none', 'recordTiming': False},
            'apputils-extension/notification': {'fetchNews': 'false', 'checkForUpdates': False},
            'docmanager-extension/plugin': {'autosave': False}}


def chromium():
    "The browser to use: `CHROMIUM`, the system's, or None for the one playwright brings."
    found = os.environ.get('CHROMIUM') or shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome')
    return found or None


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def write_notebook(path, *cells):
    "A notebook of code cells."
    code = lambda i, s: dict(cell_type='code', id=f'c{i:03d}', metadata={}, source=s, outputs=[], execution_count=None)
    kernel = dict(display_name='Python 3', language='python', name='python3')
    nb = dict(nbformat=4, nbformat_minor=5, metadata=dict(kernelspec=kernel), cells=[code(i, s) for i, s in enumerate(cells)])
    Path(path).write_text(json.dumps(nb), encoding='utf-8', newline='')


# ipywidgets 7 asks for MathJax 2, which JupyterLab 4 no longer brings, wherever an HTML widget changes.
FOREIGN = "Cannot read properties of undefined (reading 'Queue')" if int(version('ipywidgets').split('.')[0]) < 8 else None
PLACES = dict(jupyterlab='doc/tree', notebook='notebooks')   # where a notebook is shown by itself


class Lab:
    "A JupyterLab or Notebook of its own on this machine's loopback, with its own settings, and a browser."
    def __init__(self, folder, theme='JupyterLab Light', env=None, app='jupyterlab'):
        self.folder, self.token, self.port, self.app = Path(folder), secrets.token_hex(8), free_port(), app
        home = self.folder/'.jupyter_home'
        for name, values in (SETTINGS | {'apputils-extension/themes': {'theme': theme}}).items():
            path = home/'lab'/'@jupyterlab'/f'{name}.jupyterlab-settings'
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values), encoding='utf-8')
        exposed = {'JupyterNotebookApp': {'expose_app_in_browser': True}}   # Notebook takes it from a file only
        (home/'jupyter_server_config.json').write_text(json.dumps(exposed), encoding='utf-8')
        repo = str(Path(__file__).resolve().parent.parent)
        self.env = os.environ | dict(JUPYTER_CONFIG_DIR=str(home), JUPYTERLAB_SETTINGS_DIR=str(home/'lab'), IPYTHONDIR=str(home/'ipython'),
            JUPYTER_RUNTIME_DIR=str(home/'runtime'), PYTHONPATH=os.pathsep.join(filter(None, [repo, os.environ.get('PYTHONPATH')])),
            OMP_NUM_THREADS='1') | (env or {})

    def __enter__(self):
        from playwright.sync_api import sync_playwright
        self.log = open(self.folder/'lab.log', 'w', encoding='utf-8')
        command = [sys.executable, '-m', self.app, '--no-browser', '--ip=127.0.0.1', f'--port={self.port}', '--ServerApp.port_retries=0',
                   f'--IdentityProvider.token={self.token}', f'--ServerApp.root_dir={self.folder}', '--LabApp.expose_app_in_browser=True',
                   '--LabApp.collaborative=False', '--ServerApp.terminals_enabled=False', '--allow-root']
        self.server = subprocess.Popen(command, env=self.env, cwd=self.folder, stdout=self.log, stderr=self.log)
        try:
            self._wait_for_server()
            self.playwright = sync_playwright().start()
            self.browser = self.playwright.chromium.launch(executable_path=chromium(), headless=True, args=ARGS)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait_for_server(self, seconds=180):
        end = time.time() + seconds
        while time.time() < end:
            if self.server.poll() is not None: break
            try: return urllib.request.urlopen(f'http://127.0.0.1:{self.port}/api?token={self.token}', timeout=2).read()
            except OSError: time.sleep(0.2)
        raise RuntimeError(f'{self.app} did not start:\n' + (self.folder/'lab.log').read_text(encoding='utf-8')[-2000:])

    def __exit__(self, *_):
        for name, close in (('browser', 'close'), ('playwright', 'stop')):
            if hasattr(self, name): getattr(getattr(self, name), close)()
        self.server.terminate()
        try: self.server.wait(15)
        except subprocess.TimeoutExpired: self.server.kill()
        self.log.close()

    @contextmanager
    def open(self, notebook, width=1200, height=1000):
        "A page with this notebook; its kernel is shut down at the end."
        context = self.browser.new_context(viewport=dict(width=width, height=height))
        page = Page(context.new_page(), f'http://127.0.0.1:{self.port}/{PLACES[self.app]}/{notebook}?token={self.token}')
        try: yield page
        finally:
            page.shut_down()
            context.close()


SESSION = 'const s = window.jupyterapp.shell.currentWidget.context.sessionContext; '
EXECUTE = SESSION + '''
const done = s.session.kernel.requestExecute({code: code, store_history: false, stop_on_error: false});
let text = '';
done.onIOPub = m => {
  if (m.header.msg_type === 'stream') text += m.content.text;
  if (m.header.msg_type === 'error') text += '\\n' + m.content.ename + ': ' + m.content.evalue;
};
const reply = await done.done;
return {ok: reply.content.status === 'ok', text: text};'''


class Page:
    "A notebook in the browser. `.page` is playwright's page; `.console` collects what the browser complained about."
    def __init__(self, page, url):
        self.page, self.console = page, []
        complain = lambda text: self.console.append(text) if text != FOREIGN else None
        page.on('console', lambda m: complain(m.text) if m.type == 'error' else None)
        page.on('pageerror', lambda e: complain(str(e)))
        page.goto(url, timeout=120_000)
        page.wait_for_selector('.jp-Notebook .jp-Cell', timeout=120_000)
        self.wait('window.jupyterapp?.shell?.currentWidget?.context?.sessionContext?.session?.kernel?.status === "idle"')

    def wait(self, condition, seconds=120):
        "Wait until this JavaScript expression is true."
        self.page.wait_for_function(condition, timeout=1000*seconds)

    def command(self, name, args=None):
        "Run a command of JupyterLab without awaiting its promise."
        self.page.evaluate('([n, a]) => { window.jupyterapp.commands.execute(n, a); }', [name, args or {}])

    def run_all(self, seconds=120, wait=True):
        "Run all cells; wait for the last one unless told not to."
        self.command('notebook:run-all-cells')
        if wait: self.idle(seconds)

    def run_cell(self, i):
        "Run cell `i` and return at once."
        self.page.evaluate('i => { const c = window.jupyterapp.shell.currentWidget.content; c.activeCellIndex = i; c.deselectAll(); }', i)
        self.command('notebook:run-cell')

    def idle(self, seconds=120):
        "Wait until no cell runs or waits."
        self.page.wait_for_timeout(300)
        busy = '[...document.querySelectorAll(".jp-InputPrompt")].some(p => p.textContent.includes("*"))'
        self.wait(f'!({busy}) && window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.status === "idle"', seconds)
        self.page.wait_for_timeout(300)

    def interrupt(self): self.page.evaluate('async () => {' + SESSION + 'await s.session.kernel.interrupt(); }')

    def python(self, code):
        "Run code in the notebook's kernel and return what it printed."
        reply = self.page.evaluate('async code => {' + EXECUTE + '}', code)
        if not reply['ok']: raise AssertionError(f'in the kernel: {reply["text"]}')
        return reply['text'].strip()

    def value(self, expression):
        "The value of a Python expression in the kernel, by way of JSON."
        return json.loads(self.python(f'import json as _j; print(_j.dumps({expression}))'))

    def until(self, expression, seconds=20):
        "Wait until a Python expression in the kernel is true."
        end = time.time() + seconds
        while time.time() < end:
            if self.value(f'bool({expression})'): return
            self.page.wait_for_timeout(100)
        raise AssertionError(f'not true after {seconds} s: {expression}')

    def theme(self, dark):
        "Switch the theme of the open page."
        self.page.evaluate("d => window.jupyterapp.commands.execute('apputils:change-theme', {theme: d ? 'JupyterLab Dark' : 'JupyterLab Light'})", dark)
        self.page.wait_for_timeout(800)

    def cell(self, i): return self.page.locator('.jp-Notebook .jp-Cell').nth(i)
    def panel(self, i): return self.cell(i).locator('.p2m').first
    def save(self): self.page.evaluate('async () => { await window.jupyterapp.shell.currentWidget.context.save(); }')
    def screenshot(self, path, i=None, kind='.p2m'):
        "A picture of cell `i`'s panel, or of the page."
        what = self.page if i is None else self.cell(i).locator(kind).first
        what.screenshot(path=str(path))

    def shut_down(self):
        try: self.page.evaluate('async () => {' + SESSION + 'await s.shutdown(); }')
        except Exception: pass
