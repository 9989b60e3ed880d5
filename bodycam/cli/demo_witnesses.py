"""Two witnesses on the demo's own machine, so that a demo shows cosigned receipts. In earnest they belong to outside bodies.

`python -m bodycam.cli.demo_witnesses FOLDER PORT VKEY` runs one; it ends with `bodycam up`.
"""

import sys
from pathlib import Path

from bodycam.process import LIFELINE, hold_lifeline
from bodycam.runtime import Runtime
from bodycam.sections import Settings

COUNT = 2
FOLDER = "demo-witnesses"
_FIRST_PORT = 9  # after the public app's
_HEAD = """# BẢN TRÌNH DIỄN: hai bên xác nhận này chạy ngay trên máy này nên không chứng minh được gì.
# Khi dùng thật, bên xác nhận phải thuộc cơ quan khác (viện kiểm sát, tòa án, thanh tra).
# DEMO: these witnesses run on this very machine and prove nothing. Real ones belong to outside bodies.
"""


def policy_path(data: Path) -> Path:
    """Return where a demo's policy lies."""
    return data / FOLDER / "policy"


def make(rt: Runtime) -> None:
    """Make the witnesses' keys where they are missing and write the policy; makes the log's key too."""
    from bodycam.witness.cosigning import init  # late: only a demo needs it

    log = rt.log.unlock().verifier
    lines = [_HEAD + f"log {log}"]
    names = [f"demo-witness-{number}" for number in range(1, COUNT + 1)]
    for number, name in enumerate(names, start=1):
        vkey = init(rt.settings.data_dir / FOLDER / str(number), f"{name}.local")
        lines.append(f"witness {name} {vkey} http://127.0.0.1:{_port(rt.settings, number)}/")
    lines += [f"group demo {COUNT} {' '.join(names)}", "quorum demo", ""]
    policy_path(rt.settings.data_dir).write_text("\n".join(lines), "utf-8")


def commands(settings: Settings) -> list[list[str]]:
    """Return the arguments of `python -m` that run each witness."""
    key = (settings.log.dir / "log.vkey").read_text("utf-8").strip()
    return [
        ["bodycam.cli.demo_witnesses", str(settings.data_dir / FOLDER / str(number)), str(_port(settings, number)), key]
        for number in range(1, COUNT + 1)
    ]


def _port(settings: Settings, number: int) -> int:
    first = settings.public.port + _FIRST_PORT
    return (first if first + COUNT < 65_536 else settings.public.port - _FIRST_PORT - COUNT) + number - 1  # noqa: PLR2004


def main() -> int:
    """Run one witness until told to stop."""
    from bodycam.witness.__main__ import main as run

    hold_lifeline()
    folder, port, key = [argument for argument in sys.argv[1:] if argument != LIFELINE]
    return run(["run", "--dir", folder, "--listen", f"127.0.0.1:{port}", "--log", key])


if __name__ == "__main__":
    sys.exit(main())
