"""Curation: near-duplicates beside MinHash, label checks on spoiled labels, and what three bundled tasks come out as.

    python bench/curate.py                     all three
    python bench/curate.py duplicates          20,000 short rows; recall and precision against all pairs of 2,000
    python bench/curate.py labels              a fifth of real labels spoiled: how many of the kept rows are right
    python bench/curate.py tasks --rows 150    generate and curate with the embedded teacher

MinHash is rensa's: 128 permutations, LSH, and each candidate verified by its similarity, so that both ways mean the same
by a duplicate. What `tasks` calls distinct and valid is written here, and not the library's own rules; it is compared with
all that the teacher wrote, before any filter.
"""
import argparse, random, re, time
from collections import Counter
from datetime import date
from pathlib import Path
from p2m_nb.base.core import Curated, Examples, PromptSpec
from p2m_nb.base.text import char_ngrams, jaccard, near_duplicates, normalise
from p2m_nb.data.catalog import read_table

SETS = Path(__file__).resolve().parent.parent/'p2m_nb'/'sets'
COLUMNS = dict(voice_commands=('utterance', 'action'), support_tickets=('body', 'team'), dates=('text', 'iso_date'),
               quantities=('phrase', 'normalised'), fields=('message', 'record'))

def pairs(name, **where):
    x, y = COLUMNS[name]
    table = read_table(next((SETS/name).glob('data.*')))
    return [(r[x], r[y]) for r in table if all(r[k] == v for k, v in where.items())]

# ---------------------------------------------------------------- near-duplicates
def short_rows(n, seed=0):
    "Rows of the bundled sets (English, French, Chinese), each with a few words or characters exchanged."
    draw, texts = random.Random(seed), [x for name in COLUMNS for x, _ in pairs(name)]
    def changed(text):
        gap = '' if re.search('[\u4e00-\u9fff]', text) else ' '
        words, other = (list(t) if gap == '' else t.split() for t in (text, draw.choice(texts)))
        for _ in range(draw.choice((0, 1, 1, 2, 3, 4, 5, 6))): words[draw.randrange(len(words))] = draw.choice(other)
        return gap.join(words)
    return [changed(draw.choice(texts)) for _ in range(n)]

def by_minhash(texts, threshold=.7):
    "The same as `near_duplicates`, candidates by MinHash and LSH."
    from rensa import RMinHash, RMinHashLSH
    lsh, sets, found = RMinHashLSH(threshold=threshold, num_perm=128, num_bands=32), [char_ngrams(t) for t in texts], []
    for i, (grams, m) in enumerate(zip(sets, RMinHash.from_token_sets(sets, num_perm=128, seed=0))):
        likeness, j = max(((jaccard(grams, sets[j]), -j) for j in lsh.query(m)), default=(0, 0))
        if likeness >= threshold: found.append((i, -j, likeness))
        else: lsh.insert(i, m)
    return found

def by_all_pairs(texts, threshold=.7):
    kept, found, sets = [], [], [char_ngrams(t) for t in texts]
    for i, grams in enumerate(sets):
        likeness, j = max(((jaccard(grams, sets[j]), -j) for j in kept), default=(0, 0))
        if likeness >= threshold: found.append((i, -j, likeness))
        else: kept.append(i)
    return found

def duplicates(args):
    rows, few = short_rows(20_000), short_rows(2_000)
    truth, seconds, recall = {i for i, _, _ in by_all_pairs(few)}, {}, {}
    for name, find in dict(ours=near_duplicates, minhash=by_minhash).items():
        try: told = {i for i, _, _ in find(few)}
        except ImportError: return print('MinHash is skipped: pip install rensa')
        start = time.process_time()
        found, seconds[name] = find(rows), time.process_time() - start
        recall[name] = len(told & truth)/len(truth)
        print(f'{name}: {len(found):,} of 20,000 in {seconds[name]:.1f} s; of 2,000 '
              f'precision {len(told & truth)/len(told):.3f}, recall {recall[name]:.3f}')
    for what, got in dict(duplicates_20k_seconds=seconds, duplicates_recall=recall).items():
        print(f"RESULT {what} {got['ours']:.3f} {got['minhash']:.3f} {got['ours']/got['minhash']:.3f}")

# ---------------------------------------------------------------- label checks
TASK = dict(voice_commands='Say which part of the voice assistant a command is for.',
            support_tickets='Say which team of the shop a message of a customer is for.',
            dates='Find the date in the sentence and write it as year-month-day.')

def labelled(name, seed=0, shown=2):
    "The task with `shown` examples a label, and the other rows."
    rows = pairs(name)
    random.Random(seed).shuffle(rows)
    labels = sorted({y for _, y in rows})
    examples = [e for l in labels for e in [r for r in rows if r[1] == l][:shown]]
    return PromptSpec(TASK[name], examples, labels=labels, kind='classification'), [r for r in rows if r not in examples]

def spoiled(rows, labels, seed=0, part=.2):
    "The rows, with a fifth of their labels exchanged for another one."
    draw = random.Random(seed)
    wrong = lambda y: draw.choice([l for l in labels if l != y])
    return [(x, wrong(y) if draw.random() < part else y) for x, y in rows]

