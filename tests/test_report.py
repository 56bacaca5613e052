"""A report on odd tests and foreign labels: clear words, finite numbers, a page that holds nothing but itself."""
import json, re, warnings
from html.parser import HTMLParser
import datasets, evaluate as hub_evaluate, numpy as np, pytest
from p2m_nb.all import *
from p2m_nb.base.lm import Completion
from p2m_nb.base.metrics import paired_test
from p2m_nb.result import evaluate, plots

EVIL = '<img src=x onerror=PWN()> $\\frac{a}$ `|`'


@pytest.fixture(autouse=True)
def no_model(monkeypatch): monkeypatch.setattr(evaluate, '_embedder', lambda: None)


class Rule:
    "Answers with the label that stands in the input, else with `other`; a student without a model."
    base, cut, fit_options, other = None, 0., {}, None
    def __init__(self, spec, base=None, seed=0): self.spec, self.seed = spec, seed
    def fit(self, train, validation=None, **options): return self
    def predict(self, inputs):
        other = self.spec.labels[0] if self.other is None else self.other
        return [next((l for l in self.spec.labels if l in x), other) for x in inputs]
    def score(self, xs, ys): return [-len(x) % 7/10 - .7 for x in xs]
    def zero_shot(self, inputs): return [self.spec.labels[0]]*len(inputs)


class Open(Rule):
    "Copies the first word."
    def predict(self, inputs): return [x.split()[0] if x.split() else '' for x in inputs]
    def zero_shot(self, inputs): return ['']*len(inputs)


def task(labels=('good', 'bad'), **more):
    examples = [(f'so {l}', l) for l in labels]
    return PromptSpec('Judge it.', examples, labels=labels, kind='classification', **more)


def splits_of(spec, test, made=()):
    train = Examples.of(spec.examples) + Examples.of(made, 'generated')
    return Splits(train, Examples(), Examples.of(test, 'test.csv'))


def report_of(test, labels=('good', 'bad'), kind=Rule, **options):
    spec = task(labels)
    return evaluate_model(kind(spec), splits_of(spec, test), spec, **options)


def everything(report):
    "All forms of a report; raises where one holds a number that JSON does not know."
    json.dumps([report.rows, report.answers, report.facts], allow_nan=False)
    return report.markdown(), report.html(), report._repr_html_(), repr(report)


def test_a_test_of_one_class_is_said_first():
    report = report_of([(f'{i} good', 'good') for i in range(12)])
    for text in everything(report): assert 'Every test row has the answer' in text
    assert report['student']['value'] == report['base_zero_shot']['value'] == 1
    assert report.facts['metrics']['macro_f1']['student']['score'][0] == 1


def test_a_test_of_one_row():
    report = report_of([('it is bad', 'bad')])
    everything(report)
    assert report['student']['n'] == 1 and 'No difference' in ' '.join(report.sentences())


def test_labels_without_test_rows_are_named():
    report = report_of([('a good', 'good'), ('a bad', 'bad')]*5, labels=('good', 'bad', 'ugly', 'plain', 'odd', 'vague'))
    assert any('No test row has the label ugly, plain, odd and 1 more' in s for s in report.sentences())
    assert report.facts['per_label']['ugly']['recall'] == [0, 0, 1, 0]
    everything(report)


def test_empty_answers_count_as_wrong():
    class Silent(Rule): other = ''
    report = report_of([('a good', 'good'), ('what', 'bad'), ('', 'bad'), ('x good', 'good')], kind=Silent)
    assert report['student']['value'] == .5
    assert any('gave no answer to 2 of 4' in s for s in report.sentences())
    everything(report)


def test_open_and_empty_answers():
    spec = PromptSpec('First word?', [('red fox', 'red'), ('blue sky', 'blue')])
    test = [('one two', 'one'), ('', ''), ('三 四', '三'), ('Five six', 'five')]*3
    report = evaluate_model(Open(spec), splits_of(spec, test), spec, metrics=[bleu, bleu_char])
    told = {name: cells['student']['score'][0] for name, cells in report.facts['metrics'].items()}
    assert report['student']['value'] == .75 and told['exact_match (normalised)'] == 1
    assert told['token F1 (mean)'] == 1 and {'chrF++ (corpus)', 'BLEU (corpus, char)'} < set(told)
    assert not report.facts['calibration'] and 'Confusion' not in report.markdown()
    everything(report)


def test_rows_that_cannot_be_had_are_named():
    class Broke(LM):
        name, price, chat = 'broke', (1., 1.), True
        def answer(self, batch): return []
    spec = PromptSpec('Judge it.', labels=('good', 'bad'), kind='classification')
    splits = Splits(Examples(), Examples(), Examples.of([('a good', 'good'), ('a bad', 'bad')], 'mine'))
    report = evaluate_model(Rule(spec), splits, spec, teacher=Broke(), also=['real_only'])
    assert set(report.facts['skipped']) == {'own_examples', 'teacher_few_shot', 'nearest_example', 'real_only'}
    assert all('Not measured' in text for text in everything(report))


def test_how_the_teacher_ended_is_counted():
    class Moody(LM):
        name, price, chat = 'moody', (2., 4.), True
        def answer(self, batch):
            ends = ['stop', 'content_filter', 'length', 'stop']
            return [Completion('' if i % 4 == 3 else 'good', ends[i % 4], 100, 10) for i, _ in enumerate(batch)]
    report = report_of([(f'{i} good', 'good') for i in range(8)] + [(f'{i} bad', 'bad') for i in range(8)], teacher=Moody())
    assert report.facts['cost']['teacher'] == dict(n=16, refused=.25, cut=.25, unreadable=.25)
    assert report.facts['cost']['rows'][1]['price'] == pytest.approx(240.)   # (100*2 + 10*4) dollars a million answers
    assert 'were refused' in report.markdown() and '$240.00' in report.html()


