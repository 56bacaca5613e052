"The training loop where a notebook does not reach: several processes, memory that is short, a stop by the user, curves of a fit."
import os, subprocess, sys
from pathlib import Path
import numpy as np
import pytest
from p2m_nb.base.core import Examples, P2MError, Progress, PromptSpec
from p2m_nb.base.store import Run

ROWS = Examples.of([('play some jazz', 'music'), ('some rain today', 'weather'), ('jazz now', 'music'), ('rain now', 'weather')]*3)
SPEC = PromptSpec('Name the intent.', [('play jazz', 'music'), ('rain today', 'weather')], labels=('music', 'weather'), kind='classification')


@pytest.fixture(scope='module')
def base(tmp_path_factory):
    "A random BERT of two layers."
    from faults import tiny_base
    tiny_base(folder := tmp_path_factory.mktemp('base'))
    return folder

def student(base, **options):
    from p2m_nb.model.classifier import ClassifierStudent
    return ClassifierStudent(SPEC, base=base, **options)

def weights(student): return {n: p.detach().numpy().copy() for n, p in student.model.named_parameters()}
def same(a, b): return all(np.array_equal(a[n], b[n]) for n in a)


SHARED = """
import sys, torch
import numpy as np
from p2m_nb.model.train import fit_loop, seeded
with seeded(0): x, net = torch.randn(13, 4), torch.nn.Linear(4, 1)
y = x.sum(1)
asked = []
def losses(rows):
    asked.extend(rows)
    if len(rows) > 3: raise torch.OutOfMemoryError('out of memory')
    return (net(x[rows]).flatten() - y[rows]).square()
measure = lambda: dict(loss=losses(np.arange(3)).mean().item())
history = fit_loop(net, [2]*13, losses, dict(epochs=3, batch_size=8, learning_rate=.1), weights=range(13), validate=measure)
from accelerate import PartialState
if PartialState().is_main_process: print(len(asked), PartialState().num_processes, *net.weight.flatten().tolist(), history[-1]['loss'])
"""

