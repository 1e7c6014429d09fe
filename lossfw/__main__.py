"""``python -m lossfw`` is the command ``lossfw``."""

from lossfw.cli import main

if __name__ == "__main__":
    main(prog_name="lossfw")
