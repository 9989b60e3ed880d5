"""`bodycam up`: everything on one machine."""

import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bodycam.cli.supervisor import Child
    from bodycam.sections import Settings


@click.command()
@click.option("--demo", is_flag=True, help="Virtual cameras, people and cases, one-click sign-ins; localhost only.")
def up(demo: bool) -> None:
    """Chạy tất cả trên một máy / Run everything on one machine: staff app, public app, worker, sequencer, dock.

    Ctrl-C stops all in order. Example: bodycam up --demo
    """
    from bodycam.cli import first_run  # late: --help needs none of this
    from bodycam.cli.supervisor import Supervisor
    from bodycam.migrations.runner import ensure
    from bodycam.process import check_port, only_one, stop_event
    from bodycam.settings import load_settings

    environment = dict(os.environ)
    if demo:
        first_run.demo_environment(environment)
    settings = load_settings(environment)
    stopped = stop_event()
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with only_one(settings.data_dir / "up.lock", "bodycam up"):
        for key, door in (("staff.port", settings.staff), ("public.port", settings.public)):
            check_port(door.host, door.port, key=key)
        ensure(settings.database.url)
        if settings.demo:
            _say(
                "Chuẩn bị máy ghi hình ảo, lần đầu khoảng 15 giây… / Preparing virtual cameras, about 15 s the first time…"
            )
        password = first_run.prepare(settings)
        _announce(settings, password)
        Supervisor(_children(settings), environment, _say).run(stopped)
    _say("Đã dừng. / Stopped.")


def _children(settings: "Settings") -> "list[Child]":
    """Return what runs, in starting order: what others wait for comes first."""
    from bodycam.cli import demo_witnesses  # late: --help needs none of this
    from bodycam.cli.supervisor import Child

    jobs = [
        Child("sequencer", ["bodycam.custody.sequencer"]),
        Child("worker", ["bodycam.tasks.worker"]),
        Child("beat", ["bodycam.tasks.beat"]),
    ]
    if settings.log.policy or settings.timestamps.urls:
        jobs.append(Child("gathering", ["bodycam.custody.gathering"]))
    if settings.demo:
        jobs += [Child(f"witness-{n}", command) for n, command in enumerate(demo_witnesses.commands(settings), start=1)]
    doors = [
        Child("staff", ["webui.serve", "staff"]),
        Child("public", ["webui.serve", "public"]),
        Child("dock", ["dock_service.station"]),
    ]
    return [*(jobs if settings.worker.embedded else []), *doors]


def _announce(settings: "Settings", password: str | None) -> None:
    def address(host: str, port: int, tls: str) -> str:
        return f"{'https' if tls else 'http'}://{host}:{port}/"

    staff = address(settings.staff.host, settings.staff.port, settings.staff.tls_cert)
    public = address(settings.public.host, settings.public.port, settings.public.tls_cert)
    _say("")
    _say(f"  Cán bộ / Staff      {staff}")
    _say(f"  Người dân / Public  {public}")
    if password:
        _say(f"  Đăng nhập lần đầu / First sign-in: admin   {password}")
        _say("  (chỉ in một lần; đổi ngay / printed once: change it)")
    if settings.demo:
        _say(f"  Bản thử: mở {staff}demo/ và làm theo từng bước; đăng nhập một chạm, không cần mật khẩu.")
        _say(f"  Demo: open {staff}demo/ and follow the steps; sign-ins take one click, no password.")
        _say("  Hai bên xác nhận của bản thử chạy trên máy này; khi dùng thật phải thuộc cơ quan khác.")
        _say("  The demo's two witnesses run on this machine; real ones belong to outside bodies.")
    _say(f"  Dữ liệu / Data      {settings.data_dir}")
    _say("  Ctrl-C để dừng / to stop")
    _say("")


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()
