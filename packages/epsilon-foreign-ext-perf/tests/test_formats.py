"""What a report looks like in each of its forms."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ElementTree

from epsilon.foreign.ext.perf.bench import (
    PEERS,
    Cell,
    Contestant,
    Gil,
    Report,
    Row,
    SuiteResult,
    judge,
    summarise,
)
from epsilon.foreign.ext.perf.bench.formats import json as as_json
from epsilon.foreign.ext.perf.bench.formats import markdown, svg, tables, terminal
from epsilon.foreign.ext.perf.bench.goals import one

SVG = "{http://www.w3.org/2000/svg}"


def test_ratios_are_ours_divided_by_theirs(report: Report) -> None:
    summary = summarise(report, "calls", PEERS["c"], Gil.HELD)
    assert summary is not None
    assert summary.ratios == {"add": 0.5, "mix": 2.0}
    assert abs(summary.mean - 1.0) < 1e-9
    assert summary.worst == ("mix", 2.0)


def test_a_peer_measured_in_some_rows_is_compared_in_those(report: Report) -> None:
    summary = summarise(report, "calls", PEERS["ctypes"], Gil.HELD)
    assert summary is not None
    assert summary.ratios == {"add": 0.02}
    assert summarise(report, "calls", PEERS["ctypes"], Gil.RELEASED) is None


def test_goals_are_kept_or_missed_by_their_numbers(report: Report) -> None:
    verdicts = {verdict.title: verdict for verdict in judge(report)}
    assert verdicts["hand-written C, lock held, worst call"].kept is False
    assert verdicts["hand-written C, lock held, worst call"].measured == 2.0
    assert not any(
        "released" in title for title in verdicts
    )  # nothing was measured there: nothing is claimed


def test_goals_are_about_the_trampoline_alone(report: Report) -> None:
    report.ours = PEERS["ours-ctypes"]
    assert judge(report) == []


def test_a_goal_for_one_operation_is_about_the_fastest_peer_that_was_measured(report: Report) -> None:
    ours, ctypes, cffi = PEERS["ours-trampoline"], PEERS["ctypes"], PEERS["cffi-abi"]
    goal = one("data", "item", ("ctypes", "cffi-api", "cffi-abi"), Gil.UNTOUCHED, 1.1)
    assert goal.title == "p[i] of int[1000], the faster of ctypes and cffi"
    assert goal.measure(report) is None
    values = {ours: 30.0, ctypes: 60.0, cffi: 40.0}
    cells = {Contestant(peer, Gil.UNTOUCHED): Cell(value, value, value, 1) for peer, value in values.items()}
    report.suites.append(SuiteResult("data", "C data", [Row("item", "p[i]", "ns", cells)]))
    assert goal.measure(report) == 0.75
    assert [verdict.kept for verdict in judge(report) if verdict.title == goal.title] == [True]


def test_what_makes_no_call_has_a_table_of_its_own_that_says_nothing_of_the_lock(report: Report) -> None:
    cells = {Contestant(PEERS["ctypes"], Gil.UNTOUCHED): Cell(60.0, 60.0, 60.0, 1)}
    report.suites.append(SuiteResult("data", "C data", [Row("item", "p[i]", "ns", cells)], True, "A note."))
    table = tables.tables(report)[1]
    assert table.title == "C data" and table.note.startswith("A note.")
    assert "C data (ns" in svg.render(report)


def test_a_table_has_a_row_per_call_and_a_mean(report: Report) -> None:
    held = tables.tables(report)[0]
    assert held.header == ("", "Epsilon Foreign", "hand-written C", "ctypes")
    assert held.rows[0][1:] == ("10.0", "20.0 (0.50)", "500 (0.02)")
    assert held.rows[1][3] == tables.NOTHING
    assert held.rows[2] == ("geometric mean", "", "(1.00)", "(0.02)")


def test_quantities_have_a_unit_that_suits_them() -> None:
    assert tables.quantity(512 * 1024, "bytes") == "512.0 KiB"
    assert tables.quantity(900, "bytes") == "900 B"
    assert tables.quantity(12.345, "us") == "12.3 µs"


def test_plain_output_names_who_was_left_out_and_marks_what_was_missed(report: Report) -> None:
    stream = io.StringIO()
    terminal.show(report, stream)
    text = stream.getvalue()
    assert "nanobind: nanobind is not installed (left out of calls)" in text
    assert "✗ missed" in text
    assert "\x1b" not in text  # no terminal: no colours, no cursor


def test_plain_columns_line_up() -> None:
    drawn = terminal.draw(tables.Table("t", ("", "one"), [("a", "1"), ("long name", "22")]))
    assert drawn.splitlines()[1:] == ["           one", "──────────────", "a            1", "long name   22"]


def test_json_has_every_number(report: Report) -> None:
    found = json.loads(as_json.render(report))
    assert found["format"] == 1 and found["ours"] == "ours-trampoline"
    cells = {cell["peer"]: cell for cell in found["suites"][0]["rows"][0]["cells"]}
    assert cells["c"] == {
        "peer": "c", "gil": "held", "median": 20.0, "low": 20.0, "high": 20.0, "samples": 1, "ratio": 0.5,
    }  # fmt: skip
    summary = next(each for each in found["summaries"] if each["peer"] == "c")
    assert summary["worst_row"] == "mix"
    assert {goal["kept"] for goal in found["goals"]} == {True, False}
    assert found["missing"][0]["reason"] == "nanobind is not installed"


def test_the_chart_is_well_formed_and_has_a_bar_for_every_number(report: Report) -> None:
    root = ElementTree.fromstring(svg.render(report))
    bars = [rect for rect in root.iter(f"{SVG}rect") if rect.find(f"{SVG}title") is not None]
    assert len(bars) == sum(len(row.cells) for row in report.suites[0].rows)
    widths = {bar.get("class"): float(bar.get("width") or 0) for bar in bars[:3]}
    assert widths["ctypes"] > widths["c"] > widths["ours"]


def test_a_bar_many_times_as_long_as_hand_written_c_is_broken(report: Report) -> None:
    root = ElementTree.fromstring(svg.render(report))
    pieces = [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") == "ctypes"]
    assert len(pieces) == 4  # the bar, its two loose ends, and the legend
    assert "500" in {text.text for text in root.iter(f"{SVG}text")}


def test_the_scale_of_a_chart_is_not_that_of_bars_that_are_not_drawn(report: Report) -> None:
    values = {"ours-trampoline": 20.0, "ctypes": 40.0, "ours-ctypes": 4000.0}
    cells = {
        Contestant(PEERS[key], Gil.UNTOUCHED): Cell(value, value, value, 1) for key, value in values.items()
    }
    report.suites[:] = [SuiteResult("data", "C data", [Row("item", "p[i]", "ns", cells)], headline=True)]
    bars = {
        rect.get("class"): float(rect.get("width") or 0)
        for rect in ElementTree.fromstring(svg.render(report)).iter(f"{SVG}rect")
        if rect.find(f"{SVG}title") is not None
    }
    assert set(bars) == {"ours", "ctypes"}
    assert bars["ctypes"] == 2 * bars["ours"] > 400


def test_the_chart_can_be_read_in_light_and_dark(report: Report) -> None:
    text = svg.render(report)
    assert "prefers-color-scheme:dark" in text
    assert "A &lt; B" in text  # what comes from the machine is escaped


def test_the_chart_stays_within_its_frame(report: Report) -> None:
    root = ElementTree.fromstring(svg.render(report))
    width, height = float(root.get("width") or 0), float(root.get("height") or 0)
    for rect in root.iter(f"{SVG}rect"):
        assert float(rect.get("x") or 0) + float(rect.get("width") or 0) <= width
        assert float(rect.get("y") or 0) + float(rect.get("height") or 0) <= height


def test_a_chart_of_nothing_is_still_a_document(report: Report) -> None:
    report.suites.clear()
    ElementTree.fromstring(svg.render(report))


def test_markdown_tables_have_equal_columns_and_name_the_command(report: Report) -> None:
    text = markdown.render(report, "python -m epsilon.foreign.ext.perf bench --quick")
    assert "`python -m epsilon.foreign.ext.perf bench --quick`" in text
    start = text.index("### One call")
    lines = [line for line in text[start:].split("\n\n")[1].splitlines() if line.startswith("|")]
    if not lines:  # a note stands between the title and the table
        lines = [line for line in text[start:].split("\n\n")[2].splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1


def test_a_row_without_both_sides_has_no_ratio(report: Report) -> None:
    row = report.suites[0].rows[1]
    assert row.ratio(PEERS["ours-trampoline"], PEERS["ctypes"], Gil.HELD) is None
    assert Contestant(PEERS["ctypes"], Gil.HELD) not in row.cells
