"A task killed at any of its writes and run again gives the same rows, buys nothing twice, leaves nothing half-written."
import json, os, shutil, subprocess, sys, tempfile
from pathlib import Path
import pytest

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='kills forked children')


def work(*given, before=()):
    "What `faults.py` found."
    memory = '/dev/shm' if Path('/dev/shm').is_dir() else None  # a kill loses nothing that a disk would keep, and this is fast
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        told = subprocess.run([*before, sys.executable, HERE/'faults.py', given[0], folder, *given[1:]], capture_output=True, text=True,
                              cwd=HERE.parent, env=os.environ | {'PYTHONPATH': str(HERE.parent), 'OMP_NUM_THREADS': '1'})
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout.splitlines()[-1])


@pytest.mark.parametrize('task, least, asked', [('in-process', 30, 12), ('served', 50, 12), ('generate', 20, 12), ('fit', 100, 0)])
def test_killed_at_every_write(task, least, asked):
    report = work(task)
    assert report['found'] == []
    assert report['kills'] >= least and report['asked'] >= asked and report['twice'] == 0
    if task != 'served': assert report['kills'] == report['writes']   # served answers that meet are stored by one write


def own_mounts():
    "May this user mount a disk that nobody else sees?"
    return bool(shutil.which('unshare')) and not subprocess.run(['unshare', '-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt'],
                                                                capture_output=True).returncode


@pytest.mark.skipif(not own_mounts(), reason='needs a mount namespace')
@pytest.mark.parametrize('task', ['in-process', 'served', 'generate', 'fit'])
def test_a_disk_that_is_full_is_told_and_costs_nothing(task):
    report = work(task, '--disks', before=['unshare', '-rm'])
    assert report['found'] == [] and report['full'] >= 3
