"""The faults of daemon, wires, Asterisk, disk and clock, one coroutine each: strike, and return when the fault is over
and the hotline should be well again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hotline.asterisk.render import render
from tests.chaos.fault import READY, TAKEN, fault
from tests.chaos.house import House

# --- the daemon -----------------------------------------------------------------------------------------------------


@fault("the daemon killed (`kill -9`) at a random moment", "守护进程在任意时刻被 `kill -9`")
async def daemon_killed(house: House, short: bool) -> None:
    rng = house.rng(f"kill {house.audited} {len(house.crowd.callers)}")
    for _ in range(3 if short else 20):
        await asyncio.sleep(rng.uniform(0.0, 2.0 if short else 4.0))
        await house.trial.kill()
        await asyncio.sleep(rng.choice((0.0, 0.0, rng.uniform(0.0, 2.0))))
        await house.trial.launch()
        if rng.random() < 0.2:  # again, while it reads back
            await asyncio.sleep(rng.uniform(0.2, 1.5))
            continue
        await house.ready(limit=READY)
    await house.ready(limit=READY)


@fault("callers arrive and hang up within the 50 ms before the daemon is killed",
       "来电者在守护进程被杀前的 50 毫秒内呼入并挂机")  # fmt: skip
async def killed_at_an_arrival(house: House, short: bool) -> None:
    rng = house.rng(f"arrival {len(house.crowd.callers)}")
    for _ in range(3 if short else 20):
        callers = [house.crowd.one("at_answer") for _ in range(2)]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.gather(*(caller.answered.wait() for caller in callers))
        await asyncio.sleep(rng.uniform(0.0, 0.02))
        await house.trial.kill()
        await asyncio.sleep(0.3)
        await house.trial.launch()
        await house.ready(limit=READY)


@fault("the daemon frozen for 15 s", "守护进程冻结 15 秒")
async def daemon_frozen(house: House, short: bool) -> None:
    os.kill(house.daemon_pid, signal.SIGSTOP)
    await asyncio.sleep(8 if short else 15)
    os.kill(house.daemon_pid, signal.SIGCONT)
    await house.ready(limit=READY)


@fault("the daemon stopped (SIGTERM), started with a bad configuration, then with a good one",
       "守护进程被停止（SIGTERM），以错误的配置启动，再以正确的配置启动")  # fmt: skip
async def configuration_at_restart(house: House, short: bool) -> None:
    """It serves with the version in force last."""
    it = house.trial
    menu = it.config / "menu.yaml"
    good = menu.read_text(encoding="utf-8")
    await it.stop()
    menu.write_text(good.replace("start: main", "start: nowhere"), encoding="utf-8")
    try:
        await it.launch()
        await house.ready(limit=READY)
        await _config(house, lambda about: about["error_count"] > 0)  # a bad configuration must be told
        await it.stop()
    finally:
        menu.write_text(good, encoding="utf-8")
    await it.launch()
    await house.ready(limit=READY)
    await _config(house, lambda about: not about["error_count"])


@fault("the configuration edited while calls run: bad, then good", "有通话时修改配置：先改坏，再改好")
async def configuration_edited(house: House, short: bool) -> None:
    it = house.trial
    menu, queues = it.config / "menu.yaml", it.config / "queues.yaml"
    good, before = menu.read_text(encoding="utf-8"), (await _config(house, lambda about: True))["version"]
    menu.write_text("menus: [\n" + good, encoding="utf-8")
    await _config(house, lambda about: about["error_count"] > 0)
    await asyncio.sleep(1 if short else 5)
    about = await _config(house, lambda about: True)
    assert about["version"] == before, "a bad change must change nothing"
    text = queues.read_text(encoding="utf-8")
    wait, other = ("longest_wait: 12", "longest_wait: 11")
    queues.write_text(text.replace(wait, other) if wait in text else text.replace(other, wait), encoding="utf-8")
    menu.write_text(good, encoding="utf-8")
    await _config(house, lambda about: about["version"] > before and not about["error_count"])
    # It has rendered Asterisk's files by the daemon's settings, which name our wires.
    await asyncio.to_thread(render, it.settings, it.install, it.state, it.secrets)


async def _config(house: House, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What the daemon says of its configuration, once this is true of it."""
    async with asyncio.timeout(TAKEN):
        while True:
            about: dict[str, Any] | None = (await house.trial.status()).get("config")  # none: it is busy, or starts
            if about is not None and true(about):
                return about
            await asyncio.sleep(0.1)


