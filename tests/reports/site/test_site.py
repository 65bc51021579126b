"""The web pages, read as files: numbers, links, escaping, commands. No browser is needed here."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import json
import posixpath
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from nlbench import baselines, reports
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.suites import suite
from nlbench.cli import main, options
from nlbench.cli.main import parser
from nlbench.reports.read import names as names_module
from nlbench.reports.render.answer import answer
from nlbench.reports.render.markdown import escape, table
from nlbench.reports.site import Commands, LabelSets, index_html, page_html, payload, write_pages
from nlbench.reports.site.embed import LARGEST, markdown_html
from nlbench.reports.site.labels import heat_map
from nlbench.reports.site.methods import method_pages
from nlbench.reports.site.scale import PAD, Scale
from nlbench.reports.site.write import file_name
from nlbench.reports.text import number, p_value
from nlbench.site import headline_first, seed_ranges
from nlbench.studies import study_of

html5lib = pytest.importorskip("html5lib", reason="html5lib: pip install '.[dev]'")

ROOT = Path(__file__).resolve().parents[3]
PUBLISHED = ROOT / "results" / "published"
SUITE = "quick"
HOSTILE = "</script><script>alert(1)</script> & \"q\" 'a' <b>`x`</b>"
COMMANDS = Commands(
    run=lambda methods, noise, seeds: f"{methods} {noise} {seeds}",
    labels=lambda block, noise, seed: f"{block.dataset} {noise} {seed}",
    sources={"ce": "Someone <i>1999</i> (arXiv 1805.07836)"},
)


def read(html: str) -> Element:
    """The page as a tree; any error that the HTML standard names is an exception."""
    tree: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    return tree


def text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def leads(pages: dict[str, str], link: str) -> bool:
    """Whether a page is there, and in it what comes after #."""
    name, _, place = link.partition("#")
    return name in pages and (not place or f'id="{place}"' in pages[name])


def by_id(tree: Element, name: str) -> Element:
    (found,) = [e for e in tree.iter() if e.get("id") == name]
    return found


def download(tree: Element, name: str) -> str:
    (link,) = [a for a in tree.iter("a") if a.get("download") == name]
    return base64.b64decode(str(link.get("href")).split("base64,")[1]).decode()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    out = tmp_path_factory.mktemp("site")
    results = ["--results", str(PUBLISHED.parent)]
    assert main(["site", SUITE, *results, "--out", str(out)]) == 0
    files = [path for path in out.rglob("*") if path.is_file()]
    return {path.relative_to(out).as_posix(): path.read_text("utf-8") for path in files}


@pytest.fixture(scope="module")
def page(pages: dict[str, str]) -> Element:
    return read(pages[f"{SUITE}.html"])


@pytest.fixture(scope="module")
def records() -> list[RunRecord]:
    found = archive.read(PUBLISHED / SUITE / "records.tar.gz")
    return [record for record in found if isinstance(record, RunRecord)]


@pytest.fixture(scope="module")
def report(records: list[RunRecord], tmp_path_factory: pytest.TempPathFactory) -> reports.Built:
    """The same report, built without the page."""
    return reports.build_report(
        study_of(suite.load(SUITE)), records, tmp_path_factory.mktemp("report")
    )


def made(
    study: Any, out: Path, only: str | None = "tables", more: Sequence[Path] = ()
) -> tuple[dict[str, Any], str]:
    """Payload and page of a made-up study; its report is under ``out``, by default undrawn."""
    sets = LabelSets()
    built = reports.build_report(study.study, sets.watch(study.records), out, only=only)
    built = dataclasses.replace(built, files=(*built.files, *more))
    values = payload(built, sets, COMMANDS)
    return values, page_html(values)


# --- what the page says ---------------------------------------------------------------------------

NUMBERS = ("mean", "ci_low", "rank", "tie_group", "diff", "diff_p_holm", "nominal_rate", "n")


