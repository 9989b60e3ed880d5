"""Randomized runs of the docking station with faults: `python -m tests.faults.dock_runs --runs 1000 --seed 1`."""