# --- the wires ------------------------------------------------------------------------------------------------------


@fault("the ARI connection cut, and no other for 3 s", "ARI 连接被切断，3 秒内不能重连")
async def ari_cut(house: House, short: bool) -> None:
    await house.ari.cut()
    await asyncio.sleep(2 if short else 3)
    await house.ari.restore()
    await house.ready(limit=READY)


@fault("the ARI connection gone for two minutes", "ARI 连接中断两分钟")
async def ari_gone_long(house: House, short: bool) -> None:
    await house.ari.cut()
    await asyncio.sleep(20 if short else 120)
    await house.ari.restore()
    await house.ready(limit=READY)


@fault("the ARI connection stalled: open, but nothing passes", "ARI 连接停滞：连着，但没有数据通过")
async def ari_stalled(house: House, short: bool) -> None:
    house.ari.freeze(True)
    try:
        await house.ready(False, limit=READY)
        await asyncio.sleep(0.5 if short else 5)
    finally:
        house.ari.freeze(False)
    await house.ready(limit=READY)


@fault("the ARI connection half open: Asterisk's end is gone, ours is not told",
       "ARI 连接半开：Asterisk 一端已断，我们这端不知道")  # fmt: skip
async def ari_half_open(house: House, short: bool) -> None:
    before = house.ari.connections
    house.ari.half_open()
    async with asyncio.timeout(READY):
        while house.ari.connections == before:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await house.ready(limit=READY)


@fault("the AMI connection cut, and no other for 3 s", "AMI 连接被切断，3 秒内不能重连")
async def ami_cut(house: House, short: bool) -> None:
    await house.ami.cut()
    await asyncio.sleep(2 if short else 3)
    await house.ami.restore()
    await house.ready(limit=READY)


@fault("the AMI connection stalled, then half open", "AMI 连接停滞，随后半开")
async def ami_stalled(house: House, short: bool) -> None:
    house.ami.freeze(True)
    await asyncio.sleep(3 if short else 15)
    house.ami.freeze(False)
    await asyncio.sleep(1)
    house.ami.half_open()
    await asyncio.sleep(3 if short else 15)
    await house.ready(limit=READY)


# --- Asterisk -------------------------------------------------------------------------------------------------------


@fault("Asterisk killed (`kill -9`) and started again", "Asterisk 被 `kill -9` 后重新启动")
async def asterisk_killed(house: House, short: bool) -> None:
    rng = house.rng(f"asterisk {len(house.crowd.callers)}")
    await house.kill_asterisk()
    await asyncio.sleep(rng.uniform(0.0, 1.0 if short else 5.0))
    await house.start_asterisk()
    await house.ready(limit=READY)
    for phone in house.crowd.phones.values():
        await phone.register()


@fault("Asterisk frozen for 10 s", "Asterisk 冻结 10 秒")
async def asterisk_frozen(house: House, short: bool) -> None:
    house.signal_asterisk(signal.SIGSTOP)
    await asyncio.sleep(6 if short else 10)
    house.signal_asterisk(signal.SIGCONT)
    await house.ready(limit=READY)


# --- the disk -------------------------------------------------------------------------------------------------------

_LOCK = """
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
db.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
db.execute("COMMIT")
"""


@fault("the database locked for 30 s by another process", "数据库被另一进程锁住 30 秒")
async def store_locked(house: House, short: bool) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _LOCK, str(house.store), "6" if short else "30", stdout=subprocess.PIPE
    )
    assert process.stdout is not None and await process.stdout.readline() == b"locked\n"
    assert await process.wait() == 0
    await house.ready(limit=READY)


