"""Wait for other processes and threads."""

import time

# Seconds after which what has not come will not come: a busy machine takes many times as long as
# a free one.
HANGS = 600
# What would go on longer than any test waits.
FOR_EVER = 10 * HANGS


def wait_for(condition):
    """Wait until a condition holds."""
    end = time.monotonic() + HANGS
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited for {HANGS} seconds")
        time.sleep(0.01)
