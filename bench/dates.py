"""SmolLM2 as a student of English dates: exact match on held-out rows of the bundled set, beside its teacher.

    python bench/dates.py [FOLDER]        FOLDER holds en.jsonl of another hand (default ../shared/data/dates)
    python bench/dates.py --choose        score a recipe (--epochs, --learning-rate, --batch-size) on validation rows

Settings are chosen with --choose; the 60 test rows and the other folder are only reported. The bundled
sentences come from few frames, so their figure flatters. The other folder's rows also ask for relative dates, times
and "no date": the student was taught none of these, so the rows that write out one date with its year stand apart.
"""
import argparse, json, random, re, time
from pathlib import Path
from p2m_nb.base.core import Examples, PromptSpec
from p2m_nb.base.local import load_lm
from p2m_nb.base.metrics import exact_match
from p2m_nb.data.catalog import read_table
from p2m_nb.data.judge import annotate
from p2m_nb.model.choose import student_for

ROOT = Path(__file__).resolve().parent.parent

def bundled(seed):
    "Train, validation and test rows, and the task with six examples from the training rows."
    rows = [r for r in read_table(ROOT/'p2m_nb'/'sets'/'dates'/'data.csv') if r['language'] == 'en']
    random.Random(seed).shuffle(rows)
    rows = Examples.of([(r['text'], r['iso_date']) for r in rows], 'dates')
    spec = PromptSpec('Find the date in the sentence and write it as year-month-day.', kind='extraction',
                      examples=[(r['input'], r['output']) for r in rows[100:106]])
    return rows[100:], rows[60:100], rows[:60], spec

def other(folder):
    "Rows of the other hand: all of them, and those that write out one date with its year."
    path = Path(folder)/'en.jsonl'
    if not path.is_file(): return [], []
    rows = [json.loads(line) for line in path.read_text(encoding='utf-8').splitlines() if line]
    year, iso = re.compile(r'\b(19|20)\d\d'), re.compile(r'\d{4}-\d\d-\d\d')
    everything, clear = [], []
    for r in rows:
        span, _, date = r['dates'].rpartition(' == ')
        one = span and '|' not in span
        everything.append((r['sentence'], date if one else r['dates']))
        if one and year.search(span) and iso.fullmatch(date): clear.append(everything[-1])
    return everything, clear

def told(name, pairs, student, teacher, spec):
    "One RESULT line: exact match of student and teacher on the same rows."
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    start = time.time()
    ours = exact_match(student.predict(xs), ys)
    print(f'{name}: student {ours}, {student.cut:.0%} cut, {time.time() - start:.0f} s')
    theirs = exact_match(annotate(teacher, spec, xs), ys)
    print(f'{name}: teacher few-shot {theirs}')
    return f'RESULT {name} {ours.value:.3f} {theirs.value:.3f} {ours.value/max(theirs.value, 1/len(ys)):.2f}'

def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument('folder', nargs='?', default=str(ROOT.parent/'shared'/'data'/'dates'))
    ask.add_argument('--choose', action='store_true', help='validation part only; nothing else is read')
    ask.add_argument('--epochs', type=int)
    ask.add_argument('--learning-rate', type=float)
    ask.add_argument('--batch-size', type=int)
    ask.add_argument('--seed', type=int, default=0)
    ask.add_argument('--rows', type=int, help='training rows, fewer for a quick look')
    given = ask.parse_args()
    train, validation, test, spec = bundled(given.seed)
    start, student = time.time(), student_for(spec, base='smollm2', seed=given.seed)
    student.fit(train[:given.rows], validation, epochs=given.epochs, learning_rate=given.learning_rate,
                batch_size=given.batch_size)
    seconds = time.time() - start
    for h in student.history: print(h)
    print(f'{len(train[:given.rows])} rows, {seconds:.0f} s. {student.progress.status}')
    if given.choose: return
    teacher, (everything, clear) = load_lm('embedded'), other(given.folder)
    results = [told('dates_em', [(r['input'], r['output']) for r in test], student, teacher, spec)]
    if clear: results.append(told('dates_other_written_em', clear, student, teacher, spec))
    if everything: results.append(told('dates_other_all_em', everything, student, teacher, spec))
    print('\n'.join(results))
    print(f'RESULT dates_fit_seconds {seconds:.0f} 480 {seconds/480:.2f}')

if __name__ == '__main__': main()