async def store_works(house: House) -> None:
    async with asyncio.timeout(READY):
        while (await house.trial.status()).get("degraded") is not False:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


@fault("the daemon can write no file at all (RLIMIT_FSIZE), as on a full disk",
       "守护进程完全不能写文件（RLIMIT_FSIZE），如同磁盘已满")  # fmt: skip
async def nothing_can_be_written(house: House, short: bool) -> None:
    pid = house.daemon_pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        async with asyncio.timeout(READY):  # a store that cannot be written must be told
            while not (await house.trial.status()).get("degraded"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        await asyncio.sleep(3 if short else 25)
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    await store_works(house)


@fault("the disk full, for everything (a small tmpfs)", "磁盘写满，一切都不能写（小 tmpfs）", on_tmpfs=True)
async def disk_full(house: House, short: bool) -> None:
    filler = house.trial.state / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        for piece in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(b"\0" * piece):
                    pass
    try:
        await asyncio.sleep(6 if short else 20)
    finally:
        filler.unlink()
    await store_works(house)


@fault("the database read-only", "数据库变为只读")
async def store_read_only(house: House, short: bool) -> None:
    """Files that are open stay writable: so every write fails for a moment, and what is opened then is read-only."""
    files = [path for path in house.trial.state.glob("hotline.sqlite*") if path.exists()]
    before = resource.prlimit(house.daemon_pid, resource.RLIMIT_FSIZE)
    for path in files:
        path.chmod(0o400)
    resource.prlimit(house.daemon_pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        async with asyncio.timeout(READY):
            while not (await house.trial.status()).get("degraded"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        resource.prlimit(house.daemon_pid, resource.RLIMIT_FSIZE, before)
        await asyncio.sleep(5 if short else 20)
    finally:
        resource.prlimit(house.daemon_pid, resource.RLIMIT_FSIZE, before)
        for path in house.trial.state.glob("hotline.sqlite*"):
            path.chmod(0o600)
    await store_works(house)


@fault("the recordings folder gone, and back", "录音目录消失后恢复")
async def recordings_gone(house: House, short: bool) -> None:
    there = house.trial.state / "recordings"
    gone = there.with_name("recordings.gone")
    there.rename(gone)
    await asyncio.sleep(3 if short else 8)
    # What was made meanwhile is put back into the old folder, as somebody would who mounts the disk again.
    async with asyncio.timeout(READY):
        while not _put_back(there, gone):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)


def _put_back(there: Path, gone: Path) -> bool:
    """Whether nobody made or removed a file meanwhile, which is why it did not work this time."""
    try:
        _merge(there, gone)
        gone.rename(there)
    except OSError:
        return False
    return True


def _merge(from_: Path, to: Path) -> None:
    if not from_.is_dir():
        return
    for path in from_.iterdir():
        target = to / path.name
        if path.is_dir():
            target.mkdir(exist_ok=True)
            _merge(path, target)
        elif not target.exists():
            path.rename(target)
    shutil.rmtree(from_)


# --- time -----------------------------------------------------------------------------------------------------------


@fault("the wall clock of the daemon stepped by +1 h, then by −1 h", "守护进程的系统时钟跳变 +1 小时、再 −1 小时")
async def clock_stepped(house: House, short: bool) -> None:
    file = house.trial.state / "clock-offset"
    for offset in (3600.0, 0.0, -3600.0, 0.0):
        file.write_text(str(offset))
        await asyncio.sleep(1 if short else 7)
    file.unlink()


@fault("the clock stepped by +1 h and the daemon killed, then by −1 h and killed",
       "时钟跳变 +1 小时并杀守护进程，再 −1 小时并杀守护进程")  # fmt: skip
async def clock_stepped_and_killed(house: House, short: bool) -> None:
    file = house.trial.state / "clock-offset"
    for offset in (3600.0, 0.0) if short else (3600.0, 0.0, -3600.0, 0.0):
        file.write_text(str(offset))
        await house.trial.kill()
        await house.trial.launch()
        await house.ready(limit=READY)
        await asyncio.sleep(1 if short else 5)
    file.unlink()