def test_every_number_of_the_leaderboard_is_the_one_of_the_csv(
    page: Element, report: reports.Built
) -> None:
    (file,) = [f for f in report.files if f.name == "leaderboard.csv"]
    written = file.read_text("utf-8")
    assert download(page, "leaderboard.csv") == written
    csv = pd.read_csv(io.StringIO(written))
    csv = csv[csv["scope"] == "condition"].set_index(["method", "condition"])
    assert csv.index.is_unique
    pretty = {names_module.pretty_condition(line): line for _, line in csv.index}
    board = by_id(page, "board")
    head, body = board.find("thead"), board.find("tbody")
    assert head is not None
    assert body is not None
    keys = [th.get("data-key") for th in head.iter("th")]
    rows = list(body.iter("tr"))
    assert len(rows) == len(csv)
    for row in rows:
        cells = dict(zip(keys, list(row), strict=True))
        expected = csv.loc[(text(cells["method"]), pretty[text(cells["noise"])])]
        for key in NUMBERS:
            value = str(cells[key].get("data-v"))
            if value == "":
                assert pd.isna(expected[key]), (key, expected)
            else:
                assert float(value) == expected[key]
        assert text(cells["mean"]).startswith(f"{expected['mean']:.2f} ± {expected['sd']:.2f}")
        bounds = f"[{expected['ci_low']:.2f}, {expected['ci_high']:.2f}]"
        assert text(cells["mean"]).endswith(bounds)
        assert (row.get("data-best") == "1") == (expected["tie_group"] == 1)


def test_matrix_shows_each_comparison_both_ways_with_its_sentence(page: Element) -> None:
    csv = pd.read_csv(io.StringIO(download(page, "significance.csv")))
    cells = [td for td in page.iter("td") if "pair" in str(td.get("class")).split()]
    assert len(cells) == 2 * len(csv)
    shown = pd.Series([td.get("title") for td in cells]).value_counts()
    assert (shown == 2).all()
    assert set(shown.index) == set(csv["sentence"])
    words = pd.Series([str(td.get("class")).split()[1] for td in cells]).value_counts()
    decided = int(csv["words"].isin(["better", "worse"]).sum())
    assert words.get("better", 0) == words.get("worse", 0) == decided


def test_noise_section_holds_every_fingerprint(page: Element, records: list[RunRecord]) -> None:
    section = by_id(page, "noise")
    shown = {str(code.get("title")) for code in section.iter("code") if code.get("title")}
    assert shown == {str(record.noise["fingerprint"]) for record in records}


def test_every_figure_table_and_file_of_the_report_is_there(
    page: Element, report: reports.Built
) -> None:
    figures = {str(f.get("id")).removeprefix("figure-") for f in page.iter("figure")}
    assert figures == {path.stem for path in report.files if path.suffix == ".png"}
    assert {"accuracy", "memorisation"} <= figures
    tables = {str(d.get("id")) for d in page.iter("details") if d.get("id")}
    said = {"index.md", "accuracy.md"}  # the page itself says what these say
    written = {p.stem for p in report.files if p.suffix == ".md" and p.name not in said}
    assert tables - {"again-rows"} == {f"table-{stem}" for stem in written}
    files = {a.get("download") for a in page.iter("a") if a.get("download")}
    assert files == {p.name for p in report.files if p.suffix in (".csv", ".tex")}


def test_a_figure_and_a_table_that_nobody_foresaw_are_embedded(
    make_study: Callable[..., Any], tmp_path: Path
) -> None:
    Image.new("RGB", (8, 4)).save(tmp_path / "new.png")
    (tmp_path / "open-set.md").write_text("# Open set\n\n| a | b |\n|:--|--:|\n| x | 1.5 |\n")
    study = make_study({("ce", "clean"): [90.0, 91.0], ("gce", "clean"): [80.0, 82.0]})
    more = (tmp_path / "new.png", tmp_path / "open-set.md")
    tree = read(made(study, tmp_path, more=more)[1])
    (image,) = by_id(tree, "figure-new").iter("img")
    assert str(image.get("src")).startswith("data:image/png;base64,")
    details = by_id(tree, "table-open-set")
    assert text(details).startswith("Open set")
    assert [text(td) for td in details.iter("td")] == ["x", "1.5"]


