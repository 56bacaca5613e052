"""The wheel works where the repository is not: an editable install would hide a floor or a data file that was left out."""
import os, shutil, subprocess, sys
from pathlib import Path
import pytest

ROOT = Path(__file__).resolve().parent.parent
LOOK = '''
from pathlib import Path
import p2m_nb
from p2m_nb.all import *
print(Path(p2m_nb.__file__).parent.parent)
print(len(bundled_catalog()), setting('seed'))
'''


def pip(*args):
    done = subprocess.run([sys.executable, '-m', 'pip', '--quiet', *map(str, args)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope='module')
def elsewhere(tmp_path_factory):
    "A folder that holds nothing but the installed wheel."
    source, wheels, target = (tmp_path_factory.mktemp(name) for name in ('source', 'wheels', 'target'))
    for name in ('pyproject.toml', 'setup.py', 'README.md', 'LICENSE'): shutil.copy(ROOT/name, source)
    shutil.copytree(ROOT/'p2m_nb', source/'p2m_nb', ignore=shutil.ignore_patterns('__pycache__'))
    shutil.copytree(ROOT/'examples', source/'examples')
    pip('wheel', '--no-deps', '--no-build-isolation', '--wheel-dir', wheels, source)
    pip('install', '--no-deps', '--no-index', '--target', target, *wheels.glob('*.whl'))
    return target


def run(elsewhere, *args, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith('P2M_')} | dict(PYTHONPATH=str(elsewhere), PYTHONUTF8='1', **more)
    done = subprocess.run([sys.executable, *map(str, args)], cwd=elsewhere.parent, env=env, capture_output=True, encoding='utf-8')
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_library_sets_and_settings_are_in_the_wheel(elsewhere):
    place, data = run(elsewhere, '-c', LOOK).splitlines()
    assert Path(place).samefile(elsewhere)
    assert data == '10 0'


def test_every_data_file_is_in_the_wheel(elsewhere):
    data = lambda root: {p.relative_to(root) for p in (root/'p2m_nb').rglob('*') if p.is_file() and p.suffix != '.pyc'}
    assert data(elsewhere) == data(ROOT)
    examples = lambda root: {p.relative_to(root) for p in (root/'examples').rglob('*') if p.suffix in ('.txt', '.csv', '.jsonl')}
    assert examples(elsewhere/'share'/'p2m_nb') == examples(ROOT)   # for `p2m demo` and the tutorials


def test_command_line(elsewhere):
    assert 'seed' in run(elsewhere, elsewhere/'bin'/'p2m', 'settings')


def test_weights_are_converted_where_none_were_before(elsewhere, tmp_path):
    "A cache from an earlier day would hide that something is missing which only the conversion needs."
    ask = "from p2m_nb.base.local import weights_path; print(*sorted(p.name for p in weights_path('smollm2').iterdir()))"
    assert {'config.json', 'model.safetensors', 'tokenizer.json'} <= set(run(elsewhere, '-c', ask, P2M_CACHE=str(tmp_path)).split())
    assert len(list(tmp_path.iterdir())) == 2   # the folder and its lock, nothing half made
