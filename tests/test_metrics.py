"""Our metrics give what the field's libraries give, where they overlap."""
import random
import datasets, evaluate, numpy as np, pytest
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu import corpus_bleu, corpus_chrf
from scipy import stats
from sklearn import metrics as theirs
from sklearn.calibration import calibration_curve
from p2m_nb.base import calibration, overlap
from p2m_nb.base.core import P2MError
from p2m_nb.base.local import load_embedder
from p2m_nb.base.metrics import *
from p2m_nb.base.similarity import bert_score

LABELS = ['play music', 'get weather', 'set alarm', 'rare one']
WORDS = 'the a cat dog sat ran on under mat moon quickly, slowly U.S. don’t 3.14 2024-01-05 was!'.split()


def labelled(n=300, seed=0):
    draw = random.Random(seed)
    references = draw.choices(LABELS, (50, 30, 19, 1), k=n)
    return [r if draw.random() < .7 else draw.choice([*LABELS, 'no label']) for r in references], references


def sentences(n=60, seed=0):
    draw = random.Random(seed)
    references = [' '.join(draw.choices(WORDS, k=draw.randint(3, 12))) for _ in range(n)]
    change = lambda t: ' '.join(w for w in t.split() if draw.random() < .8)
    return [change(r) for r in references], references


def inside(score): assert score.low <= score.value <= score.high and score.n > 0


def test_labels_as_scikit_learn():
    predictions, references = labelled()
    present = sorted(set(references))
    assert accuracy(predictions, references).value == pytest.approx(theirs.accuracy_score(references, predictions))
    options = dict(labels=present, average='macro', zero_division=0)
    assert macro_f1(predictions, references).value == pytest.approx(theirs.f1_score(references, predictions, **options))
    assert micro_f1(predictions, references).value == pytest.approx(theirs.f1_score(references, predictions, average='micro'))
    told = per_label(predictions, references, LABELS)
    columns = theirs.precision_recall_fscore_support(references, predictions, labels=LABELS, zero_division=0)
    for label, *expected, support in zip(LABELS, *columns):
        assert [told[label][k].value for k in ('precision', 'recall', 'f1')] == pytest.approx(expected)
        assert told[label]['recall'].n == support
    assert (confusion(predictions, references, LABELS) == theirs.confusion_matrix(references, predictions, labels=LABELS)).all()
    for score in (accuracy(predictions, references), macro_f1(predictions, references)): inside(score)


def test_numbers_as_scipy():
    draw = np.random.default_rng(0)
    x = draw.integers(1, 6, 200)   # many ties, as grades have
    y = x + draw.normal(size=200)
    assert pearson(list(x), list(y)).value == pytest.approx(stats.pearsonr(x, y).statistic)
    assert spearman(list(x), list(y)).value == pytest.approx(stats.spearmanr(x, y).statistic)
    assert pearson(list(x + 1e6), list(y)).value == pytest.approx(stats.pearsonr(x, y).statistic)
    inside(spearman(list(x), list(y)))


def test_open_answers_as_sacrebleu_and_rouge_score():
    predictions, references = sentences()
    predictions[0] = ''
    assert overlap.chrf(predictions, references).value == corpus_chrf(predictions, [references], word_order=2).score
    assert overlap.bleu(predictions, references).value == corpus_bleu(predictions, [references]).score
    scorer = RougeScorer(['rouge1', 'rouge2', 'rougeL'])
    rows = [scorer.score(r, p) for p, r in zip(predictions, references)]
    plain = lambda t: t.replace('’', "'")   # a letter of rouge_score's alphabet
    for name, metric in dict(rouge1=overlap.rouge_1_score, rouge2=overlap.rouge_2_score, rougeL=overlap.rouge_l_score).items():
        expected = np.mean([r[name].fmeasure for r in rows])
        assert metric([*map(plain, predictions)], [*map(plain, references)]).value == pytest.approx(expected)
        inside(metric(predictions, references))
    chinese = ['今天天气很好', '我喜欢音乐'], ['今天天气不好', '我喜欢听音乐']
    assert overlap.bleu_char(*chinese).value == corpus_bleu(chinese[0], [chinese[1]], tokenize='char').score
    assert overlap.rouge_2_score(*chinese).value > .5 < overlap.token_f1(*chinese).value


def squad_f1(prediction, reference):
    "As the evaluation script of SQuAD 1.1."
    import collections, re, string
    def normal(s):
        s = ''.join(c for c in s.lower() if c not in string.punctuation)
        return re.sub(r'\b(a|an|the)\b', ' ', s).split()
    p, r = normal(prediction), normal(reference)
    same = sum((collections.Counter(p) & collections.Counter(r)).values())
    return 2*same/(len(p) + len(r)) if same else 0


