"""A saved model in the hands of others: its card's code runs without p2m_nb and answers alike; a hub gets all of it."""
import json, os, re, shutil, subprocess, sys
from pathlib import Path
import pytest
from faults import tiny_base
from hub_server import HubServer, Repo
from huggingface_hub import ModelCard
from p2m_nb.cli import main
from p2m_nb.base.core import Examples, P2MError, PromptSpec
from p2m_nb.model.causal import CausalStudent
from p2m_nb.model.classifier import ClassifierStudent
from p2m_nb.model.seq2seq import Seq2SeqStudent
from p2m_nb.result.export import SAFE, loading_code, save_model

NUMBERS = 'zero one two three four five six seven eight nine'.split()
INTENTS = PromptSpec('Name the intent.', [('play jazz', 'play music'), ('rain today', 'get weather')],
                     labels=('play music', 'get weather'), kind='classification')
DIGITS = PromptSpec('Write the digits.', [('three and one', '3 1'), ('nine and two', '9 2')])
STRANGE = 'now "some" \\ \'rain\' {today}\n```jazz'


def tiny_causal(folder):
    "A random Llama of two layers that knows numbers."
    import torch, transformers
    from tokenizers import Tokenizer, models, pre_tokenizers
    torch.manual_seed(0)
    vocab = {w: i for i, w in enumerate(['<eos>', *NUMBERS, *'0123456789', 'and'])}
    raw = Tokenizer(models.WordLevel(vocab, unk_token='<eos>'))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(tokenizer_object=raw, eos_token='<eos>').save_pretrained(folder)
    config = transformers.LlamaConfig(vocab_size=len(vocab), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                                      num_key_value_heads=2, eos_token_id=0, tie_word_embeddings=False)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def tiny_t5(folder):
    "A random T5 of two layers that knows numbers, and no line breaks."
    import torch, transformers
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    torch.manual_seed(0)
    vocab = {w: i for i, w in enumerate(['<pad>', '</s>', '<unk>', '||', *NUMBERS, *'0123456789', 'and'])}
    raw = Tokenizer(models.WordLevel(vocab, unk_token='<unk>'))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    raw.post_processor = processors.TemplateProcessing(single='$A </s>', special_tokens=[('</s>', 1)])
    transformers.PreTrainedTokenizerFast(tokenizer_object=raw, eos_token='</s>', pad_token='<pad>', unk_token='<unk>').save_pretrained(folder)
    config = transformers.T5Config(vocab_size=len(vocab), d_model=64, d_kv=32, d_ff=128, num_layers=2, num_heads=2, decoder_start_token_id=0)
    transformers.T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope='module')
def students(tmp_path_factory):
    "name -> (student, its folder, texts to ask it)"
    home = tmp_path_factory.mktemp('export')
    tiny_base(home/'encoder')
    rows = Examples.of([('play some jazz', 'play music'), ('some rain', 'get weather'), ('jazz now', 'play music')], 'made')
    intents = ClassifierStudent(INTENTS, base=home/'encoder', seed=0).fit(rows, epochs=2)
    rows = Examples.of([(f'{a} and {b}', f'{i} {j}') for i, a in enumerate(NUMBERS) for j, b in enumerate(NUMBERS)], 'made')
    asked = ['three and one', 'seven and five', 'two', 'four and nine', 'nine and nine and nine']
    causal, how = tiny_causal(home/'decoder'), dict(epochs=3, learning_rate=1e-2, batch_size=20)
    fit = lambda tune, kind=CausalStudent, base=causal, rows=rows: kind(DIGITS, base=base, seed=0).fit(rows, tune=tune, **how)
    lines = Examples([dict(r, output=r['output'].replace(' ', '\n')) for r in rows])
    made = dict(intents=(intents, ['rain today', 'some jazz now', 'play', STRANGE, 'rain '*400]), digits=(fit('full'), asked),
                merged=(lora := fit('lora'), asked), lora=(lora, asked), prompt=(fit('prompt'), asked),
                lines=(fit('full', Seq2SeqStudent, tiny_t5(home/'both'), lines), asked))
    return {k: (s, save_model(s, home/k, adapter=k == 'lora'), texts) for k, (s, texts) in made.items()}


