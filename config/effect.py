"""When a changed setting takes effect: at once, or at the next restart of the daemon or of Asterisk.

One table says it of every setting (a test holds it complete). ``sounds/`` and what is not listed as needing a restart
takes effect at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from config.settings import Part, Settings

Effect = Literal["live", "daemon", "asterisk", "both"]
"""``daemon`` and ``asterisk`` name what must be restarted, ``both`` Asterisk and then the daemon."""

_HOTLINE: Mapping[Effect, str] = {
    "live": """
        company numbers country emergency_number timezone language apology_languages
        trunks[].name trunks[].addresses trunks[].codecs trunks[].transport trunks[].srtp trunks[].area_code
        trunks[].probe
        trunks[].registration.server trunks[].registration.user trunks[].registration.auth_user
        trunks[].registration.domain trunks[].registration.password_file trunks[].registration.expiry
        trunks[].incoming.caller trunks[].incoming.caller_from trunks[].incoming.called_from trunks[].incoming.strip
        trunks[].incoming.add
        trunks[].outgoing.present trunks[].outgoing.present_as trunks[].outgoing.present_in trunks[].outgoing.called
        trunks[].outgoing.strip trunks[].outgoing.add
        asterisk.phones.srtp
        times.digit_timeout times.ring times.confirm times.wrap_up times.announce_every times.voicemail_longest
        times.voicemail_silence times.dead_phone times.stop_grace
        announce.position announce.wait announce.agent
        recording.enabled recording.notice_version recording.shortest_voicemail recording.unbroken
        recording.format recording.encrypt recording.keys recording.silence_from recording.talk_over_from
        recording.keep.call recording.keep.complaint recording.keep.voicemail recording.keep.complaints
        recording.keep.purge_at recording.keep.purge_most recording.free_warning
        recording.check_at recording.check_sample recording.export_hours
        recording.longest_pause codes.record_pause codes.record_resume
        misses_before_pause sign_in
        codes.state codes.sign_in codes.sign_out codes.ready codes.extend codes.pauses.NAME
        backup_after alerts.command alerts.url
        console.enabled console.address console.port console.tls.certificate console.tls.key console.names
        console.proxies console.idle console.longest
        survey.enabled survey.queues survey.bad_from
        record.needs record.required record.time_limit record.extend_by record.extensions record.at_limit
    """,
    "asterisk": """
        asterisk.systemname asterisk.sip.bind asterisk.sip.port asterisk.sip.external_address
        asterisk.sip.local_networks asterisk.sip.tcp asterisk.sip.tls.port asterisk.sip.tls.certificate
        asterisk.sip.tls.key asterisk.sip.tls.ca asterisk.sip.tls.verify asterisk.phones.transport
        asterisk.rtp.first asterisk.rtp.last
    """,
    "daemon": "",
    "both": """
        state_dir asterisk.ari_port asterisk.ami_port asterisk.application
        asterisk.own.host asterisk.own.ari_user asterisk.own.ari_password_file asterisk.own.ami_user
        asterisk.own.ami_password_file asterisk.own.recordings asterisk.own.group asterisk.own.transport
        asterisk.own.endpoints
    """,
}

_OTHERS: Mapping[str, str] = {
    "menu.yaml": """
        start retries person_queue menus.NAME.prompt menus.NAME.offers[].language menus.NAME.offers[].prompt
        menus.NAME.options."KEY".label menus.NAME.options."KEY".menu menus.NAME.options."KEY".queue
        menus.NAME.options."KEY".repeat menus.NAME.options."KEY".language
        menus.NAME.options."KEY".decline_recording
    """,
    "queues.yaml": """
        queues.NAME.label queues.NAME.skill queues.NAME.level
        queues.NAME.hours[].days queues.NAME.hours[].dates queues.NAME.hours[].not_on queues.NAME.hours[].from
        queues.NAME.hours[].to queues.NAME.priority queues.NAME.longest_wait queues.NAME.wrap_up
    """,
    "agents.yaml": """
        agents.NUMBER agents.NUMBER.name agents.NUMBER.ring agents.NUMBER.skills[].skill
        agents.NUMBER.skills[].level agents.NUMBER.skills[].from agents.NUMBER.skills[].to
        agents.NUMBER.devices[].sip agents.NUMBER.devices[].number agents.NUMBER.devices[].name
        agents.NUMBER.devices[].confirm agents.NUMBER.devices[].ring_time
    """,
    "roster.yaml": """
        shifts.NAME.from shifts.NAME.to shifts.NAME.length shifts.NAME.short shifts.NAME.color
        shifts.NAME.breaks[].from shifts.NAME.breaks[].to shifts.NAME.backup shifts.NAME.ring shifts.NAME.roll_call
        teams.NAME[].agent teams.NAME[].from teams.NAME[].to
        rotations.NAME.start rotations.NAME.cycle rotations.NAME.teams.NAME rotations.NAME.agents.NUMBER
        rotations.NAME.to rotations.NAME.not_on
        rules[].shift rules[].days rules[].dates rules[].not_on rules[].from rules[].to rules[].teams rules[].agents
        changes[].leave changes[].swap changes[].extra changes[].shifts changes[].off changes[].team changes[].agent
        changes[].date changes[].from changes[].to changes[].cover changes[].note
        calendar[].date calendar[].from calendar[].to calendar[].is calendar[].name
        requirements[].days requirements[].dates requirements[].not_on requirements[].from requirements[].to
        requirements[].queue requirements[].need requirements[].want requirements[].level
        limits.rest limits.week limits.days_in_a_row limits.look_ahead limits.night.from limits.night.to
        limits.late
        lieu.rates.workday lieu.rates.restday lieu.rates.festival lieu.day lieu.since lieu.opening.NUMBER
    """,
    "subjects.yaml": """
        subjects.NAME.label subjects.NAME.needs subjects.NAME.retired subjects.NAME.subjects.NAME
    """,
    "prompts.zh.yaml": "voice speed prompts.NAME",
    "reviews.yaml": """
        forms.NAME.title forms.NAME.pass_mark forms.NAME.fatal.NAME
        forms.NAME.groups.NAME.title forms.NAME.groups.NAME.weight
        forms.NAME.groups.NAME.points.NAME.ask forms.NAME.groups.NAME.points.NAME.weight
        forms.NAME.groups.NAME.points.NAME.steps forms.NAME.groups.NAME.points.NAME.optional
        plans.NAME.form plans.NAME.graders plans.NAME.per_agent plans.NAME.all_of_queues plans.NAME.all_of_subjects
        plans.NAME.bad_ratings plans.NAME.silence plans.NAME.shortest plans.NAME.double plans.NAME.within
        plans.NAME.seed
    """,
}
"""These files take effect at once, all of them."""

TABLE: Mapping[str, Mapping[str, Effect]] = {
    "hotline.yaml": {key: effect for effect, keys in _HOTLINE.items() for key in keys.split()},
    **{file: dict.fromkeys(keys.split(), "live") for file, keys in _OTHERS.items()},
}
"""By file, by key as the README writes it. Running calls keep the menu they began with."""

NEEDS: Mapping[str, Effect] = {key: effect for key, effect in TABLE["hotline.yaml"].items() if effect != "live"}
"""The keys of hotline.yaml that need a restart, and of what. None of them lies in a list."""


def restart_values(settings: Settings) -> dict[str, Any]:
    """The value of each key that needs a restart, as plain values for JSON."""
    return {key: _plain(_value(settings.hotline, key)) for key in NEEDS}


def waiting_for(running: Mapping[str, Any], settings: Settings, whose: Iterable[Effect]) -> dict[str, Effect]:
    """The keys of these effects whose value in ``settings`` is not the one that ``running`` began with."""
    now, wanted = restart_values(settings), set(whose)
    return {
        key: effect
        for key, effect in NEEDS.items()
        if effect in wanted and key in running and running[key] != now[key]
    }


def without_restart(wanted: Settings, running: Settings) -> Settings:
    """``wanted``, but with the values that the running daemon began with where only its restart can change them."""
    hotline: Any = wanted.hotline
    for key, effect in NEEDS.items():
        if effect in ("daemon", "both"):
            path = key.split(".")
            while any(_value(side.hotline, ".".join(path[:-1])) is None for side in (wanted, running) if path[1:]):
                path.pop()  # a group that only one of them has comes or goes as a whole
            hotline = _with(hotline, path, _value(running.hotline, ".".join(path)))
    return wanted.model_copy(update={"hotline": hotline})


def concerns_asterisk(file: str, key: str) -> bool:
    """Whether a change of this key changes Asterisk's own files (accounts, trunks, numbers, the dialplan's times)."""
    if file == "agents.yaml":
        return "devices" in key or re.fullmatch(r"agents\.[0-9]+", key) is not None
    return file == "hotline.yaml" and re.match(_IN_ASTERISKS_FILES, key) is not None


_IN_ASTERISKS_FILES = r"(asterisk|trunks|numbers|country|emergency_number|language|times\.(voicemail_|dead_phone))"


def _value(part: object, key: str) -> Any:
    for name in key.split("."):
        part = getattr(part, name, None)
    return part


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _with(part: Part, path: list[str], value: Any) -> Part:
    name, *rest = path
    return part.model_copy(update={name: _with(getattr(part, name), rest, value) if rest else value})
