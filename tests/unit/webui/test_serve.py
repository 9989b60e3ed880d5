"""Starting a server: named errors, localhost, nothing about visitors written down."""

import socket
import ssl
from collections.abc import Iterator

import pytest
import structlog

from bodycam.runtime import Runtime
from webui import serve


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """A server sends its log lines to standard error, which is pytest's own here."""
    yield
    structlog.reset_defaults()


def test_a_port_in_use_is_a_named_error(tmp_path, monkeypatch, capsys) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("BODYCAM_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("BODYCAM_STAFF__PORT", str(port))
        assert serve.main(["staff"]) == 1
    said = capsys.readouterr().err
    assert f"Cổng {port} trên 127.0.0.1 đang có chương trình khác dùng" in said
    assert "staff.port" in said


def test_a_wrong_call_says_how(capsys) -> None:
    assert serve.main(["both"]) == 2
    assert "staff|public" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["staff", "public"])
def test_the_server_listens_where_the_settings_say_and_keeps_no_access_log(rt: Runtime, name: str) -> None:
    web = getattr(rt.settings, name)
    chosen = serve.options(name, web)
    assert chosen["bind"] == [f"127.0.0.1:{web.port}"]
    assert chosen["accesslog"] is None
    assert chosen["worker_class"] == "webui.serve.Worker"
    assert "certfile" not in chosen


def test_tls_begins_at_1_2(rt: Runtime) -> None:
    chosen = serve.options("staff", rt.settings.staff.model_copy(update={"tls_cert": "c.pem", "tls_key": "k.pem"}))
    assert (chosen["certfile"], chosen["keyfile"]) == ("c.pem", "k.pem")
    context = chosen["ssl_context"](None, lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
