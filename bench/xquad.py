"""SmolLM2 as a student that answers questions on a paragraph: XQuAD in English, split once by paragraph.

    python bench/xquad.py [FILE]        FILE is qa.jsonl with context, question, answer (default ../shared/data/xquad_en/qa.jsonl)
    python bench/xquad.py --quick       a tenth of the rows, to see that it runs

Two thirds of the paragraphs train (two epochs), the others test; no paragraph is in both. Beside the student stand the untrained base
without and with three examples, and the sentence of the paragraph that shares most words with the question. Exact match is after
normalising case, spaces and outer punctuation, token F1 as base.overlap counts it; 95 % intervals are from whole paragraphs drawn
again, because questions on one paragraph are alike.
"""
import argparse, json, random, re, time
from collections import defaultdict
from pathlib import Path
import numpy as np
from p2m_nb.base.core import Examples, PromptSpec
from p2m_nb.base.local import LocalLM
from p2m_nb.base.metrics import exact_match_normalised
from p2m_nb.base.overlap import token_f1
from p2m_nb.data.judge import annotate
from p2m_nb.model.choose import student_for

ROOT = Path(__file__).resolve().parent.parent

def split(path, seed=0):
    "Rows of both parts, and of which paragraph each test row is."
    by = defaultdict(list)
    for line in path.read_text(encoding='utf-8').splitlines():
        r = json.loads(line)
        answer = r['answer'] if isinstance(r['answer'], str) else r['answer'][0]
        by[r['context']].append((f"{r['context']}\nQuestion: {r['question']}", answer))
    contexts = list(by)
    random.Random(seed).shuffle(contexts)
    n = 2*len(contexts)//3
    rows = lambda some: [row for c in some for row in by[c]]
    return rows(contexts[:n]), rows(contexts[n:]), [i for i, c in enumerate(contexts[n:]) for _ in by[c]]

def words(text): return set(re.findall(r'\w+', text.lower()))

def nearest_sentence(x):
    "The sentence that shares most words with the question."
    context, question = x.rsplit('\nQuestion: ', 1)
    sentences = re.split(r'(?<=[.!?])\s+', context)
    return max(sentences, key=lambda s: len(words(s) & words(question))/len(words(s) | words(question) or {''}))

def interval(values, groups, draws=2000):
    "Mean, and 95 % of the means of paragraphs drawn with replacement."
    values, groups = np.asarray(values, dtype=float), np.asarray(groups)
    sums, sizes = np.bincount(groups, values), np.bincount(groups)
    picks = np.random.default_rng(0).integers(0, len(sums), (draws, len(sums)))
    low, high = np.quantile(sums[picks].sum(1)/sizes[picks].sum(1), [.025, .975])
    return values.mean(), low, high

def told(name, answers, ys, groups):
    "A line of both metrics; exact match and F1."
    said = []
    for metric in (exact_match_normalised, token_f1):
        each = [metric([a], [y]).value for a, y in zip(answers, ys)]
        mean, low, high = interval(each, groups)
        said.append((mean, f'{mean:.3f} ({low:.3f} to {high:.3f})'))
    print(f'{name}: exact match {said[0][1]}, token F1 {said[1][1]}, {len(ys)} rows of {max(groups) + 1} paragraphs', flush=True)
    return [mean for mean, _ in said]

def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument('file', nargs='?', type=Path, default=ROOT.parent/'shared'/'data'/'xquad_en'/'qa.jsonl')
    ask.add_argument('--quick', action='store_true')
    ask.add_argument('--epochs', type=int, default=2)
    given = ask.parse_args()
    if not given.file.is_file(): return print(f'skipped: {given.file} is not there')
    train, test, groups = split(given.file)
    if given.quick: train, test, groups = train[:len(train)//10], test[:len(test)//10], groups[:len(test)//10]
    xs, ys = [x for x, _ in test], [y for _, y in test]
    short = sorted(train, key=lambda r: len(r[0]))[:3]
    spec = PromptSpec('Answer the question with words of the text.', examples=short, kind='extraction')
    student, start = student_for(spec, base='smollm2', seed=0), time.time()
    zero = told('zero_shot', student.zero_shot(xs), ys, groups)
    few = told('few_shot', annotate(LocalLM(engine=student.engine), spec, xs), ys, groups)
    near = told('nearest_sentence', [nearest_sentence(x) for x in xs], ys, groups)
    print(f'baselines {time.time() - start:.0f} s', flush=True)
    start = time.time()
    student.fit(Examples.of(train, 'xquad'), epochs=given.epochs)
    print(f'fit {time.time() - start:.0f} s. {student.progress.status}', flush=True)
    start = time.time()
    ours = told('student', student.predict(xs), ys, groups)
    print(f'prediction {time.time() - start:.0f} s, {student.cut:.0%} cut, {student.shortened} inputs shortened')
    for i, metric in enumerate(('em', 'f1')):
        for name, other in (('zero_shot', zero), ('few_shot', few), ('nearest_sentence', near)):
            print(f'RESULT xquad_{metric}_student_vs_{name} {ours[i]:.3f} {other[i]:.3f} {ours[i]/max(other[i], 1/len(ys)):.2f}')

if __name__ == '__main__': main()
