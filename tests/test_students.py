"""Every kind of student, on small random bases: tuned in every way, saved and restored, and given what it cannot use."""
import json, shutil
from pathlib import Path
import numpy as np, pytest, torch, transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from p2m_nb.base.core import Examples, P2MError, PromptSpec
from p2m_nb.base.store import Run
from p2m_nb.model.adapt import SOFT, TUNES
from p2m_nb.model.choose import load_student, student_for
from p2m_nb.model.train import seeded

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
NUMBERS = 'zero one two three four five six seven eight nine'.split()
WORDS = [*NUMBERS, *'0123456789', 'Which', 'digit', '?', 'low', 'high', 'Word', ':', 'Text', 'Answer', 'Label', '.']
PLAIN = PromptSpec('Which digit?', examples=[('one', '1'), ('two', '2')], kind='extraction')
LABELS = PLAIN.replace(labels=('low', 'high'), kind='classification', examples=[('one', 'low'), ('nine', 'high')])
ROWS = Examples.of([(w, str(i)) for i, w in enumerate(NUMBERS)]*4, 'made')
SORTED = Examples.of([(w, 'low' if i < 5 else 'high') for i, w in enumerate(NUMBERS)]*4, 'made')


def tokenizer(folder, special, template=None, **named):
    raw = Tokenizer(models.WordLevel({w: i for i, w in enumerate([*special, *WORDS])}, unk_token=special[-1]))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    if template: raw.post_processor = processors.TemplateProcessing(single=template, special_tokens=[(w, i) for i, w in enumerate(special)])
    transformers.PreTrainedTokenizerFast(tokenizer_object=raw, **named).save_pretrained(folder)
    return len(special) + len(WORDS)


def causal(folder, **named):
    n = tokenizer(folder, ['<eos>'], **(dict(eos_token='<eos>') | named))
    config = transformers.LlamaConfig(vocab_size=n, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                                      num_key_value_heads=2, eos_token_id=None, pad_token_id=None, tie_word_embeddings=False)
    with seeded(0): transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def seq2seq(folder):
    n = tokenizer(folder, ['<pad>', '</s>', '<unk>'], '$A </s>', eos_token='</s>', pad_token='<pad>')
    config = transformers.T5Config(vocab_size=n, d_model=64, d_kv=32, d_ff=128, num_layers=2, num_heads=2)
    with seeded(0): transformers.T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def encoder(folder):
    n = tokenizer(folder, ['[CLS]', '[SEP]', '[UNK]'], '[CLS] $A [SEP]', cls_token='[CLS]', sep_token='[SEP]')  # none to pad with
    config = transformers.BertConfig(vocab_size=n, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
                                     max_position_embeddings=64)
    with seeded(0): transformers.BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope='module')
def bases(tmp_path_factory):
    folder = tmp_path_factory.mktemp('bases')
    return {kind.__name__: kind(folder/kind.__name__) for kind in (causal, seq2seq, encoder)}


WAYS = [('causal', t) for t in TUNES] + [(k, t) for k in ('seq2seq', 'encoder') for t in ('full', 'lora', 'ia3')]


@pytest.mark.parametrize('kind, tune', WAYS)
def test_every_way_to_tune_moves_only_its_own_weights_and_comes_back_from_its_folder(kind, tune, bases, tmp_path):
    spec, rows = (LABELS, SORTED) if kind == 'encoder' else (PLAIN, ROWS)
    student = student_for(spec, base=bases[kind], seed=0)
    before = {n: p.clone() for n, p in student.model.named_parameters() if not n.startswith('classifier')}
    student.fit(rows, tune=tune, epochs=3, learning_rate=3e-2 if tune in SOFT else 1e-2)
    assert student.history[-1]['train_loss'] < student.history[0]['train_loss']   # it does learn
    if tune != 'full':
        inner = student._tuned.get_base_model()
        now = {n.replace('.base_layer', ''): p for n, p in inner.named_parameters()}
        assert all(torch.equal(now[n], p) for n, p in before.items())
        assert sum(p.numel() for p in student.model.parameters() if p.requires_grad) < sum(p.numel() for p in before.values())
    xs = ['three', 'nine one']
    table = student.predict(xs, scores=True)
    for adapter in {tune in SOFT, tune != 'full'}:
        folder = student.save(tmp_path/f'student-{adapter}', adapter=adapter)
        assert not [p.name for p in folder.rglob('*') if p.suffix not in ('.safetensors', '.json', '.txt', '.model', '.jinja')]
        twin = load_student(folder)
        assert twin.predict(xs) == student.predict(xs)
        assert np.allclose(twin.predict(xs, scores=True).select_dtypes('number'), table.select_dtypes('number'), atol=1e-4)
        assert (folder/'adapter_config.json').is_file() == adapter
    if tune in ('lora', 'ia3'):   # merged is a plain folder
        plain = dict(causal=transformers.AutoModelForCausalLM, seq2seq=transformers.AutoModelForSeq2SeqLM,
                     encoder=transformers.AutoModelForSequenceClassification)[kind]
        assert not [n for n, _ in plain.from_pretrained(tmp_path/'student-False').named_parameters() if 'lora' in n or 'base_layer' in n]


