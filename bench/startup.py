"""How long `bodycam --help` takes against a bare Python start, in pairs, medians of one run."""

import statistics
import subprocess
import sys
import time

RUNS = 15


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "bodycam --help": [sys.executable, "-m", "bodycam", "--help"],
        "bodycam offload --help": [sys.executable, "-m", "bodycam", "offload", "--help"],
        "bodycam usb list --help": [sys.executable, "-m", "bodycam", "usb", "list", "--help"],
    }
    for command in commands.values():
        seconds(command)  # once, not counted: byte code and page cache
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(RUNS):
        for name, command in commands.items():
            taken[name].append(seconds(command))
    bare = statistics.median(taken["python -c pass"])
    print(f"| command | median ms | ratio to bare Python ({RUNS} runs) |\n|---|---|---|")
    for name, times in taken.items():
        median = statistics.median(times)
        print(f"| {name} | {median * 1000:.0f} | {median / bare:.1f} |")


if __name__ == "__main__":
    main()
