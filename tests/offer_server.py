"""A local server that speaks the format of AWS's public price list, well or badly, for the tests of the refresh."""

import http.server
import threading
from contextlib import contextmanager

import pytest

from fitness import offers
from fitness.download import Patience
from fitness.errors import PriceBookError
from fitness.offers import OfferSource
from tests.offer_files import region_index

INDEX = offers.INDEX_PATH


class Reply:
    """What the server answers to one request."""

    def __init__(self, body=b"", *, status=200, headers=None, announced=None, pause_s=0.0):
        self.body = body
        self.status = status
        self.headers = headers or {}
        self.announced = len(body) if announced is None else announced
        self.pause_s = pause_s


@contextmanager
def served(answer):
    """A server whose replies come from `answer(path)`; gives its address and the paths that were asked for."""
    asked = []
    stopped = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            reply = answer(self.path)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(reply.announced))
            self.end_headers()
            try:
                for start in range(0, len(reply.body), 1 << 20):
                    stopped.wait(reply.pause_s)
                    self.wfile.write(reply.body[start : start + (1 << 20)])
            except OSError:
                pass  # the client gave up, as it should

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            stopped.set()
            server.shutdown()
            thread.join()


def replies(*files, index=None, regions=("eu-west-1",)):
    """Answers the index, and then each of the files in turn; the last one for ever."""
    queue = list(files)

    def answer(path):
        if path == INDEX:
            return index or Reply(region_index(regions))
        return queue.pop(0) if len(queue) > 1 else queue[0]

    return answer


def source(base_url, pauses=None, **changes):
    patience = {"timeout_s": 2.0, "deadline_s": 10.0, "attempts": 3, "backoff_s": 0.25, **changes}
    limit = patience.pop("max_offer_bytes", 64 * 1024 * 1024)
    sleep = (lambda _: None) if pauses is None else pauses.append
    return OfferSource(base_url=base_url, patience=Patience(sleep=sleep, **patience), max_offer_bytes=limit)


def everything(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def refused(directory, answer, **changes):
    """The message of a refresh that fails, after checking that it changed nothing."""
    before = everything(directory)
    with served(answer) as (url, asked), pytest.raises(PriceBookError) as caught:
        offers.refresh(directory, ["eu-west-1"], source(url, **changes))
    assert everything(directory) == before
    return str(caught.value), asked
