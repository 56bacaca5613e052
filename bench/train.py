"""How fast the training loop is, and whether it trains the same: SmolLM2 and MiniLM on real rows.

    python bench/train.py [PART ...]      of: throughput loss snips memory checkpoint gpu; none is all

throughput  useful tokens a second on mixed lengths, beside padding every row to the longest, and beside transformers' Trainer
            with its length grouping. All three are given the same rows, weights to train and arithmetic.
loss        the loss of each step beside Trainer's own, on the same batches.
snips       the classifier on all rows of train.csv, its accuracy on test.csv.
memory      what `student.memory` says before a fit, beside what the process then took at most.
checkpoint  what keeping the state of a fit costs.
gpu         on CUDA: tokens a second, share of the card's arithmetic, peak memory beside Trainer's; the loss in bf16 beside float32.
"""
import argparse, csv, json, os, random, subprocess, sys, tempfile, time
from pathlib import Path
import numpy as np
from p2m_nb.base.core import Examples, Progress, PromptSpec

ROOT = Path(__file__).resolve().parent.parent
READ = PromptSpec('Answer the question.', kind='generation')

def rows_of(folder):
    "Questions with four models' worked answers, paragraphs with a question and a short answer: (input, output), in a fixed random order."
    read = lambda name: [json.loads(l) for l in (folder/name).read_text(encoding='utf-8').splitlines()]
    rows = [(r['question'], v['solution']) for r in read('gsm8k_solutions/solutions.jsonl') for v in r.values() if isinstance(v, dict)]
    rows += [(f"{r['context']}\n{r['question']}", r['answer']) for r in read('xquad_en/qa.jsonl')]
    random.Random(0).shuffle(rows)
    return rows

def smollm2(rows, longest=1024):
    "A fresh model, its embeddings frozen as a student's are, and the rows as (ids, labels), cut to what a student reads."
    from p2m_nb.model.causal import CausalStudent, mask_prompt
    student = CausalStudent(READ, 'smollm2', seed=0)
    model, tokenizer = student.model, student.tokenizer
    model.get_input_embeddings().weight.requires_grad_(False)
    ids = lambda text: tokenizer(text, add_special_tokens=False)['input_ids']
    code = lambda x, y: mask_prompt(ids(f'{x}\n'), ids(f' {y}') + [tokenizer.eos_token_id])
    return model, [(a[-longest:], b[-longest:]) for a, b in (code(x, y) for x, y in rows)]

def fit(model, coded, size=8, **recipe): # seconds of one epoch of our loop
    from p2m_nb.model.causal import answer_losses, pad_right
    from p2m_nb.model.train import fit_loop
    losses = lambda rows: answer_losses(model, *pad_right([coded[i] for i in rows]))
    return fit_loop(model, [len(i) for i, _ in coded], losses, dict(epochs=1, batch_size=size, **recipe))[-1]['seconds']

def padded_seconds(model, coded, longest, size=8, part=2):
    "One step on rows that are all padded to the longest of the set, logits of every token, in float32; worked in parts to fit memory."
    import torch
    model.train()
    optimizer, started = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-5), time.perf_counter()
    for k in range(0, size, part):
        ids, labels = torch.zeros(part, longest, dtype=torch.long), torch.full((part, longest), -100)
        for i, (a, b) in enumerate(coded[k:k+part]): ids[i, :len(a)], labels[i, :len(b)] = torch.tensor(a), torch.tensor(b)
        mask = torch.arange(longest) < torch.tensor([[len(a)] for a, _ in coded[k:k+part]])
        ids, mask, labels = (t.to(model.device) for t in (ids, mask.long(), labels))
        loss = model(input_ids=ids, attention_mask=mask, labels=labels, use_cache=False).loss
        (loss*part/size).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
    optimizer.step()
    return time.perf_counter() - started

