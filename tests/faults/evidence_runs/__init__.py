"""The power cut at every step of the evidence core: `python -m tests.faults.evidence_runs --points 10000 --seed 1`."""
