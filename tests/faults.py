"""Kill a task at each of its writes, run it again, and compare with a run that nothing disturbed.

Whatever changes a file is a write: opening one for writing, sync, rename, removal, a folder made, a statement of SQLite
that changes the database. They are counted from outside (audit events, and two wrapped functions), in a forked child,
which kills itself just before its n-th. `python faults.py TASK FOLDER` does so for every n and prints what it found.

`python faults.py TASK FOLDER --disks`, in a mount namespace of its own, runs the task on disks of a few kilobytes, which
are full sooner or later, then makes room and runs it again."""
import hashlib, json, os, shutil, signal, sqlite3, subprocess, sys, traceback
from itertools import count
from pathlib import Path
from p2m_nb.base.core import *
from p2m_nb.base.client import OpenAILM
from p2m_nb.base.lm import LM, Completion, Request
from p2m_nb.base.store import CallStore, Run, _intact

CHANGES = {'os.rename': 0, 'os.remove': 0, 'os.rmdir': 0, 'os.mkdir': 0}  # audit event -> which argument is the path


def install(folder, kill_at, tell):
    "Count the writes under `folder`, die before number `kill_at`, and `tell` of each."
    done, folder, fsync, connect = [0], str(folder), os.fsync, sqlite3.connect
    def write(what):
        done[0] += 1
        if done[0] == kill_at: os.kill(os.getpid(), signal.SIGKILL)
        tell(what)
    def audit(event, args):
        if event == 'open' and folder in str(args[0]) and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR):
            write(f'open {args[0]}')
        elif event in CHANGES and (folder in str(args[CHANGES[event]]) or event in ('os.remove', 'os.rmdir')):
            write(f'{event} {args[0]}')
    def statement(sql):
        if not sql.startswith(('SELECT', 'PRAGMA')): write(sql[:20])
    def connected(*args, **options):
        db = connect(*args, **options)
        db.set_trace_callback(statement)
        return db
    def synced(fd):
        write('fsync')
        fsync(fd)
    os.fsync, sqlite3.connect = synced, connected
    sys.addaudithook(audit)


class Asked:
    "A record of every request that was made, kept outside the run."
    log = None
    def asked(self, request): os.write(self.log, f'{request.key(self.name)}\n'.encode())
    def text(self, request): return f'{request.prompt} is answered {fingerprint(request.prompt)[:6]}'


class InProcess(Asked, LM):
    name, price, window = 'in process', (0., 0.), 4
    def answer(self, batch):
        for r in batch: self.asked(r)
        return [Completion(self.text(r), 'stop', 3, 2) for r in batch]


class Served(Asked, OpenAILM):
    def __init__(self): super().__init__('served', base_url='http://localhost:1', price=(1., 1.), concurrency=1)
    async def _ask(self, body):
        request = Request(prompt=body['messages'][0]['content'], max_tokens=body['max_tokens'])
        self.asked(request)
        return Completion(self.text(request), 'stop', 3, 2)


def stages(folder, teacher):
    "Twelve requests, each seeing an answer four back; a stage of two files, replaced by another; facts."
    run, answers = Run(folder), []
    run.claim(dict(instruction='answer', labels=['a', 'b']), 'answer with a or b')
    def requests():
        for i in range(12):
            yield Request(prompt=f'question {i}, knowing {fingerprint(answers[:max(0, i - 3)])[:6]}')
    if not (made := run.result('rows', dict(n=12))):
        for completion in teacher.complete(requests(), run.calls, progress=Progress('rows')): answers.append(completion.text)
        with run.write('rows', dict(n=12, draft=True)) as folder: (folder/'rows.json').write_text('draft')
        with run.write('rows', dict(n=12)) as folder:
            (folder/'part').mkdir()
            (folder/'rows.json').write_text(json.dumps(answers))
            (folder/'part'/'more.json').write_text(json.dumps(len(answers)))
        made = run.result('rows', dict(n=12))
    run.note('rows', n=12)
    return [json.loads((made/'rows.json').read_text()), run.usage['calls'], run.usage['tokens'], run.facts('rows')['n']]