def test_two_processes_share_the_rows_of_a_step_and_reach_the_same_weights():
    env = os.environ | {'OMP_NUM_THREADS': '1', 'ACCELERATE_USE_CPU': 'true'}
    work = lambda *before: subprocess.run([sys.executable, *before], env=env, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    (folder := Path(os.environ.get('TMPDIR', '/tmp'))/f'shared-{os.getpid()}.py').write_text(SHARED)
    try: alone, both = work(folder), work('-m', 'torch.distributed.run', '--nproc_per_node', '2', '--standalone', folder)
    finally: folder.unlink()
    assert (alone[1], both[1]) == ('1', '2') and int(both[0]) < .75*int(alone[0])
    np.testing.assert_allclose(list(map(float, both[2:])), list(map(float, alone[2:])), rtol=1e-5)


def test_a_model_larger_than_the_memory_is_refused_before_it_is_loaded(base, monkeypatch):
    from p2m_nb.model import student as room
    monkeypatch.setattr(room, 'free_memory', lambda: 150_000_000)
    big = student(base)
    monkeypatch.setattr(big, '_open', lambda *_: pytest.fail('it was loaded'))
    with pytest.raises(P2MError, match='training needs about 2.. MB, even with few tokens at once; 150 MB are free') as e: big.fit(ROWS)
    assert 'smaller base' in e.value.remedy

def test_little_memory_computes_twice_and_ends_at_the_same_weights(base, monkeypatch):
    from p2m_nb.model.classifier import ClassifierStudent
    from p2m_nb.model import student as room
    monkeypatch.setattr(ClassifierStudent, 'RECIPE', ClassifierStudent.RECIPE | dict(dropout=0.))   # parts draw it differently
    whole, planned = student(base).fit(ROWS, epochs=2, batch_size=4), []
    def tight(*args, **given):
        planned.append(plan(*args, **given)._replace(checkpointing=True, tokens=8))
        return planned[-1]
    plan = room.plan_memory
    monkeypatch.setattr(room, 'plan_memory', tight)
    twice = student(base).fit(ROWS, epochs=2, batch_size=4)
    assert planned
    for n, w in weights(whole).items(): np.testing.assert_allclose(weights(twice)[n], w, atol=1e-5, err_msg=n)

def test_memory_that_never_suffices_is_told(base):
    import torch
    s = student(base)
    def never(rows): raise torch.OutOfMemoryError('CUDA out of memory')
    s._start = lambda train, recipe: dict(lengths=[4]*len(train), row_losses=never)
    with pytest.raises(P2MError, match='too short for a single row of 4 tokens'): s.fit(ROWS, epochs=1)


def stopped_at(base, step, run, validation=ROWS[:4], **options):
    s = student(base, **options)
    update = Progress.update
    def stops(p, done=None, **facts):
        if done == step: p.stop()
        update(p, done, **facts)
    Progress.update = stops
    try: return s.fit(ROWS, validation, run=run, epochs=3, batch_size=4)
    finally: Progress.update = update

@pytest.mark.parametrize('step', [1, 3, 4, 8])
def test_a_fit_that_was_stopped_goes_on_to_the_same_weights(base, tmp_path, step):
    whole, run = student(base).fit(ROWS, ROWS[:4], epochs=3, batch_size=4), Run(tmp_path/'run')
    cut = stopped_at(base, step, run)
    assert cut.progress.state == 'stopped' and cut.progress.done == step
    assert run.latest('checkpoint-1') and not [p for p in tmp_path.rglob('*') if p.suffix in ('.pt', '.bin', '.pkl')]
    again = student(base).fit(ROWS, ROWS[:4], run=Run(run.path), epochs=3, batch_size=4)
    assert same(weights(again), weights(whole)) and again.progress.facts['resumed'] == f'went on at step {step}'
    told = lambda s: [(h['loss'], h['train_loss']) for h in s.history]
    assert told(again) == told(whole)
    assert again.curves['train'][-1][0] == 9 and [s for s, _ in again.curves['validation']] == [3, 6, 9]
    assert not list(run.path.glob('*checkpoint*'))

def test_without_a_run_the_student_itself_goes_on(base):
    whole, cut = student(base).fit(ROWS, epochs=3, batch_size=4), stopped_at(base, 4, None, None)
    assert not same(weights(cut), weights(whole))
    cut.fit(ROWS, epochs=3, batch_size=4)
    assert same(weights(cut), weights(whole)) and 'resumed' in cut.progress.facts
    assert 'resumed' not in stopped_at(base, 4, None).fit(ROWS, epochs=2, batch_size=4).progress.facts   # another fit

def test_the_state_of_another_fit_is_not_taken_up(base, tmp_path):
    run = Run(tmp_path/'run')
    stopped_at(base, 4, run)
    other = student(base, seed=1).fit(ROWS, ROWS[:4], run=run, epochs=3, batch_size=4)
    assert 'resumed' not in other.progress.facts and same(weights(other), weights(student(base, seed=1).fit(ROWS, ROWS[:4], epochs=3, batch_size=4)))
    stopped_at(base, 4, run)
    assert 'resumed' not in student(base).fit(ROWS, ROWS[:4], run=run, epochs=3, batch_size=4, resume=False).progress.facts


def test_the_figure_of_a_fit_comes_back_with_the_student(base, tmp_path):
    from p2m_nb.all import load_student
    s = student(base).fit(ROWS, ROWS[:4], epochs=3, batch_size=4)
    figure = load_student(s.save(tmp_path/'s')).plot()
    assert [a.get_title() for a in figure.axes] == ['loss', 'validation']
    lines = {l.get_label(): l.get_xdata() for a in figure.axes for l in a.lines}
    assert list(lines['validation']) == [3, 6, 9] == list(lines['accuracy']) and len(lines['train'])

def test_half_precision_is_for_cuda():
    from p2m_nb.model.train import best_precision
    assert best_precision('cpu') == best_precision('mps') == 'no'


def test_a_base_whose_full_training_does_not_fit_is_tuned_with_lora_and_foreseen_so(base):
    from dataclasses import replace
    from p2m_nb.model.base import model_card
    card = model_card(base)
    judged = lambda tune: student(replace(card, extras=card.extras | dict(tune=tune)))
    full, small = judged('full'), judged('lora')
    assert small.memory(ROWS).needed < full.memory(ROWS).needed
    assert [s.fit(ROWS, epochs=1).recipe['tune'] for s in (full, small)] == ['full', 'lora']
    again = judged('lora').fit(ROWS, epochs=1, tune='full')
    assert (again.recipe['tune'], again.recipe['learning_rate']) == ('full', full.recipe['learning_rate'])