def test_token_f1_as_squad():
    predictions, references = ([t.replace('’', "'") for t in texts] for texts in sentences(200))
    expected = [squad_f1(p, r) for p, r in zip(predictions, references)]
    assert overlap.token_f1(predictions, references).value == pytest.approx(np.mean(expected))


def test_calibration_as_scikit_learn():
    draw = np.random.default_rng(0)
    sure = draw.uniform(size=500)
    right = draw.uniform(size=500) < sure**2
    bins = calibration.reliability(sure, right)
    accuracies, confidences = calibration_curve(right, sure, n_bins=10)
    assert [b['accuracy'] for b in bins] == pytest.approx(accuracies)
    assert [b['confidence'] for b in bins] == pytest.approx(confidences)
    expected = sum(b['n']*abs(b['accuracy'] - b['confidence']) for b in bins)/500
    assert calibration.calibration_error(sure, right).value == pytest.approx(expected)


def test_bert_score_as_its_package():   # golden: bert_score 0.3.13, no idf, no baseline, all-MiniLM-L6-v2
    predictions = ['the cat sat on the mat', '2024-01-05', '明天下雨了', 'Paris', 'a']
    references = ['a cat was sitting on the mat', '2024-01-06', '明天会下雪', 'London is big', 'the quick brown fox']
    golden = {5: [0.9128673, 0.9464885, 0.9125686, 0.5317603, 0.2833177], 6: [0.9029172, 0.9408455, 0.8918723, 0.3556814, 0.1778468]}
    for layer, values in golden.items():
        assert bert_score(layer=layer).rows(predictions, references) == pytest.approx(values, abs=2e-6)
    assert bert_score().name.endswith('layer 5, mean)')
    with pytest.raises(P2MError, match='has 6 layers'): bert_score(layer=9)
    assert bert_score(load_embedder()).rows([''], ['']) == [1.]


class Share(evaluate.Metric):
    def _info(self):
        columns = datasets.Features(predictions=datasets.Value('string'), references=datasets.Value('string'))
        return evaluate.MetricInfo(description='', citation='', features=columns)
    def _compute(self, predictions, references): return dict(share=np.mean([a == b for a, b in zip(predictions, references)]))


def test_evaluate_both_ways():
    predictions, references = labelled(80)
    score = from_evaluate(Share())(predictions, references)
    assert (score.name, score.value, score.n) == ('share', accuracy(predictions, references).value, 80)
    assert score.low < score.value < score.high
    both = evaluate.combine([Share()])   # theirs, and ours beside it
    assert both.compute(predictions=predictions, references=references)['share'] == score.value
    assert as_evaluate(macro_f1).compute(predictions=predictions, references=references)['macro_f1'] == macro_f1(predictions, references).value


def test_a_metric_compares_pairs():
    references = ['a b c d', 'e f g h']*40
    good, bad = references, [r[:3] for r in references]
    for metric in (overlap.chrf, overlap.bleu, overlap.token_f1, macro_f1):
        told = metric.compare(good, bad, references)
        assert told['low'] > 0 and told['p'] < .01 and told['low'] <= told['difference'] <= told['high']
        assert metric.compare(bad, bad, references)['p'] == 1
    near = [r if i % 20 else 'x' for i, r in enumerate(references)]
    rows = paired_bootstrap(overlap.token_f1.rows(good, references), overlap.token_f1.rows(near, references), samples=1000)
    assert overlap.token_f1.compare(good, near, references) == pytest.approx(rows)


@pytest.mark.parametrize('metric', [accuracy, exact_match, exact_match_normalised, macro_f1, micro_f1, overlap.chrf, overlap.bleu,
                                    overlap.rouge_l_score, overlap.token_f1, pearson, spearman, bert_score()], ids=str)
def test_edges_are_numbers(metric):
    number = metric in (pearson, spearman)
    for predictions, references in ([['']*3, ['a', 'b', '']], [['a'], ['a']], [['']*2, ['']*2]) if not number else [[['1'], ['2']]]:
        score = metric(predictions, references)
        assert np.isfinite(score[1:]).all() and score.low <= score.value + 1e-9 and score.value <= score.high + 1e-9
    with pytest.raises(P2MError, match='nothing to measure'): metric([], [])
    with pytest.raises(P2MError, match='1 references'): metric([], ['1'])