def generated(folder, teacher):
    "Twelve generated rows."
    from p2m_nb.data.generate import generate
    examples = [('put on some jazz', 'play music'), ('play the new album', 'play music'),
                ('will it rain', 'get weather'), ('how cold is it in Oslo', 'get weather')]
    spec = PromptSpec('Name the intent: play music or get weather.', examples, labels=('play music', 'get weather'),
                      kind='classification')
    run = Run(folder)
    rows = generate(spec, 12, teacher, run=run, seed=0)
    return [rows.rows, rows.rejected.rows, run.usage['calls'], run.examples.rows]


def tiny_base(folder):
    "A random BERT of two layers."
    import transformers, torch
    torch.manual_seed(0)
    vocab = {w: i for i, w in enumerate('[PAD] [UNK] [CLS] [SEP] [MASK] play some jazz rain today now'.split())}
    transformers.BertTokenizer(vocab=vocab).save_pretrained(folder)
    config = transformers.BertConfig(vocab_size=len(vocab), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                                     intermediate_size=32, max_position_embeddings=32)
    transformers.BertModel(config).save_pretrained(folder)


def fitted(folder, teacher):
    "Six optimizer steps of a small student, a checkpoint after each; its weights, and what it then says."
    from p2m_nb.model.classifier import ClassifierStudent
    os.environ['P2M_CHECKPOINT_SECONDS'] = '0'
    spec = PromptSpec('Name the intent.', [('play jazz', 'play music'), ('rain today', 'get weather')],
                      labels=('play music', 'get weather'), kind='classification')
    rows = Examples.of([('play some jazz', 'play music'), ('some rain', 'get weather'), ('jazz now', 'play music'),
                        ('rain now', 'get weather')], 'made')
    base = next(p/'base' for p in folder.parents if (p/'base').is_dir())
    run, student = Run(folder), ClassifierStudent(spec, base=base, seed=0)
    student.fit(rows, rows, run=run, epochs=3, batch_size=2)
    weights = hashlib.sha256((run.latest('student')/'model.safetensors').read_bytes()).hexdigest()
    losses = [[h['train_loss'], h['loss']] for h in student.history]
    return [weights, losses, student.predict(['play now', 'today']), student.history[-1]['step']]


class Teacher(InProcess):
    def text(self, request): return f'{"play song" if request.sample % 3 else "is it warm on day"} {request.sample % 17}'


TASKS = {'in-process': (stages, InProcess), 'served': (stages, Served), 'generate': (generated, Teacher), 'fit': (fitted, InProcess)}


def run(task, folder, kill_at, log, writes, result):
    work, teacher = TASKS[task][0], TASKS[task][1]()
    teacher.log = os.open(log, os.O_WRONLY | os.O_APPEND)
    with open(writes, 'a') as told:
        install(folder, kill_at, lambda what: print(what.replace(str(folder), ''), file=told, flush=True))
        got = json.dumps(work(folder, teacher), sort_keys=True)
    result.write_text(got)
    return 0


def child(task, folder, kill_at, outside):
    "Run the task in a fork; its result and its number of writes, or None if it was killed."
    log, writes, result = outside/'asked', outside/'writes', outside/'result.json'
    for p in (log, writes, result): p.write_text('')
    if (pid := os.fork()) == 0:
        try: end = run(task, folder, kill_at, log, writes, result)
        except P2MError as e: end = result.write_text(f'error: {e}') and 0
        except BaseException: end = traceback.print_exc() or 1
        os._exit(end)
    status = os.waitpid(pid, 0)[1]
    if not os.WIFSIGNALED(status): assert status == 0, f'{task} failed by itself, killed at {kill_at}'
    return result.read_text() or None, log.read_text().split(), writes.read_text().splitlines()


def files(folder): return sorted(str(p.relative_to(folder)) for p in folder.rglob('*'))


