"""Serve one of the two applications: `python -m webui.serve staff|public`.

gunicorn with threads, one process: it hands a request's body on as it comes, which resumable uploads need. Listens on localhost
unless TLS is set (the settings refuse anything else); a port in use is a named error. Nothing about a visitor is written to
an access log.
"""

import ssl
import sys
from typing import Any

import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.workers.gthread import ThreadWorker

from bodycam.errors import BodycamError
from bodycam.jobs.app import make_app
from bodycam.process import check_port, hold_lifeline, log_to_stderr
from bodycam.runtime import open_runtime
from bodycam.sections import WebSettings
from bodycam.settings import load_settings
from webui.apps import create_public_app, create_staff_app
from webui.common import connections

THREADS = {"staff": 16, "public": 64}  # a slow upload holds a thread for as long as it takes
_log = structlog.get_logger()


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's thread worker, which ends who holds a thread too long: its own time-outs know only silent connections."""

    def handle(self, conn: Any) -> Any:  # noqa: ANN401  gunicorn's own connection and answer
        """Serve one request of a connection, whose head has to come soon."""
        connections.hurry(conn, connections.HEAD_S)
        try:
            return super().handle(conn)
        finally:
            connections.let_off(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:  # noqa: ANN401  see above
        """Serve a request whose head is there."""
        connections.hurry(conn, connections.MOST_S)
        return super().handle_request(req, conn)

    def murder_pending(self) -> None:
        """End who is late; gunicorn's main loop comes by once a second."""
        super().murder_pending()
        connections.end_overdue()


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn around an application that is already made, configured by us and by no file or environment."""

    cfg: Config

    def __init__(self, app: Flask, options: dict[str, Any]) -> None:
        """Keep both until gunicorn asks for them."""
        self._app = app
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn our options."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Give gunicorn our application."""
        return self._app


def options(name: str, web: WebSettings) -> dict[str, Any]:
    """Return gunicorn's options for an application that listens where the settings say."""
    host = f"[{web.host}]" if ":" in web.host else web.host
    chosen: dict[str, Any] = {
        "bind": [f"{host}:{web.port}"],
        "proc_name": f"bodycam-{name}",
        "worker_class": "webui.serve.Worker",
        "workers": 1,
        "threads": THREADS[name],
        "timeout": 120,
        "graceful_timeout": 10,
        "keepalive": 15,
        "accesslog": None,
        "errorlog": "-",
        "loglevel": "error",  # at "warning" gunicorn writes the address behind every broken request
        "control_socket_disable": True,
    }
    if web.tls_cert:
        chosen |= {"certfile": web.tls_cert, "keyfile": web.tls_key, "ssl_context": _modern}
    return chosen


def main(arguments: list[str]) -> int:
    """Serve until told to stop; 2 for a wrong call, 1 for a named error."""
    if not arguments or arguments[0] not in {"staff", "public"}:
        sys.stderr.write("usage: python -m webui.serve staff|public\n")
        return 2
    name = arguments[0]
    hold_lifeline()
    log_to_stderr()
    try:
        settings = load_settings()
        web = settings.staff if name == "staff" else settings.public
        check_port(web.host, web.port, key=f"{name}.port")
        make_app(settings)  # so that what a request asks for is sent at once
        with open_runtime(settings) as rt:
            app = create_staff_app(rt) if name == "staff" else create_public_app(rt)
            app.config["ADDRESSES_LOGGED"] = options(name, web)["accesslog"] is not None
            _log.info("web.listening", app=name, host=web.host, port=web.port)
            Server(app, options(name, web)).run()
    except BodycamError as error:
        sys.stderr.write(f"{error.text('vi')}\n{error.text('en')}\n")
        return error.exit_code
    return 0


def _modern(_: Config, default: Any) -> ssl.SSLContext:  # noqa: ANN401  gunicorn's own factory
    context: ssl.SSLContext = default()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
