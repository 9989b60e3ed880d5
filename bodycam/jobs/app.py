"""The Celery app: one broker URL decides between one machine and many.

Messages carry a job's id only. On the embedded default the `filesystem://` transport deletes a message when it's read, before
the task runs; that is why the job row, not the message, is the truth.
"""

from pathlib import Path
from typing import Any

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

from bodycam.jobs import service
from bodycam.sections import Settings


def make_app(settings: Settings) -> Celery:
    """Return the Celery app for these settings and let this process send jobs through it."""
    local = settings.broker.url.startswith("filesystem://")
    TRANSPORT_ALIASES["filesystem"] = "bodycam.jobs.folder:Transport"  # resolved by kombu when it connects
    app = Celery("bodycam", set_as_current=False)
    app.conf.update(
        broker_url="filesystem://localhost" if local else settings.broker.url,  # a bare one warns about its host
        broker_connection_retry_on_startup=True,
        broker_transport_options=_transport_options(settings),
        accept_content=["json"],
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_default_queue="bodycam",
        task_publish_retry=False,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        timezone="UTC",
    )
    app.set_default()  # the embedded worker's threads raise NotRegistered without it
    service.send_with(lambda name, job_id: _send(app, name, job_id))
    return app


def _send(app: Celery, name: str, job_id: str) -> None:
    app.send_task(name, args=[job_id])


def _transport_options(settings: Settings) -> dict[str, Any]:
    if settings.broker.url.startswith("redis://"):
        return {"visibility_timeout": 3600, "unacked_restore_throttle": 1}
    if not settings.broker.url.startswith("filesystem://"):
        return {}
    root = settings.data_dir / "broker"
    folders = {name: root / name for name in ("queue", "processed", "control")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    root.chmod(0o700)
    queue: Path = folders["queue"]
    return {
        "data_folder_in": str(queue),
        "data_folder_out": str(queue),
        "processed_folder": str(folders["processed"]),
        "control_folder": str(folders["control"]),
        "store_processed": False,
    }
