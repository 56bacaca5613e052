"""Seven intents, two examples each: is a student on generated rows better than one on the prompt's examples alone?

Prompts are drawn from train.csv with three seeds; test.csv is read by nothing but this file. `--dev` measures on 700 other rows of
train.csv instead, to choose settings. `--catalog bundled` lets the bundled datasets take part.
"""
import argparse, csv, random, tempfile, time
from collections import defaultdict
from pathlib import Path

def rows(path):
    with open(path, encoding='utf-8', newline='') as f: return [tuple(r) for r in csv.reader(f)][1:]

def prompt_text(train, seed, k):
    "A prompt as a person would write it, with k examples of each intent."
    by = defaultdict(list)
    for text, intent in train: by[intent].append(text)
    shown = [(x, y) for y in sorted(by) for x in random.Random(f'{seed}:{y}').sample(by[y], k)]
    head = 'Which of seven things does the user of a voice assistant want? The intents are: ' + ', '.join(sorted(by)) + '.\n\n'
    return head + '\n'.join(f'Input: {x}\nOutput: {y}\n' for x, y in shown), shown

def main():
    here = Path(__file__).parent.parent
    parser = argparse.ArgumentParser()
    parser.add_argument('--data', type=Path, default=here.parent/'shared/data/snips_intents')
    parser.add_argument('--catalog', default='none')
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--examples', type=int, default=2)
    parser.add_argument('--dev', action='store_true')
    parser.add_argument('--out', type=Path, help='keep the Run folders here')
    args = parser.parse_args()
    if not args.data.is_dir(): return print(f'skipped: {args.data} is not there')
    from p2m_nb.pipeline import run_pipeline
    train, means = rows(args.data/'train.csv'), defaultdict(list)
    with tempfile.TemporaryDirectory() as temporary:
        for seed in range(args.seeds):
            prompt, shown = prompt_text(train, seed, args.examples)
            test = args.data/'test.csv'
            if args.dev:
                test = Path(temporary)/f'dev_{seed}.csv'
                others = [r for r in train if r not in shown]
                with open(test, 'w', encoding='utf-8', newline='') as f:
                    csv.writer(f).writerows([('utterance', 'intent'), *random.Random(seed).sample(others, 700)])
            start = time.time()
            result = run_pipeline(prompt, test=test, columns=('utterance', 'intent'), catalog=args.catalog, seed=seed,
                                  out=(args.out or Path(temporary))/f'{args.catalog}_{seed}')
            values = {r['name']: r['value'] for r in result.report.rows}
            for name, value in values.items(): means[name].append(value)
            told = ', '.join(f'{k} {v:.3f}' for k, v in values.items())
            steps = ', '.join(f'{k} {v:.0f} s' for k, v in result.seconds.items())
            print(f'seed {seed}: {told}; {len(result.splits.train)} train rows; {time.time() - start:.0f} s ({steps})', flush=True)
            result.run.close()
    mean = {k: sum(v)/len(v) for k, v in means.items()}
    ratio = lambda other: mean['student']/mean[other]
    for other in ('own_examples', 'teacher_few_shot'):
        print(f"RESULT snips_{args.catalog}_student_vs_{other} {mean['student']:.4f} {mean[other]:.4f} {ratio(other):.3f}")

if __name__ == '__main__': main()
