"""The power cut at every step of the evidence core: `python -m tests.faults.evidence_runs --points 10000 --seed 1`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # factories that tests share lie there
