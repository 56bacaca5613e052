"""Run the tests with the oldest versions that pyproject.toml allows, in .venv-oldest. torch is the one of constraints.txt."""
import re, subprocess, sys, tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT/'.venv-oldest'


def requirements():
    "name==version for each `>=` of the runtime dependencies, and what runs tests. nbdev, which wants a new fastcore, stays out."
    project = tomllib.loads((ROOT/'pyproject.toml').read_text(encoding='utf-8'))['project']
    oldest = [re.sub(r'^([\w.-]+)>=([\d.]+).*', r'\1==\2', d) for d in project['dependencies'] if not d.startswith('torch')]
    torch = re.findall(r'^torch==.*', (ROOT/'constraints.txt').read_text(encoding='utf-8'), re.M)
    return oldest + torch + [d for d in project['optional-dependencies']['dev'] if not d.startswith('nbdev')]


def main():
    python = VENV/('Scripts' if sys.platform == 'win32' else 'bin')/'python'
    run = lambda *args: subprocess.run([str(a) for a in args], cwd=ROOT, check=True)
    if not python.exists(): run(sys.executable, '-m', 'venv', VENV)
    run(python, '-m', 'pip', 'install', '-q', '-e', '.', *requirements())
    run(python.with_name('p2m'), 'weights')
    run(python, '-m', 'pytest', 'tests', '--nbmake', 'nbs/tutorials', '--nbmake-timeout=300', '-m', 'not browser', '-q')


if __name__ == '__main__':
    try: main()
    except subprocess.CalledProcessError as e: sys.exit(e.returncode)
