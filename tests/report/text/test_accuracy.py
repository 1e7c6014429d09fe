import json
import re

from lossfw.check.accuracy.measure import ComponentAccuracy, PeerErrors, WorstError
from lossfw.report.text.accuracy import error_cells, notes, page, table_row, ulps_text


def found(text="Huber(delta=1.0)", **options):
    name = re.sub(r"\W.*", "", text).lower()
    errors = tuple(WorstError(order, points=9, ulps=0.5, at={"y": 1.0}) for order in (0, 1, 2))
    usual = {"kind": "loss", "config": {"name": name}, "dtype": "float32", "rows": False}
    return ComponentAccuracy(text=text, **{**usual, "results": errors, **options})


def test_a_miss_is_marked_and_told_at_the_end_of_the_page():
    worst = (WorstError(0, points=9, ulps=4.5, at={"y": 2.0}), WorstError(1, points=9))
    one = found(results=worst)
    assert error_cells(one) == ["4.5!", "0.0", "-"]
    (note,) = notes([one])
    told = "Huber(delta=1.0) float32 value: 4.5 ULP, goal 4, at y = 2.0"
    assert note.startswith(f"! {told}")
    assert f"\n\n- {told}: got" in written(one)


def test_errors_have_two_digits_and_promises_a_place_below_the_table():
    texts = {0.0: "0.0", 3.96: "4.0", 999.0: "999.0", 1000.0: "1.0e3", 3.6e221: "3.6e221"}
    assert {error: ulps_text(error) for error in texts} == texts
    one = found(promised="promised for predictions of size up to 5")
    assert notes([one]) == ["huber: promised for predictions of size up to 5"]
    assert "## What is measured only at some sizes\n\n- `huber`: promised for" in written(one)
    assert "only at some sizes" not in written(found())


def test_subnormal_numbers_stand_in_brackets_where_they_matter():
    peers = {
        "a": PeerErrors(
            (WorstError(0, ulps=0.5), WorstError(1, ulps=1.0)),
            (WorstError(0, ulps=5e6), WorstError(1, ulps=1.0)),
        ),
        "b": PeerErrors((WorstError(0, ulps=2.0),), (WorstError(0, ulps=2.0),)),
    }
    assert table_row(found(peers=peers))["peers"] == {"a": "0.5 / 1.0 (5.0e6 / 1.0)", "b": "2.0"}


def written(*rows, **peers):
    """Return the page of rows that went through JSON."""
    data = {"measured": "Measured by hand.", "peers": peers, "rows": [*map(table_row, rows)]}
    return page(json.loads(json.dumps(data)))


def test_the_page_has_a_table_for_each_sort_and_a_column_for_each_peer():
    peers = {"torch": PeerErrors((WorstError(0, ulps=9.0),), (WorstError(0, ulps=9.0),))}
    results = tuple(
        WorstError(order, points=9, ulps=0.5, forward=7.0 * (order == 1)) for order in (0, 1, 2)
    )
    text = written(
        found(peers=peers, results=results),
        found("Brier()", rows=True),
        found("Relu()", kind="activation"),
        torch="2.13",
        keras="3",
    )
    assert "Measured by hand." in text
    assert "torch 2.13, keras 3" in text
    elements, of_rows, activations = re.findall(r"^\| component .*$", text, re.M)
    assert elements == "| component | dtype | value | first | second | forward | torch |"
    assert of_rows == activations == "| component | dtype | value | first | second | forward |"
    assert "| `Huber(delta=1.0)` | float32 | 0.5 | 0.5 | 0.5 | 0.0 / 7.0 / 0.0 | 9.0 |" in text
    assert text.endswith("## Where a goal is missed\n\nNowhere.\n")
