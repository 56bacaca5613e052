"""Which part of generating and curating helps the student? Seven intents, two examples each; each part switched off in turn.

Rows of train.csv other than the prompt's are the test: settings may be chosen by what this prints. Rows made with the same
settings are made once. `--examples 1` takes one example an intent.
"""
import argparse, random, time
from collections import defaultdict
from pathlib import Path
from snips import prompt_text, rows

def variants(spec, made, judges, seed):
    "Name -> training rows that were generated; `made`: name -> rows as generated."
    from p2m_nb.data.check import check_rows
    from p2m_nb.data.curate import curate, drop_duplicates
    from p2m_nb.base.core import Examples
    judged = lambda rows, judges=judges: curate(rows, spec, seed=seed, judges=judges)
    first = made.pop('all parts')
    clean = judged(first)
    yield 'all parts', clean
    for name, others in made.items(): yield name, judged(others)
    yield 'no committee of students', judged(first, ())
    yield 'no label checks', drop_duplicates(check_rows(first, spec))
    yield 'no soft labels', Examples({k: v for k, v in r.items() if k != 'soft_labels'} for r in clean)
    yield 'no curation', first
    yield 'no generated rows', Examples()

def main():
    here = Path(__file__).parent.parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, default=here.parent/'shared/data/snips_intents')
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--examples', type=int, default=2)
    args = parser.parse_args()
    if not args.data.is_dir(): return print(f'skipped: {args.data} is not there')
    from p2m_nb.all import Examples, accuracy, committee, generate, load_lm, parse_prompt, split, student_for
    from p2m_nb.data import steer
    train, teacher, told = rows(args.data/'train.csv'), load_lm('embedded'), defaultdict(list)
    for seed in range(args.seeds):
        prompt, shown = prompt_text(train, seed, args.examples)
        spec = parse_prompt(prompt)
        test = Examples.of(random.Random(seed).sample([r for r in train if r not in shown], 700), 'test')
        shares = {l: random.Random(f'{seed}:{l}').expovariate(1) for l in spec.labels}   # as they come, not as wanted
        rows_of = lambda **how: generate(spec, 600, teacher, seed=seed, **how)
        made = {'all parts': rows_of(), 'no quotas': rows_of(target=shares),
                'temperature rising': rows_of(temperature=(.5, 1.7))}
        steer.TURNS, turns = 1, steer.TURNS
        try: made['contexts drawn blindly'] = rows_of()
        finally: steer.TURNS = turns
        for name, extra in variants(spec, made, committee(spec, seed=seed), seed):
            start, parts = time.time(), split(spec, extra, test=test, seed=seed)
            student = student_for(spec, seed=seed).fit(parts.train, parts.validation)
            value = accuracy(student.predict(parts.test.inputs), parts.test.outputs).value
            told[name].append(value)
            print(f'seed {seed}: {name}: {value:.3f} with {len(parts.train)} rows, {time.time() - start:.0f} s', flush=True)
    whole = sum(told['all parts'])/args.seeds
    for name, values in told.items():
        mean = sum(values)/len(values)
        print(f"RESULT ablation_{name.replace(' ', '_')} {whole:.4f} {mean:.4f} {whole/mean:.3f}")

if __name__ == '__main__': main()
