"""A real language model behind an OpenAI-compatible address of this machine: SmolLM2-135M-Instruct, run by llama.cpp.

    python examples/llama.py                  until Ctrl-C, or until the program that started it ends
    python examples/llama.py COMMAND ...      while COMMAND runs

`pip install 'p2m_nb[llama]'` brings llama.cpp, `p2m weights` the model.
"""
import argparse, os, subprocess, sys, time
from p2m_nb.base.core import P2MError
from p2m_nb.base.local import WHEELS, weights_path, wheel_path

NAME, SLOTS, CONTEXT = 'smollm2', 4, 2048   # requests answered at once, and the tokens of each


def start(port):
    "The server, ready to answer; it ends with this process."
    try: import xllamacpp
    except ImportError as e:
        raise P2MError('llama.cpp', 'it is not installed', "Run pip install 'p2m_nb[llama]' once (34 MB).") from e
    package = wheel_path(NAME) or weights_path(NAME)   # the latter says what to do where there are none
    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = str(next(package.glob('*.gguf'))), {NAME}
    params.hostnames, params.port, params.ui, params.offline = ['127.0.0.1'], port, False, True
    params.n_parallel, params.n_ctx, params.verbosity = SLOTS, SLOTS*CONTEXT, 1
    params.cpuparams.n_threads = int(os.environ.get('OMP_NUM_THREADS', -1))
    try: return xllamacpp.Server(params)
    except RuntimeError as e:
        raise P2MError(f'port {port}', f'no server started there ({e})', 'Pass another, as in --port 8001.') from e


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--port', type=int, default=8000, help='0 takes one that is free')
    parser.add_argument('command', nargs=argparse.REMAINDER, help='serve until this ends, and exit as it does')
    args, parent = parser.parse_args(), os.getppid()
    try: server = start(args.port)
    except P2MError as e: return f'Error: {e}'
    url = f'{server.listening_address}/v1'
    print(f'{WHEELS[NAME][2]} answers at {url}', f'In a notebook: load_lm({NAME!r}, base_url={url!r})', sep='\n', flush=True)
    if args.command: return subprocess.run(args.command).returncode
    try:
        while os.getppid() == parent: time.sleep(.2)
    except KeyboardInterrupt: pass


if __name__ == '__main__': sys.exit(main())
