"""The coverage-guided fuzzer over the table of targets: `python -m tests.fuzzing.guided NAME FOLDER SECONDS`.

`all` for NAME lets the first byte of each input choose the target, so that one process serves for a short run. It ends
with the first input that breaks something (0 if none does), which is kept in FOLDER as `crash-NAME-...`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import atheris

INPUT_BYTES_MAX = 64 * 1024
INPUT_WITHIN_S = 10  # on a busy machine, with instruments in every branch
MEMORY_MB_MAX = 2_048

with atheris.instrument_imports(include=["registry", "consensus", "node", "clients"]):
    from tests.fuzzing.mutations import mutated
    from tests.fuzzing.targets import ALL, TARGETS, check, chosen


def seeds(name: str) -> list[bytes]:
    """What to begin with."""
    if name != ALL:
        return list(TARGETS[name].seeds())
    return [bytes([place]) + seed for place, each in enumerate(sorted(TARGETS)) for seed in TARGETS[each].seeds()]


def main() -> None:
    name, folder, seconds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    corpus = folder / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(name)):
        (corpus / f"seed-{number}").write_bytes(seed)

    def once(data: bytes) -> None:
        target, own = chosen(name, data)
        check(target, own)

    def mutate(data: bytes, size_max: int, seed: int) -> bytes:
        random = Random(seed)
        target, own = chosen(name, data)
        if random.random() < 0.5:
            return bytes(atheris.Mutate(data, size_max))
        return (data[: len(data) - len(own)] + mutated(target.form, own, random))[:size_max]

    options = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        f"-max_len={INPUT_BYTES_MAX}",
        f"-timeout={INPUT_WITHIN_S}",
        f"-rss_limit_mb={MEMORY_MB_MAX}",
        f"-artifact_prefix={folder}/crash-{name}-",
        "-print_final_stats=1",
        str(corpus),
    ]
    atheris.Setup(options, once, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