def labels(args):
    from p2m_nb.base.local import load_lm
    from p2m_nb.data.judge import check_labels, label_likelihoods
    teacher = load_lm('embedded')
    for name in ('voice_commands', 'support_tickets'):
        spec, rows = labelled(name)
        given, truth, right = Examples.of(spoiled(rows, spec.labels), 'generated'), dict(rows), {}
        for how, teach in dict(probe=None, teacher=lambda xs: label_likelihoods(teacher, spec, xs)).items():
            start, kept = time.time(), check_labels(given, spec, teach=teach)
            good = sum(truth[r['input']] == r['output'] for r in kept)
            soft = sum(r['soft_labels'][spec.labels.index(truth[r['input']])] for r in kept)/len(kept)
            right[how], all_right = good/len(kept), sum(truth[x] == y for x, y in zip(given.inputs, given.outputs))
            print(f'{name}, {how}: {len(kept)} of {len(given)} rows kept, {right[how]:.3f} of them right, {good/all_right:.3f} '
                  f'of the right ones; soft label of the right one {soft:.3f}; {time.time() - start:.0f} s', flush=True)
        plain = sum(truth[r['input']] == r['output'] for r in given)/len(given)
        print(f"RESULT labels_right_{name} {right['probe']:.3f} {plain:.3f} {right['probe']/plain:.3f}")
        print(f"RESULT labels_right_{name}_teacher_vs_probe {right['teacher']:.3f} {right['probe']:.3f} "
              f"{right['teacher']/right['probe']:.3f}")

# ---------------------------------------------------------------- three tasks
def is_date(y):
    try: return bool(re.fullmatch(r'\d{4}-\d\d-\d\d', y) and date.fromisoformat(y))
    except ValueError: return False

def measured(rows, spec):
    "Share of distinct inputs, share of valid rows, distance of the label histogram from an even one."
    seen, told = len(rows), {normalise(x) for x, _ in spec.examples}
    twins = len(by_all_pairs(rows.inputs))
    fits = (lambda y: y in spec.labels) if spec.labels else is_date
    said = lambda x: normalise(x) not in told and '\n' not in x and re.search('[a-zA-Z]', x)
    valid = sum(bool(fits(r['output']) and said(r['input'])) for r in rows)
    have = rows.histogram()
    even = sum(abs(have[l]/seen - 1/len(spec.labels)) for l in spec.labels)/2 if spec.labels else 0.
    return dict(distinct=1 - twins/seen, valid=valid/seen, distance=even)

def curated(made, spec, teacher, more=Curated()):
    "All that was made, and what curation keeps of it; open outputs are voted on."
    from p2m_nb.data.curate import curate
    made = Curated(made.rows + more.rows, made.rejected.rows + more.rejected.rows)
    even = {l: 1 for l in spec.labels or ()} or None
    return made, curate(made, spec, seed=0, target=even, teacher=None if spec.labels else teacher)

def tasks(args):
    from p2m_nb.base.local import load_lm
    from p2m_nb.data.generate import generate
    teacher, dated = load_lm('embedded'), pairs('dates', language='en')
    specs = {name: labelled(name)[0] for name in ('voice_commands', 'support_tickets')}
    specs['dates'] = PromptSpec(TASK['dates'], dated[:6], kind='extraction')
    for name, spec in specs.items():
        start = time.time()
        made = generate(spec, args.rows, teacher=teacher, seed=0)
        (made, clean), turn = curated(made, spec, teacher), 0
        wanted = Counter({l: args.rows//len(spec.labels) for l in spec.labels or ()})
        while turn < 2 and (missing := wanted - clean.histogram()):
            turn += 1   # ask for what curation took away, twice as much because as much will go again
            more = generate(spec, 2*missing.total(), teacher=teacher, seed=turn, target=missing)
            made, clean = curated(made, spec, teacher, more)
        print(f'{name}: {turn} times more asked for, {time.time() - start:.0f} s: {clean!r}', flush=True)
        raw = Examples(made.rows + [r for r in made.rejected if r['reason'] not in ('label is full', 'enough rows')])
        ours, plain = measured(clean, spec), measured(raw, spec)
        if not spec.labels:   # does the year that was written stand in the sentence?
            right = lambda rows: sum(r['output'][:4] in r['input'] for r in rows)/len(rows)
            ours['year_right'], plain['year_right'] = right(clean), right(made)
        for what in ours:
            if what == 'distance' and not spec.labels: continue
            print(f'RESULT {name}_{what} {ours[what]:.3f} {plain[what]:.3f} {ours[what]/max(plain[what], .001):.3f}', flush=True)

def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = dict(duplicates=duplicates, labels=labels, tasks=tasks)
    ask.add_argument('part', nargs='?', choices=parts)
    ask.add_argument('--rows', type=int, default=150, help='of each task')
    args = ask.parse_args()
    for part in [args.part] if args.part else parts: parts[part](args)

if __name__ == '__main__': main()
