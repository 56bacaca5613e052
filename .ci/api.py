"""docs/api.md: every name that a notebook gets, as its source has it: signature with a comment beside each parameter, and what it does."""
import ast, textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = """# API

Everything that `from p2m_nb.all import *` gives, room by room. Each parameter has its comment beside it; the notebook of a
room shows it at work. This page is made from the notebooks by `make export`.
"""


def given():
    "Module -> names that all.py takes from it, in its order."
    tree = ast.parse((ROOT/'p2m_nb'/'all.py').read_text(encoding='utf-8'))
    return {n.module: [a.name for a in n.names] for n in tree.body if isinstance(n, ast.ImportFrom)}


def modules():
    "Module -> its source and syntax tree."
    paths = [p for p in sorted((ROOT/'p2m_nb').rglob('*.py')) if p.name not in ('_modidx.py', '__init__.py', 'all.py')]
    texts = {'.'.join(p.relative_to(ROOT).with_suffix('').parts): p.read_text(encoding='utf-8') for p in paths}
    return {name: (text, ast.parse(text)) for name, text in texts.items()}


def signature(text, node, name):
    "The lines of a definition before its body, docments kept; of a class, how it is made."
    body, lines = node.body[0], text.splitlines()
    head = [*lines[node.lineno - 1:body.lineno - 1], lines[body.lineno - 1][:body.col_offset]]
    return textwrap.dedent('\n'.join(head)).rstrip().rstrip(':').replace('def __init__(self', f'{name}(').replace('(, ', '(').replace('(,\n', '(\n')


def fields(text, node):
    "The source of a data class's fields, or of the line that makes a named tuple."
    made = [f for f in getattr(node, 'body', ()) if isinstance(f, ast.AnnAssign)] or [node]*isinstance(node, ast.Assign)
    return [text.splitlines()[f.lineno - 1].strip() for f in made]


def owner(node):
    "The class that a patched function belongs to."
    first = next(iter(node.args.args), None) if isinstance(node, ast.FunctionDef) else None
    return first.annotation.id if first and first.arg in ('self', 'cls') and isinstance(first.annotation, ast.Name) else None


def methods(name, trees):
    "(name, node) of the public methods of a class, its own and those patched onto it in any room."
    for _, tree in trees.values():
        own = [f for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name for f in n.body]
        for node in own + [n for n in tree.body if owner(n) == name]:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith('_') and ast.get_docstring(node):
                yield node.name, node


def entry(name, text, tree, trees):
    "Heading, what it does, how it is called, and the methods of a class."
    names = lambda n: [t.id for t in getattr(n, 'targets', ()) if isinstance(t, ast.Name)] or [getattr(n, 'name', '')]
    node = next(n for n in tree.body if name in names(n))
    init = [f for f in getattr(node, 'body', ()) if isinstance(f, ast.FunctionDef) and f.name == '__init__']
    calls = [signature(text, f, name) for f in ([node] if isinstance(node, ast.FunctionDef) else init)] or fields(text, node)
    doc = '' if isinstance(node, ast.Assign) else ast.get_docstring(node) or ''
    lines = [f'### {name}', ''] + [doc, '']*bool(doc) + ['```python', *calls, '```']*bool(calls)
    told = {n: f for n, f in methods(name, trees)} if isinstance(node, ast.ClassDef) else {}
    return lines + ['']*bool(told) + [f'- `{n}`: {ast.get_docstring(f).splitlines()[0]}' for n, f in told.items()]


def api_text():
    trees, out = modules(), [HEAD]
    for module, names in given().items():
        text, tree = trees[module]
        out += [f"## {module.removeprefix('p2m_nb.')}", '', ast.get_docstring(tree) or '', '']
        for name in names: out += [*entry(name, text, tree, trees), '']
    return '\n'.join(out).rstrip() + '\n'