def test_what_is_missing_or_collapsed_is_said_beside_the_number(
    make_study: Callable[..., Any], tmp_path: Path
) -> None:
    values = {
        ("ce", "symmetric:0.4"): [80.0, 81.0, None],
        ("gce", "symmetric:0.4"): [85.0, 86.0, 10.0],
        ("drainage", "symmetric:0.4"): [84.0, 85.0, 86.0],
    }
    shown = read(made(make_study(values), tmp_path)[1])
    whole = text(shown)
    assert "1 of 9 runs have not been run yet." in whole
    assert "8 of 9 runs, 1 missing" in whole
    rows = {str(r.get("data-method")): r for r in by_id(shown, "board").iter("tr") if r.get("id")}
    assert "2/3" in text(rows["ce"])
    assert "2 of 3 seeds" in text(rows["ce"])
    assert "1 collapsed" in text(rows["gce"])
    assert [rows[m].get("data-whole") for m in ("ce", "gce", "drainage")] == ["0", "0", "1"]
    assert "Digits" in text(by_id(shown, "leaderboard"))


def test_one_method_with_one_seed_still_makes_a_page(
    make_study: Callable[..., Any], tmp_path: Path
) -> None:
    values, html = made(make_study({("ce", "clean"): [90.0]}), tmp_path)
    assert "No comparison" in text(read(html))
    assert values["board"]["rows"][0]["shown"]["mean"] == "90.00"


# --- first screens --------------------------------------------------------------------------------


def test_page_and_index_open_with_the_answer_of_the_report(
    pages: dict[str, str], report: reports.Built
) -> None:
    told = answer(report.results)
    for name, verdicts in ((f"{SUITE}.html", []), ("index.html", [told.verdict])):
        tree = read(pages[name])
        (lines,) = [e for e in tree.iter("dl") if e.get("class") == "answer"]
        assert [text(e) for e in lines.iter("dt")] == [what for what, _ in told.lines]
        assert [text(e) for e in lines.iter("dd")] == [line for _, line in told.lines]
        shown = [text(li) for ul in tree.iter("ul") if ul.get("class") == "verdict-list"
                 for li in ul]  # fmt: skip
        assert [line.split(": ", 2)[2] for line in shown] == verdicts


def test_index_has_a_row_per_study_with_its_numbers(
    pages: dict[str, str], report: reports.Built
) -> None:
    (table,) = [e for e in read(pages["index.html"]).iter("table") if e.get("class") == "studies"]
    heads = [text(th) for th in next(table.iter("thead")).iter("th")]
    (row,) = list(next(table.iter("tbody")))
    cells = dict(zip(heads, map(text, row), strict=True))
    runs = report.results.frame.runs
    assert cells["study"] == SUITE
    assert cells["best set on average"] == answer(report.results).best
    assert int(cells["methods"]) == runs["method"].nunique()
    assert int(cells["conditions"]) == runs["condition"].nunique()
    assert int(cells["seeds"]) == runs["seed"].nunique()
    assert cells["data"] == "Digits 8x8"
    assert cells["network"] == "mlp"
    assert cells["runs"] == f"{len(runs)} of {len(runs)}"


def test_index_opens_with_the_headline_study() -> None:
    def names(*given: str) -> list[str]:
        return [page["name"] for page in headline_first([{"name": name} for name in given])]

    assert names("a", "fashion", "z") == ["fashion", "a", "z"]
    assert names("a", "fashion", "field") == ["field", "a", "fashion"]
    assert names("a", "b") == ["a", "b"]


