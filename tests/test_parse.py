"The prompts under tests/prompts, as people write them, against the spec that a person expects of each."
import json
from pathlib import Path

import pytest
from p2m_nb.base.core import P2MError, PromptSpec
from p2m_nb.data.parse import parse_prompt

prompts = sorted((Path(__file__).parent/'prompts').glob('*.txt'))
squeeze = lambda text: ' '.join(text.split())


@pytest.mark.parametrize('path', prompts, ids=lambda p: p.stem)
def test_prompt(path):
    text, expected = path.read_text(encoding='utf-8'), json.loads(path.with_suffix('.json').read_text(encoding='utf-8'))
    if 'error' in expected:
        with pytest.raises(P2MError) as caught: parse_prompt(text)
        assert expected['error'] in str(caught.value)
        return
    spec, warnings = parse_prompt(text), expected.pop('warnings', [])
    assert squeeze(spec.instruction) == squeeze(expected.pop('instruction'))
    assert spec.replace(instruction='.') == PromptSpec('.', **{k: v for k, v in expected.items()})
    assert len(spec.warnings) == len(warnings), spec.warnings
    assert all(any(w in found for found in spec.warnings) for w in warnings), spec.warnings


def test_every_prompt_has_its_spec():
    assert len(prompts) >= 24 and all(p.with_suffix('.json').exists() for p in prompts)