def torn(folder):
    "What is half-written under the name of a whole."
    found = []
    if (folder/'run.json').exists():
        try: json.loads((folder/'run.json').read_text())
        except ValueError: found.append('run.json')
    found += [p.name for p in folder.iterdir() if p.is_dir() and p.name[0] != '.' and not _intact(p)] if folder.exists() else []
    return found


def stored(folder):
    if not (folder/'calls.sqlite').exists(): return set()
    store = CallStore(folder/'calls.sqlite')
    rows = store._rows('SELECT key FROM calls')
    assert store._rows('PRAGMA integrity_check') == [('ok',)]
    store.close()
    return {k for k, in rows}


def prepare(task, outside):
    "What every child needs, once."
    if task == 'generate': import p2m_nb.data.generate
    if task == 'fit':
        tiny_base(outside/'base')
        fitted(outside/'warm', None)


def kill_at(n, task, outside, whole):
    "Kill at the n-th write and run again: what was found, or None if there is no n-th write."
    folder, found = outside/f'killed-{n}', []
    result, _, before = child(task, folder, n, outside)
    if result: return None   # it came to its end
    kept, half = stored(folder), torn(folder)
    again, asked_again, _ = child(task, folder, 0, outside)
    at = f'killed before write {n}, after {before[-1:]}'
    if half: found.append(f'{at}: torn {half}')
    if again != whole: found.append(f'{at}: other rows: {again} and not {whole}')
    if twice := kept & set(asked_again): found.append(f'{at}: {len(twice)} stored answers asked for again')
    if differ := set(files(folder)) ^ set(files(outside.parent/'whole')): found.append(f'{at}: other files: {differ}')
    shutil.rmtree(folder)
    return found


def every(first, task, outside, whole):
    "Kill at every second write, from `first` on, in a fork of its own; its process, and where it tells what it found."
    outside = outside/f'from-{first}'
    outside.mkdir()
    if (pid := os.fork()) == 0:
        end = 1
        try:
            found = list(iter(lambda n=count(first, 2): kill_at(next(n), task, outside, whole), None))
            end = (outside/'found.json').write_text(json.dumps(found)) and 0
        except BaseException: traceback.print_exc()
        os._exit(end)
    return pid, outside/'found.json'


def check(task, outside):
    "Kill at every write and run again, in two processes; what was found."
    outside = Path(outside)
    prepare(task, outside)
    whole, asked, writes = child(task, outside/'whole', 0, outside)
    told = [every(first, task, outside, whole) for first in (1, 2)]
    assert not any([os.waitpid(pid, 0)[1] for pid, _ in told])
    found = [f for _, path in told for f in json.loads(path.read_text())]
    return dict(kills=len(found), writes=len(writes), asked=len(asked), twice=len(asked) - len(set(asked)), found=sum(found, []))


def small_disks(task, outside):
    "Run out of room at different points, make room, run again; what was found."
    outside, found, full, pages, result = Path(outside), [], 0, 0, ''
    prepare(task, outside)
    whole = child(task, outside/'whole', 0, outside)[0]
    disk = outside/'disk'
    disk.mkdir()
    mount = lambda *options: subprocess.run(['mount', *options, disk], check=True)
    while result != whole and pages < 100:
        pages += 1
        mount('-t', 'tmpfs', '-o', f'size={4*pages}k', 'none')
        result = child(task, disk/'run', 0, outside)[0]
        if result != whole and ('disk is full' not in result or 'Make room' not in result): found.append(f'{pages} pages: {result}')
        mount('-o', 'remount,size=64m')
        kept, full = stored(disk/'run'), full + (result != whole)
        again, asked, _ = child(task, disk/'run', 0, outside)
        if again != whole: found.append(f'{pages} pages, then more: {again} and not {whole}')
        if twice := kept & set(asked): found.append(f'{pages} pages: {len(twice)} stored answers asked for again')
        subprocess.run(['umount', disk], check=True)
    return dict(full=full, found=found)


if __name__ == '__main__': print(json.dumps((small_disks if '--disks' in sys.argv else check)(*sys.argv[1:3])))
