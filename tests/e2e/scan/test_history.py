"""`routic scan --history` finds each key that a repository remembers, once, with the first commit that had it."""

from __future__ import annotations

import pytest

from tests.support.scanned import Planted


def test_a_key_of_an_old_commit_is_found_where_it_came_in(planted: Planted) -> None:
    planted.commit("a.py", "clean\n")
    first = planted.commit("a.py", f"one\nK = '{planted.prod}'\n")
    planted.commit("a.py", f"zero\none\nK = '{planted.prod}'\n")
    planted.commit("a.py", "clean\n")
    assert planted.found(code=0) == []
    assert planted.found("--history") == [("a.py", 2, first, "active")]
    done = planted.scan("--history", code=9)
    assert done.out.startswith(f"a.py:2\t{first}\tsk-")


def test_each_file_that_had_the_key_is_told(planted: Planted) -> None:
    first = planted.commit("a.py", planted.prod)
    second = planted.commit("b.py", planted.prod)
    planted.sandbox.git("mv", "a.py", "c.py")
    planted.sandbox.git("commit", "--quiet", "--message=x")
    third = planted.sandbox.git("rev-parse", "HEAD").strip()
    found = planted.found("--history")
    assert [(file, commit) for file, _, commit, _ in found] == [("a.py", first), ("b.py", second), ("c.py", third)]


def test_a_deleted_branch_is_found_by_its_reflog(planted: Planted) -> None:
    planted.sandbox.git("switch", "--quiet", "--create", "wild")
    commit = planted.commit("x", planted.prod)
    planted.sandbox.git("switch", "--quiet", "main")
    planted.sandbox.git("branch", "--quiet", "-D", "wild")
    assert planted.found("--history") == [("x", 1, commit, "active")]
    assert "HEAD@{" in planted.scan("--history", "--format", "github", code=9).out


def test_every_stash_is_looked_into_with_its_untracked_files(planted: Planted) -> None:
    for name, secret in (("one", planted.prod), ("two", planted.old), ("three", planted.stranger)):
        planted.write(name, secret)
        planted.sandbox.git("stash", "--quiet", "--include-untracked")
    found = planted.found("--history")
    assert [(file, status) for file, _, _, status in found] == [
        ("one", "active"),
        ("three", "unknown"),
        ("two", "revoked"),
    ]
    said = planted.scan("--history", "--format", "github", code=9).out
    assert all(f"stash@{{{number}}}" in said for number in range(3))


def test_what_a_merge_made_is_found_in_the_merge(planted: Planted) -> None:
    planted.commit("a", "base\n")
    planted.sandbox.git("switch", "--quiet", "--create", "side")
    planted.commit("a", "side\n")
    planted.sandbox.git("switch", "--quiet", "main")
    planted.commit("a", "main\n")
    planted.sandbox.git("merge", "--quiet", "--strategy=ours", "--no-commit", "side")
    merge = planted.commit("a", f"resolved {planted.prod}\n")
    planted.commit("a", "clean\n")
    assert planted.found("--history") == [("a", 1, merge, "active")]


def test_what_nothing_reaches_is_told_on_demand_and_hinted_at_otherwise(planted: Planted) -> None:
    planted.write("x", planted.prod)
    planted.sandbox.git("hash-object", "-w", "x")
    (planted.top / "x").unlink()
    done = planted.scan("--history", code=0)
    assert done.out == ""
    assert "routic scan --history --unreachable" in done.err
    assert planted.found("--history", "--unreachable") == [(None, 1, None, "active")]


def test_what_is_staged_and_the_messages_of_commits_and_tags_are_read(planted: Planted) -> None:
    planted.write("x", planted.prod)
    planted.sandbox.git("add", "x")
    planted.sandbox.git("commit", "--quiet", "--allow-empty", "--only", f"--message=see {planted.old}")
    commit = planted.sandbox.git("rev-parse", "HEAD").strip()
    planted.sandbox.git("tag", "--annotate", "v1", f"--message=for {planted.stranger}")
    found = planted.found("--history")
    assert found == [("x", 1, None, "active"), (None, None, None, "unknown"), (None, None, commit, "revoked")]
    lines = planted.scan("--history", code=9).out.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["x:1", "(message of tag v1)", "(commit message)"]


