"""A table of 3,000 rows in the form of a task: one program, beside one call a row. Both over HTTP with the real client.

    python bench/transform.py [--latency SECONDS] [--rows N]

The server is on this machine and knows the answers; it waits as long as a model would (1 s). One call a row is measured on
a tenth of the rows and scaled up. The first program is wrong on purpose, so that the figures hold one correction.
"""
import argparse, json, random, sys, time
from pathlib import Path
from p2m_nb.base.client import OpenAILM
from p2m_nb.base.core import PromptSpec
from p2m_nb.data.program import run_program
from p2m_nb.data.transform import read_program, transform_dataset

sys.path.insert(0, str(Path(__file__).resolve().parent.parent/'tests'))
from openai_server import Server, answer

SPEC = PromptSpec('Say whether the customer is content.', kind='classification', labels=('content', 'discontent'),
                  examples=[('It does all I hoped for.', 'content'), ('The lid broke, and nobody answers.', 'discontent')])
WORDS = '''lamp kettle shop paper glue great dull never always mother broken lovely late parcel colour handle drawer screw
    manual price week month garden kitchen light heavy small quick slow noise smell cable plug box label'''.split()
PROGRAM = dict(possible=True, why='', split=dict(columns=[], by=''), input='{text}', output='{stars}',
               where=[dict(column='language', operator='is', value='en')],
               steps=[dict(column='text', source='review_body', action='replace', pattern='<[^>]+>', by=' '),
                      dict(column='stars', source='rating', action='find', pattern=r'^\d', by='')],
               labels=[dict(theirs=s, ours=l) for s, l in zip('12345', ('discontent', 'discontent', '', 'content', 'content'))])


def table(n):
    lot = random.Random(0)
    text = lambda: f"{' '.join(lot.sample(WORDS, 30)).capitalize()}.<br />{' '.join(lot.sample(WORDS, 20))}."
    return [dict(id=f'R{i}', rating=f'{lot.randint(1, 5)} of 5 stars', review_body=text(), language=lot.choice(['en']*9 + ['de']))
            for i in range(n)]


def program(n, request): return json.dumps(PROGRAM if n else PROGRAM | dict(input='{text}', output='{rating}'))


def by_row(n, request):
    text = request['messages'][-1]['content']
    if 'Write a program' in text: return json.dumps(dict(possible=False, why=''))
    row = json.loads(text.rsplit('\n', 1)[1])
    label = PROGRAM['labels'][int(row['rating'][0]) - 1]['ours']
    made = [dict(input=row['review_body'].replace('<br />', ' '), output=label)] if label and row['language'] == 'en' else []
    return json.dumps(dict(rows=made))


def measured(script, rows, latency):
    "Seconds, calls, kilobytes sent, and the rows."
    with Server(lambda n, request: dict(body=answer(script(n, request)), delay=latency)) as server:
        start = time.time()
        done = transform_dataset(rows, SPEC, OpenAILM('m', base_url=server.url, api_key='k', price=(0., 0.), concurrency=64))
        return time.time() - start, len(server.requests), sum(len(json.dumps(r)) for r in server.requests)/1000, done


def main(latency, n):
    rows, tenth = table(n), max(1, n//10)
    start = time.time()
    run_program(read_program(PROGRAM), rows, SPEC)
    print(f'{time.time() - start:.2f} s to run and check one program over {n:,} rows')
    ours, calls, sent, done = measured(program, rows, latency)
    theirs, their_calls, their_sent, each = measured(by_row, rows[:tenth], latency)
    scale = n/tenth
    print(f'one program: {done._describe()}')
    print(f'row by row, {tenth} rows: {each._describe()}')
    print(f'RESULT transform_seconds {ours:.2f} {theirs*scale:.1f} {ours/theirs/scale:.4f}')
    print(f'RESULT transform_seconds_without_the_model {ours - calls*latency:.2f} 10 {(ours - calls*latency)/10:.3f}')
    print(f'RESULT transform_calls {calls} {(their_calls - 1)*scale:.0f} {calls/their_calls/scale:.5f}')
    print(f'RESULT transform_kilobytes_sent {sent:.1f} {their_sent*scale:.0f} {sent/their_sent/scale:.5f}')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--latency', type=float, default=1., help='seconds that the server waits (1)')
    parser.add_argument('--rows', type=int, default=3000, help='rows of the table (3000)')
    args = parser.parse_args()
    main(args.latency, args.rows)