def test_the_code_of_the_card_answers_as_the_student(students):
    codes, wanted = [], []
    for name, (student, folder, texts) in students.items():
        shown = re.search(r'^```python\n(.*?)\n```$', (folder/'README.md').read_text(encoding='utf-8'), re.M | re.S)[1]
        assert shown == loading_code(student, name, None, name in ('lora', 'prompt')) and len(shown.splitlines()) <= 6
        apart = name in ('lora', 'prompt')
        codes += [shown, *(loading_code(student, name, t, apart) for t in texts)]
        wanted += student.predict([student.spec.examples[0].input, *texts])
    program = f'''if True:
        import contextlib, io, json, sys
        said = []
        for code in {codes!r}:
            with contextlib.redirect_stdout(io.StringIO()) as out: exec(code)
            said.append(out.getvalue()[:-1])
        print(json.dumps(said), 'p2m_nb' in sys.modules)'''
    home = next(iter(students.values()))[1].parent
    done = subprocess.run([sys.executable, '-c', program], cwd=home, capture_output=True, text=True, encoding='utf-8')
    assert done.returncode == 0, done.stderr
    said, _, ours = done.stdout.splitlines()[-1].rpartition(' ')
    assert json.loads(said) == wanted and ours == 'False'
    assert len(set(wanted)) > 4


def test_the_folder_says_how_to_write(students):
    student, folder, _ = students['digits']
    said = json.loads((folder/'generation_config.json').read_text(encoding='utf-8'))
    end = student.tokenizer.eos_token_id
    assert (said['max_new_tokens'], said['do_sample'], said['eos_token_id']) == (student.max_tokens, False, end)
    assert said['pad_token_id'] == student.tokenizer.pad_token_id is not None
    assert not {'temperature', 'top_p', 'top_k', 'num_beams'} & set(said)


def test_an_adapter_says_so_and_is_small(students):
    card = {k: (f/'README.md').read_text(encoding='utf-8') for k, (_, f, _) in students.items()}
    assert 'An adapter (lora)' in card['lora'] and 'An adapter (prompt)' in card['prompt']
    assert 'merged into the weights' in card['merged'] and 'lora' not in card['digits']
    assert not (students['merged'][1]/'adapter_config.json').exists() and not (students['lora'][1]/'model.safetensors').exists()


def test_the_head_is_what_a_hub_reads(students):
    for name in ('intents', 'digits'):
        student, folder, _ = students[name]
        data = ModelCard.load(folder/'README.md').data
        task = 'text-classification' if name == 'intents' else 'text-generation'
        assert (data.license, data.license_name, data.pipeline_tag, data.language) == ('other', 'not-stated', task, ['en'])
        assert {p.suffix for p in folder.iterdir()} <= SAFE
        assert json.loads((folder/'p2m.json').read_text(encoding='utf-8'))['made_of']['data'] is None


def test_an_earlier_model_stays_when_a_new_one_cannot_be_saved(students, tmp_path, monkeypatch):
    student, _, _ = students['intents']
    folder = save_model(student, tmp_path/'model')
    before = (folder/'README.md').read_bytes()
    class Careless(ClassifierStudent):
        def save(self, folder):
            super().save(folder)
            (folder/'weights.pkl').write_bytes(b'')
    monkeypatch.setattr(student, '__class__', Careless)
    with pytest.raises(P2MError, match='weights.pkl could hold code'): save_model(student, folder)
    assert (folder/'README.md').read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ['model']


PUSH = """if True:
    import json, sys
    from p2m_nb.base.core import P2MError
    from p2m_nb.result.push import push_to_hub
    for options in json.loads(sys.argv[1]):
        try: print(json.dumps(push_to_hub(**options)))
        except P2MError as e: print(json.dumps([e.what, e.why, e.remedy]))"""


