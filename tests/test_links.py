"""Launch links follow the checkout's own remote; anything that is not a public host's address is
refused."""

import subprocess

import pytest

from hpt_lab.errors import HptError
from hpt_lab.links import badges, launch_links, of_checkout


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/ada/lab.git",
        "https://github.com/ada/lab",
        "git@github.com:ada/lab.git",
        "ssh://git@github.com/ada/lab.git",
    ],
)
def test_every_spelling_of_a_github_remote_gives_the_same_links(remote):
    assert launch_links(remote, "main") == {
        "Binder": "https://mybinder.org/v2/gh/ada/lab/main?urlpath=lab/tree/notebooks/00-start-here.ipynb",
        "Colab": "https://colab.research.google.com/github/ada/lab/blob/main/notebooks/00-start-here.ipynb",
    }


def test_gitlab_has_binder_alone():
    assert list(launch_links("https://gitlab.com/group/lab.git", "main")) == ["Binder"]


@pytest.mark.parametrize(
    "remote",
    [
        "",
        "/srv/git/lab",
        "https://example.org/ada/lab",
        "https://github.com/ada/lab)](javascript:x",
    ],
)
def test_other_remotes_are_refused(remote):
    with pytest.raises(HptError, match="no launch links"):
        launch_links(remote, "main")


def test_a_checkout_prints_badges_for_its_own_remote_and_branch(tmp_path):
    for command in (
        ["init", "-q", "-b", "trunk"],
        ["remote", "add", "origin", "https://github.com/ada/lab.git"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"],
    ):
        subprocess.run(["git", "-C", tmp_path, *command], check=True)
    lines = badges(of_checkout(tmp_path)).splitlines()
    assert len(lines) == 2 and all("/ada/lab/" in line and "trunk" in line for line in lines)
    with pytest.raises(HptError, match="no git remote"):
        of_checkout(tmp_path.parent)
