"""Write reports as JUnit's XML, which continuous integration services read."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from lossfw.check.report import Report


def to_junit(reports: Sequence[Report]) -> str:
    """Return reports as JUnit's XML: a suite for each component, a case for each check.

    A check that was not applicable, a claim that is not made, a failure that was
    expected and a convention that does not count are skipped, each with its reason. A
    check that the time limit kept from running is an error unless the report may be
    unfinished; others that were not run are skipped. There are no times in it: the same
    seed gives the same text.
    """
    root = Xml.Element("testsuites", name="lossfw check")
    for report in reports:
        root.append(_suite(report))
    Xml.indent(root)
    return f"{Xml.tostring(root, encoding='unicode', xml_declaration=False)}\n"


def _suite(report: Report) -> Xml.Element:
    suite = Xml.Element("testsuite", name=report.name)
    for held in report.held:
        if held.check not in report.unexpected:
            _case(suite, report, held.check)
    for refutation in report.failures:
        case = _case(suite, report, refutation.check)
        failure = Xml.SubElement(case, "failure", message=_legal(refutation.message))
        failure.text = _legal(str(refutation))
    for check, reason in report.unexpected.items():
        text = f"expected to fail ({reason}), but it holds: remove the expectation"
        Xml.SubElement(_case(suite, report, check), "failure", message=_legal(text))
    skipped = {
        **{
            r.check: f"another convention: {r.message}"
            for r in report.refuted
            if r not in report.failures
        },
        **report.not_applicable,
        **{check: f"expected to fail: {reason}" for check, reason in report.expected.items()},
        **{f"claim:{name}": "not claimed" for name in report.not_claimed},
    }
    for check, reason in skipped.items():
        Xml.SubElement(_case(suite, report, check), "skipped", message=_legal(reason))
    tag = "error" if report.unfinished and not report.allow_unfinished else "skipped"
    for check, reason in report.not_run.items():
        Xml.SubElement(_case(suite, report, check), tag, message=_legal(f"not run: {reason}"))
    if report.not_checked:
        tag = "skipped" if report.allow_unfinished else "error"
        text = _legal(f"not checked: {report.not_checked}")
        Xml.SubElement(_case(suite, report, "any check"), tag, message=text)
    elif not report.held and not report.refuted:
        text = "no check ran, which is a failure"
        Xml.SubElement(_case(suite, report, "any check"), "failure", message=text)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    return suite


def _case(suite: Xml.Element, report: Report, check: str) -> Xml.Element:
    return Xml.SubElement(suite, "testcase", classname=report.name, name=check)


def _legal(text: str) -> str:
    """Return a text without the characters that XML has no way to write."""
    return "".join(c if c in "\t\n" or c >= " " else "?" for c in text)
