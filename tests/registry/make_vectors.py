"""Writes the golden vectors anew: `python -m tests.registry.make_vectors`, and then look at what changed, and why.

Vectors are the protocol: another implementation must reproduce them. They change when an operation or record does.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from registry.merkle import log
from tests.registry import test_envelope, test_ledger


def write(path: Path, vectors: dict[str, Any]) -> None:
    path.write_text(json.dumps(vectors, indent=1) + "\n")


def main() -> None:
    kept = json.loads(test_envelope.VECTORS.read_text())
    made = {name: test_envelope.golden(name) for name in test_envelope.EXAMPLES}
    write(test_envelope.VECTORS, kept | {"transactions": made})
    receipts = test_ledger.golden()
    root = log.root([bytes.fromhex(row["encoded"]) for row in receipts]).hex()
    write(
        test_ledger.VECTORS, json.loads(test_ledger.VECTORS.read_text()) | {"receipts": receipts, "results_root": root}
    )


if __name__ == "__main__":
    main()
