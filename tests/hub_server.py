"""A small hub on 127.0.0.1 that speaks the protocol of huggingface.co and of its dataset viewer, for the real clients.

Lists with cursors, repositories with revisions, trees, files with ranges, redirects to a store, access, the viewer's
routes, and publishing: a repository made, large files by git-lfs, a commit; and it fails as it is told. `python tests/hub_server.py` serves three sets of 120,000 rows, for bench/hub.py."""
import base64, hashlib, io, json, sys, time
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, unquote, urlsplit
import pyarrow as pa, pyarrow.parquet as pq
from openai_server import Local

BRANCH = 'refs/convert/parquet'
TYPES = {'string': 'string', 'int64': 'int64', 'double': 'float64', 'bool': 'bool'}


def digest(data): return hashlib.sha256(data).hexdigest()


def feature(field):
    if pa.types.is_list(field.type): return dict(feature=feature(field.type.value_field), _type='List')
    if pa.types.is_struct(field.type): return {f.name: feature(f) for f in field.type}
    return dict(dtype=TYPES.get(str(field.type), str(field.type)), _type='Value')


def parquet(rows, labels=None, schema=None, group=1000):
    "Rows as a Parquet file, as `datasets` writes it; `labels` is column -> names."
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows, schema=schema)
    noted = {f.name: feature(f) for f in table.schema}
    noted |= {c: dict(names=n, _type='ClassLabel') for c, n in (labels or {}).items()}
    table = table.replace_schema_metadata({'huggingface': json.dumps(dict(info=dict(features=noted)))})
    pq.write_table(table, out := io.BytesIO(), row_group_size=group)
    return out.getvalue()


class Repo:
    "Its revisions are dicts of path -> bytes, oldest first; the last is main."
    def __init__(self, *revisions, kind='dataset', card=None, copy=None, viewer=True, gated=False, private=False,
                 modified='2025-01-01T00:00:00.000Z', **more):
        self.kind, self.card, self.gated, self.private = kind, card or {}, gated, private
        self.viewer, self.modified, self.more = viewer, modified, more
        self.revisions = {digest(repr(sorted(f.items())).encode())[:40]: f for f in revisions or [{}]}
        self.sha = list(self.revisions)[-1]
        self.branches = {'main': self.sha}
        if copy:
            self.branches[BRANCH] = digest(repr(copy).encode())[:40]
            self.revisions[self.branches[BRANCH]] = copy

    def at(self, revision):
        sha = self.branches.get(revision, revision)
        return (sha, self.revisions[sha]) if sha in self.revisions else (None, None)

    def info(self, id, sha=None, expand=None, blobs=False):
        sha = sha or self.sha
        size = lambda data: dict(size=len(data), blobId=digest(data)[:40]) if blobs else {}
        files = [dict(rfilename=p) | size(d) for p, d in self.revisions[sha].items()]
        said = dict(author=id.split('/')[0], sha=sha, lastModified=self.modified, private=self.private, gated=self.gated,
                    disabled=False, downloads=0, likes=0, tags=[], description='', cardData=self.card, siblings=files)
        said |= self.more
        if expand: said = {k: v for k, v in said.items() if k in expand}
        return dict(_id=digest(id.encode())[:24], id=id) | said

    def tables(self):
        "(config, split, path, bytes) of what the viewer shows."
        copy = self.branches.get(BRANCH)
        for path, data in self.revisions[copy or self.sha].items():
            if path.endswith('.parquet'):
                parts = path.split('/')
                config, split = parts[:2] if copy else ('default', parts[-1].split('-')[0].split('.')[0])
                yield config, split, path, data


class HubServer(Local):
    """`fault(path, n)` may give a dict for the n-th request of a path: status, headers, body, raw, delay, cut (bytes of the
    body before the line is dropped), drip (seconds between bytes). `tokens`: token -> ids of gated sets it may read.
    `writers`: token -> the owner under whose name it may publish. Files in `large` came by git-lfs."""
    def __init__(self, repos=None, fault=lambda path, n: None, tokens=None, page=1000, writers=None):
        self.repos, self.fault, self.tokens, self.page = repos or {}, fault, tokens or {}, page
        self.writers, self.large = writers or {}, {}
        super().__init__(_Handler)
        self.requests, self.sent, self.store = [], 0, {}

    def paths(self, part=''): return [p for p, _ in self.requests if part in p]