def test_submodules_are_looked_into_also_when_they_are_not_checked_out(planted: Planted) -> None:
    other = planted.sandbox.root / "other"
    planted.sandbox.git("init", "--quiet", str(other))
    (other / "lib.py").write_text(f"K = '{planted.prod}'\n")
    planted.sandbox.git("-C", str(other), "add", ".")
    planted.sandbox.git("-C", str(other), "commit", "--quiet", "--message=x")
    planted.sandbox.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "vendor/lib")
    planted.sandbox.git("commit", "--quiet", "--message=x")
    assert [file for file, *_ in planted.found("--history")] == ["vendor/lib/lib.py"]
    planted.sandbox.git("submodule", "--quiet", "deinit", "--force", "vendor/lib")
    assert [file for file, *_ in planted.found("--history")] == ["vendor/lib/lib.py"]


def test_a_bare_repository_and_a_folder_below_the_top_can_be_named(planted: Planted) -> None:
    commit = planted.commit("deep/x", planted.prod)
    planted.sandbox.git("clone", "--quiet", "--bare", ".", "../bare.git")
    assert planted.found("--history", "deep") == [("deep/x", 1, commit, "active")]
    ((file, *_),) = planted.found("--history", "../bare.git")
    assert file is not None
    assert file.endswith("deep/x")


def test_another_work_tree_and_its_index_belong_to_the_history(planted: Planted) -> None:
    planted.sandbox.git("worktree", "add", "--quiet", "--detach", "../linked")
    linked = planted.sandbox.root / "linked"
    (linked / "x").write_text(planted.prod)
    planted.sandbox.git("-C", str(linked), "add", "x")
    assert planted.found("--history") == [("x", 1, None, "active")]
    planted.sandbox.git("-C", str(linked), "commit", "--quiet", "--message=x")
    assert [(file, status) for file, _, _, status in planted.found("--history")] == [("x", "active")]


def test_a_shallow_clone_says_that_it_has_a_part_only_and_what_fetches_the_rest(planted: Planted) -> None:
    planted.commit("a", planted.prod)
    planted.commit("a", "clean\n")
    planted.sandbox.git("clone", "--quiet", "--depth=1", f"file://{planted.top}", "../shallow")
    done = planted.scan("--history", "../shallow", code=0)
    assert "is cut off: it is a shallow clone" in done.err
    planted.sandbox.shell(done.err.partition("Try: ")[2].splitlines()[0])
    done = planted.scan("--history", "../shallow", code=9)
    assert "shallow clone" not in done.err


@pytest.mark.parametrize("packed", [False, True])
def test_large_and_wide_blobs_are_searched_whole_loose_or_packed(planted: Planted, packed: bool) -> None:
    filler = b"x" * (6 << 20)
    planted.commit("big", filler + b"\n\n" + planted.prod.encode() + filler)
    planted.commit("wide", f"first\nK={planted.old}\n".encode("utf-16"))
    if packed:
        planted.sandbox.git("gc", "--quiet")
    found = [(file, line, status) for file, line, _, status in planted.found("--history")]
    assert found == [("big", 3, "active"), ("wide", 2, "revoked")]


def test_no_setting_of_a_repository_runs_a_program(planted: Planted) -> None:
    planted.commit("a", planted.prod)
    witness = planted.sandbox.root / "witness"
    script = planted.write("evil", f"#!/bin/sh\ntouch {witness}\n")
    script.chmod(0o755)
    settings = ("core.fsmonitor", "diff.external", "gpg.program", "core.pager", "core.sshCommand", "diff.x.textconv")
    for name in settings:
        planted.sandbox.git("config", name, str(script))
    planted.sandbox.git("config", "log.showSignature", "true")
    planted.write(".gitattributes", "* diff=x filter=x\n")
    planted.sandbox.git("config", "filter.x.clean", str(script))
    hook = planted.write(".git/hooks/post-index-change", f"#!/bin/sh\ntouch {witness}\n")
    hook.chmod(0o755)
    witness.unlink(missing_ok=True)
    for option in ((), ("--staged",), ("--history", "--unreachable")):
        planted.scan(*option)
    assert not witness.exists()


def test_a_repository_without_commits_has_no_keys(planted: Planted) -> None:
    planted.sandbox.git("init", "--quiet", "../empty")
    assert planted.found("--history", "../empty", code=0) == []


def test_a_damaged_object_is_told_and_hides_no_other(planted: Planted) -> None:
    planted.commit("a", "hello\n")
    planted.commit("b", planted.prod)
    planted.commit("b", planted.old)
    oid = planted.sandbox.git("rev-parse", "HEAD:a").strip()
    loose = planted.top / ".git/objects" / oid[:2] / oid[2:]
    loose.chmod(0o644)
    loose.write_bytes(loose.read_bytes()[:-8] + b"\0" * 8)
    done = planted.scan("--history", code=9)
    assert len(done.out.splitlines()) == 2
    assert "1 thing could not be scanned" in done.err
    planted.sandbox.ok("keys", "revoke", "prod", "--yes")
    done = planted.scan("--history", code=8)
    assert "The scan is not complete" in done.err


