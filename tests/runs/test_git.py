"""The state of a checkout is that of git, and no program that the checkout names is executed."""

import os
import shutil
import subprocess

import pytest

from lossfw.runs.git import git_state

pytestmark = pytest.mark.skipif(
    shutil.which("git") is None or os.name != "posix", reason="needs git and a shell"
)

# Every key of git's configuration that names a program, from gitconfig(5) and its commands.
PROGRAMS = """
core.fsmonitor core.sshCommand core.gitProxy core.editor core.pager core.askPass
core.alternateRefsCommand credential.helper diff.external diff.mine.command diff.mine.textconv
filter.mine.clean filter.mine.smudge filter.mine.process merge.mine.driver mergetool.mine.cmd
difftool.mine.cmd gpg.program gpg.ssh.program gpg.ssh.defaultKeyCommand gpg.x509.program
uploadpack.packObjectsHook receive.procReceiveRefs remote.origin.uploadpack
remote.origin.receivepack remote.origin.vcs sequence.editor interactive.diffFilter pager.status
pager.config pager.rev-parse alias.status alias.rev-parse alias.config trailer.mine.cmd
trailer.mine.command sendemail.sendmailCmd web.browser browser.mine.cmd man.mine.cmd
guitool.mine.cmd instaweb.httpd imap.tunnel submodule.sub.update tar.mine.command
fsmonitor.socketDir ssh.variant trace2.eventTarget
"""
HOOKS = """
post-index-change pre-commit post-checkout post-commit reference-transaction fsmonitor-watchman
fsmonitor-watchmanv2 pre-auto-gc post-rewrite sendemail-validate
"""


@pytest.fixture
def git(tmp_path, monkeypatch):
    """Run git in a folder, with a user of its own and no configuration from elsewhere."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")

    def run(folder, *words):
        user = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        command = ["git", *user, *words]
        options = {"check": True, "capture_output": True, "text": True}
        return subprocess.run(command, cwd=folder, **options).stdout.strip()

    return run


@pytest.fixture
def checkout(git, tmp_path):
    """A checkout with two files, one of them in a folder."""
    where = tmp_path / "checkout"
    (where / "folder").mkdir(parents=True)
    (where / "a.txt").write_text("a\n")
    (where / "folder/b.txt").write_text("b\n")
    git(where, "init", "-q")
    git(where, "add", ".")
    git(where, "commit", "-qm", "first")
    return where


def hostile(git, checkout, witness):
    """Let every key and every hook of a checkout name a program that leaves a witness."""
    programs = checkout.parent / "programs"
    programs.mkdir()

    def program(name):
        file = programs / name
        file.write_text(f"#!/bin/sh\necho {name} >> {witness}\ncat\n")
        file.chmod(0o755)
        return str(file)

    for name in HOOKS.split():
        shutil.copy(program(name), checkout / ".git/hooks" / name)
    included = checkout / ".git/more"
    for key in PROGRAMS.split():
        git(checkout, "config", key, program(key))
        git(checkout, "config", "--file", str(included), key, program(key))
    for key in (f"includeIf.gitdir:{checkout}/.path", "include.path"):
        git(checkout, "config", key, str(included))
    # A repository whose missing objects come from a program.
    git(checkout, "config", "extensions.partialClone", "origin")
    git(checkout, "config", "remote.origin.promisor", "true")
    git(checkout, "config", "remote.origin.url", f"ext::{program('url')}")
    git(checkout, "config", "protocol.ext.allow", "always")
    (checkout / ".git/info/attributes").write_text("* filter=mine diff=mine merge=mine\n")


def test_no_program_of_the_checkout_is_executed(git, checkout, tmp_path):
    witness = tmp_path / "executed"
    inner = tmp_path / "inner"
    shutil.copytree(checkout, inner)
    git(checkout, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "sub")
    (checkout / ".gitattributes").write_text("*.txt filter=mine diff=mine merge=mine\n")
    git(checkout, "add", ".")
    git(checkout, "commit", "-qm", "second")
    commit = git(checkout, "rev-parse", "HEAD")
    hostile(git, checkout, witness)
    # That of a submodule names programs too.
    shutil.copy(checkout / ".git/config", checkout / ".git/modules/sub/config")
    assert git_state(checkout / "folder") == {"commit": commit, "dirty": False}
    # What has other times is read again, by a filter if git has one.
    for file in ("a.txt", "sub/a.txt"):
        os.utime(checkout / file, (1, 1))
    assert git_state(checkout / "folder") == {"commit": commit, "dirty": False}
    (checkout / "a.txt").write_text("other\n")
    assert git_state(checkout / "folder") == {"commit": commit, "dirty": True}
    assert not witness.exists()
    # As it is usually called, git executes them: the witness is a true one.
    subprocess.run(["git", "status"], cwd=checkout, check=False, capture_output=True)
    assert {"core.fsmonitor", "filter.mine.process"} <= set(witness.read_text().split())


def test_a_program_called_git_in_the_working_folder_is_not_git(checkout, tmp_path, monkeypatch):
    (checkout / "git").write_text(f"#!/bin/sh\ntouch {tmp_path}/executed\n")
    (checkout / "git").chmod(0o755)
    monkeypatch.chdir(checkout)
    monkeypatch.setenv("PATH", f".{os.pathsep}{os.environ['PATH']}")
    git_state(checkout)
    assert not (tmp_path / "executed").exists()


CHANGES = {
    "nothing": (lambda where: None, False),
    "other times": (lambda where: os.utime(where / "a.txt", (1, 1)), False),
    "a new file": (lambda where: (where / "new.txt").touch(), False),
    "content": (lambda where: (where / "folder/b.txt").write_text("c\n"), True),
    "content of the same size": (lambda where: (where / "a.txt").write_text("z\n"), True),
    "a file that is gone": (lambda where: (where / "a.txt").unlink(), True),
    "a mode": (lambda where: (where / "a.txt").chmod(0o755), True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_checkout_is_dirty_where_git_says_so(git, checkout, change):
    make, dirty = CHANGES[change]
    make(checkout)
    commit = git(checkout, "rev-parse", "HEAD")
    assert git_state(checkout / "folder") == {"commit": commit, "dirty": dirty}
    assert bool(git(checkout, "status", "--porcelain", "--untracked-files=no")) == dirty


@pytest.mark.parametrize(
    "form", [(), ("--ref-format=reftable",), ("--object-format=sha256",)], ids=str
)
def test_other_forms_of_repositories(git, tmp_path, form):
    where, tree = tmp_path / "r", tmp_path / "tree"
    try:
        git(tmp_path, "init", "-q", *form, str(where))
    except subprocess.CalledProcessError:
        pytest.skip("this git has no such repositories")
    (where / "a.txt").write_text("a\n")
    assert git_state(where) is None  # without a commit
    git(where, "add", ".")
    git(where, "commit", "-qm", "first")
    git(where, "pack-refs", "--all")
    git(where, "update-index", "--split-index")
    git(where, "worktree", "add", "-q", str(tree))
    for folder in (where, tree):
        assert git_state(folder) == {"commit": git(folder, "rev-parse", "HEAD"), "dirty": False}
    (tree / "a.txt").write_text("b\n")
    assert git_state(tree)["dirty"]
    assert not git_state(where)["dirty"]
