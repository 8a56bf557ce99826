"""Open the overview of a class of 300 in Chromium: how soon it is read, and how large it is.

Needs playwright and Chromium. The class is made of a few gradings that are repeated; seconds are
those of the browser's own clock from the navigation on, the median of several fresh browsers. They
grow with what else the machine does; the processor time of the page's main thread does not.
"""

import argparse
import asyncio
import shutil
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from playwright.async_api import async_playwright

from otelkata import grade
from otelkata.drive.run import Settings
from otelkata.report import overview
from otelkata.report.graded import Graded
from otelkata.report.html import overview as page
from otelkata.report.html.page import page as report

ROOT = Path(__file__).parents[1]
SUBMISSIONS = ("reference_solution", "fixtures/starter", "fixtures/passing/blocking_async")
SECONDS = 2.0
MEGABYTES = 5.0
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
TIMES = """async () => {
    const [navigation] = performance.getEntriesByType("navigation");
    const painted = () => performance.getEntriesByName("first-contentful-paint")[0];
    while (!painted() || !navigation.loadEventEnd) await new Promise(requestAnimationFrame);
    return [navigation.loadEventEnd / 1000, painted().startTime / 1000];
}"""


async def graded() -> list[Graded]:
    """Return what a few submissions came to."""
    async with grade.Grader(sys.executable) as grader:
        grader.open()
        return [
            await grader.grade(str(ROOT / path), Settings(1, quick=True)) for path in SUBMISSIONS
        ]


def write(results: list[Graded], count: int, folder: Path) -> Path:
    """Write overview and reports of a class of `count` into `folder`; return the overview."""
    (folder / "reports").mkdir()
    pages = [report(result) for result in results]
    lines, links = [], []
    for number in range(count):
        name = f"{number + 1:04}-student.html"
        (folder / "reports" / name).write_text(pages[number % len(pages)], "utf-8")
        line = overview.line(results[number % len(results)])
        lines.append(replace(line, submission=f"class/student-{number + 1:04}"))
        links.append(f"reports/{name}")
    file = folder / "overview.html"
    file.write_text(page.page(lines, links), "utf-8")
    return file


async def opened(file: Path, rounds: int) -> list[tuple[float, float, float]]:
    """Return seconds until load and first paint, and of processor time, of each round."""
    chromium = shutil.which("chromium") or shutil.which("chromium-headless-shell")
    times: list[tuple[float, float, float]] = []
    async with async_playwright() as driver:
        for _ in range(rounds):
            browser = await driver.chromium.launch(executable_path=chromium, args=[*ARGUMENTS])
            shown = await browser.new_page(viewport={"width": 1280, "height": 900})
            session = await shown.context.new_cdp_session(shown)
            await session.send("Performance.enable", {"timeDomain": "threadTicks"})
            await shown.goto(file.as_uri())
            metrics = (await session.send("Performance.getMetrics"))["metrics"]
            (taken,) = [each["value"] for each in metrics if each["name"] == "TaskDuration"]
            loaded, painted = await shown.evaluate(TIMES)
            times.append((loaded, painted, taken))
            await browser.close()
    return times


def main() -> None:
    """Print how long it takes, and how large it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="submissions (default 300)")
    parser.add_argument("--rounds", type=int, default=5, help="fresh browsers (default 5)")
    options = parser.parse_args()
    results = asyncio.run(graded())
    with tempfile.TemporaryDirectory() as place:
        file = write(results, options.count, Path(place))
        times = asyncio.run(opened(file, options.rounds))
        size = file.stat().st_size / 1e6
        reports = [path.stat().st_size / 1e6 for path in (file.parent / "reports").iterdir()]
    loaded, painted, taken = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"overview of {options.count} submissions, median of {options.rounds} fresh browsers")
    print(f"load event: {loaded:.2f} s, first paint: {painted:.2f} s (at most {SECONDS:.0f} s)")
    print(f"processor time of the main thread: {taken:.2f} s")
    print(
        f"size: {size:.2f} MB (at most {MEGABYTES:.0f} MB); a report: at most {max(reports):.2f} MB"
    )


if __name__ == "__main__":
    main()
