"""The built book as its readers see it: every page in a headless Chromium, and its links read from the files.

Needs a built book (`make book`) and Chromium or Chrome on the PATH; skipped with a message where one is
missing, unless REQUIRE_BROWSER is set.
"""

import functools
import http.server
import os
import re
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from companion import ledger

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build" / "html"
PAGES = sorted(
    str(path.relative_to(SITE))
    for path in SITE.rglob("*.html")
    if "_static" not in path.parts
    and 'http-equiv="refresh"' not in path.read_text(encoding="utf8")[:2000].lower()
)
SHOWN = {(e.paper, e.label): e for entries in ledger.load(ROOT / "book").values() for e in entries.values()}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VIEWS = {"desktop": (1280, 900, "light"), "dark": (1280, 900, "dark"), "phone": (390, 844, "light")}

pytestmark = [
    pytest.mark.browser,
    # Playwright's event loop is closed by the interpreter, not by us.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]


def missing(what: str) -> None:
    if os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def site() -> Path:
    if not (SITE / "index.html").exists():
        missing(f"no built book at {SITE}: run make book")
    return SITE


@functools.cache
def soup(page: str) -> BeautifulSoup:
    return BeautifulSoup((SITE / page).read_text(encoding="utf8"), "html.parser")


@functools.cache
def ids(page: str) -> Counter[str]:
    return Counter(str(tag["id"]) for tag in soup(page).find_all(id=True))


# What the files alone tell


def test_the_whole_table_of_contents_was_built(site: Path) -> None:
    toc = (ROOT / "_toc.yml").read_text(encoding="utf8")
    assert [name for name in re.findall(r"file: (\S+)", toc) if f"{name}.html" not in PAGES] == []


@pytest.mark.parametrize("page", PAGES)
def test_internal_links_resolve(site: Path, page: str) -> None:
    broken = []
    for link in soup(page).find_all("a", href=True):
        url = urlsplit(str(link["href"]))
        if url.scheme or url.netloc:
            continue
        target = page if not url.path else os.path.normpath(Path(page).parent / unquote(url.path))
        if not (site / target).exists() or (
            url.fragment and target.endswith(".html") and unquote(url.fragment) not in ids(target)
        ):
            broken.append(str(link["href"]))
    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_nothing_comes_from_another_host(site: Path, page: str) -> None:
    tags = soup(page).find_all(["script", "link", "img", "iframe", "source"])
    urls = [str(tag.get("src") or tag.get("href") or "") for tag in tags]
    assert [url for url in urls if urlsplit(url).netloc] == []
    assert not any("thebe" in str(tag) for tag in soup(page).find_all("script"))


@pytest.mark.parametrize("page", PAGES)
def test_images_say_what_they_show(site: Path, page: str) -> None:
    article = soup(page).find("article") or soup(page)
    silent = []
    for image in article.find_all("img"):
        alt = str(image.get("alt") or "").strip()
        # Sphinx falls back on the name of the file.
        if len(alt) < 10 or re.search(r"\.(svg|png|jpe?g)$", alt):
            silent.append(str(image.get("src"))[:100])
    assert silent == []


@pytest.mark.parametrize("page", PAGES)
def test_page_says_version_source_and_cost(site: Path, page: str) -> None:
    if page.startswith("_modules") or Path(page).name in ("genindex.html", "py-modindex.html", "search.html"):
        return
    facts = soup(page).find(class_="page-facts")
    assert facts is not None
    pattern = r"version \d+\.\d+\.\d+"
    if soup(page).find(class_="cell"):
        pattern = r"executed in [\d.]+ s, peak memory \d+ MB · sources used [0-9a-f]{8} · " + pattern
    assert re.search(pattern, facts.get_text())
    assert soup(page).find(class_="cite-page") is not None


def test_every_label_has_its_anchor_once(site: Path) -> None:
    places = Counter(anchor for page in PAGES for anchor in ids(page).elements() if anchor in ANCHORS)
    assert {anchor: places[anchor] for anchor in ANCHORS} == dict.fromkeys(ANCHORS, 1)


ANCHORS = {entry.anchor: entry for entry in SHOWN.values()}


# What only a browser tells


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="session")
def base(site: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def chromium(site: Path) -> Iterator[Any]:
    executable = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if executable is None:
        missing(f"none of {', '.join(BROWSERS)} is installed")
    from playwright.sync_api import sync_playwright

    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=flags)
        yield browser
        browser.close()


