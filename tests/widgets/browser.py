"""A headless Chromium looking at widgets in JupyterLab or in Voila, for tests and for the
benchmark.

`lab(folder, code)` and `voila()` start a server on 127.0.0.1 and open the page; `Page` wraps what
the tests do with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ARTIFACTS = Path(__file__).parents[2] / "artifacts"
TOKEN = "a-token-for-the-test-alone"
# Notes the time of every frame: an <img> that has loaded a new picture. `moved` is set when a key
# reaches a slider.
WATCH = """
window.frames_at = []; window.moved = 0;
document.addEventListener('load', e => { if (e.target.tagName === 'IMG' && e.target.closest('.hpt-lab'))
  window.frames_at.push([performance.now(), e.target.src]) }, true);
document.addEventListener('keydown', e => { window.moved = performance.now() }, true);
document.addEventListener('mousedown', e => { window.moved = performance.now() }, true);
"""


class Page:
    """An open page; `errors` collects what the console and the page complain about."""

    def __init__(self, page, url):
        self.page, self.errors, self.url = page, [], url
        page.on(
            "console",
            lambda message: (
                message.type == "error"
                and self.errors.append(f"{message.text} {message.location.get('url', '')}")
            ),
        )
        page.on("pageerror", lambda error: self.errors.append(f"page: {error}"))
        page.add_init_script(WATCH)

    def mine(self):
        """Complaints that are not about look-ups of outside hosts, nor about a missing favicon."""
        outside = re.compile(
            r"https?://(?!127\\.0\\.0\\.1)|ERR_NAME_NOT_RESOLVED|ERR_INTERNET_DISCONNECTED|ERR_PROXY|favicon"
        )
        return [error for error in self.errors if not outside.search(error)]

    def frames(self):
        """Times in ms of the frames that have arrived since the page was opened."""
        return [at for at, _ in self.page.evaluate("window.frames_at")]

    def wait_for_frames(self, n, timeout=60):
        """Wait until n more frames have arrived; return their times."""
        before = len(self.frames())
        self.page.wait_for_function(
            f"window.frames_at.length >= {before + n}", timeout=timeout * 1000
        )
        return self.frames()[before:]

    def button(self, label):
        return self.page.locator(".hpt-lab button", has_text=re.compile(rf"^\s*{label}\s*$"))

    def slider(self, label):
        """The handle of the slider with this label."""
        return self.page.locator(
            ".widget-slider", has=self.page.get_by_text(label, exact=True)
        ).locator(".noUi-handle")

    def box(self, label):
        """The number box paired with this slider."""
        pair = self.page.locator(
            ".widget-hbox",
            has=self.page.locator(".widget-slider", has=self.page.get_by_text(label, exact=True)),
        )
        return pair.last.locator("input[type=number]")

    def text(self):
        return self.page.locator(".hpt-lab [aria-live]").first.inner_text()

    def wait_for_text(self, pattern, timeout=60):
        """Wait until the result line matches; return it."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            with contextlib.suppress(Exception):
                if re.search(pattern, text := self.text()):
                    return text
            time.sleep(0.05)
        raise AssertionError(
            f"no {pattern!r} within {timeout} s; the line says {self.text()!r}; console: "
            f"{self.errors}"
        )

    def wait_until(self, condition, timeout=30):
        """Wait until condition() is true."""
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, (
                f"not within {timeout} s; the line says {self.text()!r}; console: {self.errors}"
            )
            self.page.wait_for_timeout(20)

    def shoot(self, name):
        """Keep a screenshot among the artifacts."""
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)


