"""Documents for print, as PDF with their letters inside: slips, minutes, reports."""

from bodycam.paper.document import Column, Document, Letterhead, PaperSize, Signature

__all__ = ["Column", "Document", "Letterhead", "PaperSize", "Signature"]