def test_page_of_a_method_has_the_numbers_of_the_leaderboard(
    pages: dict[str, str], page: Element
) -> None:
    assert {name for name in pages if name.startswith("methods/")} == {
        f"methods/{name}.html" for name in ("ce", "gce", "drainage")
    }
    csv = pd.read_csv(io.StringIO(download(page, "leaderboard.csv")))
    csv = csv[(csv["scope"] == "condition") & (csv["method_name"] == "gce")]
    csv = csv.set_index(csv["condition"].map(names_module.pretty_condition))
    tree = read(pages["methods/gce.html"])
    whole = text(tree)
    assert baselines.get("gce").source in whole
    assert baselines.get("gce").formula in whole
    assert "nothing but the given labels" in whole
    rows = [list(row) for body in tree.iter("tbody") for row in body]
    assert {text(row[0]) for row in rows} == set(csv.index)
    for row in rows:
        expected: Any = csv.loc[text(row[0])]
        low, high = expected["diff_ci_low"], expected["diff_ci_high"]
        assert [text(cell) for cell in row[1:]] == [
            f"{number(expected['mean'])} ± {number(expected['sd'])}",
            f"{expected['rank']:g} of 3",
            f"{expected['tie_group']:g}",
            number(expected["diff"], sign=True),
            f"[{number(low)}, {number(high)}]",
            p_value(expected["diff_p_holm"]),
            f"{expected['n']}/{expected['expected_n']}",
        ]


def test_methods_of_equal_file_names_keep_pages_of_their_own() -> None:
    row = {"block": 0, "noise_order": 0, "rank": 1.0, "method": "A", "tie_group": 1, "pretty": "c",
           "data": "d", "id": "row-1", "shown": dict.fromkeys(
               ("mean", "rank", "diff", "diff_interval", "diff_p_holm", "n"), "1")}  # fmt: skip
    rows = [{**row, "method_name": name} for name in ("my:Own", "my-own")]
    board = {"baseline": "A", "blocks": [], "rows": rows}
    said = {"my-own": ["Cost. A run: 1 pass."]}
    suite = {"file": "s.html", "title": "S", "claims": [], "board": board, "of_methods": said}
    about: dict[str, dict[str, Any]] = {
        name: {"title": "A", "summary": "", "facts": []} for name in ("my:Own", "my-own", "unused")
    }
    found = method_pages([suite], about)
    assert [page["file"] for page in found] == ["methods/my-own.2.html", "methods/my-Own.html"]
    assert [page["studies"][0]["notes"] for page in found] == [said["my-own"], []]


def test_open_set_studies_have_a_section_on_page_and_index(
    make_study: Callable[..., Any], tmp_path: Path
) -> None:
    values = {(m, "symmetric:0.4"): [80.0, 81.0] for m in ("ce", "gce")}
    entry = made(make_study(values), tmp_path)[0]
    (headers, rows) = (["method (score)", "clean"], [[_cell("CE (MSP)"), _cell("91.5", True)]])
    found = {"topic": "Open-set recognition (AUROC)", "title": "4 unknown", "line": "CE on clean.",
             "headers": headers, "rows": rows, "note": "50 is chance."}  # fmt: skip
    entry = {**entry, "highlights": [found], "file": "small.html"}
    for html in (page_html(entry), index_html([entry])):
        tree = read(html)
        (section,) = [e for e in tree.iter("section") if "Open-set" in text(next(e.iter("h2")))]
        assert [text(td) for td in section.iter("td")] == ["91.5"]
        assert [text(b) for b in section.iter("strong")] == ["91.5"]
        assert "CE on clean." in text(section)
        assert "50 is chance." in text(section)
        assert text(next(tree.iter("dl"))).endswith("4 unknown. CE on clean.")


def _cell(words: str, bold: bool = False) -> dict[str, Any]:
    return {"text": words, "bold": bold, "marks": "", "count": "", "words": ""}


