"""Every request, answer and event of ``ari`` is as the running Asterisk itself describes it."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ari_contract import Contract, events
from tests.ari_verbs import sent, verbs
from tests.real.private_asterisk import PrivateAsterisk, private_asterisk

Files = dict[str, Any]


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The description that the Asterisk of these tests serves, by file."""
    with private_asterisk(tmp_path_factory.mktemp("contract") / "var") as asterisk:
        listed = fetch(asterisk, "/api-docs/resources.json")["apis"]
        return {
            Path(api["path"]).stem.partition(".")[0]: fetch(asterisk, api["path"].replace("{format}", "json"))
            for api in listed
        }


def fetch(asterisk: PrivateAsterisk, path: str) -> Any:
    token = base64.b64encode(f"{asterisk.secrets.ari_user}:{asterisk.secrets.ari_password}".encode()).decode()
    url = f"http://127.0.0.1:{asterisk.settings.hotline.asterisk.ari_port}/ari{path}"
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def problems(files: Files) -> list[str]:
    contract = Contract(files)
    requests = [(verb, asyncio.run(sent(verb))) for verb in verbs()]
    found = [problem for verb, request in requests for problem in contract.request_problems(verb, request)]
    return [*found, *contract.struct_problems()]


def test_requests_answers_and_events_are_as_this_asterisk_describes_them(described: Files) -> None:
    assert {"channels", "bridges", "events"} <= set(described)
    names = {verb.name.partition("(")[0] for verb in verbs()}
    assert len(names) > 50 and len(events()) > 35
    assert problems(described) == []


def operation(files: Files, file: str, nickname: str) -> Any:
    every = (each for api in files[file]["apis"] for each in api["operations"])
    return next(each for each in every if each["nickname"] == nickname)


def parameter(files: Files, file: str, nickname: str, name: str) -> Any:
    return next(each for each in operation(files, file, nickname)["parameters"] if each["name"] == name)


def wrong_in_one_place(files: Files) -> Iterator[tuple[str, Files]]:
    """Descriptions that differ from what ``ari`` does in one place, each with a word of what is to be said of it."""

    def other() -> Files:
        return copy.deepcopy(files)

    new = other()
    parameter(new, "bridges", "addChannel", "absorbDTMF")["name"] = "absorbDtmf"
    yield "absorbDTMF", new
    new = other()
    operation(new, "channels", "answer")["httpMethod"] = "PUT"
    yield "POST /channels/channel_id1/answer", new
    new = other()
    next(a for a in new["bridges"]["apis"] if a["path"].endswith("/removeChannel"))["path"] += "s"
    yield "removeChannel", new
    new = other()
    parameter(new, "channels", "ringStop", "channelId").update(name="why", paramType="query")
    yield "'why' is missing", new
    new = other()
    parameter(new, "channels", "originate", "timeout")["dataType"] = "string"
    parameter(new, "channels", "mute", "direction")["allowableValues"]["values"].remove("out")
    yield "direction may not be 'out'", new
    new = other()
    parameter(new, "channels", "record", "maxDurationSeconds")["dataType"] = "boolean"
    yield "maxDurationSeconds is a boolean", new
    new = other()
    operation(new, "channels", "snoopChannelWithId")["responseClass"] = "Bridge"
    yield "the answer is Bridge", new
    new = other()
    operation(new, "channels", "hold")["errorResponses"].append({"code": 424, "reason": "new"})
    yield "status 424", new
    new = other()
    del new["events"]["models"]["ChannelHold"]
    yield "ChannelHold: Asterisk describes no such thing", new
    for model, field, kind in (("StasisStart", "args", "List[int]"), ("Bridge", "channels", "string")):
        new = other()
        for file in new.values():
            if model in file.get("models", {}):
                file["models"][model]["properties"][field]["type"] = kind
        yield f"{model} with all there is", new
    new = other()
    properties = new["events"]["models"]["ChannelDtmfReceived"]["properties"]
    properties["key"] = properties.pop("digit")
    yield "ChannelDtmfReceived: there is no 'digit'", new
    new = other()
    new["events"]["models"]["ChannelDtmfReceived"]["properties"]["digit"]["required"] = False
    yield "ChannelDtmfReceived with only what is required", new


def test_any_other_description_would_be_told(described: Files) -> None:
    """The test above can fail: by a name, a method, a path, a type, a choice, a status, a field."""
    for said, files in wrong_in_one_place(described):
        found = problems(files)
        assert any(said in problem for problem in found), (said, found)
