"""Run the tests with what a hosted notebook has (colab.txt), and else with the oldest versions that pyproject.toml allows.

First it is shown that installing p2m_nb there changes none of them. torch is the one of constraints.txt.
"""
import json, re, subprocess, sys, tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT/'.venv-oldest'


def name(requirement): return re.match(r'[\w.-]+', requirement)[0].lower().replace('_', '-')


def requirements():
    "name==version for each `>=` of what p2m_nb and its server need, and what runs tests. nbdev, which wants a new fastcore, stays out."
    project = tomllib.loads((ROOT/'pyproject.toml').read_text(encoding='utf-8'))['project']
    hosted = re.findall(r'^\w.*', (ROOT/'.ci'/'colab.txt').read_text(encoding='utf-8'), re.M)
    torch = re.findall(r'^torch==.*', (ROOT/'constraints.txt').read_text(encoding='utf-8'), re.M)
    extras = project['optional-dependencies']
    oldest = [re.sub(r'^([\w.-]+)>=([\d.]+).*', r'\1==\2', d) for d in project['dependencies'] + extras['serve']]
    tools = [d for d in extras['dev'] + extras['lab'] if not d.startswith('nbdev')]
    fixed = [*hosted, *torch]
    return [r for r in [*tools, *oldest] if name(r) not in map(name, fixed)] + fixed


def main():
    python = VENV/('Scripts' if sys.platform == 'win32' else 'bin')/'python'
    run = lambda *args, **more: subprocess.run([str(a) for a in args], cwd=ROOT, check=True, **more)
    if not python.exists(): run(sys.executable, '-m', 'venv', VENV)
    run(python, '-m', 'pip', 'install', '-q', *requirements())
    told = run(python, '-m', 'pip', 'install', '-q', '--dry-run', '--report', '-', '.', stdout=subprocess.PIPE, text=True).stdout
    new = [p['metadata']['name'] for p in json.loads(told)['install']]
    if new != ['p2m_nb']: sys.exit(f'Installing p2m_nb would also install or change {", ".join(n for n in new if n != "p2m_nb")}.')
    print('Installing p2m_nb there changes nothing else.', flush=True)
    run(python, '-m', 'pip', 'install', '-q', '-e', '.')
    run(python.with_name('p2m'), 'weights')
    run(python, '-m', 'pytest', 'tests', '--nbmake', 'nbs/tutorials', '--nbmake-timeout=300', '-q')


if __name__ == '__main__':
    try: main()
    except subprocess.CalledProcessError as e: sys.exit(e.returncode)
