"""Tables of benchmarks in pages of the documentation, between two comments that name them."""


def put_into(page, table, begin, end="<!-- End of the table -->\n"):
    """Replace what stands between the two comments of a page."""
    before, begins, rest = page.read_text().partition(begin)
    _, ends, after = rest.partition(end)
    if not (begins and ends):
        raise SystemExit(f"{page} has no lines {begin.strip()} and {end.strip()}")
    page.write_text(f"{before}{begins}\n{table}\n\n{ends}{after}")
