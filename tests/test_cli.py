"""The command line: exit codes, messages and help. No model is trained here."""
import io, os, re, shutil, signal, subprocess, sys, textwrap, time
from pathlib import Path
import pytest
import p2m_nb
from p2m_nb.cli import main
from p2m_nb.data.catalog import example_folder

ROOT = Path(__file__).resolve().parent.parent
PROMPT = 'Say which of these the user wants: music, weather.\n\nplay some jazz -> music\nwill it rain today -> weather\n'


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('prompt.txt').write_text(PROMPT, encoding='utf-8')
    return tmp_path


@pytest.mark.parametrize('argv', [
    [], ['fly'], ['run'], ['plan'], ['predict'], ['demo', 'x'], ['run', 'p', '--n', '-1'], ['run', 'p', '--n', 'few'],
    ['run', 'p', '--columns', 'text'], ['run', 'p', '--columns', 'a,b,c'], ['run', 'p', '--max-cost', 'much'],
    ['run', 'p', '--max-cost', '-1'], ['run', 'p', '--price', '0.15'], ['run', 'p', '--seed', '1.5'], ['weights', '--fly']])
def test_a_command_that_is_not_understood_ends_with_2(argv, capsys):
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == '' and 'usage: p2m' in err


@pytest.mark.parametrize('command, words', {
    '': 'demo plan run predict serve push settings weights', 'plan': 'PROMPT --catalog --data --n --teacher --price',
    'run': 'PROMPT --test --columns --catalog --data --n --seed --out --teacher --max-cost --price',
    'serve': 'DIR --host --port --batch-size --waiting --longest', 'push': 'DIR NAME --public --replace --any-licence', 'predict': 'DIR TEXT', 'settings': '', 'weights': '--remove', 'demo': 'runs/demo'}.items())
def test_help_names_everything(command, words, capsys):
    assert main([*command.split(), '--help']) == 0
    said = capsys.readouterr().out
    assert not [w for w in words.split() if w not in said]
    options = re.findall(r'^  (--?[\w-]+.*|PROMPT|DIR|TEXT)$', said, re.M)
    assert not [o for o in options if o.startswith('--') and len(o.split('  ')) == 1 and len(o) < 22]  # one without a help text


def test_settings_say_where_a_value_comes_from(home, monkeypatch, capsys):
    (home/'settings.ini').write_text('[p2m_nb]\nn = 77\n', encoding='utf-8')
    monkeypatch.setenv('P2M_SEED', '5')
    assert main(['settings']) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert '77' in rows['n'] and 'settings.ini' in rows['n']
    assert '5' in rows['seed'] and 'P2M_SEED' in rows['seed']
    assert 'packaged' in rows['teacher']


@pytest.mark.parametrize('argv, words', [
    (['run', 'promt.txt'], ['promt.txt', 'no such file']),
    (['plan', 'promt.txt'], ['promt.txt', 'no such file']),
    (['run', '.'], ['it is a folder']),
    (['run', 'prompt.txt', '--test', 'test.csv'], ['test.csv', 'no such file']),
    (['run', 'prompt.txt', '--data', 'tables'], ['tables', 'no such folder']),
    (['run', 'prompt.txt', '--catalog', 'tables'], ['tables', 'no such folder']),
    (['run', 'prompt.txt', '--out', 'prompt.txt'], ['prompt.txt', 'a file stands']),
    (['run', 'prompt.txt', '--teacher', 'big-model', '--max-cost', '1'], ['max_cost=1', 'no price']),
    (['run', 'prompt.txt', '--teacher', 'models/no.gguf'], ['no.gguf']),
    (['predict', 'prompt.txt', 'hello'], ['prompt.txt']),
    (['predict', '.', 'hello'], ['no p2m.json'])])
def test_a_fault_of_the_input_is_one_sentence_and_ends_with_1(argv, words, home, monkeypatch, capsys):
    monkeypatch.setenv('OPENAI_API_KEY', 'sk-test')
    monkeypatch.setenv('OPENAI_BASE_URL', 'http://127.0.0.1:9/v1')
    start = time.perf_counter()
    assert main(argv) == 1
    out, err = capsys.readouterr()
    message = err.strip().splitlines()[-1]
    assert message.startswith('p2m: ') and not [w for w in words if w not in message]
    assert out == '' and 'Traceback' not in err
    assert sorted(p.name for p in home.iterdir()) == ['prompt.txt']   # nothing was begun
    assert time.perf_counter() - start < 20