def trainer(model, coded, size=8, order='group_by_length', rate=None, bf16=False):
    "transformers' Trainer over the rows once: seconds, and the loss of each step."
    import torch
    from transformers import Trainer, TrainerCallback, TrainingArguments
    from p2m_nb.model.causal import pad_right
    losses, times = [], []
    class Clock(TrainerCallback):
        def on_train_begin(self, *_, **__): times.append(time.perf_counter())
        def on_train_end(self, *_, **__): times.append(time.perf_counter())
    class Told(Trainer):
        def compute_loss(self, *args, **given):
            losses.append(super().compute_loss(*args, **given))
            return losses[-1]
        def create_scheduler(self, num_training_steps, optimizer=None):
            if rate is None: return super().create_scheduler(num_training_steps, optimizer)
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer or self.optimizer, lambda s: rate(s, num_training_steps))
            return self.lr_scheduler
    def collate(rows):
        ids, mask, labels = pad_right([(r['input_ids'], r['labels']) for r in rows])
        return dict(input_ids=ids, attention_mask=mask, labels=labels)
    with tempfile.TemporaryDirectory() as folder:
        given = TrainingArguments(folder, per_device_train_batch_size=size, num_train_epochs=1, learning_rate=5e-5, weight_decay=.01,
                                  train_sampling_strategy=order, save_strategy='no', report_to=[], disable_tqdm=True, bf16=bf16,
                                  logging_strategy='no', remove_unused_columns=False)
        data = [dict(input_ids=a, labels=b) for a, b in coded]
        Told(model=model, args=given, train_dataset=data, data_collator=collate, callbacks=[Clock()]).train()
    return times[1] - times[0], [l.item() for l in losses]

def result(name, ours, other, ratio=None): print(f'RESULT {name} {ours:.4g} {other:.4g} {ours/other if ratio is None else ratio:.3f}', flush=True)

def throughput(folder, count=32):
    every = rows_of(folder)
    model, coded = smollm2(every)
    part, longest = coded[:count], max(len(a) for a, _ in coded)
    tokens, mean = sum(len(a) for a, _ in part), np.mean([len(a) for a, _ in coded])
    print(f'{len(coded):,} rows of {mean:.0f} tokens in the mean, {longest:,} at most; the first {count} are trained on')
    fit(model, part[:8])   # what is slow the first time
    turns = [(fit(model, part), trainer(model, part)[0]) for _ in range(2)]
    ours, theirs = (min(t[i] for t in turns) for i in (0, 1))
    result('train_tokens_a_second_vs_padded', tokens/ours, 8*mean/padded_seconds(model, part, longest))
    result('train_tokens_a_second_vs_trainer', tokens/ours, tokens/theirs)

def loss(folder, steps=5, size=2):
    "Trainer's own loss is the mean over a batch's answer tokens, so that is what the loop is given here."
    from p2m_nb.model.causal import answer_losses, pad_right
    from p2m_nb.model.train import fit_loop, length_batches, linear_rate
    model, coded = smollm2(sorted(rows_of(folder), key=lambda r: len(r[0]))[:steps*size])
    start, lengths = {k: v.clone() for k, v in model.state_dict().items()}, [len(a) for a, _ in coded]
    order, ours = length_batches(lengths, size, np.random.default_rng(0)), []
    def losses(rows):
        scored = np.array([sum(t != -100 for t in coded[i][1]) for i in rows])
        share = answer_losses(model, *pad_right([coded[i] for i in rows]))
        out = share*share.new_tensor(scored*len(rows)/scored.sum())
        ours.append(out.mean().item())
        return out
    fit_loop(model, lengths, losses, dict(epochs=1, batch_size=size, precision='no'), seed=0)
    model.load_state_dict(start)
    theirs = trainer(model, [coded[i] for rows in order for i in rows], size, 'sequential', lambda s, n: linear_rate(s, n, .1))[1]
    for a, b in zip(ours, theirs): print(f'{a:.6f} {b:.6f}')
    result('train_loss_difference_from_trainer', max(abs(a - b) for a, b in zip(ours, theirs)), 1e-4)

def intents(folder):
    with open(folder, encoding='utf-8', newline='') as f: return Examples.of([tuple(r) for r in csv.reader(f)][1:], 'snips')

def snips(folder, epochs=1):
    from p2m_nb.base.metrics import accuracy
    from p2m_nb.model.classifier import ClassifierStudent
    train, test = (intents(folder/'snips_intents'/f'{n}.csv') for n in ('train', 'test'))
    spec = PromptSpec('What does the user want?', labels=tuple(sorted(set(train.outputs))), kind='classification')
    student, started = ClassifierStudent(spec, 'minilm', seed=0), time.perf_counter()
    student.fit(train, epochs=epochs)
    seconds = time.perf_counter() - started
    score = accuracy(student.predict(test.inputs), test.outputs)
    print(f'{len(train):,} rows, {epochs} epochs, {seconds:.0f} s: {score}')
    result('train_snips_accuracy', score.value, .98)
    result('train_snips_seconds', seconds, 60)

def memory(folder):
    "Each in a process of its own, whose peak nothing else has raised."
    for base in ('minilm', 'smollm2'):
        told = subprocess.run([sys.executable, __file__, '--peak', base, '--data', str(folder)], stdout=subprocess.PIPE, text=True, check=True)
        said, took = map(float, told.stdout.split()[-2:])
        print(f'{base}: {said/1e9:.2f} GB said, {took/1e9:.2f} GB taken at most')
        result(f'train_memory_said_vs_taken_{base}', said/1e9, took/1e9)

