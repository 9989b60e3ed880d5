"""Writes docs/events.md, the table of all kinds of events, from the code; `--check` only tells whether it is up to date."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bodycam.custody.details import DETAILS, PRIVATE, WORDS  # noqa: E402  found beside this folder
from bodycam.custody.kinds import KINDS  # noqa: E402

PAGE = ROOT / "docs" / "events.md"

HEAD = """# Kinds of events

Written by `python scripts/events.py` from `bodycam/custody/kinds.py` and `bodycam/custody/details.py`: don't edit it here.
An event's common fields (`id`, `object`, `actor`, `device`, `time`, `reason`, `case` …) are described in [formats.md](formats.md).

- **details** stand in the leaf in the open, for ever: ids, codes, numbers, times and hashes.
- **salted** values stand in the leaf as H(salt ‖ value) only; what opens them lies apart and may be destroyed. `content` is a file's
  SHA-256 and size.
- **receipt**: the sequencer issues one once a checkpoint covers the event.
"""


def page() -> str:
    """Return the text of docs/events.md."""
    lines = [
        f"{HEAD}\n{len(KINDS)} kinds.\n",
        "| kind | tiếng Việt | English | details | salted | receipt |",
        "|---|---|---|---|---|---|",
    ]
    for name, kind in KINDS.items():
        receipt = "yes" if kind.receipt else ""
        lines.append(
            f"| `{name}` | {kind.vi} | {kind.en} | {_names(DETAILS, name)} | {_names(PRIVATE, name)} | {receipt} |"
        )
    lines += ["", "## What the names mean", "", "| name | |", "|---|---|"]
    lines += [f"| `{name}` | {WORDS[name]} |" for name in sorted(WORDS)]
    return "\n".join(lines) + "\n"


def _names(table: dict[str, str], kind: str) -> str:
    return ", ".join(f"`{name}`" for name in table.get(kind, "").split())


def main() -> int:
    """Write the page, or check it."""
    if "--check" not in sys.argv:
        PAGE.write_text(page(), "utf-8")
    elif PAGE.read_text("utf-8") != page():
        print("docs/events.md is out of date: python scripts/events.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