class Widget:
    """One of several widgets on a page."""

    def __init__(self, page, title):
        self.page, self.title = page, title
        self.box = page.page.locator(".hpt-lab").filter(has_text=title).first
        self.box.scroll_into_view_if_needed()
        self.box.locator("img").wait_for()

    def button(self, label):
        return self.box.locator(
            "button", has_text=re.compile(f"^{label}$")
        )  # its accessible name has the icon's letter

    def click(self, label):
        self.button(label).click()

    def slider(self, label):
        return self.box.locator(
            ".widget-slider", has=self.page.page.get_by_text(label, exact=True)
        ).locator(".noUi-handle")

    def set(self, label, number):
        """Type a number into the box beside a slider."""
        pair = self.box.locator(
            ".widget-hbox", has=self.page.page.get_by_text(label, exact=True)
        ).last
        pair.locator("input[type=number]").fill(str(number))
        pair.locator("input[type=number]").press("Enter")

    def choose(self, label, option):
        menu = self.box.locator(
            ".widget-dropdown", has=self.page.page.get_by_text(label, exact=True)
        )
        menu.locator("select").select_option(option)

    def text(self):
        return self.box.locator("[aria-live]").inner_text()

    def wait_for(self, words, seconds=120):
        """Wait until the result line has these words (or matches them, if a pattern); return it."""
        line = self.box.locator("[aria-live]").filter(has_text=words)
        line.wait_for(timeout=seconds * 1000)
        return line.inner_text()

    def pause(self):
        """Press Pause, wait until Run can be pressed, and return the result line."""
        self.click("Pause")
        self.page.wait_until(self.button("Run.*").is_enabled)
        return self.text()

    def shoot(self, name):
        ARTIFACTS.mkdir(exist_ok=True)
        self.box.screenshot(path=ARTIFACTS / f"{name}.png")


@contextlib.contextmanager
def chromium():
    """Start a headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def server(command, ready, cwd):
    """Run a server's command until the block ends; `ready` is polled until it answers."""
    private = dict.fromkeys(("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"), str(cwd))
    env = os.environ | private | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    log = Path(cwd) / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(ready, timeout=30).close()
                    break
                except urllib.error.HTTPError:  # an answer too
                    break
                except OSError:
                    pass
                if process.poll() is not None:
                    break
                time.sleep(0.1)
            else:
                raise AssertionError(f"the server did not answer:\n{log.read_text()[-3000:]}")
            assert process.poll() is None, log.read_text()[-3000:]
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def lab(browser, folder, code, *, dark=False):
    """Open a notebook of one cell in JupyterLab, run it, and yield the Page."""
    cell = {
        "cell_type": "code",
        "execution_count": None,
        "id": "a",
        "metadata": {},
        "outputs": [],
        "source": code,
    }
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (Path(folder) / "widget.ipynb").write_text(
        json.dumps(
            {
                "cells": [cell],
                "metadata": {"kernelspec": kernel},
                "nbformat": 4,
                "nbformat_minor": 5,
            }
        )
    )
    (Path(folder) / "overrides.json").write_text(
        json.dumps(
            {
                "@jupyterlab/apputils-extension:themes": {
                    "theme": f"JupyterLab {'Dark' if dark else 'Light'}"
                },
                "@jupyterlab/apputils-extension:notification": {
                    "fetchNews": "false",
                    "checkForUpdates": False,
                },
            }
        )
    )
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={folder}",
        "--LabApp.expose_app_in_browser=True",
        f"--LabApp.app_settings_dir={folder}",
        "--LabApp.extension_manager=readonly",
        "--ServerApp.terminals_enabled=False",
    ]
    base = f"http://127.0.0.1:{port}"
    with server(command, f"{base}/api/status?token={TOKEN}", folder):
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        page = Page(context.new_page(), base)
        page.page.goto(f"{base}/lab/tree/widget.ipynb?token={TOKEN}")
        page.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        page.page.evaluate("window.jupyterapp.commands.execute('application:toggle-left-area')")
        page.page.evaluate("""async () => { const context = window.jupyterapp.shell.currentWidget.sessionContext;
                                            await context.ready; await context.session.kernel.info }""")
        page.page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.page.wait_for_selector(".hpt-lab img", timeout=180_000)
        yield page
        context.close()


@contextlib.contextmanager
def voila(browser, folder, *arguments):
    """Start `hpt-lab playground` and yield its Page."""
    port = free_port()
    command = [
        sys.executable,
        "-c",
        "import sys; from hpt_lab.widgets.page import serve; sys.exit(serve(sys.argv[1:]))",
        f"--Voila.port={port}",
        "--no-browser",
        f"--Voila.token={TOKEN}",
        *arguments,
    ]
    base = f"http://127.0.0.1:{port}"
    with server(command, f"{base}/voila/static/nope", folder):
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        page = Page(context.new_page(), base)
        page.page.goto(
            f"{base}/?token={TOKEN}", timeout=120_000, wait_until="commit"
        )  # "load" waits for outside hosts
        page.page.wait_for_selector(".hpt-lab img", timeout=180_000)
        yield page
        context.close()
