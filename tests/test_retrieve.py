"""With the embedded encoder: the right set is taken, and a set of another task never is."""
from pathlib import Path

import pytest

from p2m_nb.base.core import P2MError, PromptSpec
from p2m_nb.base.local import weights_path
from p2m_nb.data.retrieve import load_datasets, search_datasets

try: weights_path('minilm')
except P2MError as e: pytest.skip(str(e), allow_module_level=True)

def chosen(spec, **kw): return [h.card.id for h in search_datasets(spec, **kw).chosen]

def classification(instruction, rows, **kw):
    return PromptSpec(instruction, [(x, y) for y, xs in rows.items() for x in xs], labels=tuple(rows), kind='classification', **kw)

MEDIA = classification('Which of seven intents does the request have?', dict(
    BookRestaurant=['reserve a table for four at an Italian place', 'find me a spot at a diner in Ohio for tonight'],
    PlayMusic=['play something by Johnny Cash', 'put on a track from 1974'],
    AddToPlaylist=['add this song to my road trip playlist', 'put Adele on the party list'],
    GetWeather=['will it snow in Denver tomorrow', 'forecast for Utah next week'],
    RateBook=['give the current novel four stars', 'rate this saga 2 out of 6'],
    SearchCreativeWork=['find the TV show called Lost Time', 'look for the painting Blue Hour'],
    SearchScreeningEvent=['when is the new Batman film on', 'movie times at the Odeon nearby']))

def test_demo_prompt_finds_the_voice_commands():
    lines = (Path(__file__).parent.parent/'examples'/'intents'/'prompt.txt').read_text('utf-8').splitlines()
    pairs = [line.rsplit(' -> ', 1) for line in lines if ' -> ' in line]
    rows = {y: [x for x, label in pairs if label == y] for _, y in pairs}
    spec = classification(lines[0], rows, descriptions=dict(line[2:].split(': ', 1) for line in lines if line.startswith('- ')))
    hits = search_datasets(spec)
    assert [h.card.id for h in hits.chosen] == ['voice_commands']
    assert hits[0].label_map['cooking_help'] == 'find recipe' and 'thermostat' not in hits[0].label_map
    real = load_datasets(hits, spec)
    assert set(real.outputs) == set(spec.labels) and len(real) > 150
    assert real.reasons()['label not in the task'] == 72

def test_other_tasks_get_nothing():
    assert chosen(MEDIA) == []
    assert chosen(classification('Positive or negative?', dict(positive=['great film', 'I loved it'], negative=['too long', 'a waste of money']))) == []
    assert chosen(classification('Is the ticket urgent?', {'urgent': ['my order must come tomorrow', 'someone hacked my account'],
                                                          'not urgent': ['when do you open on sundays', 'do you have a catalogue']})) == []
    assert chosen(PromptSpec('Answer.', [('What is the capital of France?', 'Paris'), ('Who wrote Hamlet?', 'Shakespeare')])) == []
    assert chosen(PromptSpec('When was the city founded?', [('Berlin', '1237-10-28'), ('Lima', '1535-01-18')])) == []

@pytest.mark.parametrize('name, x, y', [
    ('quantities', ['two and a half kilos of potatoes', 'add 30 grams of salt', 'a quarter of a litre of milk'], ['2.5 kg', '30 g', '0.25 l']),
    ('fields', ['Order XA-1234 (red mug) never came. Tom Hill', 'Sue Park here, my teapot from BD-555 broke'],
     ['{"name": "Tom Hill", "order": "XA-1234", "item": "red mug"}', '{"name": "Sue Park", "order": "BD-555", "item": "teapot"}'])])
def test_open_outputs_of_the_same_form(name, x, y):
    spec = PromptSpec('Write it in the form shown.', list(zip(x, y)), kind='extraction')
    assert chosen(spec) == [name]