def test_a_damaged_tree_hides_no_key(planted: Planted) -> None:
    planted.commit("a", planted.prod)
    tree = planted.sandbox.git("rev-parse", "HEAD^{tree}").strip()
    loose = planted.top / ".git/objects" / tree[:2] / tree[2:]
    loose.chmod(0o644)
    loose.write_bytes(b"nonsense")
    done = planted.scan("--history", code=9)
    assert done.out.startswith("(blob ")
    assert "Where the keys come from is not known" in done.err


def test_a_partial_clone_says_what_it_has_not_looked_into(planted: Planted) -> None:
    planted.commit("a", planted.prod)
    planted.commit("a", "clean\n")
    planted.sandbox.git("config", "uploadpack.allowFilter", "true")
    planted.sandbox.git("clone", "--quiet", "--filter=blob:none", f"file://{planted.top}", "../partial")
    done = planted.scan("--history", "../partial", code=0)
    assert "partial clone" in done.err
    assert " backfill" in done.err


def test_a_key_in_the_name_of_a_branch_is_masked(planted: Planted) -> None:
    planted.sandbox.git("switch", "--quiet", "--create", f"for-{planted.prod}")
    planted.commit("a", planted.prod)
    planted.sandbox.git("switch", "--quiet", "main")
    assert planted.hint(planted.prod) in planted.scan("--history", "--format", "github", code=9).out


def test_a_submodule_that_git_does_not_read_is_told_and_hides_no_other(planted: Planted) -> None:
    planted.commit("a", planted.prod)
    commit = planted.sandbox.git("rev-parse", "HEAD").strip()
    planted.sandbox.git("update-index", "--add", "--cacheinfo", f"160000,{commit},sub")
    planted.write("sub/.git", "gitdir: /nowhere\n")
    done = planted.scan("--history", code=9)
    assert "1 thing could not be scanned" in done.err


def test_a_submodule_that_was_removed_is_looked_into_and_hides_no_finding(planted: Planted) -> None:
    first = planted.commit("config.py", planted.prod)
    library = planted.sandbox.root / "library"
    library.mkdir()
    git = planted.sandbox.git
    git("init", "--quiet", str(library))
    (library / "leak.txt").write_text(planted.old)
    git("-C", str(library), "add", "leak.txt")
    git("-C", str(library), "commit", "--quiet", "--message", "leak")
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "sm")
    git("commit", "--quiet", "--message", "with it")
    git("rm", "--quiet", "sm")
    git("commit", "--quiet", "--message", "without it")
    assert not (planted.top / "sm").exists()
    found = planted.found("--history")
    assert found[0] == ("config.py", 1, first, "active")
    assert [(file, status) for file, _, _, status in found[1:]] == [("sm/leak.txt", "revoked")]


def test_a_repository_that_git_cannot_walk_hides_no_finding_of_another(planted: Planted) -> None:
    planted.commit("config.py", planted.prod)
    module = planted.top / ".git/modules/broken"
    planted.sandbox.git("init", "--quiet", "--bare", str(module))
    (module / "config").write_text("[core]\n\trepositoryformatversion = 99\n")
    done = planted.scan("--history", code=9)
    assert done.out.startswith("config.py:1\t")
    assert "modules/broken" in done.err
    planted.sandbox.ok("keys", "revoke", "prod", "--yes")
    planted.scan("--history", code=8)


@pytest.mark.parametrize("name", ["ORIG_HEAD", "FETCH_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD"])
def test_what_git_left_behind_is_looked_into_though_no_reflog_knows_it(planted: Planted, name: str) -> None:
    planted.commit("a", "nothing\n")
    commit = planted.commit("x", planted.prod)
    planted.sandbox.git("reset", "--quiet", "--hard", "HEAD~1")
    planted.sandbox.git("reflog", "expire", "--expire=now", "--all")
    git_dir = planted.top / ".git"
    (git_dir / "ORIG_HEAD").unlink()
    assert planted.found("--history", code=0) == []
    (git_dir / name).write_text(f"{commit}\t\tbranch 'x' of ../other\n" if name == "FETCH_HEAD" else f"{commit}\n")
    assert planted.found("--history") == [("x", 1, commit, "active")]
    assert f"({name})" in planted.scan("--history", "--format", "github").out


def test_what_git_left_behind_may_name_what_is_gone(planted: Planted) -> None:
    commit = planted.commit("x", planted.prod)
    (planted.top / ".git/FETCH_HEAD").write_text(f"{'1' * 40}\tnot-for-merge\tbranch 'gone' of ../other\n")
    assert planted.found("--history") == [("x", 1, commit, "active")]