class _Handler(BaseHTTPRequestHandler):
    protocol_version, owner = 'HTTP/1.1', None
    def log_message(self, *args): pass
    def do_HEAD(self): self.answer(head=True)
    def do_GET(self): self.answer()
    def do_POST(self): self.answer()
    def do_PUT(self): self.answer()

    def answer(self, head=False):
        self.head, self.url = head, urlsplit(self.path)
        self.query, path = parse_qs(self.url.query), self.url.path
        self.body = self.rfile.read(int(self.headers.get('content-length') or 0))
        with self.owner.lock:
            n = sum(p.split('?')[0] == path for p, _ in self.owner.requests)
            self.owner.requests.append((self.path, dict(self.headers)))
        try:
            told = self.owner.fault(path, n)
            if told: return self.say(**told)
            self.token = (self.headers.get('authorization') or '').removeprefix('Bearer ')
            if self.token and self.token not in self.owner.tokens and not path.startswith('/store/'):
                return self.no(401, '', 'Invalid credentials in Authorization header')
            self.route([unquote(p) for p in path.strip('/').split('/')])
        except OSError: self.close_connection = True   # the client went away

    def say(self, body=None, status=200, headers=(), raw=None, delay=0, cut=None, drip=0):
        time.sleep(delay)
        data = json.dumps(body).encode() if raw is None else raw
        self.send_response(status)
        headers = {k.lower(): v for k, v in dict(headers).items()}
        for k, v in ({'content-type': 'application/json; charset=utf-8'} | headers).items(): self.send_header(k, v)
        self.send_header('content-length', str(len(data)))
        self.end_headers()
        if self.head: return
        for piece in [data[i:i + 1] for i in range(len(data))] if drip else [data[:cut]]:
            self.wfile.write(piece)
            self.wfile.flush()
            time.sleep(drip)
        with self.owner.lock: self.owner.sent += len(data[:cut])
        self.close_connection = self.close_connection or cut is not None

    def no(self, status, code, message):
        self.say(dict(error=message), status, {'x-error-message': message} | ({'x-error-code': code} if code else {}))

    def route(self, parts):
        if parts[0] == 'store': return self.file(self.owner.store[parts[1]])
        if parts[0] == 'large': return self.receive(parts[1])
        if parts == ['api', 'repos', 'create']: return self.create(**json.loads(self.body))
        if parts == ['api', 'validate-yaml']:
            said = '\nlicense: ' in json.loads(self.body)['content'].split('\n---\n')[0]
            return self.say(dict(errors=[] if said else [dict(message='"license" is required')], warnings=[]))
        if parts[-3:] == ['lfs', 'objects', 'batch']: return self.large_files('/'.join(parts[:2]).removesuffix('.git'))
        if parts[0] == 'api' and parts[1] in ('datasets', 'models'): kind, parts, api = parts[1], parts[2:], True
        elif len(parts) == 1: return self.viewer(parts[0])
        else: kind, parts, api = ('datasets', parts[1:], False) if parts[0] == 'datasets' else ('models', parts, False)
        if not parts: return self.listed(kind[:-1])
        words = [i for i, p in enumerate(parts) if p in ('revision', 'tree', 'paths-info', 'resolve', 'preupload', 'commit') and i]
        at = words[0] if words else len(parts)
        id, what, rest = '/'.join(parts[:at]), (parts[at:] or ['revision', 'main'])[0], parts[at + 1:] or ['main']
        repo = self.owner.repos.get(id)
        if not repo or repo.kind != kind[:-1] or (repo.private and id not in self.owner.tokens.get(self.token, ())):
            return self.no(404 if self.token else 401, 'RepoNotFound', 'Repository not found')
        if what in ('preupload', 'commit'):
            if self.may_write(id): getattr(self, what)(id, repo)
            return
        sha, files = repo.at(rest[0])
        if sha is None: return self.no(404, 'RevisionNotFound', f'Invalid rev id: {rest[0]}')
        if what == 'revision': return self.say(repo.info(id, sha, blobs='blobs' in self.query))
        if what == 'resolve': return self.resolve(id, repo, sha, '/'.join(rest[1:]))
        wanted = parse_qs(self.body.decode()).get('paths') if what == 'paths-info' else None
        if what == 'paths-info' and 'json' in self.headers.get('content-type', ''): wanted = json.loads(self.body)['paths']
        self.say(self.entries(files, wanted, '/'.join(rest[1:]), 'recursive' in self.query))

    def may_write(self, id):
        if not self.token: return self.no(401, '', 'Invalid username or password.')
        if self.owner.writers.get(self.token) == id.split('/')[0]: return True
        self.no(403, '', f'You do not have the rights to publish under {id}')

    def create(self, name, organization=None, visibility=None, private=False, type='model', **more):
        id = f'{organization or self.owner.writers.get(self.token)}/{name}'
        if not self.may_write(id): return
        there = id in self.owner.repos
        if not there: self.owner.repos[id] = Repo({'.gitattributes': b''}, kind=type, private=private or visibility == 'private')
        if self.owner.repos[id].private: self.owner.tokens.setdefault(self.token, set()).add(id)
        url = dict(url=f'{self.owner.url}/{id}', name=id)
        self.say(url | (dict(error='You already created this model repo') if there else {}), 409 if there else 200)

    def preupload(self, id, repo):
        mode = lambda path: 'lfs' if path.endswith(('.safetensors', '.png')) else 'regular'
        files = [dict(path=f['path'], uploadMode=mode(f['path']), shouldIgnore=False) for f in json.loads(self.body)['files']]
        self.say(dict(files=files))

    def large_files(self, id):
        if not self.may_write(id): return
        def object(oid, size):
            at = dict(upload=dict(href=f'{self.owner.url}/large/{oid}'), verify=dict(href=f'{self.owner.url}/large/verify'))
            return dict(oid=oid, size=size) | ({} if oid in self.owner.large else dict(actions=at))
        self.say(dict(transfer='basic', objects=[object(o['oid'], o['size']) for o in json.loads(self.body)['objects']]))

    def receive(self, oid):
        if oid == 'verify': return self.say({}, 200 if json.loads(self.body)['oid'] in self.owner.large else 404)
        if digest(self.body) != oid: return self.no(400, '', 'Other bytes than those announced')
        self.owner.large[oid] = self.body
        self.say({})

    def commit(self, id, repo):
        files = dict(repo.at('main')[1])
        for line in self.body.splitlines():
            key, value = (json.loads(line)[k] for k in ('key', 'value'))
            if key == 'file': files[value['path']] = base64.b64decode(value['content'])
            if key == 'lfsFile': files[value['path']] = self.owner.large[value['oid']]
            if key == 'deletedFile': del files[value['path']]
        repo.sha = repo.branches['main'] = digest(repr(sorted(files.items())).encode())[:40]
        repo.revisions[repo.sha] = files
        self.say(dict(commitUrl=f'{self.owner.url}/{id}/commit/{repo.sha}', commitOid=repo.sha, hookOutput='', success=True))

    def entries(self, files, wanted, folder, recursive):
        inside = {p: d for p, d in files.items() if not folder or p.startswith(f'{folder}/')}
        depth, entry = folder.count('/') + bool(folder), lambda p, d: dict(type='file', oid=digest(d)[:40], size=len(d), path=p)
        folders = {'/'.join(p.split('/')[:i]) for p in inside for i in range(depth + 1, p.count('/') + 1)}
        folder_entry = lambda p: dict(type='directory', oid=digest(p.encode())[:40], size=0, path=p)
        every = [entry(p, d) for p, d in inside.items()] + [folder_entry(p) for p in sorted(folders)]
        if wanted is not None: return [e for e in every if e['path'] in wanted]
        return [e for e in every if recursive or e['path'].count('/') == depth]

    def listed(self, kind):
        shown = {id: r for id, r in self.owner.repos.items() if r.kind == kind and not r.private}
        repos = sorted(((r.modified, id) for id, r in shown.items()), reverse=True)
        start, size = int(self.query.get('cursor', ['0'])[0]), min(self.owner.page, int(self.query.get('limit', ['1000'])[0]))
        page, more = [id for _, id in repos[start:start + size]], start + size < len(repos)
        link = f'<{self.owner.url}/api/{kind}s?limit={size}&cursor={start + size}>; rel="next"'
        infos = [shown[id].info(id, expand=self.query.get('expand')) for id in page]
        self.say(infos, headers=dict(link=link) if more else {})

    def resolve(self, id, repo, sha, path):
        if repo.gated and path != 'README.md' and id not in self.owner.tokens.get(self.token, ()):
            return self.no(403 if self.token else 401, 'GatedRepo', f'Access to dataset {id} is restricted.')
        if path not in repo.revisions[sha]: return self.no(404, 'EntryNotFound', 'Entry not found')
        data = repo.revisions[sha][path]
        facts = {'x-repo-commit': sha, 'etag': f'"{digest(data)[:40]}"', 'accept-ranges': 'bytes'}
        if not path.endswith('.parquet'): return self.file(data, facts)
        self.owner.store[digest(data)] = data   # large files lie elsewhere, under another name of this host
        place = f'{self.owner.url}/store/{digest(data)}'.replace('127.0.0.1', 'localhost')
        facts |= {'location': place, 'x-linked-etag': facts['etag'], 'x-linked-size': str(len(data))}
        self.say(status=302, headers=facts, raw=b'')

    def file(self, data, facts={}):
        facts = facts | {'content-type': 'application/octet-stream'}
        if 'range' not in self.headers: return self.say(raw=data, headers=facts)
        first, last = self.headers['range'].removeprefix('bytes=').split('-')
        first, last = int(first), min(int(last or len(data) - 1), len(data) - 1)
        if first > last: return self.say(status=416, raw=b'', headers={'content-range': f'bytes */{len(data)}'})
        self.say(status=206, raw=data[first:last + 1], headers=facts | {'content-range': f'bytes {first}-{last}/{len(data)}'})

    def viewer(self, what):
        id = self.query.get('dataset', [''])[0]
        repo = self.owner.repos.get(id)
        if not repo or not repo.viewer or (repo.gated and id not in self.owner.tokens.get(self.token, ())):
            why = 'The dataset does not exist, or is not accessible.'
            return self.no(404 if self.token else 401, 'ExternalAuthenticatedError', why)
        said = {}
        for config, split, path, data in repo.tables():
            file = pq.ParquetFile(io.BytesIO(data))
            size = sum(file.metadata.row_group(g).total_byte_size for g in range(file.metadata.num_row_groups))
            said.setdefault(config, {}).setdefault(split, []).append((path, data, file, size))
        if not hasattr(self, f'viewer_{what.replace("-", "_")}'): return self.no(404, '', 'Not Found')
        body = getattr(self, f'viewer_{what.replace("-", "_")}')(id, said)
        if body is None: return self.no(404, 'ConfigNotFoundError', 'The config or split does not exist.')
        self.say(body, headers={'x-revision': repo.sha})

    def viewer_is_valid(self, id, said): return dict(preview=True, viewer=True, search=True, filter=True, statistics=True)

    def viewer_splits(self, id, said):
        return dict(splits=[dict(dataset=id, config=c, split=s) for c, s, _ in each(said)], pending=[], failed=[])

    def viewer_parquet(self, id, said):
        at = f'{self.owner.url}/datasets/{id}/resolve/refs%2Fconvert%2Fparquet'
        files = [dict(dataset=id, config=c, split=s, filename=path.split('/')[-1], size=len(data), url=f'{at}/{path}')
                 for c, s, files in each(said) for path, data, _, _ in files]
        return dict(parquet_files=files, pending=[], failed=[], partial=False)

    def viewer_size(self, id, said):
        splits = [dict(dataset=id, config=c, split=s, num_rows=rows_in(f), num_bytes_memory=sum(x[3] for x in f),
                       num_bytes_parquet_files=sum(len(x[1]) for x in f)) for c, s, f in each(said)]
        whole = dict(dataset=id, num_rows=sum(s['num_rows'] for s in splits))
        return dict(size=dict(dataset=whole, splits=splits), pending=[], failed=[], partial=False)

    def viewer_info(self, id, said):
        infos = {c: dict(config_name=c, features=self.features(files), splits={}, dataset_size=0, download_size=0)
                 for c, _, files in each(said)}
        for c, s, files in each(said):
            size = sum(x[3] for x in files)
            infos[c]['splits'][s] = dict(name=s, num_examples=rows_in(files), num_bytes=size)
            infos[c]['dataset_size'] += size
            infos[c]['download_size'] += sum(len(data) for _, data, _, _ in files)
        return dict(dataset_info=infos, pending=[], failed=[], partial=False)

    def viewer_first_rows(self, id, said): return self.viewer_rows(id, said, 100)
    def viewer_rows(self, id, said, most=100):
        files = said.get(self.query['config'][0], {}).get(self.query['split'][0])
        if not files: return None
        start, n = int(self.query.get('offset', ['0'])[0]), min(most, int(self.query.get('length', ['100'])[0]))
        features, table = self.features(files), pa.concat_tables([f.read() for _, _, f, _ in files])
        rows = [dict(row_idx=start + i, row=r, truncated_cells=[]) for i, r in enumerate(table.slice(start, n).to_pylist())]
        return dict(features=[dict(feature_idx=i, name=k, type=v) for i, (k, v) in enumerate(features.items())], rows=rows,
                    num_rows_total=table.num_rows, num_rows_per_page=100, partial=False)
    def features(self, files): return json.loads(files[0][2].schema_arrow.metadata[b'huggingface'])['info']['features']


def each(said): return [(config, split, files) for config, splits in said.items() for split, files in splits.items()]
def rows_in(files): return sum(file.metadata.num_rows for _, _, file, _ in files)


def large_sets(n=120_000):
    "Three sets sorted by label, each of two files."
    import random
    draw = random.Random(0)
    words = [''.join(draw.choices('abcdefghijklmnopqrstuvwxyz', k=6)) for _ in range(5000)]
    def file(part):
        text = [' '.join(draw.choices(words, k=30)) for _ in range(n//2)]
        label, title = [2*part + i//(n//4) for i in range(n//2)], draw.choices(words, k=n//2)
        return parquet(pa.table(dict(text=text, label=label, title=title)), dict(label=['a', 'b', 'c', 'd']))
    def files(): return {f'data/train-{i:05d}-of-00002.parquet': file(i) for i in range(2)}
    return {f'bench/set{i}': Repo(files()) for i in range(3)}


if __name__ == '__main__':
    with HubServer(large_sets()) as server:
        print(server.url, flush=True)
        sys.stdin.read()   # until whoever started it goes away