def test_a_hub_without_an_index_says_how_to_make_one(home, tmp_path_factory, monkeypatch, capsys):
    monkeypatch.setenv('P2M_CACHE', str(tmp_path_factory.mktemp('cache')))
    assert main(['run', 'prompt.txt', '--catalog', 'hub']) == 1
    assert 'Make it once with `p2m index`.' in capsys.readouterr().err
    assert [p.name for p in home.iterdir()] == ['prompt.txt']


class Parrot:
    def __init__(self, folder): self.folder = Path(folder)
    def predict(self, inputs): return [f'{self.folder.name}: {x}' for x in inputs]


def test_predict_answers_arguments_or_lines(home, monkeypatch, capsys):
    import p2m_nb.model.choose as choose
    monkeypatch.setattr(choose, 'load_student', Parrot)
    assert main(['predict', 'mine', 'play jazz', 'ça va']) == 0
    assert capsys.readouterr().out == 'mine: play jazz\nmine: ça va\n'
    piped = lambda data: monkeypatch.setattr(sys, 'stdin', io.TextIOWrapper(io.BytesIO(data), encoding='ascii'))
    piped('play jazz\r\n今天下雨吗\n'.encode())
    assert main(['predict', 'mine']) == 0
    assert capsys.readouterr().out == 'mine: play jazz\nmine: 今天下雨吗\n'
    piped(b'')
    assert (main(['predict', 'mine']), capsys.readouterr().out) == (0, '')
    piped('ça va'.encode('latin-1'))
    assert main(['predict', 'mine']) == 1 and 'not UTF-8' in capsys.readouterr().err


def test_predict_takes_the_folder_of_a_run(home, monkeypatch, capsys):
    import p2m_nb.model.choose as choose
    monkeypatch.setattr(choose, 'load_student', Parrot)
    (home/'runs'/'a'/'model').mkdir(parents=True)
    (home/'runs'/'a'/'model'/'p2m.json').write_text('{}')
    assert main(['predict', 'runs/a', 'x']) == 0
    assert capsys.readouterr().out == 'model: x\n'


def test_demo_finds_the_example_or_says_where_to_get_it(home, monkeypatch, capsys):
    assert example_folder() == ROOT/'examples'/'intents'   # beside the package, from any folder
    (home/'examples'/'intents').mkdir(parents=True)
    (home/'examples'/'intents'/'prompt.txt').write_text(PROMPT)
    assert example_folder() == home/'examples'/'intents'
    shutil.rmtree(home/'examples')
    monkeypatch.setattr(p2m_nb, '__file__', str(home/'site-packages'/'p2m_nb'/'__init__.py'))
    assert main(['demo']) == 1
    assert 'clone of the repository' in capsys.readouterr().err


SLOW = textwrap.dedent('''
    import sys, time
    import p2m_nb.base.local as local
    from p2m_nb.base.lm import LM, Completion
    class Slow(LM):
        name, price, window, chat = 'slow', (0., 0.), 4, False
        def answer(self, batch):
            time.sleep(.1)
            return [Completion(f' request {r.sample} of somebody', 'stop', 9, 9) for r in batch]
    local.load_lm = lambda *a, **k: Slow()
    from p2m_nb.cli import main
    sys.exit(main(['run', 'prompt.txt', '--n', '5000', '--catalog', 'none', '--out', 'run']))''')


@pytest.mark.skipif(os.name == 'nt', reason='Windows cannot send one process an interrupt')
def test_an_interrupt_keeps_what_was_bought_and_says_how_to_go_on(home):
    from p2m_nb.base.store import CallStore
    job = subprocess.Popen([sys.executable, '-c', SLOW], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding='utf-8',
                           env=os.environ | {'PYTHONPATH': str(ROOT)})
    stored = lambda: len(CallStore(home/'run'/'calls.sqlite')) if (home/'run'/'calls.sqlite').exists() else 0
    end = time.time() + 50
    while not stored() and time.time() < end: time.sleep(.2)
    job.send_signal(signal.SIGINT)
    out, err = job.communicate(timeout=30)
    assert job.returncode == 1 and out == ''
    assert 'Run the same command again to go on' in err and 'Traceback' not in err
    assert stored() and not (home/'run'/'generate').exists()   # no part of the rows passes for all of them
