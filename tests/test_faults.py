"A task killed at any of its writes and run again gives the same rows, buys nothing twice, leaves nothing half-written."
import json, os, subprocess, sys, tempfile
from pathlib import Path
import pytest

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='kills forked children')


@pytest.mark.parametrize('task, least', [('in-process', 30), ('served', 50), ('generate', 20)])
def test_killed_at_every_write(task, least):
    memory = '/dev/shm' if Path('/dev/shm').is_dir() else None  # a kill loses nothing that a disk would keep, and this is fast
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        told = subprocess.run([sys.executable, HERE/'faults.py', task, folder], capture_output=True, text=True, cwd=HERE.parent,
                              env=os.environ | {'PYTHONPATH': str(HERE.parent), 'OMP_NUM_THREADS': '1'})
    assert told.returncode == 0, told.stderr
    report = json.loads(told.stdout.splitlines()[-1])
    assert report['found'] == []
    assert report['kills'] == report['writes'] >= least and report['asked'] >= 12 and report['twice'] == 0
