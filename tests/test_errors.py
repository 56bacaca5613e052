"""Bad input is told before any work: what was given, why it cannot be, what to do. One row a mistake."""
import errno, os, tempfile, time
from pathlib import Path
import pytest
from p2m_nb.base.core import Examples, P2MError, PromptSpec, Splits
from p2m_nb.base.client import OpenAILM
from p2m_nb.base.lm import LM, Meter
from p2m_nb.base.store import CallStore, Run, write_atomic
from p2m_nb.data.catalog import folder_catalog, read_examples
from p2m_nb.data.curate import split
from p2m_nb.data.generate import generate
from p2m_nb.data.parse import parse_prompt
from p2m_nb.pipeline import _teacher, read_prompt, read_test, run_pipeline
from p2m_nb.result.evaluate import evaluate_model
from p2m_nb.result.export import save_model

SPEC = dict(instruction='Name the intent.', examples=[('play jazz', 'play music'), ('will it rain', 'get weather')],
            labels=('play music', 'get weather'), kind='classification')


def spec(**changes): return PromptSpec(**SPEC | changes)


def file(folder, data, name='rows.csv'):
    (folder/name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder/name


def claimed(folder):
    "A run that belongs to another prompt."
    run = Run(folder/'run')
    run.claim(spec().to_dict(), 'play music or get weather?')
    run.claim(spec(examples=(), labels=('play music', 'book table')).to_dict(), 'play music or book table?')


def full_disk(folder, write):
    "What `write` does when there is no room left."
    def no_room(fd): raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, 'fsync', no_room)
        write(folder)


def stage_without_room(folder):
    run = Run(folder)
    with run.write('model', {}) as new: (new/'weights').write_bytes(b'0'*100)


def store_without_room(folder):
    calls = CallStore(folder/'calls.sqlite')
    calls.put({'first': {'text': 'kept'}})
    calls._connect().execute('PRAGMA max_page_count=3')   # how SQLite itself meets a full disk
    try:
        for i in range(100): calls.put({f'{i}': {'text': 'x'*1000}})
    finally: assert calls.get(['first']) == {'first': {'text': 'kept'}}


def nobody(folder, monkeypatch):
    monkeypatch.delenv('OPENAI_API_KEY', raising=False)
    monkeypatch.setenv('P2M_BASE_URL', '')
    OpenAILM('gpt-4.1-mini')


# what is wrong: (what makes it, words that the message must hold)
MISTAKES = {
    'empty prompt': (lambda d: parse_prompt(' \n'), 'prompt|it is empty|Write what'),
    'prompt contradicts itself': (lambda d: spec(examples=[('play jazz', 'play music'), ('play jazz', 'get weather')]),
                                  "'play jazz'|contradicts itself|Keep the right one"),
    'label outside the set': (lambda d: spec(examples=[('play jazz', 'Play')]), "'Play'|not among the labels|add it to the list"),
    'one label only': (lambda d: spec(labels=('play music',), examples=()), 'play music|two or more|Name the other labels'),
    'no examples to generate from': (lambda d: generate(spec(examples=()), 5, LM()), 'prompt|no examples|Add two or more'),
    'missing file': (lambda d: read_examples(d/'mine.csv'), 'mine.csv|no such file|Check the name'),
    'a folder for a file': (lambda d: read_examples(d), 'it is a folder|Give one file'),
    'not UTF-8': (lambda d: read_examples(file(d, 'input,output\nété,summer\n'.encode('latin-1'))), 'rows.csv|not UTF-8|'),
    'ragged CSV': (lambda d: read_examples(file(d, 'input,output\na,b\na,b,c\n')), 'line 3|3 cells'),
    'missing column': (lambda d: read_examples(file(d, 'text,label\na,b\n')), "'input'|text, label|Pass input="),
    'empty file': (lambda d: read_examples(file(d, '')), 'rows.csv|empty|'),
    'header without rows': (lambda d: read_examples(file(d, 'input,output\n')), 'rows.csv|no rows'),
    'catalog folder is missing': (lambda d: folder_catalog(d/'sets'), 'sets|no such folder'),
    'cap without a price': (lambda d: Meter(max_cost=5), 'max_cost=5|no price|price=(0.15, 0.60)'),
    'record of answers is missing': (lambda d: CallStore.replay(d/'calls.jsonl'), 'calls.jsonl|no such record|make record'),
    'answer that was not recorded': (lambda d: CallStore.replay(CallStore().export_jsonl(d/'calls.jsonl')).get(['key']),
                                     'calls.jsonl|no answer to 1|make record'),
    'output is a file': (lambda d: Run(file(d, 'mine', 'run')), 'run|a file stands where a folder is needed|Choose another'),
    'output is under a file': (lambda d: Run(file(d, 'mine', 'run')/'deep'/'down'), 'down|a file stands|Choose another'),
    'run of another prompt': (claimed, 'run|belongs to another prompt|its labels is ["play music", "get weather"]|book table|another folder'),
    'run.json is broken': (lambda d: Run(file(d, '{"stages": {', 'run.json').parent).note('x', a=1), 'run.json|not JSON|Mend it'),
    'full disk, a file': (lambda d: full_disk(d, lambda d: write_atomic(d/'run.json', '{}')), 'the disk is full|Make room'),
    'full disk, a stage': (lambda d: full_disk(d, stage_without_room), 'the disk is full|what was stored is kept'),
    'full disk, answers': (store_without_room, 'calls.sqlite|the disk is full|what was stored is kept'),
    'damaged store': (lambda d: CallStore(file(d, 'no database'*100, 'calls.sqlite')).get(['key']), 'calls.sqlite|damaged|Move it away'),
    'prompt file is missing': (lambda d: read_prompt(d/'prompt.txt'), 'prompt.txt|no such file|Check its name'),
    'prompt file is not UTF-8': (lambda d: read_prompt(file(d, 'été'.encode('latin-1'), 'prompt.txt')), 'prompt.txt|not UTF-8|Save it as'),
    'test without the column': (lambda d: read_test(file(d, 'say,mean,more\na,play music,x\n'), spec(), ('say', 'intent')),
                                "column 'intent' of rows.csv|say, mean, more|--columns"),
    'test whose columns are not clear': (lambda d: read_test(file(d, 'say,mean\na,b\n'), spec()), "column 'input'|say, mean|--columns"),
    'test label outside the set': (lambda d: read_test(file(d, 'input,output\nplay,play music\nplay,Play\n'), spec()),
                                   "rows.csv, row 2|'Play'|not among the labels|add the label"),
    'test without rows': (lambda d: evaluate_model(None, Splits(Examples(), Examples(), Examples()), spec()), 'splits.test|no rows|test='),
    'fewer rows than none': (lambda d: run_pipeline('Is it good or bad?', n=-1, out=d/'run'), 'n=-1|fewer than none|0 or more'),
    'teacher that is not there': (lambda d: _teacher(d/'models'/'mine.gguf', None), 'mine.gguf|there is no such file'),
    'model over other files': (lambda d: save_model(None, file(d, 'mine', 'thesis.txt').parent), 'not a model of p2m_nb|Name a new'),
    'model under a file': (lambda d: save_model(None, file(d, 'mine', 'thesis.txt')/'model'), 'thesis.txt|a file stands|another folder'),
}


