"""Build what a release has: wheel, sdist, and the site as an archive.

    python scripts/make_release.py dist
    python scripts/make_release.py --check-tag v0.1.0

The archive has the same bytes for the same pages, whenever it is made.
"""

import argparse
import re
import shlex
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from lossfw import __version__

ROOT = Path(__file__).parents[1]

# The first moment that an archive can name.
EPOCH = (1980, 1, 1, 0, 0, 0)


def check_tag(tag: str) -> None:
    """Refuse a tag that is not the version."""
    if tag != f"v{__version__}":
        raise SystemExit(f"expected the tag v{__version__}, since that is the version; got {tag}")


def check_changelog(text: str) -> None:
    """Refuse a changelog that does not say when the version was released."""
    head = f"## {__version__} (YYYY-MM-DD)"
    if not re.search(rf"^## {re.escape(__version__)} \(\d{{4}}-\d\d-\d\d\)$", text, re.M):
        raise SystemExit(f"expected the heading {head!r} in CHANGELOG.md, with the day")


def packages(out: Path) -> None:
    """Build wheel and sdist."""
    command = [sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True)  # noqa: S603  # what is run stands here


def archive(pages: Path, path: Path) -> None:
    """Write a folder of pages to an archive, under the name of the archive."""
    if not (pages / "index.html").is_file():
        raise SystemExit(f"{path} is not written: expected an index.html in {pages}; it has none")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as written:
        for page in sorted(page for page in pages.rglob("*") if page.is_file()):
            name = f"{path.stem}/{page.relative_to(pages).as_posix()}"
            written.writestr(zipfile.ZipInfo(name, EPOCH), page.read_bytes(), zipfile.ZIP_DEFLATED)


def site(out: Path) -> Path:
    """Build the site and return its archive."""
    path = out / f"lossfw-{__version__}-site.zip"
    with tempfile.TemporaryDirectory() as made:
        pages = Path(made) / "pages"
        docs = ["--no-plugins", "--docs", str(ROOT / "docs"), "--out", str(pages)]
        command = [sys.executable, "-P", "-m", "lossfw", "site", *docs]
        subprocess.run(command, check=True)  # noqa: S603  # what is run stands here
        archive(pages, path)
    return path


def main() -> None:
    """Build, or check a tag."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, nargs="?", default=Path("dist"))
    parser.add_argument("--check-tag", metavar="TAG")
    arguments = parser.parse_args()
    if arguments.check_tag is not None:
        check_tag(arguments.check_tag)
        check_changelog((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    try:
        packages(arguments.out)
        print(f"wrote {site(arguments.out)}")
    except subprocess.CalledProcessError as failed:
        raise SystemExit(f"the release is not complete: {shlex.join(failed.cmd)} failed") from None


if __name__ == "__main__":
    main()
