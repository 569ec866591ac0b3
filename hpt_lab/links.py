"""Links that open a checkout's own copy of the course on Binder and Colab, from its git remote."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from hpt_lab.errors import HptError

FIRST = "notebooks/00-start-here.ipynb"
HOSTS = {"github.com": "gh", "gitlab.com": "gl"}  # Binder's names for them


def launch_links(remote: str, ref: str) -> dict[str, str]:
    """Return {"Binder": url, "Colab": url} for a git remote on GitHub (Colab reads only GitHub), or
    Binder's on GitLab.

    >>> launch_links("git@github.com:ada/lab.git", "main")["Colab"]
    'https://colab.research.google.com/github/ada/lab/blob/main/notebooks/00-start-here.ipynb'
    """
    found = re.fullmatch(
        r"(?:https?://|git@|ssh://git@)([\w.-]+)[:/]([\w./-]+?)(?:\.git)?/?", remote
    )
    if found is None or found[1] not in HOSTS or not re.fullmatch(r"[\w./-]+", ref):
        raise HptError(
            f"no launch links for remote {remote!r} at {ref!r}; Binder and Colab need a public "
            "repository on "
            f"{' or '.join(HOSTS)}: push this checkout there and add it as the remote `origin`"
        )
    host, path = found[1], found[2]
    project = path.replace("/", "%2F") if host == "gitlab.com" else path
    branch = ref.replace("/", "%2F")
    place = f"{HOSTS[host]}/{project}/{branch}?urlpath=lab/tree/{FIRST}"
    links = {"Binder": f"https://mybinder.org/v2/{place}"}
    if host == "github.com":
        links["Colab"] = f"https://colab.research.google.com/github/{path}/blob/{ref}/{FIRST}"
    return links


def badges(links: dict[str, str]) -> str:
    """Return the links as Markdown badges, one a line, to paste into a README."""
    pictures = {
        "Binder": "https://mybinder.org/badge_logo.svg",
        "Colab": "https://colab.research.google.com/assets/colab-badge.svg",
    }
    return "\n".join(f"[![Open in {name}]({pictures[name]})]({url})" for name, url in links.items())


def of_checkout(folder: Path) -> dict[str, str]:
    """Return the links for the checkout that `folder` lies in: its remote `origin`, its current
    branch."""
    remote = _git(folder, "remote", "get-url", "origin")
    if not remote:
        raise HptError(
            f"{folder} has no git remote `origin`; push it to GitHub first: git remote add origin "
            "URL"
        )
    branch = _git(folder, "rev-parse", "--abbrev-ref", "HEAD")
    return launch_links(remote, "HEAD" if branch in ("", "HEAD") else branch)


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True
    ).stdout.strip()
