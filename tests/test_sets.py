"""The bundled sets are what their cards and their program say, and the demo's test is nobody's training data."""
import csv, json, subprocess, sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SETS = sorted(p.parent for p in (ROOT/'p2m_nb'/'sets').glob('*/card.json'))

def table(path):
    with open(path, encoding='utf-8', newline='') as f: return list(csv.DictReader(f))

def grams(text):
    text = ' '.join(text.casefold().split())
    return {text[i:i+5] for i in range(max(1, len(text)-4))}

def alike(a, b): return len(a & b)/len(a | b)

def test_programs_make_the_same_bytes():
    ran = subprocess.run([sys.executable, ROOT/'bench'/'make_sets.py', '--check'], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr

def test_check_notices_a_change(tmp_path, monkeypatch):
    import shutil
    shutil.copytree(ROOT/'p2m_nb'/'sets', tmp_path/'p2m_nb'/'sets')
    (tmp_path/'bench').mkdir()
    for name in ('make_sets.py', 'make_texts.py'): shutil.copy(ROOT/'bench'/name, tmp_path/'bench')
    data = tmp_path/'p2m_nb'/'sets'/'dates'/'data.csv'
    data.write_bytes(data.read_bytes().replace(b'2004', b'2005', 1))
    assert subprocess.run([sys.executable, tmp_path/'bench'/'make_sets.py', '--check'], capture_output=True).returncode == 1

@pytest.mark.parametrize('folder', SETS, ids=lambda p: p.name)
def test_card(folder):
    card = json.loads((folder/'card.json').read_text('utf-8'))
    assert card['licence'] == 'Apache-2.0' and card['how_made'] and 200 <= card['rows'] <= 600
    assert (folder/'README.md').is_file()

@pytest.mark.parametrize('path', ['p2m_nb/sets/voice_commands/data.csv', 'p2m_nb/sets/support_tickets/data.csv', 'examples/intents/test.csv'])
def test_hand_written_rows_are_no_variations(path):
    texts = [grams(list(r.values())[0]) for r in table(ROOT/path)]
    assert max(alike(a, b) for i, a in enumerate(texts) for b in texts[:i]) <= .5

def test_demo_test_is_held_out():
    test = table(ROOT/'examples'/'intents'/'test.csv')
    assert len(test) >= 150 and len(counts := Counter(r['intent'] for r in test)) >= 7
    assert max(counts.values()) <= 1.5*min(counts.values())
    prompt = (ROOT/'examples'/'intents'/'prompt.txt').read_text('utf-8')
    shown = [line.rsplit(' -> ', 1)[0] for line in prompt.splitlines() if ' -> ' in line]
    bundled = [r['utterance'] for r in table(ROOT/'p2m_nb'/'sets'/'voice_commands'/'data.csv')]
    ours = [grams(r['text']) for r in test]
    assert max(alike(a, b) for b in map(grams, shown + bundled) for a in ours) <= .5
