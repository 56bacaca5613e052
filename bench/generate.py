"""Kept rows a second of our engine beside plain transformers `generate` in batches of 32, on the same requests and checks."""
import argparse, time
from pathlib import Path

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--requests', type=int, default=256)
    args = parser.parse_args()
    import torch
    from p2m_nb.base.lm import Completion
    from p2m_nb.base.local import LocalLM
    from p2m_nb.data.generate import Generation
    from p2m_nb.data.parse import parse_prompt
    spec = parse_prompt((Path(__file__).parent.parent/'examples/intents/prompt.txt').read_text(encoding='utf-8'))
    teacher = LocalLM()
    model, tokenizer = teacher.engine.model, teacher.engine.tokenizer
    tokenizer.padding_side = 'left'
    if tokenizer.pad_token is None: tokenizer.pad_token = tokenizer.eos_token

    # every token that ends a line ends a row: quicker than stop_strings, and what the requests' own stop text says
    ends = [tokenizer.eos_token_id, *(i for i in range(len(tokenizer)) if '\n' in tokenizer.decode([i]))]
    def plain(requests): # the usual way: pad, generate, cut at the stop text
        assert {r.stop for r in requests} == {('\n',)}
        for k in range(0, len(requests), 32):
            part = requests[k:k+32]
            batch = tokenizer([r.prompt for r in part], padding=True, return_tensors='pt', add_special_tokens=False)
            torch.manual_seed(k)
            out = model.generate(**batch, max_new_tokens=part[0].max_tokens, do_sample=True, temperature=part[0].temperature,
                                 top_p=part[0].top_p, eos_token_id=ends, pad_token_id=tokenizer.pad_token_id)
            for ids in out[:, batch['input_ids'].shape[1]:]:
                text = tokenizer.decode(ids, skip_special_tokens=True)
                yield Completion(text.split('\n')[0], 'stop' if '\n' in text else 'length', 0, len(ids))

    rates = {}
    for name in ('ours', 'plain'):
        run = Generation(spec, 10**6, teacher, seed=0, temperature=0.8)
        start, asked = time.time(), []
        ask = run.requests()
        while len(asked) < args.requests:   # a window at a time, as a run does
            window = [next(ask) for _ in range(teacher.window)]
            answers = teacher.complete(window) if name == 'ours' else plain(window)
            for completion in answers: run.take(completion)
            asked += window
        seconds = time.time() - start
        rates[name] = len(run.kept)/seconds
        print(f'{name}: {len(asked)} answers, {len(run.kept)} kept, {seconds:.1f} s, {rates[name]:.2f} kept a second', flush=True)
    print(f"RESULT generate_kept_rows_a_second {rates['ours']:.2f} {rates['plain']:.2f} {rates['ours']/rates['plain']:.2f}")

if __name__ == '__main__': main()
