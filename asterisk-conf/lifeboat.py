#!/usr/bin/env -S python3 -SEI
"""The lifeboat: Asterisk runs this for a caller whom no daemon takes. It knows nothing but the standard library.

Theory of operation. The dialplan has set a guard (TIMEOUT(absolute)) before it started us. We read what the daemon left
for us (the duty file, ``hotline/duty_file.py``), answer, greet whom the daemon has not (the dialplan knows), say that
the talk is recorded, then ring whoever is on duty at this instant, one phone after the other, with music for the
caller. ``Dial`` with option ``G`` leaves both legs to us, so the recorder is started and the talk is on disk before the
two hear each other. When nobody comes the caller can leave a message. Whatever goes wrong we say no more and end with
status 1: the dialplan's apology goes on.

What happens is written to ``<away>/<call id>.jsonl``, one object a line, each synced while Asterisk does the next
thing; ``hotline/lifeboat.py`` takes it in. Every text that a caller could have chosen is filtered before it gets
here, and again here: nothing of it goes into a command but digits and ``+``.
"""

# Every millisecond here is one of a caller's, and fifty may come at once: what json and signal are made of is taken
# directly, since their own imports (re, enum) cost as much as all the rest. Placed, we run as a compiled module.
import os
import sys
import time
import zlib
from bisect import bisect_right

try:
    import _signal as signal
    from _json import encode_basestring_ascii, make_scanner

    class _Plain:
        """How JSON is read: as json.loads does."""

        strict, object_hook, object_pairs_hook = True, None, None
        parse_float, parse_int, parse_constant = float, int, float

    def loads(text):
        return make_scanner(_Plain)(text, 0)[0]

    def dumps(what):
        return "{" + ", ".join(f'"{key}": {_text(value)}' for key, value in what.items()) + "}"

    def _text(value):
        if isinstance(value, str):
            return encode_basestring_ascii(value)
        return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)

except ImportError:  # another Python than CPython
    import signal
    from json import dumps, loads

FORMAT = 2
"""The form of the duty file; another one is not read."""

LONGEST_HEADER = 16 << 20
"""Bytes that we are ready to read of the duty file's first line."""

GREETING, CONFIRM, SLACK = 60, 30, 60
"""Seconds: guards of the greeting and of a press of 1, and what is added to every other stage's own longest time."""

FREE = ("NOT_INUSE",)
BUSY = ("INUSE", "BUSY", "RINGING", "RINGINUSE", "ONHOLD")
"""Device states of phones that may be rung, and of those that may become free; all others cannot be reached."""

RINGS = 2
"""How often one caller rings the same device."""

RESULTS = {"NOANSWER": "missed", "BUSY": "busy", "CHANUNAVAIL": "unreachable", "CONGESTION": "failed"}
"""What DIALSTATUS is in the journal's words."""


class Gone(Exception):
    """The caller hung up, or the dialplan's guard took them from us."""


class Unfit(Exception):
    """We cannot serve: the dialplan's apology must."""


# --- the duty file ----------------------------------------------------------------------------------------------------


def checked(line):
    """The object of a line ``["crc32 in hex",{...}]``; raises Unfit."""
    body = line[12:-2]
    if line[:2] != b'["' or line[10:12] != b'",' or line[-2:] != b"]\n" or line[2:10] != b"%08x" % zlib.crc32(body):
        raise Unfit("the duty file is damaged")
    return loads(body.decode("ascii"))


