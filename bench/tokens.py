"""Prompt tokens for each kept example, ours beside Prompt2Model's prompt, on three bundled tasks. Nothing is asked.

    python bench/tokens.py

Both are counted by SmolLM2's tokenizer, without the few marks that a chat template adds. Ours are the messages of
`request_for`, five rows a request, and its JSON schema, which some servers put into the prompt. Prompt2Model's prompt is
a frame with its instructions, 4, 3 or 2 of its own examples (by r mod 3), the user's prompt with all demonstrations, and r
rows generated earlier, r uniform in 1..10; five samples of one row share it, and it is billed once. What is not the user's
is counted by size: FRAME and OWN are of the package prompt2model 0.1.0 (dataset_generator/prompt_template.py), by the same
tokenizer. Rows of the bundled sets stand for generated ones. The same share of rows is taken to be kept of both, so it
cancels out; answers are not counted.
"""
import argparse, json, random
from curate import TASK, labelled, pairs
from p2m_nb.base.client import OpenAILM
from p2m_nb.base.core import PromptSpec
from p2m_nb.data.steer import ROWS, request_for

FRAME = {4: 397, 3: 391, 2: 385}   # tokens around that many examples of its own
OWN, SAMPLES = 99.9, 5             # tokens of such an example, mean of its 24; samples that share a prompt


def their_prompt(count, spec, rows, lot):
    "Tokens of one prompt of Prompt2Model."
    line = lambda x, y: f'input="{x}"\noutput="{y}"\n'
    r, labels = lot.randint(1, 10), f" One of: {', '.join(spec.labels)}." if spec.labels else ''
    own = {1: 4, 2: 3, 0: 2}[r % 3]
    demonstrations, earlier = '\n'.join(line(*e) for e in spec.examples), ''.join(line(*e) for e in lot.sample(rows, r))
    user = spec.instruction + labels, demonstrations, earlier
    return FRAME[own] + own*OWN + sum(map(count, user))


def tasks():
    "Name, task, rows like those that would be generated."
    for name in ('voice_commands', 'support_tickets'): yield name, *labelled(name)
    dated = pairs('dates', language='en')
    yield 'dates', PromptSpec(TASK['dates'], dated[:6], kind='extraction'), dated[6:]


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    from p2m_nb.base.local import weights_path
    from transformers import AutoTokenizer
    tokenizer, lm = AutoTokenizer.from_pretrained(weights_path('smollm2')), OpenAILM('m', 'http://localhost:1')
    lot, n = random.Random(0), 300   # requests of each
    count = lambda text: len(tokenizer(text, add_special_tokens=False)['input_ids'])
    for name, spec, rows in tasks():
        labels = spec.labels or [None]
        asked = [request_for(spec, i, labels[i % len(labels)], lm, block=i) for i in range(n)]
        texts = [text for r in asked for text in (*(m['content'] for m in r.messages), json.dumps(r.schema))]
        ours = sum(map(count, texts))/n/ROWS
        theirs = sum(their_prompt(count, spec, rows, lot) for _ in range(n))/n/SAMPLES
        print(f'{name}: {len(spec.examples)} examples; a prompt of ours {ours*ROWS:.0f} tokens, of theirs {theirs*SAMPLES:.0f}')
        print(f'RESULT tokens_of_prompt_a_row_{name} {ours:.1f} {theirs:.1f} {ours/theirs:.3f}', flush=True)

if __name__ == '__main__': main()
