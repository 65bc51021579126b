"""The web pages in a real headless Chromium: sorting, filtering, colours, widths, no network."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nlbench import reports
from nlbench.cli import main
from nlbench.reports.site import Commands, LabelSets, payload, write_pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PUBLISHED = Path(__file__).resolve().parents[3] / "results" / "published"
NAMES = (
    "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome",
    "google-chrome-stable", "chrome", "microsoft-edge",
)  # fmt: skip
HOSTILE = '"><script>window.pwned = 1</script><img src=x onerror="window.pwned = 1">'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium on the PATH or in NLBENCH_BROWSER, else playwright's own, else a skip."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = os.environ.get("NLBENCH_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    with api.sync_playwright() as driver:
        if found is None and not Path(driver.chromium.executable_path).is_file():
            pytest.skip(
                "no Chromium: `apt-get install chromium-headless-shell`, `playwright install"
                " chromium --only-shell`, or name one in NLBENCH_BROWSER"
            )
        # A container's root cannot have Chromium's sandbox; the pages are our own.
        started: Browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    assert main(["site", "fashion", "--results", str(PUBLISHED.parent), "--out", str(out)]) == 0
    return out


@dataclass
class Watched:
    """A page, what it asked for and what it complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def go(self, path: Path) -> None:
        self.page.goto(path.as_uri())

    def quiet(self) -> bool:
        outside = [url for url in self.requests if not url.startswith(("file:", "data:"))]
        return not outside and not self.complaints


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Open a context with these settings; afterwards nothing may have been asked or said."""
    opened: list[tuple[Watched, Any]] = []

    def start(**settings: Any) -> Watched:
        context = browser.new_context(**settings)
        context.set_default_timeout(60_000)
        watched = Watched(context.new_page())
        watched.page.on("request", lambda request: watched.requests.append(request.url))
        watched.page.on("console", lambda message: watched.complaints.append(message.text))
        watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        opened.append((watched, context))
        return watched

    yield start
    for watched, context in opened:
        assert watched.quiet(), (watched.requests, watched.complaints)
        context.close()


COLUMN = """(column) => [...document.querySelectorAll("#board tbody tr")]
    .filter((row) => !row.hidden).map((row) => row.cells[column].dataset.v)"""
HEADS = """() => [...document.querySelectorAll("#board th[data-key]")].map((head) =>
    [head.dataset.key, "number" in head.dataset, head.getAttribute("aria-sort")])"""


def in_order(values: list[str], number: bool, down: bool) -> bool:
    """Whether values ascend (descend), those without one last."""
    there = [value for value in values if value != ""]
    if values[len(there) :] != [""] * (len(values) - len(there)):
        return False
    keys: list[Any] = [float(v) for v in there] if number else [_words(v) for v in there]
    return keys == sorted(keys, reverse=down)


def _words(value: str) -> list[Any]:
    """Text with its numbers as numbers, case apart: how a reader sorts."""
    parts = re.split(r"(\d+)", value.lower())
    return [int(part) if part.isdecimal() else part for part in parts]


@pytest.mark.parametrize("how", ["mouse", "Enter", "Space"])
def test_every_column_sorts_both_ways(visit: Callable[..., Watched], site: Path, how: str) -> None:
    watched = visit(viewport={"width": 1400, "height": 900})
    watched.go(site / "fashion.html")
    page = watched.page
    heads = page.evaluate(HEADS)
    assert len(heads) >= 10
    before = [sorted(page.evaluate(COLUMN, at)) for at in range(len(heads))]
    for column, (key, number, _) in enumerate(heads):
        button = page.locator(f"th[data-key={key}] button")
        seen = set()
        for _ in range(2):
            if how == "mouse":
                button.click()
            else:
                button.focus()
                page.keyboard.press(how)
            states = {name: state for name, _, state in page.evaluate(HEADS) if state}
            assert list(states) == [key], "one column says that it is sorted"
            seen.add(states[key])
            values = page.evaluate(COLUMN, column)
            assert in_order(values, number, states[key] == "descending"), (key, values)
            assert sorted(values) == before[column]
        assert seen == {"ascending", "descending"}


def test_filters_leave_the_rows_they_name(visit: Callable[..., Watched], site: Path) -> None:
    watched = visit()
    watched.go(site / "fashion.html")
    page = watched.page
    count = page.locator("#f-count")
    assert count.inner_text() == "18 of 18 rows"
    page.get_by_label("Method", exact=True).select_option("GCE")
    assert set(page.evaluate(COLUMN, 0)) == {"GCE"}
    assert count.inner_text() == "6 of 18 rows"
    page.get_by_label("only tie group 1").check()
    assert count.inner_text() == "5 of 18 rows"
    page.get_by_role("search").get_by_label("Noise").select_option("symmetric")
    assert count.inner_text() == "3 of 18 rows"
    page.get_by_role("button", name="Reset").click()
    assert count.inner_text() == "18 of 18 rows"
    page.get_by_label("Contains").fill("DRAINAGE instance")
    assert page.evaluate(COLUMN, 0) == ["Drainage"]
    page.get_by_label("Contains").fill("no such thing")
    assert page.get_by_text("No row passes the filters.").is_visible()
    page.locator("th[data-key=mean] button").click()
    page.get_by_label("Contains").fill("")
    assert in_order(page.evaluate(COLUMN, 2), number=True, down=True), "a filter keeps the order"


def test_keyboard_alone_reaches_content_controls_and_sentences(
    visit: Callable[..., Watched], site: Path
) -> None:
    watched = visit()
    watched.go(site / "fashion.html")
    page = watched.page
    page.keyboard.press("Tab")
    skip = page.locator("a.skip")
    assert skip.evaluate("link => link === document.activeElement")
    assert (box := skip.bounding_box())
    assert box["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    seen = []
    for _ in range(12):
        page.keyboard.press("Tab")
        outline, words = page.evaluate(
            """() => [getComputedStyle(document.activeElement).outlineStyle,
            document.activeElement.id || document.activeElement.textContent]"""
        )
        assert outline != "none", f"no focus to be seen on {words}"
        seen.append(words)
    assert {"f-text", "f-method", "f-type", "f-best", "f-whole", "f-reset"} <= set(seen)
    cell = page.locator(".matrices button.cell").nth(1)
    cell.focus()
    sentence = page.locator(".matrices td[data-sentence]").nth(1).get_attribute("data-sentence")
    assert page.locator(".readout").inner_text() == sentence
    assert cell.get_attribute("aria-label") == sentence


def test_a_row_tells_how_to_make_it_again(visit: Callable[..., Watched], site: Path) -> None:
    watched = visit(permissions=["clipboard-read", "clipboard-write"])
    watched.go(site / "fashion.html")
    page = watched.page
    row = page.locator("#board tbody tr").first
    row.get_by_role("button", name="copy").click()
    command = row.locator("button.copy").get_attribute("data-copy")
    assert page.locator("#toast").inner_text() == f"Copied: {command}"
    assert page.evaluate("navigator.clipboard.readText()") == command
    entry = page.locator(str(row.locator("a").get_attribute("href")))
    assert not entry.is_visible()
    row.locator("a").click()
    assert entry.is_visible()
    assert str(command) in entry.inner_text()


WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_page_is_wider_than_its_window(
    visit: Callable[..., Watched], site: Path, width: int
) -> None:
    watched = visit(viewport={"width": width, "height": 800})
    for name in ("fashion.html", "index.html", "methods/gce.html"):
        watched.go(site / name)
        assert watched.page.evaluate(WIDE) == 0
        watched.page.evaluate("document.querySelectorAll('details').forEach((d) => d.open = true)")
        assert watched.page.evaluate(WIDE) == 0


def test_first_column_stays_in_sight_on_a_phone(visit: Callable[..., Watched], site: Path) -> None:
    watched = visit(viewport={"width": 390, "height": 800})
    watched.go(site / "fashion.html")
    place = "() => document.querySelector('#board tbody th').getBoundingClientRect().x"
    before = watched.page.evaluate(place)
    watched.page.evaluate("document.querySelector('#board').parentElement.scrollLeft = 400")
    assert watched.page.evaluate(place) == pytest.approx(before, abs=1)


@pytest.mark.parametrize("width", [390, 641, 800, 1000, 1270])
def test_method_and_noise_of_a_row_stay_in_sight(
    visit: Callable[..., Watched], site: Path, width: int
) -> None:
    watched = visit(viewport={"width": width, "height": 800})
    watched.go(site / "fashion.html")
    watched.page.evaluate("document.querySelector('#board').parentElement.scrollLeft = 1000")
    shown = """() => { const box = document.querySelector("#board").parentElement;
      const left = box.getBoundingClientRect().x;
      return [...document.querySelectorAll("#board tbody tr")].map((row) => {
        const [method, noise] = [...row.cells].map((cell) => cell.getBoundingClientRect());
        const below = getComputedStyle(row.cells[0], "::after").content;
        return [method.x - left, noise.x - method.right, below === `"${row.cells[1].innerText}"`];
      }); }"""
    rows = watched.page.evaluate(shown)
    assert len(rows) > 10
    for method, noise, below in rows:
        assert method == pytest.approx(1, abs=1.5)  # the border
        assert below if width == 390 else noise == pytest.approx(0, abs=1)


BOXES = """() => [...document.querySelectorAll(".scroll")].filter((box) => box.clientWidth)
    .map((box) => [box.scrollWidth > box.clientWidth + 1,
      box.nextElementSibling?.className === "hint" && !box.nextElementSibling.hidden])"""
FIRST = """() => [...document.querySelectorAll(".scroll")].filter((box) =>
    box.scrollWidth > box.clientWidth + 1).map((box) => {
      const cells = [...box.querySelectorAll("tr > :first-child")].filter((c) => c.colSpan === 1);
      const place = () => cells.map((cell) => Math.round(cell.getBoundingClientRect().x));
      const before = place();
      box.scrollLeft = 1000;
      const after = place();
      box.scrollLeft = 0;
      return [box.getAttribute("aria-label"), String(before) === String(after),
        Math.max(...cells.map((c) => c.getBoundingClientRect().width)) / box.clientWidth];
    })"""


@pytest.mark.parametrize("width", [390, 1280])
def test_wide_tables_keep_their_first_column_and_hint_at_the_others(
    visit: Callable[..., Watched], site: Path, width: int
) -> None:
    watched = visit(viewport={"width": width, "height": 800})
    page = watched.page
    for name in ("fashion.html", "index.html", "methods/gce.html"):
        watched.go(site / name)
        page.evaluate("document.querySelectorAll('details').forEach((d) => d.open = true)")
        page.wait_for_function(f"() => ({BOXES})().every(([wide, hinted]) => wide === hinted)")
        boxes = page.evaluate(BOXES)
        assert all(wide == hinted for wide, hinted in boxes), boxes
        if width == 390:
            assert any(wide for wide, _ in boxes), name
        for label, stays, share in page.evaluate(FIRST):
            assert stays, label
            assert share < 0.6, (label, share)


def test_tables_of_the_first_screens_fit_a_desktop(
    visit: Callable[..., Watched], site: Path
) -> None:
    watched = visit(viewport={"width": 1280, "height": 800})
    for name, table in (("fashion.html", ".grid"), ("fashion.html", "#board"),
                        ("index.html", ".studies"), ("methods/gce.html", ".grid")):  # fmt: skip
        watched.go(site / name)
        box = watched.page.locator(f".scroll:has({table})").first
        assert box.evaluate("box => box.scrollWidth - box.clientWidth") <= 1, (name, table)


@pytest.mark.parametrize("width", [390, 1280])
def test_the_answer_is_on_the_first_screen(
    visit: Callable[..., Watched], site: Path, width: int
) -> None:
    watched = visit(viewport={"width": width, "height": 844})
    for name in ("fashion.html", "index.html"):
        watched.go(site / name)
        lines = watched.page.locator(".answer").first.locator("dt").all()
        assert len(lines) == 3
        assert all((box := line.bounding_box()) and box["y"] < 844 for line in lines), name


# Contrast of every visible text with what is behind it, after WCAG 2.2.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  canvas.canvas.width = canvas.canvas.height = 1;
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
  };
  const over = (top, under) => top.slice(0, 3).map((v, i) => v * top[3] + under[i] * (1 - top[3]));
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      layers.push(rgba(getComputedStyle(at).backgroundColor));
    }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const light = (rgb) => rgb.map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const poor = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || element.closest("script, option, svg")) continue;
    if (!element.checkVisibility()) continue;
    const ground = behind(element), style = getComputedStyle(element);
    const ink = rgba(style.color);
    ink[3] *= Number(style.opacity);
    const [a, b] = [light(over(ink, ground)), light(ground)].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) {
      const ratio = ((a + 0.05) / (b + 0.05)).toFixed(2);
      poor.push([element.className || element.tagName, walk.currentNode.textContent, ratio]);
    }
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_dark(
    visit: Callable[..., Watched], site: Path, scheme: str
) -> None:
    watched = visit(color_scheme=scheme)
    for name in ("index.html", "methods/gce.html", "fashion.html"):
        watched.go(site / name)
        page = watched.page
        page.evaluate("document.querySelectorAll('details').forEach((d) => d.open = true)")
        assert page.evaluate(CONTRAST) == []
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    plate = page.evaluate("getComputedStyle(document.querySelector('.plate')).backgroundColor")
    bright = [int(v) > 128 for v in re.findall(r"\d+", ground)[:3]]
    assert bright == [scheme == "light"] * 3
    assert plate == "rgb(255, 255, 255)", "figures are drawn for white paper"


def test_without_scripts_the_page_says_the_same(visit: Callable[..., Watched], site: Path) -> None:
    plain, scripted = visit(java_script_enabled=False), visit()
    for watched in (plain, scripted):
        watched.go(site / "fashion.html")
    rows = [w.page.locator("#board tbody tr th, #board td.num").all_inner_texts()
            for w in (plain, scripted)]  # fmt: skip
    assert rows[0] == rows[1]
    assert plain.page.locator("button:visible, input:visible").count() == 0, "nothing that is dead"
    assert plain.page.get_by_text("Drainage beats CE on clean by 0.30 points").count() > 0
    assert plain.page.locator("td.pair").first.get_attribute("title")


def test_printing_opens_what_is_closed(visit: Callable[..., Watched], site: Path) -> None:
    watched = visit()
    watched.go(site / "fashion.html")
    page = watched.page
    closed = "() => document.querySelectorAll('details:not([open])').length"
    before = page.evaluate(closed)
    assert before > 0
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(closed) == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(closed) == before
    page.emulate_media(media="print")
    assert not page.locator("#controls").is_visible()


def test_figures_are_loaded_and_the_index_leads_to_the_page(
    visit: Callable[..., Watched], site: Path
) -> None:
    watched = visit()
    watched.go(site / "index.html")
    page = watched.page
    page.get_by_role("link", name="Fashion-MNIST").first.click()
    assert page.url.endswith("fashion.html")
    images = page.locator("figure img")
    assert images.count() >= 4
    waiting = "() => [...document.images].filter((i) => !i.complete || !i.naturalWidth).length"
    assert page.evaluate(waiting) == 0, "a page that is printed is not scrolled through first"
    assert page.locator("img[loading]").count() == 0
    for image in images.all():
        image.scroll_into_view_if_needed()
        image.evaluate("image => image.decode()")
        assert image.evaluate("image => image.naturalWidth > 300")


def test_a_name_cannot_run_anything(
    visit: Callable[..., Watched], make_study: Callable[..., Any], tmp_path: Path
) -> None:
    study = make_study(
        {(m, n): [80.0, 81.5] for m in ("ce", "gce") for n in ("clean", "symmetric:0.4")},
        name=HOSTILE, title=HOSTILE, description=HOSTILE, command=HOSTILE,
        titles={"ce": HOSTILE, "gce": f"G{HOSTILE}"},
    )  # fmt: skip
    sets = LabelSets()
    built = reports.build_report(
        study.study, sets.watch(study.records), tmp_path / "r", only="tables"
    )
    commands = Commands(run=lambda *_: HOSTILE, labels=lambda *_: HOSTILE)
    written = write_pages([payload(built, sets, commands)], tmp_path)
    watched = visit()
    for page in written:
        watched.go(page.path)
        assert watched.page.evaluate("typeof window.pwned") == "undefined"
        assert HOSTILE in watched.page.locator("body").inner_text()
    watched.go(written[0].path)
    watched.page.get_by_label("Method", exact=True).select_option(HOSTILE)
    assert set(watched.page.evaluate(COLUMN, 0)) == {HOSTILE}
    # Even what got in would not run: the policy lets one script through, by its hash.
    watched.page.evaluate(
        """() => { const extra = document.createElement("script");
        extra.textContent = "window.pwned = 2"; document.body.append(extra); }"""
    )
    assert watched.page.evaluate("typeof window.pwned") == "undefined"
    assert any("Content Security Policy" in line for line in watched.complaints)
    watched.complaints.clear()
