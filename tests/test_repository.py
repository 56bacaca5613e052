"""The house holds: floors in order, a light import, settings and generated files in step, rooms of a readable size."""
import ast, configparser, inspect, re, subprocess, sys, tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
import nbformat, pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT/'.ci'))
import tidy

NAMES = '''
    CallStore Card CausalStudent ClassifierStudent Completion CuratePanel Curated DatasetPanel DemoPanel
    EvaluatePanel Example Examples GeneratePanel Hit Hits Index LM LocalLM Meter Metric ModelPanel OpenAILM P2MError
    Panel PromptPanel PromptSpec Report Request Result Run Score Seq2SeqStudent Splits Student Template TrainPanel
    Verbalizer accuracy annotate as_evaluate bert_score bleu bleu_char bundled_catalog calibration_error check_rows
    checks chrf committee compare confusion curate estimate evaluate_model exact_match exact_match_normalised
    example_folder fit_loop folder_catalog from_evaluate generate headline_metric install_weights language_of learning_curve
    load_datasets load_embedder load_lm load_student macro_f1 micro_f1 near_duplicates normalise paired_bootstrap
    paired_test parse_prompt pearson per_label plan propose_attributes propose_program push_to_hub read_examples
    read_table reliability repair_notebook rouge_1_score rouge_2_score rouge_l_score run_pipeline run_program
    save_model search_datasets search_models serve setting settings spearman split student_for token_f1
    transform_dataset tune_student wilson
'''.split()
NOTEBOOKS = sorted((ROOT/'nbs').glob('[0-9]*_*.ipynb'))
ROOMS = [p.stem.split('_', 1)[1] for p in NOTEBOOKS]  # module names in the order of the house
MODULES = sorted(p for p in (ROOT/'p2m_nb').rglob('*.py') if p.name != '_modidx.py')


def module_path(room): return ROOT.joinpath('p2m_nb', *room.split('.')).with_suffix('.py')
def tree(path): return ast.parse(path.read_text(encoding='utf-8'))


def imported(path):
    "Full names of all that a module imports, inside functions too."
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import): yield from (a.name for a in node.names)
        if isinstance(node, ast.ImportFrom):
            above = package[:len(package) - node.level + 1] if node.level else ()
            stem = '.'.join([*above, *filter(None, [node.module])])
            yield from [stem, *(f'{stem}.{a.name}' for a in node.names)]


@pytest.mark.parametrize('room', ROOMS)
def test_a_room_imports_only_from_rooms_above_it(room):
    ours = {name.removeprefix('p2m_nb.') for name in imported(module_path(room)) if name.startswith('p2m_nb.')}
    above = ROOMS[:ROOMS.index(room)]
    assert not [name for name in ours if name not in ('base', 'data', 'model', 'result')
                and not any(name == a or name.startswith(f'{a}.') for a in above)]


def test_every_import_is_declared():
    project = tomllib.loads((ROOT/'pyproject.toml').read_text(encoding='utf-8'))['project']
    optional = project['optional-dependencies']
    asked = project['dependencies'] + optional['demo'] + optional['serve'] + optional['tune']
    declared = {same_name(re.match(r'[\w.-]+', d)[0]) for d in asked}
    brings = declared | {'ipython'}  # ipywidgets and every notebook bring IPython
    found = {name.split('.')[0] for path in MODULES for name in imported(path)} - set(sys.stdlib_module_names) - {'p2m_nb'}
    where = packages_distributions()
    assert not {n for n in found if not brings & {same_name(d) for d in where.get(n, [n])}}


def same_name(distribution): return re.sub(r'[-_.]+', '-', distribution).lower()