@pytest.mark.parametrize('name', MISTAKES)
def test_a_mistake_is_told_with_what_why_and_remedy(name, tmp_path):
    make, words = MISTAKES[name]
    start = time.monotonic()
    with pytest.raises(P2MError) as told: make(tmp_path)
    assert time.monotonic() - start < 2
    assert not [w for w in words.split('|') if w not in str(told.value)], str(told.value)
    assert told.value.what.strip() and told.value.why.strip() and told.value.remedy.strip().endswith(('.', ')'))
    assert not [p.name for p in tmp_path.rglob('*') if p.name.startswith(('.tmp-', '.new-', '.old-'))]


def test_no_key_is_told(tmp_path, monkeypatch):
    with pytest.raises(P2MError, match='OPENAI_API_KEY'): nobody(tmp_path, monkeypatch)


@pytest.fixture
def locked(): # a file that may not be read in a folder that may not be written
    "The superuser may do anything, so the test runs as nobody while it looks at them."
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        folder.chmod(0o755)
        file(folder, 'input,output\na,b\n').chmod(0o000)
        folder.chmod(0o555)
        root = os.geteuid() == 0
        if root: os.setresuid(65534, 65534, 0)
        try: yield folder
        finally:
            if root: os.setresuid(0, 0, 0)
            folder.chmod(0o755)


@pytest.mark.skipif(not hasattr(os, 'geteuid'), reason='permissions are not files\' own here')
@pytest.mark.parametrize('make, words', [
    (lambda d: read_examples(d/'rows.csv'), 'rows.csv|cannot be read (Permission denied)|Check its permissions'),
    (lambda d: read_prompt(d/'rows.csv'), 'rows.csv|cannot be read (Permission denied)|Check its permissions'),
    (lambda d: Run(d/'run'), 'cannot be written|Choose another folder'),
    (lambda d: save_model(None, d/'model'), 'cannot be written|Use another folder')])
def test_what_permissions_forbid_is_told(locked, make, words):
    with pytest.raises(P2MError) as told: make(locked)
    assert not [w for w in words.split('|') if w not in str(told.value)], str(told.value)


def test_read_only_is_told_before_work(tmp_path, monkeypatch):
    monkeypatch.setattr(os, 'access', lambda path, mode: False)
    with pytest.raises(P2MError, match='cannot be written.*Choose another folder'): Run(tmp_path/'run')


def test_a_second_program_in_the_folder_is_told(tmp_path):
    import subprocess, sys
    run = Run(tmp_path/'run')
    run.note('x', a=1)
    other = f"from p2m_nb.base.store import Run; Run({str(run.path)!r}).calls"
    told = subprocess.run([sys.executable, '-c', other], capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    assert f'another program (process {os.getpid()}) is working in it' in told.stderr
    run.close()
    assert subprocess.run([sys.executable, '-c', other], cwd=Path(__file__).parent.parent).returncode == 0


def test_training_rows_of_the_test_leave_training_and_are_counted():
    "Exactly or nearly the same; the test itself stays as it was."
    test = Examples.of([('Play some JAZZ music!', 'play music'), ('is it cold', 'get weather')], source='test.csv')
    made = Examples.of([('play some jazz music', 'play music'), ('sing me a lullaby', 'play music'), ('snow tomorrow', 'get weather')],
                       source='generated')
    before = test.fingerprint
    splits = split(spec(), made, test=test)
    assert splits.test.fingerprint == before
    assert splits.train.rejected.inputs == ['play some jazz music'] and splits.train.reasons() == {'in the test': 1}
    assert not {'play some jazz music'} & {*splits.train.inputs, *splits.validation.inputs}


def test_missing_weights_name_the_command(monkeypatch):
    import p2m_nb.base.local as local
    monkeypatch.setitem(local.WHEELS, 'smollm2', ('no_such_wheel', '', 'SmolLM2-135M-Instruct', 94))
    monkeypatch.setenv('P2M_BASE_URL', '')
    with pytest.raises(P2MError, match='not installed.*p2m weights'): _teacher('embedded', None)