class Duty:
    """The duty file: the house, its agents, and per day who is on duty from when on, and whether the queue is closed.
    Days are read when needed."""

    def __init__(self, path, now):
        try:
            self.file = open(path, "rb")  # noqa: SIM115 - it lives as long as we do
            line = self.file.readline(LONGEST_HEADER)
        except OSError as error:
            raise Unfit(f"the duty file cannot be read: {error.strerror}") from None
        head = checked(line)
        if head.get("format") != FORMAT:
            raise Unfit("the duty file is of another version")
        if not head["since"] <= now < head["until"]:
            raise Unfit("the duty file is outdated")
        self.start = len(line)
        self.house, self.agents, self.days = head["house"], head["agents"], head["days"]
        self.day, self.found = None, {}

    def _now(self, what, now):
        day = str(int(now // 86400))
        if day != self.day:
            offset, length = self.days.get(day, (0, 0))
            self.file.seek(self.start + offset)
            self.day, self.found = day, checked(self.file.read(length))
        return self.found[what][max(0, bisect_right(self.found["at"], now) - 1)]

    def on_duty(self, now):
        """Who is on duty at this instant (seconds since 1970 UTC): (backup, rank, ways), by staff number."""
        return {agent: (backup, rank, self._ways(agent, names))
                for backup, rank, names, agents in self._now("on", now) for agent in agents}  # fmt: skip

    def _ways(self, agent, names):
        """The numbers of the ways to ring this agent on a shift that names these devices; all, where it has none."""
        known = list(enumerate(self.agents[agent]["devices"]))
        return [way for name in names for way, one in known if one["as"] == name] or [way for way, _ in known]

    def closed(self, now):
        """The prompts that say that the queue is closed; none while it is open."""
        return self._now("closed", now)


# --- what happened ----------------------------------------------------------------------------------------------------


class Log:
    """The call's file. A disk that fails before the caller is answered makes us unfit; later the talk matters more."""

    def __init__(self, path):
        self.fd, self.dirty, self.vital = -1, False, True
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
            self.fd = os.open(path, flags, 0o640)  # the daemon may be another user
        except OSError as error:
            raise Unfit(f"{path}: {error.strerror}") from None

    def add(self, word, /, **about):
        line = dumps({"at": time.time_ns() // 1000, "do": word, **about}).encode() + b"\n"
        try:
            if os.write(self.fd, line) != len(line):
                raise OSError(28, "No space left on device")
            self.dirty = True
        except OSError as error:
            if self.vital:
                raise Unfit(f"nothing can be written: {error.strerror}") from None

    def sync(self):
        if self.dirty:
            self.dirty = False
            try:
                os.fdatasync(self.fd)
            except OSError as error:
                if self.vital:
                    raise Unfit(f"nothing can be written: {error.strerror}") from None


# --- Asterisk ---------------------------------------------------------------------------------------------------------


class Agi:
    """The conversation with Asterisk over standard input and output."""

    def __init__(self, source, sink):
        self.source, self.sink, self.log = source, sink, None
        self.about = {}
        while (line := source.readline()) not in (b"\n", b""):
            key, _, value = line.decode("utf-8", "replace").strip().partition(": ")
            self.about.setdefault(key, value)

    def ask(self, command):
        """One command; returns its result and what stands behind it in brackets. Raises Gone."""
        try:
            self.sink.write(command.encode() + b"\n")
            self.sink.flush()
        except OSError:
            raise Gone from None
        if self.log is not None:
            self.log.sync()
        while line := self.source.readline():
            if line.startswith(b"200 result="):
                result, _, rest = line[11:].decode("utf-8", "replace").rstrip().partition(" ")
                return result, rest.strip("()")
            if line[:3] in (b"510", b"520", b"511", b"HAN"):
                break
        raise Gone

    def run(self, application, *arguments):
        """Run an application; returns its result (an application that Asterisk lacks is -2). Raises Gone."""
        result, _ = self.ask(f"EXEC {application} {quoted(','.join(arguments))}")
        return int(result)

    def read(self, expression):
        """The value of ``${expression}``."""
        result, value = self.ask(f"GET FULL VARIABLE {quoted('${' + expression + '}')}")
        return value if result == "1" else ""

    def set(self, name, value):
        self.ask(f"SET VARIABLE {quoted(name)} {quoted(str(value))}")

    def guard(self, seconds):
        """After so many seconds the dialplan takes the caller from us; 0: never."""
        self.set("TIMEOUT(absolute)", int(seconds))


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def only(text, allowed, longest):
    return "".join(char for char in text[:longest] if char in allowed)


DIGITS = "+0123456789"
NAMES = DIGITS + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-"


# --- the call ---------------------------------------------------------------------------------------------------------


class Call:
    """One caller with us."""

    def __init__(self, agi, duty, call_id):
        self.agi, self.duty, self.house, self.call_id = agi, duty, duty.house, call_id
        self.log = agi.log = Log(f"{self.house['away']}/{call_id}.jsonl")
        self.recorded = False
        self.talks = 0

    def play(self, name):
        """Play a prompt; returns whether it was heard to its end."""
        path = f"{self.house['sounds']}/{name}"
        if not os.path.exists(path + ".wav"):
            return False
        self.agi.run("Playback", path)
        return self.agi.read("PLAYBACKSTATUS") == "SUCCESS"

    def serve(self):
        """The whole visit."""
        about, house, agi = self.agi.about, self.house, self.agi
        number = only(about.get("agi_callerid", ""), DIGITS, 32)
        did = only(about.get("agi_arg_2", ""), DIGITS, 32)
        why = only(about.get("agi_arg_3", ""), NAMES, 20)
        trunk = only(about.get("agi_channel", "").removeprefix("PJSIP/").rpartition("-")[0], NAMES, 40)
        self.log.add("arrived", number=number, did=did, trunk=trunk, why=why)
        agi.ask("ANSWER")
        self.log.add("answered")
        self.log.vital = False
        agi.guard(GREETING)
        if about.get("agi_arg_4") != "1" and self.play("greeting"):  # whom the daemon had was greeted then
            self.log.add("greeted")
        if house["notice"] and self.play("recording_notice"):
            self.recorded = True
            self.log.add("notice", version=house["notice"])
        self.log.add("asked", queue=house["queue"], priority=house["priority"])
        why = "closed" if self.duty.closed(time.time()) else self.find()
        while why == "again":
            why = self.find()
        if why:
            self.message(why)

    # --- an agent -----------------------------------------------------------------------------------------------------

    def find(self):
        """Ring until somebody talks with the caller; returns why nobody did, "again" or, after a talk, "" """
        agi, house = self.agi, self.house
        agi.guard(house["longest"] + 2 * SLACK)
        begun = time.monotonic()
        end, after = begun + house["longest"], house["backup_after"]
        tried, told, waits = {}, False, False
        while True:
            choice, hope = self.choose(tried, after is not None and time.monotonic() >= begun + after)
            if choice:
                agent, device = choice[0], self.duty.agents[choice[0]]["devices"][choice[1]]
                for key in (agent, choice):
                    tried[key] = tried.get(key, 0) + 1
                told = told or self.play("connecting") or True
                if waits:
                    agi.run("StopMusicOnHold")
                    waits = False
                if peer := self.ring(agent, device, end):
                    return self.talk(agent, device, peer)
                agi.run("Set", "GROUP(lifeboat)=")
            elif not self.duty.on_duty(time.time()):
                return "closed" if self.duty.closed(time.time()) else "uncovered"
            elif not hope:
                return "longest_wait"
            else:
                if not waits:
                    told = told or self.play("queue_wait") or True
                    agi.run("StartMusicOnHold")
                    waits = True
                agi.ask("WAIT FOR DIGIT 1000")
            if time.monotonic() >= end:
                return "longest_wait"

    def choose(self, tried, late):
        """The agent to ring now and by which of their devices, or None; and whether anybody may yet come.

        Backups come after the first line, and not while it talks, unless the caller has waited too long (``late``).
        """
        on, hope, talks = self.duty.on_duty(time.time()), False, False
        known, turn = list(on), time.time_ns() // 1000 % (len(on) or 1)
        for agent in sorted(known[turn:] + known[:turn], key=lambda one: (tried.get(one, 0), *on[one][:2])):
            backup, _, able = on[agent]
            if backup and talks and not late:
                continue
            devices = self.duty.agents[agent]["devices"]
            states = [self.agi.read(f"DEVICE_STATE({one['state']})") if one["state"] else FREE[0] for one in devices]
            if any(state in BUSY for state in states):  # they talk: their mobile is not rung beside it
                hope, talks = True, talks or not backup
                continue
            ways = [way for way in able if states[way] in FREE and tried.get((agent, way), 0) < RINGS]
            if not ways:
                continue
            hope = True
            if self.alone(agent):
                return (agent, min(ways, key=lambda way: tried.get((agent, way), 0))), True
        return None, hope

    def alone(self, agent):
        """Reserve the agent for this caller: nobody else in the lifeboat may ring them now."""
        self.agi.run("Set", f"GROUP(lifeboat)={agent}")
        if self.agi.read(f"GROUP_COUNT({agent}@lifeboat)") == "1":
            return True
        self.agi.run("Set", "GROUP(lifeboat)=")
        return False

    def ring(self, agent, device, end):
        """Ring one device, with music for the caller; returns the agent's channel when they accepted."""
        agi, seconds = self.agi, max(1, min(device["ring"], int(end - time.monotonic()) + 1))
        self.talks += 1
        talk = f"{self.call_id}-b{self.talks}"
        self.log.add("ring", talk=talk, agent=agent, device=device["name"])
        agi.set("__HOTLINE_CONFIRM", "1" if device["confirm"] else "")
        shown = f"f({only(device['shown'], DIGITS, 32)})" if device["shown"] else ""  # our number, never the caller's
        agi.run("Dial", device["dial"], str(seconds), f"m{shown}G(hotline-lifeboat^joined^1)")
        status, peer = agi.read("DIALSTATUS"), agi.read("DIALEDPEERNAME")
        accepted = status == "ANSWER" and bool(peer) and (not device["confirm"] or self.confirmed(peer))
        agi.run("StopMusicOnHold")  # with G, Dial leaves its music on
        if accepted:
            return peer
        result = "missed" if status == "ANSWER" else RESULTS.get(status, "failed")
        self.log.add("ring_ended", talk=talk, agent=agent, result=result, cause=int(agi.read("HANGUPCAUSE") or 0))
        return ""

    def confirmed(self, peer):
        """Whether whoever picked up pressed 1 (the dialplan asks them); the caller has music meanwhile."""
        agi, end = self.agi, time.monotonic() + CONFIRM
        while time.monotonic() < end and agi.read(f"CHANNEL_EXISTS({peer})") == "1":
            if agi.read(f"SHARED(HOTLINE_ACCEPTED,{peer})") == "1":
                return True
            agi.ask("WAIT FOR DIGIT 200")
        return False

    def talk(self, agent, device, peer):
        """Let the two hear each other, recorded when the caller was told so; returns "again" or "" """
        agi, talk = self.agi, f"{self.call_id}-b{self.talks}"
        file = f"{talk}.{self.talks}.raw"
        agi.guard(0)
        self.log.add("talk", talk=talk, agent=agent, device=device["name"], part=self.talks, file=file,
                     recorded=self.recorded)  # fmt: skip
        try:
            if self.recorded:
                agi.run("MixMonitor", f"{self.house['spool']}/{file}", "D")
            self.log.sync()
            # Bridge() makes of a leg that is just hanging up a husk that nothing ever ends: look right before.
            here = agi.read(f"IMPORT({peer},EXTEN)") == "joined"
            if here:
                agi.run("Bridge", peer, "x")
            result = agi.read("BRIDGERESULT") if here else "GONE"
            agi.guard(GREETING)
        except Gone:
            self.log.add("talk_ended", talk=talk, agent=agent, by="caller")
            raise
        self.log.add("talk_ended", talk=talk, agent=agent, by="agent" if result == "SUCCESS" else "hotline")
        if self.recorded:
            agi.run("StopMixMonitor")
        agi.run("Set", "GROUP(lifeboat)=")
        if result != "SUCCESS":
            return "again"
        path = f"{self.house['sounds']}/farewell"
        if os.path.exists(path + ".wav"):
            key, _ = agi.ask(f"GET DATA {quoted(path)} 5000 1")
            return "again" if key == "0" else ""
        return ""

    # --- a message ----------------------------------------------------------------------------------------------------

    def message(self, why):
        """Nobody comes: the apology with the emergency number, then a message."""
        agi, house = self.agi, self.house
        agi.run("StopMusicOnHold")
        agi.guard(2 * house["message"] + 2 * SLACK)
        self.log.add("offered", why=why)
        told = why == "closed" and all(self.play(name) for name in self.duty.closed(time.time()) or [""])
        # In each language that was set; one that cannot be played takes nothing from the others.
        if not told and not any([self.play(name) for name in house.get("apologies", ["away_apology"])]):
            raise Unfit("the apology cannot be played")  # the dialplan has another in stock
        self.play("beep")
        self.log.add("voicemail", file=f"{self.call_id}.wav")
        agi.run("Record", f"{house['away']}/{self.call_id}.wav", str(house["silence"]), str(house["message"]), "qk")
        if agi.read("RECORD_STATUS") == "ERROR":
            raise Unfit("the message cannot be recorded")
        self.log.add("voicemail_ended")
        self.play("voicemail_thanks")


def main():
    """One caller; returns the exit status."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the hang-up is read where it is waited for
    agi = Agi(sys.stdin.buffer, sys.stdout.buffer)
    call = None
    try:
        call_id = only(agi.about.get("agi_uniqueid", ""), NAMES, 100)
        if not call_id:
            raise Unfit("Asterisk gave no call")
        call = Call(agi, Duty(agi.about.get("agi_arg_1", ""), time.time()), call_id)
        call.serve()
        call.log.add("ended")
        call.log.sync()
        agi.set("HOTLINE_BOAT", "done")
        return 0
    except Gone:
        if call is not None:
            call.log.add("gone")
            call.log.sync()
        return 0
    except Exception as error:  # whatever it is: the apology goes on
        what = f"{type(error).__name__}: {error}"[:200]
        print(f"lifeboat: {what}", file=sys.stderr)
        if call is not None:
            call.log.vital = False
            call.log.add("fault", what=what)
            call.log.sync()
        return 1


if __name__ == "__main__":
    sys.exit(main())