def test_many_methods_are_rows_and_compared_with_the_baseline_alone(
    make_study: Callable[..., Any], tmp_path: Path
) -> None:
    values = {
        (f"m{i}", line): [70.0 + i, 71.0 + 1.1 * i, 72.0 + i]
        for i in range(9)
        for line in ("clean", "symmetric:0.4")
    }
    study = make_study(values)
    tree = read(made(study, tmp_path)[1])
    grid = next(e for e in by_id(tree, "accuracy").iter("table"))
    heads, *rows = [[text(cell) for cell in row] for row in grid.iter("tr")]
    assert heads == ["method", "clean", "symmetric 0.4", "mean"]
    assert [row[0] for row in rows] == [f"m{i}" for i in reversed(range(9))]
    (matrix,) = list(by_id(tree, "significance").iter("table"))
    assert len([td for td in matrix.iter("td") if "pair" in str(td.get("class"))]) == 8 * 2
    assert "The 16 declared of 72 comparisons" in text(by_id(tree, "significance"))
    across = text(by_id(tree, "overall"))
    assert "The declared ones of 36 pairs" in across
    assert len(re.findall(r"m\d (?:beats|is worse than|and) m0 ", across)) == 8
    index = tmp_path / "r" / "index.md"
    reports.build_report(study.study, study.records, index.parent)
    assert "All 36 pairs of methods, in both questions" in index.read_text("utf-8")
    assert len(index.read_bytes()) < 30_000


