"""The QR code of a receipt: what to look up and the leaf's hash, so that a scanner finds the proof and learns nothing else."""

import segno
from markupsafe import Markup

from bodycam.custody import merkle
from bodycam.custody.models import CustodyEvent


def receipt_code(look_up_id: str, event: CustodyEvent) -> Markup:
    """Draw "bodycam:receipt:1:<look-up id>:<leaf hash>" as SVG."""
    leaf = merkle.leaf_hash(event.body.encode()).hex()
    code = segno.make(f"bodycam:receipt:1:{look_up_id}:{leaf}", error="m", micro=False)
    # the SVG is our own output: no text of anybody goes in
    return Markup(code.svg_inline(omitsize=True, border=2))  # noqa: S704  see above
