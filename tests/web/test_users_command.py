"""``hotline users …``: the twin of the users room, for whoever sits at the machine."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

from console.accounts import Accounts
from console.book import NAME, Book
from console.passwords import agrees, fault_of, one_time
from tests.pure.cli_play import config_folder, hotline


def test_users_by_command(tmp_path: Path) -> None:
    config = config_folder(tmp_path)
    made = hotline("users", "first", config=config)
    assert made.exit_code == 0 and "admin 的角色：管理员，质检，班长。" in made.stdout
    password = re.search(r"[a-z2-9]{4}(-[a-z2-9]{4}){3}", made.stdout)
    assert password is not None
    again = hotline("users", "first", config=config)
    assert again.exit_code == 1 and len(again.stderr.splitlines()) == 1
    added = hotline("users", "add", "Zhang", "--role", "座席", "--agent", "8001", "--shown", "张敏", config=config)
    assert added.exit_code == 0, added.stderr
    for wrong in (["add", "zhang", "--role", "agent"], ["add", "x", "--role", "boss"], ["add", "x"],
                  ["add", "wang", "--role", "agent"], ["change", "admin", "--role", "agent", "--role", "administrator"],
                  ["change", "zhang", "--agent", ""],
                  ["reset", "nobody"],
                  ["add", "a b", "--role", "agent"], ["disable", "admin"], ["change", "zhang", "--agent", "9999"],
                  ["change", "admin", "--role", "agent"]):  # fmt: skip
        done = hotline("users", *wrong, config=config)
        assert done.exit_code == 1 and len(done.stderr.splitlines()) == 1, (wrong, done.stderr)
    assert hotline("users", "disable", "ZHANG", config=config).exit_code == 0
    listed = json.loads(hotline("users", "list", "--format", "json", config=config).stdout)
    assert [(one["name"], one["roles"], one["agent"], one["state"]) for one in listed] == [
        ("admin", ["administrator", "quality", "supervisor"], "", "one-time"), ("zhang", ["agent"], "8001", "disabled"),
    ]  # fmt: skip
    file = next(tmp_path.rglob(NAME))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    book = Book(file.parent)
    found = Accounts(book, lambda: 0).named("admin")
    assert found is not None and found[1].startswith("$argon2id$") and agrees(found[1], password[0])
    assert password[0] not in " ".join(str(tuple(row)) for row in book.read("SELECT * FROM change"))
    book.close()


def test_what_a_password_may_be() -> None:
    for bad in ("short", "aaaaaaaaaaaaaa", "password1234", "x" * 201, "my-zhangmin-word"):
        assert fault_of(bad, "zhangmin"), bad
    for good in ("correct horse battery", "四个词连在一起很好记", one_time()):
        assert not fault_of(good, "zhangmin"), good