def test_the_nearest_row_gives_its_answer():
    spec = task()
    made = [('the music was lovely', 'good'), ('the plot was thin', 'bad')]
    splits = splits_of(spec, [('lovely music', 'good'), ('a thin plot', 'bad')], made)
    report = evaluate_model(Rule(spec), splits, spec)
    assert report.predictions['nearest_example'] == ['good', 'bad'] == [a['nearest_output'] for a in report.answers]


def test_synthetic_and_labelled_by_a_model_are_said_first():
    spec = task()
    rows = [dict(input=f'{i} good', output='good', source='web', outvoted='bad') for i in range(3)]
    rows += [dict(input='so bad', output='bad', source='generated')]
    report = evaluate_model(Rule(spec), Splits(Examples.of(spec.examples), Examples(), Examples(rows)), spec)
    for text in everything(report):
        text = re.sub(r'\s+', ' ', text)
        assert 'The test is synthetic: 1 of its 4 rows' in text and 'A model labelled 3 of the test rows' in text
        assert text.index('The test is synthetic') < text.index('accuracy')


class Share(hub_evaluate.Metric):
    def _info(self):
        columns = datasets.Features(predictions=datasets.Value('string'), references=datasets.Value('string'))
        return hub_evaluate.MetricInfo(description='', citation='', features=columns)
    def _compute(self, predictions, references): return dict(share=np.mean([a == b for a, b in zip(predictions, references)]))


def test_metrics_of_others():
    test = [(f'{i} good', 'good') for i in range(6)] + [('what', 'bad')]*3
    report = report_of(test, metrics=[Share(), micro_f1, pearson])
    told = report.facts['metrics']
    assert told['share']['student']['score'][0] == told['micro_f1']['student']['score'][0] == report['student']['value']
    assert any('Pearson' in s and 'not all are numbers' in s for s in report.sentences())
    everything(report)


def test_saved_and_loaded_is_equal(tmp_path):
    spec = task()
    splits = splits_of(spec, [(f'{i} good', 'good') for i in range(20)] + [(f'word {i} bad {"x "*i}', 'bad') for i in range(20)],
                       [(f'made {i} good', 'good') for i in range(20)] + [(f'made {i} bad', 'bad') for i in range(20)])
    report = evaluate_model(Rule(spec), splits, spec, also=['generated_only'])
    learning_curve(Rule(spec), splits, spec, report=report)
    assert Report.load(report.save(tmp_path)) == report
    assert [s[0] for s in report.sections()].count('Learning curve') == 1 and 'curve' in report.figures()
    assert len(report.facts['slices']) >= 2 and report.html().count('<svg') == 4


def test_pairs_are_tested_on_the_same_rows():
    class Coin(Rule):
        def predict(self, inputs): return [self.spec.labels[i % 2] for i, _ in enumerate(inputs)]
    test = [(f'{i} {l}', l) for i in range(30) for l in ('good', 'good', 'bad')]
    a, b = report_of(test), report_of(test, kind=Coin)
    told = compare(a, b)
    right = [[x['correct'] for x in r.answers] for r in (a, b)]
    assert {k: told[k] for k in paired_test(*right)} == paired_test(*right) and told['low'] > 0
    assert told['metrics']['macro_f1']['low'] > 0 and 'A difference was shown' in repr(told)
    assert a.facts['tests']['base_zero_shot'] == paired_test(right[0], [x['base_zero_shot'] == x['expected'] for x in a.answers])


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.ids, self.tags, self.outside = [], set(), []
    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.ids += [v for k, v in attrs if k == 'id']
        self.outside += [v for k, v in attrs if k.startswith('on') or k in ('src', 'href', 'xlink:href') and not v.startswith('#')]


def test_the_page_holds_nothing_but_itself():
    labels = (EVIL, '$5', '天気', 'ein sehr langer Name eines Labels, der nicht endet')
    report = report_of([(f'{i} {l}', l) for i in range(5) for l in labels], labels=labels)
    page = Page()
    page.feed(report.html())
    assert not page.outside and not page.tags & {'script', 'img', 'link', 'iframe', 'object'} and 'http' not in report.html()
    assert 'svg' in page.tags and len(page.ids) == len(set(page.ids))
    assert '<script' not in report.markdown() and '<img' not in report.markdown()


def test_letters_are_no_boxes():
    text = '天気 날씨 погода'
    fonts = plots.fonts_for([text])
    known = set().union(*(plots._letters(plots_path(f)) for f in fonts))
    if {ord(c) for c in text if c != ' '} - known: pytest.skip('no font of this machine has these letters')
    figure, (ax,) = plots.new_figure((4, 3))
    plots.draw_intervals(ax, [dict(name=text, value=.5, low=.4, high=.6)])
    with warnings.catch_warnings():
        warnings.simplefilter('error')   # a letter that no font has is a warning
        assert figure._repr_png_()[:4] == b'\x89PNG'


def plots_path(family):
    from matplotlib.font_manager import FontProperties, findfont
    return findfont(FontProperties(family=family))


def test_bad_arguments_are_named():
    for call, said in ((lambda: report_of([]), 'no rows'), (lambda: report_of([('a', 'good')], also=['all']), 'real_only or generated_only'),
                       (lambda: report_of([('a', 'good')]).plot('curve'), 'has no such plot'),
                       (lambda: learning_curve(Rule(task()), splits_of(task(), []), task()), 'no rows')):
        with pytest.raises(P2MError, match=said): call()