def test_import_is_light():
    code = """if True:
        import sys
        before = set(sys.modules)
        import p2m_nb.all, p2m_nb.cli
        print(*{m.split('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names))"""
    run = subprocess.run([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    others = {m for m in run.stdout.split() if 'cython' not in m}   # numpy brings the marks of its compiler
    assert others == {'p2m_nb', 'numpy', 'fastcore'}


def test_names_a_learner_gets():
    given = {}
    exec('from p2m_nb.all import *', given)
    names = set(given) - {'__builtins__'}
    assert (sorted(names - set(NAMES)), sorted(set(NAMES) - names)) == ([], [])  # new ones, missing ones
    assert not {'filter', 'map', 'report', 'demo', 'transform'} & names


def test_readme_example_fits_the_library():
    given = {}
    exec('from p2m_nb.all import *', given)
    blocks = re.findall(r'^```python\n(.*?)^```', (ROOT/'README.md').read_text(encoding='utf-8'), re.M | re.S)
    calls = [c for b in blocks for c in ast.walk(ast.parse(b)) if isinstance(c, ast.Call)]
    for call in (c for c in calls if isinstance(c.func, ast.Name) and c.func.id != 'open'):
        inspect.signature(given[call.func.id]).bind(*call.args, **{k.arg: k.value for k in call.keywords})
    methods = {name for c in calls if isinstance(c.func, ast.Attribute) for name in [c.func.attr]} - {'read'}
    kinds = given['ClassifierStudent'], given['CausalStudent'], given['Seq2SeqStudent']  # what `student_for` gives
    assert methods and all(hasattr(kind, m) for kind in kinds for m in methods)


def settings_of(text):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    return dict(parser['p2m_nb'])


def test_root_settings_are_the_packaged_ones_commented_out():
    root, packaged = ((ROOT/p).read_text(encoding='utf-8') for p in ('settings.ini', 'p2m_nb/settings.ini'))
    assert settings_of(root) == {}
    assert settings_of(re.sub(r'^#(?=\w)', '', root, flags=re.M)) == settings_of(packaged)


@pytest.mark.parametrize('room', ROOMS)
def test_no_patched_method_has_the_name_of_something_else(room):
    "Older fastcore leaves None in its place: bind the name differently, or define the method within its class."
    is_patch = lambda d: getattr(d, 'id', getattr(getattr(d, 'func', None), 'id', '')) == 'patch'
    patched, others = set(), set()
    for node in tree(module_path(room)).body:
        if isinstance(node, ast.FunctionDef) and any(map(is_patch, node.decorator_list)): patched.add(node.name)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)): others.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)): others |= {(a.asname or a.name).split('.')[0] for a in node.names}
        elif isinstance(node, ast.Assign): others |= {n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    assert not patched & others


@pytest.mark.parametrize('room', ROOMS)
def test_a_room_is_of_a_readable_size(room):
    own = module_path(room).read_text(encoding='utf-8').split('\n# %% ../', 1)[1].splitlines()[1:]  # nbdev wrote what is before
    code = [line for line in own if line.strip() and not line.startswith('# %% ')]
    assert len(code) <= 350, f'{len(code)} lines: two ideas'
    assert not [line for line in own if len(line) > 120]


@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_reads_as_a_lesson(path):
    cells = nbformat.read(path, as_version=4).cells
    first = [i for i, c in enumerate(c for c in cells if c.cell_type == 'code') if c.outputs][:1]
    assert cells[0].source.startswith('# ') and '\n> ' in cells[0].source
    assert len(cells) <= 40
    assert first and first[0] < 5, 'the first output comes too late'


def test_notebooks_are_clean(): assert tidy.notebooks(check=True) == []
def test_readme_is_made_from_the_index(): assert tidy.readme(check=True) == []
def test_the_page_of_names_is_made_from_the_modules(): assert tidy.pages(check=True) == []


def test_contributing_names_every_room():
    told = re.findall(r'^\| `(\w+)` \| (.+?) \|', (ROOT/'CONTRIBUTING.md').read_text(encoding='utf-8'), re.M)
    assert [f'{floor}.{room}' for floor, rooms in told for room in rooms.split(', ')] == [r for r in ROOMS if '.' in r]


def test_clean_takes_widget_state_and_keeps_text():
    output = lambda **data: nbformat.v4.new_output('display_data', data=data)
    nb = nbformat.v4.new_notebook(metadata=dict(widgets={}), cells=[nbformat.v4.new_code_cell('panel', execution_count=3, outputs=[
        output(**{'text/html': '<b>static</b>'}), output(**{tidy.WIDGETS[0]: {}, 'text/plain': 'Panel()'})])])
    cell = tidy.clean(nb).cells[0]
    assert [o.data for o in cell.outputs] == [{'text/html': '<b>static</b>'}]
    assert cell.execution_count is None and 'widgets' not in tidy.clean(nb).metadata


def test_a_tutorial_opens_in_colab_once_the_repository_has_an_address(tmp_path, monkeypatch):
    (tmp_path/'nbs'/'tutorials').mkdir(parents=True)
    path, project = tmp_path/'nbs'/'tutorials'/'01.ipynb', tmp_path/'pyproject.toml'
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell('# One')]), path)
    monkeypatch.setattr(tidy, 'ROOT', tmp_path)
    title = lambda: nbformat.read(path, as_version=4).cells[0].source
    for address in ('https://github.com/who/what.git', 'https://github.com/new/name'):   # a second time it is put right, not added
        project.write_text(f'[project]\nurls = {{Repository = "{address}"}}', encoding='utf-8')
        tidy.notebooks(check=False)
        assert tidy.notebooks(check=True) == []
    assert title().startswith('# One\n\n[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](')
    assert title().endswith('](https://colab.research.google.com/github/new/name/blob/main/nbs/tutorials/01.ipynb)')
    project.write_text('[project]\n', encoding='utf-8')
    tidy.notebooks(check=False)
    assert title() == '# One'


def test_every_tutorial_starts_by_installing_where_nothing_is_installed():
    starts = {next(c.source for c in nbformat.read(p, 4).cells if c.cell_type == 'code') for p in (ROOT/'nbs'/'tutorials').glob('*.ipynb')}
    assert len(starts) == 1
    assert re.fullmatch(r"from importlib.util import find_spec\nif not find_spec\('p2m_nb'\):.*\n    %pip install -q p2m_nb\n    !p2m weights", *starts)
