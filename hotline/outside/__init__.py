"""The outside world for demo, ``hotline call`` and tests: a second Asterisk as carrier, callers and handsets.

One test language (times in seconds, ``at`` counted from the first sign of the leg: dialling, ringing)::

    async with OutsideWorld.start(install, folder, ("127.0.0.1", 5060), 5070, sounds=[state / "sounds/zh"]) as world:
        agent = await world.handset("8001", account, password)      # registered on return
        caller = await world.call("4001234567", number="13912345678", name="")
        await caller.answered()                                     # 200 OK
        await caller.heard("greeting")                              # identified in the audio; whole=True: to its end
        await caller.press("1")                                     # RFC 4733
        ring = await agent.rings()                                  # 180 Ringing has been sent
        await ring.answer()                                         # or ring.reject(486), or nothing; ring.cancelled()
        ring.say(tone_hz=660)                                       # until hush() or the next say()
        await caller.heard(tone_hz=660)
        caller.say(tone_hz=440)
        await ring.heard(tone_hz=440)
        await ring.hang_up()
        cause = await caller.gone()                                 # Q.850
        await caller.prompts_heard()                                # [("greeting", 0.1), ("menu", 4.2)]
        caller.heard_audio                                          # a WAV in real time, silence included

Every wait raises :class:`NotHeard` or :class:`NotSeen` (both AssertionError) with what was there instead.
"""

from .handset import Handset, Ring
from .hearing import PromptBook, PromptHeard
from .leg import Caller, Leg, NotHeard, NotSeen
from .ports import free_ports
from .sipp import SippResult, sipp
from .speech import spoken_wav, tone_wav
from .world import OutsideWorld

__all__ = [
    "Caller",
    "Handset",
    "Leg",
    "NotHeard",
    "NotSeen",
    "OutsideWorld",
    "PromptBook",
    "PromptHeard",
    "Ring",
    "SippResult",
    "free_ports",
    "sipp",
    "spoken_wav",
    "tone_wav",
]