def test_soft_tokens_answer_as_peft_itself_does(bases):
    for tune in SOFT:
        student = student_for(PLAIN, base=bases['causal'], seed=0).fit(ROWS, tune=tune, epochs=1)
        ids = student._ids(['three\n'])[0]
        target = student._answer_ids(['3'])[0]
        with torch.inference_mode():
            made = student._tuned(input_ids=torch.tensor([ids + target]), attention_mask=torch.ones(1, len(ids + target)))
        logits = made.logits[0, -len(target)-1:-1].log_softmax(-1)
        wanted = logits[range(len(target)), target].sum().item()
        assert abs(student.score(['three'], ['3'])[0] - wanted) < 1e-4


def test_a_fit_kept_in_a_run_comes_back_with_what_was_tuned(bases, tmp_path):
    run = Run(tmp_path/'run')
    student = student_for(PLAIN, base=bases['causal']).fit(ROWS, tune='prompt', epochs=1, run=run)
    assert run.student.predict(['one']) == student.predict(['one'])
    assert 'trained before' in student_for(PLAIN, base=bases['causal']).fit(ROWS, tune='prompt', epochs=1, run=run).progress.status


def test_ways_that_do_not_fit_are_refused_before_anything_is_loaded(bases):
    with pytest.raises(P2MError, match='full, lora, ia3'): student_for(LABELS, base=bases['encoder']).fit(SORTED, tune='prefix')
    with pytest.raises(P2MError, match="tune='qlora'"): student_for(PLAIN, base=bases['causal']).fit(ROWS, tune='qlora')


def test_an_adapter_of_another_base_is_refused(bases, tmp_path):
    base = shutil.copytree(bases['causal'], tmp_path/'base')
    folder = student_for(PLAIN, base=base).fit(ROWS, tune='lora', epochs=1).save(tmp_path/'student', adapter=True)
    config = json.loads((base/'config.json').read_text())
    (base/'config.json').write_text(json.dumps(config | dict(rms_norm_eps=1e-3)))
    with pytest.raises(P2MError, match='weights here are others'): load_student(folder)


def test_a_folder_that_was_changed_is_refused(bases, tmp_path):
    folder = student_for(LABELS, base=bases['encoder']).fit(SORTED, epochs=1).save(tmp_path/'student')
    (folder/'training_args.bin').write_bytes(b'cos\nsystem\n')
    with pytest.raises(P2MError, match='training_args.bin'): load_student(folder)
    (folder/'training_args.bin').unlink()
    weights = load_file(folder/'model.safetensors')
    save_file({n: t + 1e-3 for n, t in weights.items()}, folder/'model.safetensors', dict(format='pt'))
    with pytest.raises(P2MError, match='not those that were saved'): load_student(folder)
    facts = json.loads((folder/'p2m.json').read_text())
    (folder/'p2m.json').write_text(json.dumps(facts | dict(format=2)))
    with pytest.raises(P2MError, match='Upgrade'): load_student(folder)


def test_a_tokenizer_that_names_no_end_takes_that_of_the_configuration_or_is_refused(bases, tmp_path):
    base = causal(tmp_path/'nameless', eos_token=None)
    with pytest.raises(P2MError, match='no end-of-text token'): student_for(PLAIN, base=base).fit(ROWS)
    config = json.loads((base/'config.json').read_text())
    (base/'config.json').write_text(json.dumps(config | dict(eos_token_id=0)))
    assert student_for(PLAIN, base=base).fit(ROWS, epochs=1).tokenizer.eos_token == '<eos>'


@pytest.mark.parametrize('kind', ['causal', 'seq2seq', 'encoder'])
def test_rows_that_are_too_long_lose_their_middle_and_are_counted(kind, bases):
    spec, rows = (LABELS, SORTED) if kind == 'encoder' else (PLAIN, ROWS)
    student = student_for(spec, base=bases[kind], seed=0)
    student.RECIPE = student.RECIPE | dict(longest=24)
    long = Examples.of([('one ' + 'two '*200 + 'three', rows.outputs[0])])
    student.fit(Examples.of([*zip(rows.inputs, rows.outputs), *zip(long.inputs, long.outputs)]), epochs=1)
    assert student.long_rows == 1 and '1 training rows were too long' in student.progress.status
    student.predict([*long.inputs, 'one'])
    assert student.shortened == 1
    if kind != 'encoder':
        source = student._sources(long.inputs)[0]
        assert source.startswith('one') and source.rstrip().endswith('three') and len(student._ids([source])[0]) <= 24


@pytest.mark.parametrize('kind', ['causal', 'seq2seq', 'encoder'])
def test_answers_come_in_the_order_of_the_inputs_whatever_their_length(kind, bases):
    spec, rows = (LABELS, SORTED) if kind == 'encoder' else (PLAIN, ROWS)
    student = student_for(spec, base=bases[kind], seed=0).fit(rows, epochs=1)
    xs = [' '.join(NUMBERS[:n]) for n in (3, 1, 9, 2, 7, 1)] + ['']
    assert student.predict(xs) == [student.predict([x])[0] for x in xs]
    assert student.predict([]) == []


def test_an_empty_answer_and_a_label_without_rows(bases):
    rows = Examples.of([('one', ''), ('two', '2')]*32)
    for kind in ('causal', 'seq2seq'):
        student = student_for(PLAIN, base=bases[kind], seed=0).fit(rows, epochs=12, learning_rate=1e-2)
        assert student.predict(['one', 'two']) == ['', '2'] and student.cut == 0
    only = Examples.of([('one', 'low'), ('two', 'low')]*4)
    student = student_for(LABELS, base=bases['encoder'], seed=0).fit(only, only, epochs=1)
    assert "No row has the label 'high'" in student.progress.status
