"""The API is as its own description says: schemathesis asks every operation of a console that is full of data.

Here it sends what is allowed, at every bound; ``SCHEMATHESIS="--mode=all --max-examples=100 --seed=7" pytest
tests/web/test_openapi.py -s`` sends what is forbidden too, and takes minutes.
"""

from __future__ import annotations

import asyncio
import copy
import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from tests.web.filled import Full, filled

SEED = 20_261_125
EXAMPLES = 1
PATIENCE = 1500
"""Seconds: a busy machine is no fault."""

ENDLESS = {"/api/v1/live"}
"""A stream that lasts as long as its token."""

GRAMMAR: dict[str, str] = {
    "listing_api_v1_calls_get": "times, lengths and scores have a grammar (docs/finding-calls.md)",
    "save_api_v1_calls_filters_post": "a filter that asks for nothing is refused",
    "password_api_v1_me_password_put": "the old password must be right",
    "sign_in_api_v1_sign_in_post": "name and password must be right",
    "reviews_api_v1_reviews_get": "times and scores have a grammar",
    "order_api_v1_recordings_exports_post": "calls may be named or found: at least one must be",
    "write_api_v1_calls__call_id__record_patch": "subjects are those of subjects.yaml",
    "week_api_v1_duty_week_get": "only a year or so around today is shown",
    "give_api_v1_calls__call_id__reviews_post": "answers are those of the form",
    "correct_api_v1_calls__call_id__reviews__review_id__correct_post": "answers are those of the form",
    "change_api_v1_calls__call_id__reviews__review_id__change_post": "answers are those of the form",
    "export_api_v1_calls_export_csv_get": "as the list of calls",
    "access_api_v1_access_get": "times have a grammar",
    "access_sheet_api_v1_access_export_csv_get": "times have a grammar",
    "prove_api_v1_access_proofs_post": "an anchor has a grammar",
    "purge_api_v1_purges_post": "only what was looked at is deleted",
    "look_api_v1_persons_look_post": "a number has digits",
    "export_api_v1_persons_exports_post": "a number has digits",
    "erase_api_v1_persons_erasures_post": "a number has digits, and is written twice",
    "create_api_v1_users_post": "the role agent needs a staff number",
    "change_api_v1_users__user_id__put": "the role agent needs a staff number",
    "make_token_api_v1_me_tokens_post": "a token cannot make one",
}
"""Operations that refuse what their schema allows, and why: by operationId."""

UNCHECKED = """[[operations]]
include-operation-id = "{}"
[operations.checks.positive_data_acceptance]
enabled = false
"""


def described(full: Full) -> dict[str, Any]:
    """The API's description, with the ids of what is there in the place of "any text"."""
    schema: dict[str, Any] = copy.deepcopy(dict(full.web.app.description))
    schema["paths"] = {path: about for path, about in schema["paths"].items() if path not in ENDLESS}
    for path in schema["paths"].values():
        for about in path.values():
            for one in about.get("parameters", ()):
                if one["in"] == "path":
                    one["schema"] = {"type": "string", "enum": full.ids[one["name"]]}
    return schema


async def test_every_operation_is_as_it_is_described(tmp_path: Path) -> None:
    async with filled(tmp_path / "var") as full:
        description = tmp_path / "openapi.json"
        description.write_text(json.dumps(described(full)), encoding="utf-8")
        (tmp_path / "schemathesis.toml").write_text("".join(map(UNCHECKED.format, GRAMMAR)), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "schemathesis.cli", "run", str(description), "--url", full.web.url,
            "--header", f"Authorization: Bearer {full.token}", "--seed", str(SEED), "--max-examples", str(EXAMPLES),
            "--phases", "coverage,fuzzing", "--generation-database", "none",
            "--request-timeout", "120", "--mode", "positive", "--suppress-health-check", "all", "--no-color",
            *shlex.split(os.environ.get("SCHEMATHESIS", "")),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=tmp_path,
        )  # fmt: skip
        try:
            said, _none = await asyncio.wait_for(process.communicate(), PATIENCE)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        text = said.decode()
        print(text)
        assert process.returncode == 0, text[-20_000:]
