"A small OpenAI-compatible server on 127.0.0.1 that answers as it is told, to test what a client does with each fault."
import json, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def answer(text, prompt_tokens=10, completion_tokens=3, finish='stop', **more):
    "The body of a good reply."
    choice = dict(index=0, finish_reason=finish, message=dict(role='assistant', content=text))
    usage = dict(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens,
                 total_tokens=prompt_tokens + completion_tokens)
    return dict(id='1', object='chat.completion', created=0, model='m', choices=[choice], usage=usage) | more


def error(status, message, code=None, type=None, headers=(), **more):
    "A reply that is an error."
    return dict(status=status, body=dict(error=dict(message=message, code=code, type=type)), headers=dict(headers)) | more


class Local:
    "A server of this process, on 127.0.0.1, with a thread for each connection."
    def __init__(self, handler):
        self.lock = threading.Lock()
        self.http = ThreadingHTTPServer(('127.0.0.1', 0), type('Handler', (handler,), dict(owner=self)))
        self.http.daemon_threads = True
        self.http.handle_error = lambda *_: None  # a client that went away
        self.url = f'http://127.0.0.1:{self.http.server_port}'

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, kwargs=dict(poll_interval=.02), daemon=True).start()
        return self

    def __exit__(self, *error):
        self.http.shutdown()
        self.http.server_close()


class Server(Local):
    """Asks `script(n, request)` for the reply to its n-th request: a text, or a dict with any of
    status, body, headers, delay (seconds), cut (bytes of the body before the line is dropped), raw (the body itself)."""
    def __init__(self, script=lambda n, request: 'ok'):
        super().__init__(_Handler)
        self.script, self.requests, self.headers, self.in_flight, self.most = script, [], [], 0, 0
        self.url += '/v1'

    def texts(self):
        "What the requests said, as they came."
        return [r['messages'][-1]['content'] for r in self.requests]


class _Handler(BaseHTTPRequestHandler):
    protocol_version, owner = 'HTTP/1.1', None
    def log_message(self, *args): pass

    def do_POST(self):
        request, owner = json.loads(self.rfile.read(int(self.headers['content-length']))), self.owner
        with owner.lock:
            owner.requests.append(request)
            owner.headers.append(dict(self.headers))
            owner.in_flight += 1
            owner.most, n = max(owner.most, owner.in_flight), len(owner.requests) - 1
        try: self.reply(owner.script(n, request))
        except OSError: pass  # the client went away
        finally:
            with owner.lock: owner.in_flight -= 1

    def reply(self, told):
        told = dict(body=answer(told)) if isinstance(told, str) else told
        time.sleep(told.get('delay', 0))
        data = told['raw'] if 'raw' in told else json.dumps(told.get('body', answer('ok'))).encode()
        self.send_response(told.get('status', 200))
        for k, v in (dict({'content-type': 'application/json'}) | told.get('headers', {})).items(): self.send_header(k, v)
        self.send_header('content-length', str(len(data)))
        self.end_headers()
        self.wfile.write(data[:told.get('cut', len(data))])
        self.wfile.flush()
        self.close_connection = self.close_connection or 'cut' in told