def test_a_table_too_large_for_the_page_is_named(
    make_study: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "huge.md").write_text("# Huge\n\n" + "word " * (LARGEST // 5 + 1))
    study = make_study({("ce", "clean"): [90.0]})
    html = made(study, tmp_path, more=(tmp_path / "huge.md",))[1]
    assert "huge.md is too large for this page" in text(by_id(read(html), "tables"))
    assert len(html) < LARGEST


# --- commands -------------------------------------------------------------------------------------


def test_each_row_s_command_selects_that_row_s_runs(page: Element) -> None:
    runs = pd.read_csv(io.StringIO(download(page, "runs.csv")))
    rows = by_id(page, "again-rows").iter("tr")
    commands = {str(row.get("id")): text(next(row.iter("code"))) for row in rows if row.get("id")}
    board = [row for row in by_id(page, "board").iter("tr") if row.get("id")]
    assert len(commands) == len(board)
    for row in board:
        method, noise = (text(cell) for cell in list(row)[:2])
        words = shlex.split(commands[f"again-{row.get('id')}"])
        assert words[0] == "nlbench"
        chosen = options.selected(parser().parse_args(words[1:])).specs
        same = runs["condition"].map(names_module.pretty_condition) == noise
        expected = runs[(runs["method"] == method) & same]
        assert {spec.run_id for spec in chosen} == set(expected["run_id"])


def test_label_command_draws_the_label_set_of_the_page(
    page: Element, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noisy = next(a for a in by_id(page, "noise").iter("article") if "symmetric" in text(a))
    fingerprint = next(str(c.get("title")) for c in noisy.iter("code") if c.get("title"))
    command = next(b.get("data-copy") for b in noisy.iter("button"))
    words = shlex.split(str(command))
    words[words.index("labels.npz")] = str(tmp_path / "labels.npz")
    assert main(words[1:]) == 0
    assert fingerprint in capsys.readouterr().out


@given(st.sets(st.integers(0, 40), min_size=1))
def test_seed_ranges_are_read_back(seeds: set[int]) -> None:
    assert options.numbers(seed_ranges(list(seeds))) == sorted(seeds)


# --- the file itself ------------------------------------------------------------------------------


def test_pages_are_the_same_bytes_in_whatever_order_the_records_come(
    make_study: Callable[..., Any], tmp_path: Path
) -> None:
    study = make_study({(m, "symmetric:0.4"): [80.0, 81.5] for m in ("ce", "gce")})
    first = made(study, tmp_path / "a", only=None)
    study.records.reverse()
    assert made(study, tmp_path / "b", only=None) == first
    json.dumps(first[0], allow_nan=False)


@pytest.mark.parametrize("name", [f"{SUITE}.html", "index.html", "methods/gce.html"])
def test_pages_carry_everything_themselves(pages: dict[str, str], name: str) -> None:
    tree = read(pages[name])
    for element in tree.iter():
        for key, value in element.attrib.items():
            assert key != "style", "the policy refuses style attributes"
            assert not key.startswith("on"), "the policy refuses event attributes"
            if key in ("src", "srcset", "poster", "data", "action"):
                assert value.startswith("data:")
            if key == "href":
                place = posixpath.normpath(f"{posixpath.dirname(name)}/{value}".lstrip("/"))
                local = value.startswith(("#", "data:")) or leads(pages, place)
                assert local or re.fullmatch(r"https://arxiv\.org/abs/[\d.]+", value)
    (style,), (script,) = list(tree.iter("style")), list(tree.iter("script"))
    assert "url(" not in "".join(style.itertext())
    assert "@import" not in "".join(style.itertext())
    (policy,) = [m for m in tree.iter("meta") if "Security" in str(m.get("http-equiv"))]
    rules = dict(rule.split(" ", 1) for rule in str(policy.get("content")).split("; "))
    assert rules["default-src"] == rules["form-action"] == rules["base-uri"] == "'none'"
    for rule, element in (("style-src", style), ("script-src", script)):
        digest = hashlib.sha256("".join(element.itertext()).encode()).digest()
        assert rules[rule] == f"'sha256-{base64.b64encode(digest).decode()}'"


@pytest.mark.parametrize("name", [f"{SUITE}.html", "index.html", "methods/gce.html"])
def test_links_and_labels_within_a_page_lead_somewhere(pages: dict[str, str], name: str) -> None:
    tree = read(pages[name])
    ids = [str(e.get("id")) for e in tree.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    for element in tree.iter():
        for key in ("for", "aria-labelledby"):
            assert element.get(key) in (None, *ids)
        if str(element.get("href")).startswith("#"):
            assert str(element.get("href"))[1:] in ids


def test_names_with_markup_in_them_stay_text(
    make_study: Callable[..., Any], tmp_path: Path
) -> None:
    study = make_study(
        {(m, n): [80.0, 81.5] for m in ("ce", "gce") for n in ("clean", "symmetric:0.4")},
        name=HOSTILE,
        title=HOSTILE,
        description=HOSTILE,
        command=HOSTILE,
        titles={"ce": HOSTILE, "gce": '"><img src=x onerror=alert(2)>'},
    )
    study.records = [
        dataclasses.replace(r, data_label=HOSTILE, error={"message": HOSTILE})
        for r in study.records
    ]
    values, html = made(study, tmp_path)
    tree = read(html)
    assert len(list(tree.iter("script"))) == 1
    assert not list(tree.iter("img")), "nothing was drawn"
    assert not list(tree.iter("i")), "the source of a method is a name too"
    assert not [e for e in tree.iter() if any(key.startswith("on") for key in e.attrib)]
    (title,) = tree.iter("h1")
    assert "".join(title.itertext()) == HOSTILE
    rows = [r for r in by_id(tree, "board").iter("tr") if r.get("id")]
    assert {r.get("data-method") for r in rows} == set(study.study.titles.values())
    assert {text(next(r.iter("th"))) for r in rows} == set(study.study.titles.values())
    (page, index) = write_pages([values], tmp_path / "site")
    assert page.path.name == file_name(HOSTILE)
    links = {str(a.get("href")) for a in read(index.path.read_text("utf-8")).iter("a")}
    assert links - {"#main"} == {page.path.name}


ALLOWED = {"html", "head", "body", "div", "table", "thead", "tbody", "tr", "th", "td", "br"}


@given(st.text(max_size=40))
def test_no_text_in_a_markdown_table_becomes_an_element(word: str) -> None:
    _, html = markdown_html(table(["a", "b"], [[escape(f"x{word}x"), "1"]]), "t")
    tree: Element = html5lib.parse(html, namespaceHTMLElements=False)
    assert {e.tag for e in tree.iter()} - ALLOWED <= {"em", "strong", "code", "a"}
    assert not [
        e
        for e in tree.iter()
        if set(e.attrib) - {"class", "role", "tabindex", "aria-label", "href", "title"}
    ]


def test_markdown_keeps_numbers_right_and_only_web_links() -> None:
    source = "# T\n\n| a | b |\n|:--|--:|\n| [f](x.md) | [p](https://arxiv.org/abs/1) |\n"
    title, html = markdown_html(source, "t")
    tree: Element = html5lib.parse(html, namespaceHTMLElements=False)
    assert title == "T"
    assert [(td.get("class"), text(td)) for td in tree.iter("td")] == [(None, "f"), ("num", "p")]
    assert [a.get("href") for a in tree.iter("a")] == ["https://arxiv.org/abs/1"]


@pytest.mark.parametrize(
    ("suite_name", "file"),
    [
        ("fashion", "fashion.html"),
        ("index", "suite-index.html"),
        ("a b/c", "a-b-c.html"),
        ("../..", "suite.html"),
        ("é", "suite.html"),
    ],
)
def test_file_names_are_safe(suite_name: str, file: str) -> None:
    assert file_name(suite_name) == file


def test_two_suites_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(reports.ReportError, match=r"both be written to .*same\.html"):
        write_pages([{"name": "same"}, {"name": "Same"}], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_command_line_says_what_it_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--results", str(tmp_path), "--out", str(tmp_path / "site")]
    assert main(["site", *out]) == 2
    assert "no published study" in capsys.readouterr().err
    assert main(["site", "quik", *out]) == 2
    assert "quick" in capsys.readouterr().err
    assert main(["site", "quick", *out]) == 2
    assert "does not exist" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


# --- what is drawn --------------------------------------------------------------------------------


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20),
    st.booleans(),
)
def test_scale_keeps_order_and_stays_inside(values: list[float], zero: bool) -> None:
    scale = Scale.over([*values, None], 170.0, zero=zero)
    places = [scale.x(v) for v in sorted(values)]
    assert all(p is not None and PAD - 0.1 <= p <= 170 - PAD + 0.1 for p in places)
    assert places == sorted(places)  # type: ignore[type-var]
    assert all(PAD - 0.1 <= tick["x"] <= 170 - PAD + 0.1 for tick in scale.ticks)
    assert len(scale.ticks) <= 6


def test_heat_map_is_the_share_of_each_row() -> None:
    heat = heat_map([[[6, 4], [0, 10]], [[8, 2], [1, 9]]])
    assert heat is not None
    shown = [[cell["text"] for cell in row] for row in heat["rows"]]
    assert shown == [["70", "30"], ["5", "95"]]
    assert heat["rows"][0][0]["level"] == round(10 * 0.7**0.5)


def test_heat_map_of_clean_or_unknown_labels_is_none() -> None:
    assert heat_map([[[5, 0], [0, 5]]]) is None
    assert heat_map([None, None]) is None
    assert heat_map([]) is None


def test_heat_map_of_many_classes_is_a_picture_of_as_many_pixels() -> None:
    counts = np.full((100, 100), 1)
    np.fill_diagonal(counts, 401)
    heat = heat_map([counts.tolist()])
    assert heat is not None
    image = Image.open(io.BytesIO(base64.b64decode(heat["image"].split("base64,")[1])))
    pixels = np.asarray(image.convert("L")).astype(int)
    assert pixels.shape == (100, 100)
    assert (np.diag(pixels) < 120).all()
    assert (pixels[~np.eye(100, dtype=bool)] > 200).all()
