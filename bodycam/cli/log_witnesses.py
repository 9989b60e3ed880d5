"""`bodycam log export-checkpoint` and `import-cosignature`: witnesses that no line reaches."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bodycam.custody.policy import Policy, Witness

# imports inside the functions are late on purpose: --help needs none of them


@click.command("export-checkpoint")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--witness", "name", help="Its name in the policy / Tên trong chính sách. Needed when several have no address."
)
@click.option("--from", "old", type=click.IntRange(min=0), help="The size it cosigned last, if it says another.")
@click.option("--new", is_flag=True, help="The newest checkpoint, not the one that others are signing.")
@click.option("--qr", type=click.Path(path_type=Path, dir_okay=False), help="Also a QR code: an .svg or .png file.")
def export_checkpoint(file: Path, name: str | None, old: int | None, new: bool, qr: Path | None) -> None:
    """Xuất điểm đã ký để bên xác nhận không nối mạng ký / Write what a witness without a line is to cosign.

    All witnesses get the same checkpoint until a quorum has signed it.
    There: bodycam witness sign FILE -o ANSWER. Back here: bodycam log import-cosignature ANSWER.

    Example: bodycam log export-checkpoint /media/usb/checkpoint --witness procuracy
    """
    from bodycam.cli.log import opened, write_new
    from bodycam.custody.exchange import checkpoint_for
    from bodycam.custody.witness_client import request_text
    from bodycam.custody.witnessing import known_size
    from bodycam.errors import NotFoundError

    policy = _policy()
    witness = _choose(policy, name)
    with opened() as (db, log):
        if old is None:
            with db.read() as session:
                old = known_size(session, witness)
        checkpoint = checkpoint_for(log, old, new=new)
        if checkpoint is None:
            raise NotFoundError(what="checkpoint")
        if old > checkpoint.size:
            raise click.BadParameter(f"{old} > {checkpoint.size}", param_hint="--from")
        text = request_text(log, old, checkpoint)
    write_new(text, file)
    click.echo(f"{witness.name}: {old} → {checkpoint.size}", err=True)
    if qr is not None:
        _draw(text, qr)


@click.command("import-cosignature")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def import_cosignature(file: Path) -> None:
    """Nhập chữ ký của bên xác nhận mang về bằng tệp / Take in a witness's cosignature brought back as a file.

    Example: bodycam log import-cosignature /media/usb/answer
    """
    from bodycam.cli.log import opened
    from bodycam.custody.exchange import import_cosigned

    policy = _policy()
    with file.open("rb") as source:
        text = source.read(200_000).decode("utf-8", "replace")
    with opened() as (db, log):
        witnesses = import_cosigned(db, log, policy, text, actor="system")
        witnessed = log.witnessed_checkpoint()
    for witness in witnesses:
        click.echo(f"✓ {witness.name} ({witness.cosigner.name})")
    size = witnessed.size if witnessed else 0
    click.echo(f"Đã có đủ bên xác nhận đến mục / Witnessed by a quorum up to entry: {size}")


def _policy() -> "Policy":
    from bodycam.custody.policy import Policy
    from bodycam.settings import load_settings

    path = load_settings().log.policy_file
    if path is None:
        raise click.UsageError(
            "Chưa đặt log.policy; xem docs/witnesses.md / log.policy is not set; see docs/witnesses.md"
        )
    return Policy.load(path)


def _choose(policy: "Policy", name: str | None) -> "Witness":
    apart = [witness for witness in policy.witnesses.values() if not witness.url]
    if name is None and len(apart) == 1:
        return apart[0]
    if name is None or name not in policy.witnesses:
        raise click.BadParameter(" | ".join(policy.witnesses), param_hint="--witness")
    return policy.witnesses[name]


def _draw(text: str, path: Path) -> None:
    import segno

    from bodycam.custody.exchange import QR_BYTES

    if len(text.encode()) > QR_BYTES:
        raise click.ClickException("Quá dài cho mã QR, hãy dùng tệp / Too long for a QR code, use the file")
    segno.make(text, error="l", micro=False, mode="byte", encoding="utf-8").save(str(path), scale=4)
    click.echo(str(path))
