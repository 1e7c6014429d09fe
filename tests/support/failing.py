"""A harness that fails by itself."""


def harness_that_raises(message):
    """Return a function of a check that raises, as if it were one of lossfw's own laws."""
    names = {"__name__": "lossfw.check.laws"}
    source = f"def fail(subject, search):\n    raise AssertionError({message!r})\n"
    exec(compile(source, "laws.py", "exec"), names)
    return names["fail"]