def peak(base, folder):
    "One short fit; what was said of it, and how far the process's memory rose above what it had before the model was loaded."
    import resource, torch, transformers   # what every fit needs anyway
    from p2m_nb.model.causal import CausalStudent
    from p2m_nb.model.classifier import ClassifierStudent
    from p2m_nb.model.train import used_memory
    if base == 'minilm':
        rows = intents(folder/'snips_intents'/'train.csv')[:160]
        spec = PromptSpec('What does the user want?', labels=tuple(sorted(set(rows.outputs))), kind='classification')
        student = ClassifierStudent(spec, base, seed=0)
    else: student, rows = CausalStudent(READ, base, seed=0), Examples.of(rows_of(folder)[:16])
    said, before = student.memory(rows), used_memory()
    print(repr(said))
    student.fit(rows, rows[:8], epochs=1)
    unit = 1 if sys.platform == 'darwin' else 1024
    print(said.needed, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss*unit - before)

def checkpoint(folder):
    "A fit that is stopped at once keeps its state."
    from p2m_nb.base.store import Run
    from p2m_nb.model.checkpoint import Checkpoints
    from p2m_nb.model.causal import answer_losses, pad_right
    from p2m_nb.model.train import fit_loop
    model, coded = smollm2(sorted(rows_of(folder), key=lambda r: len(r[0]))[:4])
    with tempfile.TemporaryDirectory() as place:
        keep = Checkpoints(Run(place), {})
        class Last(Progress):
            def update(self, done=None, **facts):
                if done: self.stop()
                Progress.update(self, done, **facts)
        losses = lambda rows: answer_losses(model, *pad_right([coded[i] for i in rows]))
        fit_loop(model, [len(a) for a, _ in coded], losses, dict(epochs=2, batch_size=2), progress=Last('train'), keep=keep)
        size = sum(p.stat().st_size for p in Path(place).rglob('*') if p.is_file())
    print(f'{size/1e9:.2f} GB in {keep.cost:.1f} s')
    result('train_checkpoint_share_of_time', keep.cost/max(keep.seconds, 50*keep.cost), .02)

def gpu(folder, count=512):
    import torch
    if not torch.cuda.is_available(): return print('gpu: skipped, there is none')
    model, coded = smollm2(rows_of(folder)[:count])
    start, tokens = {k: v.clone() for k, v in model.state_dict().items()}, sum(len(a) for a, _ in coded)
    weights, took, peaks, ends = sum(p.numel() for p in model.parameters()), {}, {}, {}
    def once(name, work):
        model.load_state_dict(start)
        torch.cuda.reset_peak_memory_stats()
        took[name] = work()
        peaks[name] = torch.cuda.max_memory_allocated()/1e9
        with torch.inference_mode():
            from p2m_nb.model.causal import answer_losses, pad_right
            ends[name] = answer_losses(model.eval(), *pad_right(coded[:64])).mean().item()
    fit(model, coded[:64], 32)
    once('ours', lambda: fit(model, coded, 32))
    once('float32', lambda: fit(model, coded, 32, precision='no'))
    once('trainer', lambda: trainer(model, coded, 32, bf16=True)[0])
    most = float(os.environ.get('PEAK_TFLOPS', 'nan'))*1e12   # of the card in bf16, as its maker says
    print(f"{tokens/took['ours']:,.0f} tokens/s, model FLOP utilisation {6*weights*tokens/took['ours']/most:.3f} (PEAK_TFLOPS={most/1e12:.0f})")
    result('train_gpu_tokens_a_second_vs_trainer', tokens/took['ours'], tokens/took['trainer'])
    result('train_gpu_peak_gb_vs_trainer', peaks['ours'], peaks['trainer'])
    result('train_gpu_loss_bf16_vs_float32', ends['ours'], ends['float32'])

def main():
    parts = dict(throughput=throughput, loss=loss, snips=snips, memory=memory, checkpoint=checkpoint, gpu=gpu)
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument('parts', nargs='*', choices=[[], *parts], default=[])
    ask.add_argument('--data', type=Path, default=ROOT.parent/'shared'/'data')
    ask.add_argument('--peak', help=argparse.SUPPRESS)
    given = ask.parse_args()
    if not given.data.is_dir(): return print(f'skipped: {given.data} is not there')
    if given.peak: return peak(given.peak, given.data)
    for name in given.parts or parts:
        started = time.time()
        parts[name](given.data)
        print(f'{name}: {time.time() - started:.0f} s', flush=True)

if __name__ == '__main__': main()
