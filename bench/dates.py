"""SmolLM2 as a student of dates: exact match on held-out rows of the bundled set, and on sentences of another hand.

    python bench/dates.py [FOLDER]        FOLDER holds en.jsonl, fr.jsonl and zh.jsonl of another hand (default ../shared/data/dates)
    python bench/dates.py --choose        score a recipe (--epochs, --learning-rate, --batch-size) on validation rows

One student is trained on the bundled dates of all three languages, and on bundled texts without a date, answered N/A. Settings are
chosen with --choose; the 60 English test rows and the other folder are only reported. The bundled sentences come from few frames, so
their figure flatters. The other folder's rows also ask for dates that hang on the day of writing ("tomorrow"), and for several at
once: the student was taught neither, so the rows that write out one date with its year stand apart. Wrong answers are counted by kind.
"""
import argparse, json, random, re, time
from collections import Counter
from pathlib import Path
from p2m_nb.base.core import Examples, PromptSpec
from p2m_nb.base.local import load_lm
from p2m_nb.base.metrics import exact_match
from p2m_nb.data.catalog import read_table
from p2m_nb.data.judge import annotate
from p2m_nb.model.choose import student_for

ROOT = Path(__file__).resolve().parent.parent
SETS = ROOT/'p2m_nb'/'sets'
DATELESS = dict(small_talk='remark', headlines='headline', voice_commands='utterance', product_reviews='review', quantities='phrase')
HINT = re.compile(r'\b(1\d|20)\d\d\b|\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|day|week|month|year|tomorrow|yesterday|tonight)', re.I)
ISO, YEAR = re.compile(r'\d{4}-\d\d-\d\d'), re.compile(r'\b(19|20)\d\d|[二一][零〇九][零〇一二三四五六七八九]{2}')

def bundled(seed, dateless):
    "Train, validation and test rows, and the task with seven examples from the training rows."
    draw = random.Random(seed)
    rows = [r for r in read_table(SETS/'dates'/'data.csv')]
    draw.shuffle(rows)
    english = [r for r in rows if r['language'] == 'en']
    test, validation = english[:60], english[60:80] + [r for r in rows if r['language'] != 'en'][:20]
    kept = [(r['text'], r['iso_date']) for r in rows if r not in test and r not in validation]
    none = [r[column] for name, column in DATELESS.items() for r in read_table(SETS/name/'data.csv')]
    none = draw.sample([t for t in none if not HINT.search(t) and len(t) < 160], dateless + 10)
    pairs = lambda rs: [(r['text'], r['iso_date']) for r in rs]
    spec = PromptSpec('Find the date in the sentence and write it as year-month-day, or N/A if there is none.', kind='extraction',
                      examples=kept[:6] + [(none[0], 'N/A')])
    train = kept + [(t, 'N/A') for t in none[10:]]
    return (Examples.of(train, 'bundled'), Examples.of(pairs(validation) + [(t, 'N/A') for t in none[:10]], 'bundled'), pairs(test), spec)

def other(path):
    "Rows of another hand: all of them, and those that write out one date with its year."
    everything, clear = [], []
    for line in path.read_text(encoding='utf-8').splitlines():
        r = json.loads(line)
        parts = r['dates'].split(' | ')
        span, _, date = parts[0].rpartition(' == ')
        everything.append((r['sentence'], ' | '.join(p.rpartition(' == ')[2] for p in parts)))
        if len(parts) == 1 and YEAR.search(span) and ISO.fullmatch(date): clear.append(everything[-1])
    return everything, clear

def fault(x, y, answer):
    "What kind of error an answer is."
    if y == 'N/A': return 'a date where there is none'
    if ' | ' in y: return 'several dates asked'
    if not ISO.fullmatch(y): return 'a date that does not exist'
    if not YEAR.search(x): return 'a date that hangs on the day of writing, or has no whole year'
    if answer == 'N/A': return 'N/A where a date is written'
    if not ISO.fullmatch(answer): return 'not of the form year-month-day'
    wrong = [name for name, a, b in zip(('year', 'month', 'day'), y.split('-'), answer.split('-')) if a != b]
    return 'day and month exchanged' if wrong == ['month', 'day'] and y[5:7] == answer[8:] else 'wrong ' + ' and '.join(wrong)

def told(name, pairs, student, teacher, spec):
    "One RESULT line: exact match of student and, where it is asked, teacher on the same rows."
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    start = time.time()
    answers = student.predict(xs)
    ours = exact_match(answers, ys)
    print(f'{name}: student {ours}, {student.cut:.0%} cut, {time.time() - start:.0f} s', flush=True)
    faults = Counter(fault(x, y, a) for x, y, a in zip(xs, ys, answers) if a != y)
    for kind, n in faults.most_common(3): print(f'    {n} of {len(ys)}: {kind}', flush=True)
    theirs = exact_match(annotate(teacher, spec, xs), ys)
    print(f'{name}: teacher few-shot {theirs}', flush=True)
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
    ask.add_argument('--dateless', type=int, default=120, help='training rows without a date')
    given = ask.parse_args()
    train, validation, test, spec = bundled(given.seed, given.dateless)
    if given.rows: train = train.take(random.Random(given.seed).sample(range(len(train)), given.rows))
    start, student = time.time(), student_for(spec, base='smollm2', seed=given.seed)
    student.fit(train, validation, epochs=given.epochs, learning_rate=given.learning_rate, batch_size=given.batch_size)
    seconds = time.time() - start
    for h in student.history: print(h)
    print(f'{len(train)} rows, {seconds:.0f} s. {student.progress.status}', flush=True)
    if given.choose: return
    teacher = load_lm('embedded')
    results = [told('dates_em', test, student, teacher, spec)]
    for path in sorted(Path(given.folder).glob('??.jsonl')):
        everything, clear = other(path)
        results += [told(f'dates_other_{path.stem}_all_em', everything, student, teacher, spec),
                    told(f'dates_other_{path.stem}_written_em', clear, student, teacher, spec)]
    print('\n'.join(results))
    print(f'RESULT dates_fit_seconds {seconds:.0f} 480 {seconds/480:.2f}')

if __name__ == '__main__': main()
