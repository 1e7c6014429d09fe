"""Make the bundled digits.

    python scripts/make_digits.py [FOLDER]

writes ``digits.npz`` to FOLDER, by default that of the built-in plugin. The
digits come from scikit-learn, which carries a copy of the UCI data set "Optical
Recognition of Handwritten Digits" (E. Alpaydin and C. Kaynak, 1998; CC BY 4.0);
only this script needs scikit-learn. The weights beside them are made by
``lossfw train configs/train/digits.yaml``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

FOLDER = Path(__file__).parent.parent / "plugins" / "lossfw_std" / "data"


def main(folder):
    """Write the file."""
    digits = load_digits()
    folder.mkdir(parents=True, exist_ok=True)
    # numpy.savez sets no time of writing, so equal arrays give equal files.
    np.savez(
        folder / "digits.npz",
        pixels=digits.data.astype(np.uint8),
        digits=digits.target.astype(np.uint8),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
