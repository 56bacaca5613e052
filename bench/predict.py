"""Prediction in batches against one at a time: a text student and a classifier, 500 rows each, in one run.

    python bench/predict.py        needs the embedded weights; 48 training rows, so that answers end as they do after a fit

Both ways are timed in turns over the same parts of the rows, so that a busy machine slows both. Answers are compared: a padded batch
moves logits by 1e-6, which could change one. --single N asks N of the rows one at a time and scales.
"""
import argparse, random, time
from pathlib import Path
from p2m_nb.base.core import Examples, PromptSpec
from p2m_nb.data.catalog import read_table
from p2m_nb.model.choose import student_for

SETS = Path(__file__).resolve().parent.parent/'p2m_nb'/'sets'

def rows(name, x, y, n):
    "n rows of a bundled set, drawn again where it has fewer."
    draw, found = random.Random(0), [(r[x], r[y]) for r in read_table(SETS/name/'data.csv')]
    draw.shuffle(found)
    return Examples.of([found[i % len(found)] for i in range(n)], name)

def seconds(work):
    start = time.perf_counter()
    out = work()
    return time.perf_counter() - start, out

def compared(name, student, xs, single, least):
    "One RESULT line: rows a second of both ways."
    student.predict(xs[:8])   # what is loaded lazily is loaded now
    slow, fast, ones, batches = 0., 0., [], 3
    for part in range(batches):   # in turns, and whole times on both sides
        t, batch = seconds(lambda: student.predict(xs))
        some = range(part, len(xs), batches*len(xs)//single)
        u, answers = seconds(lambda: [student.predict([xs[i]])[0] for i in some])
        fast, slow, ones = fast + t, slow + u, ones + list(zip(some, answers))
    same = sum(batch[i] == a for i, a in ones)/len(ones)
    fast, slow = batches*len(xs)/fast, len(ones)/slow
    print(f'{name}: {fast:.1f} rows a second in batches, {slow:.1f} one at a time ({len(ones)} of {len(xs)}); '
          f'{same:.1%} of the answers equal, {student.cut:.0%} cut', flush=True)
    return f'RESULT predict_{name} {fast:.2f} {slow:.2f} {fast/slow:.2f} (reach {least})'

def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument('--rows', type=int, default=500)
    ask.add_argument('--single', type=int, default=100)
    given = ask.parse_args()
    dates = rows('dates', 'text', 'iso_date', given.rows)
    spec = PromptSpec('Write the date as year-month-day.', examples=[(dates.inputs[0], dates.outputs[0])],
                      kind='extraction')
    text = student_for(spec, base='smollm2', seed=0).fit(dates[:48], epochs=1)
    commands = rows('voice_commands', 'utterance', 'action', given.rows)
    labels = tuple(sorted(set(commands.outputs)))
    spec = PromptSpec('What does the user want?', examples=list(zip(commands.inputs, commands.outputs))[:4],
                      labels=labels, kind='classification')
    picker = student_for(spec, base='minilm', seed=0).fit(commands[:48], epochs=1)
    results = [compared('classifier', picker, commands.inputs, given.single, 2),
               compared('causal', text, dates.inputs, given.single, 6)]
    print('\n'.join(results))

if __name__ == '__main__': main()