def push(hub, *calls, **env):
    "What a process says that publishes on this hub. Its large files go by git-lfs: the newer storage has no server to run here."
    told = os.environ | dict(HF_ENDPOINT=hub, HF_HUB_DISABLE_XET='1', HF_HUB_OFFLINE='0', HF_TOKEN='writes', HF_HUB_DISABLE_PROGRESS_BARS='1')
    done = subprocess.run([sys.executable, '-c', PUSH, json.dumps(calls)], env=told | env, capture_output=True, text=True)
    assert done.returncode == 0 and 'writes' not in done.stdout + done.stderr, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_hub_gets_all_of_it_in_one_commit(students):
    student, folder, _ = students['intents']
    old = Repo({'.gitattributes': b'', 'old.safetensors': b'x', 'README.md': b'old'}, kind='model', private=True)
    seen = Repo({'.gitattributes': b''}, kind='model')
    with HubServer({'me/old': old, 'me/seen': seen}, writers={'writes': 'me', 'reads': None}, tokens={'writes': {'me/old'}, 'reads': {'me/old'}}) as hub:
        call = lambda **options: dict(model=str(folder), repo_id='me/intents') | options
        first, again, public, public_anyway, another, replaced, visible = push(
            hub.url, call(), call(), call(repo_id='me/open', private=False), call(repo_id='open', private=False, any_licence=True),
            call(repo_id='me/old'), call(repo_id='me/old', replace=True), call(repo_id='me/seen'))
        assert first == f'{hub.url}/me/intents' and hub.repos['me/intents'].private
        assert sum('/commit/' in p for p in hub.paths('me/intents')) == 1
        sent = hub.repos['me/intents'].at('main')[1]
        assert set(sent) == {p.name for p in folder.iterdir()} | {'.gitattributes'}
        assert sent['model.safetensors'] == (folder/'model.safetensors').read_bytes() in hub.large.values()
        assert loading_code(student, 'me/intents') in sent['README.md'].decode()
        assert str(student.base) not in sent['p2m.json'].decode()
        assert 'a model is there already' in again[1] and '--replace' in again[2]
        assert 'no licence is stated' in public[1] and '--any-licence' in public[2]
        assert public_anyway == f'{hub.url}/me/open' and not hub.repos['me/open'].private
        assert 'there already' in another[1] and replaced == f'{hub.url}/me/old'
        assert 'old.safetensors' not in old.at('main')[1] and set(old.at('main')[1]) == set(sent)
        assert 'everyone sees it' in visible[1] and set(seen.at('main')[1]) == {'.gitattributes'}


def test_what_a_hub_refuses_is_told_with_its_remedy(students):
    folder = str(students['intents'][1])
    call = dict(model=folder, repo_id='me/intents')
    with HubServer(writers={'writes': 'me', 'reads': None}, tokens={'writes': set(), 'reads': set()}) as hub:
        stranger, reader, other = push(hub.url, call | dict(token='nobody'), call | dict(token='reads'), call | dict(repo_id='you/intents'))
        offline, = push(hub.url, call, HF_HUB_OFFLINE='1')
        assert 'does not know you' in stranger[1] and 'hf auth login' in stranger[2]
        assert 'may not write' in reader[1] == other[1] and 'write access' in reader[2]
        assert 'HF_HUB_OFFLINE' in offline[1] and not hub.repos
    gone, = push(hub.url, call)
    assert 'cannot be reached' in gone[1] and 'network' in gone[2]


@pytest.mark.parametrize('harm, words', [
    (lambda f: (f/'pytorch_model.bin').write_bytes(b''), 'pytorch_model.bin'),
    (lambda f: (f/'modeling.py').write_bytes(b''), 'modeling.py could hold code'),
    (lambda f: (f/'README.md').unlink(), 'no model card'),
    (lambda f: (f/'p2m.json').unlink(), 'p2m.json'),
    (lambda f: (f/'model.safetensors').write_bytes(b'x'*100), 'not those that were saved'),
    (lambda f: (f/'notes.txt').symlink_to('/etc/hostname'), 'notes.txt could hold code'),
])
def test_a_harmed_folder_is_not_published(students, tmp_path, harm, words, capsys):
    folder = Path(shutil.copytree(students['intents'][1], tmp_path/'model'))
    harm(folder)
    assert main(['push', str(folder), 'me/intents']) == 1
    out, err = capsys.readouterr()
    assert out == '' and err.startswith('p2m: ') and words in err and len(err.splitlines()) == 1