class View:
    """One window size and colour scheme; remembers what the page complained about."""

    def __init__(self, browser: Any, base: str, name: str, **options: Any) -> None:
        width, height, scheme = VIEWS[name]
        self.base, self.faults = base, list[str]()
        size = {"width": width, "height": height}
        self.context = browser.new_context(viewport=size, color_scheme=scheme, **options)
        self.context.add_init_script(
            f"localStorage.setItem('mode', '{scheme}'); localStorage.setItem('theme', '{scheme}')"
        )
        self.page = self.context.new_page()
        self.page.on(
            "console", lambda m: self.faults.append(f"console: {m.text}") if m.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on(
            "response", lambda r: self.faults.append(f"{r.status} {r.url}") if r.status >= 400 else None
        )
        self.page.route("**/*", self.request)

    def request(self, route: Any) -> None:
        if route.request.url.startswith((self.base, "data:", "blob:")):
            route.continue_()
        else:
            self.faults.append(f"left localhost: {route.request.url}")
            route.abort()

    def open(self, name: str, wait: bool = True) -> Any:
        self.faults.clear()
        self.page.goto(self.base + name, wait_until="load")
        if wait:
            self.page.evaluate(
                "() => window.MathJax && window.MathJax.startup && window.MathJax.startup.promise"
            )
        return self.page


@pytest.fixture(scope="session")
def views(chromium: Any, base: str) -> dict[str, View]:
    return {name: View(chromium, base, name) for name in VIEWS}


FORMULAS = r"""() => {
  const main = document.querySelector('article') || document.body, faults = [];
  const say = (what, text) => faults.push(what + ': ' + text.slice(0, 80));
  for (const bad of main.querySelectorAll('mjx-merror, [data-mjx-error]')) say('failed', bad.textContent);
  for (const math of main.querySelectorAll('.math'))
    if (!math.querySelector('mjx-container') && math.textContent.trim()) say('raw', math.textContent);
  const tex = /\\\(|\\\[|\$\$|\\(frac|alpha|tau|sum|int|begin)\b/;
  const role = /\{(paper|api|printed|glue|cite)[:}]|:(math|func|class):/;
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  for (let node; node = walker.nextNode();) {
    if (node.parentElement.closest('pre, code, script, style, mjx-container, .math')) continue;
    if (tex.test(node.textContent) || role.test(node.textContent)) say('raw', node.textContent);
  }
  return faults;
}"""

OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

# Luminance of the corners of each picture over whatever stands behind it.
BEHIND = """async () => {
  const result = [];
  for (const image of document.querySelectorAll('article img')) {
    await image.decode().catch(() => 0);
    let element = image, back = 'rgb(0, 0, 0)';
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (!/, 0\\)$|transparent/.test(colour)) { back = colour; break; }
    }
    const canvas = document.createElement('canvas'), pen = canvas.getContext('2d');
    const width = canvas.width = 64, height = canvas.height = 48;
    pen.fillStyle = back; pen.fillRect(0, 0, width, height);
    pen.drawImage(image, 0, 0, width, height);
    const corners = [[1, 1], [width - 2, 1], [1, height - 2], [width - 2, height - 2]];
    const light = corners.map(([x, y]) => {
      const [r, g, b] = pen.getImageData(x, y, 1, 1).data;
      return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
    });
    result.push([image.alt.slice(0, 60), Math.min(...light)]);
  }
  return result;
}"""

# Contrast ratio of the text of each selected element, as defined by WCAG 2.
CONTRAST = """(selector) => {
  const pen = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const luminance = (colour) => {
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map((v) => {
      v /= 255;
      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return [...document.querySelectorAll(selector)].map((element) => {
    let back = element;
    while (back.parentElement && /, 0\\)$|transparent/.test(getComputedStyle(back).backgroundColor))
      back = back.parentElement;
    const a = luminance(getComputedStyle(element).color);
    const b = luminance(getComputedStyle(back).backgroundColor);
    return [element.className, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
  });
}"""


@pytest.mark.parametrize("name", PAGES)
def test_page_renders_without_fault(views: dict[str, View], name: str) -> None:
    # Listings of source code are long and all alike: the phone is the only view in which they can break.
    for label in ["phone"] if name.startswith("_modules/") else VIEWS:
        view = views[label]
        page = view.open(name)
        faults = page.evaluate(FORMULAS) + view.faults
        assert faults == [], label
        if label == "phone":
            assert page.evaluate(OVERFLOW) <= 0
        if label == "dark":
            assert page.evaluate("() => document.documentElement.dataset.theme") == "dark"
            assert [figure for figure in page.evaluate(BEHIND) if figure[1] < 0.7] == []


@pytest.mark.parametrize("name", sorted({f"{entry.chapter}.html" for entry in SHOWN.values()}))
def test_anchors_are_where_a_link_lands(views: dict[str, View], name: str) -> None:
    page = views["phone"].open(name)
    anchors = [anchor for anchor in ids(name) if anchor in ANCHORS]
    missed = page.evaluate(
        """(anchors) => anchors.filter((anchor) => {
          document.documentElement.style.scrollBehavior = 'auto';
          location.hash = '#' + anchor;
          const target = document.querySelector(':target'), box = target && target.getBoundingClientRect();
          return !target || target.id !== anchor || box.top < 0 || box.top > innerHeight;
        })""",
        anchors,
    )
    assert anchors
    assert missed == []


@pytest.mark.parametrize("label", ["desktop", "dark"])
def test_small_print_has_enough_contrast(views: dict[str, View], label: str) -> None:
    pages = {
        "ledger.html": ".badge-status, .ledger-counts",
        "index.html": ".badge-status, .page-facts, summary",
    }
    pages |= {
        f"{next(iter(SHOWN.values())).chapter}.html": ".pe-title, .pe-link, .pe-key, .pe-foot, .pe-number"
    }
    for name, selector in pages.items():
        seen = views[label].open(name).evaluate(CONTRAST, selector)
        assert seen
        assert [item for item in seen if item[1] < 4.5] == []


def test_ledger_search_filters_by_words_and_status(views: dict[str, View]) -> None:
    page = views["desktop"].open("ledger.html")
    rows = page.locator("tr.ledger-row:visible")
    assert rows.count() == len(SHOWN)
    for status, wanted in Counter(entry.status for entry in SHOWN.values()).items():
        page.select_option(".ledger-search select", status)
        assert rows.count() == wanted
    page.select_option(".ledger-search select", "")
    page.fill(".ledger-search input", "no such words anywhere")
    assert rows.count() == 0
    page.fill(".ledger-search input", "alpha_s table")
    assert 0 < rows.count() < len(SHOWN)


def test_ledger_is_a_plain_table_without_javascript(chromium: Any, base: str) -> None:
    view = View(chromium, base, "desktop", java_script_enabled=False)
    page = view.open("ledger.html", wait=False)
    assert page.locator("tr.ledger-row:visible").count() == len(SHOWN)
    assert page.locator(".ledger-search:visible").count() == 0
    view.context.close()


def test_search_finds_a_word_of_the_book(views: dict[str, View]) -> None:
    page = views["desktop"].open("search.html?q=resistivity", wait=False)
    page.wait_for_selector("ul.search li a", timeout=15000)
    assert views["desktop"].faults == []
