"""A witness: it watches that a log only ever grows, and says so with its signature (C2SP tlog-witness, tlog-cosignature).

Meant for a body outside the one that keeps the log. These files are the whole program; they need Python 3.11 and the
`cryptography` package and nothing else of bodycam, so that they can be read through, copied as a folder and run alone:

    python3 -m witness init --dir DIR --name procuracy.example/w1
    python3 -m witness run  --dir DIR --log 'bodycam.local/log+…'

What it promises:
- it cosigns a checkpoint only if one of the given logs signed it and it provably continues the last one cosigned here;
- it never cosigns two roots of one size, nor anything smaller than before;
- it writes and syncs what it is about to cosign before it signs, and takes one checkpoint at a time;
- it doesn't start when its journal is gone, altered, or behind the second journal kept on another disk.
"""
