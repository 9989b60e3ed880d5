"""The printed parts of a package: the order, the minute to sign, and the report."""

from bodycam.clock import local, now
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.log import Log
from bodycam.packages.order_paper import letterhead, moment, order_pdf
from bodycam.packages.plan import Plan
from bodycam.packages.report import report_pdf
from bodycam.paper import Column, Document, Signature
from bodycam.settings import config_dir
from bodycam.wipes.minute import grouped, load_words

FILE = "extraction.toml"
_BLANK = "." * 60


def of(plan: Plan, log: Log, head: Checkpoint) -> dict[str, bytes]:
    """Return the PDFs of a package by their path."""
    order = order_pdf(
        plan.order,
        [item.recording for item in plan.items],
        unit=plan.unit,
        above=plan.above,
        case=plan.case,
        requester=plan.requester,
        approver=plan.approver,
        language="vi",
    )
    return {
        "data/phieu-de-nghi-trich-xuat.pdf": order,
        "data/bien-ban-trich-xuat.pdf": minute_pdf(plan),
        "data/report.pdf": report_pdf(plan, log, head),
    }


def minute_pdf(plan: Plan) -> bytes:
    """Return the minute on the extraction, in Vietnamese with English below, its signatures and what is not yet known blank.

    The manifest's hash is written in by hand: this paper lies in the package, so it can't hold the hash over itself.
    """
    words, day = load_words(config_dir() / FILE), local(now()).date()
    document = Document(
        words.title_vi,
        letterhead(plan.order, plan.unit, plan.above, is_vi=True),
        subtitle=words.title_en,
        digest=plan.order.list_sha256,
    )
    for basis in words.basis:
        if basis.valid_from <= day and (basis.valid_to is None or day <= basis.valid_to):
            document.paragraph(f"{basis.vi}\n{basis.en}")
    size = sum(item.recording.size for item in plan.items)
    document.rows(
        [
            ("Theo phiếu / On order", f"{plan.order.number}, {moment(plan.order.approved_at)}"),
            ("Mục đích / Purpose", plan.order.purpose),
            ("Nơi nhận / Recipient", plan.order.recipient),
            ("Dữ liệu / Data", f"{len(plan.items)} tệp / files, {grouped(size)} byte"),
            ("Trích xuất lúc / Extracted at", moment(now())),
            ("Thời gian, địa điểm bàn giao / Handed over when, where", _BLANK),
            ("Vật mang tin, số hiệu / Medium and its number", _BLANK),
            ("SHA-256 của / of manifest-sha256.txt", _BLANK),
        ]
    )
    columns = [Column("STT / No.", 0.7, is_number=True), Column("Tệp / File", 3.2),
               Column("Cỡ / Size (byte)", 1.4, is_number=True), Column("SHA-256", 4.2)]  # fmt: skip
    document.table(
        columns,
        [
            [str(number), item.recording.name, grouped(item.recording.size), item.recording.sha256]
            for number, item in enumerate(plan.items[:1_000], 1)
        ],
    )
    document.paragraph(f"{words.agreed_vi}\n{words.agreed_en}")
    document.signatures(
        [Signature(f"{block.vi} / {block.en}", f"{block.hint_vi}\n{block.hint_en}") for block in words.signature]
    )
    return document.render()
