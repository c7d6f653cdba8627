"""What of the console outlasts its being closed, opened anew by other settings, or switched off: exports that were
ordered, long works, files that may be fetched, and what the last proof of the access log found.

Made once, and ended with the daemon (:meth:`Kept.close`). An order stands in a file (``export_shelf``) and is gone on
with by the next daemon; a work that a stop broke off is said to its person by the next one (``works``).
"""

from __future__ import annotations

from dataclasses import dataclass

from config.catalogue import answering
from console.access_log import Proofs
from console.exports import Exports
from console.parcels import Parcels
from console.site import Site
from console.works import Works


@dataclass(frozen=True, slots=True)
class Kept:
    """Made by :meth:`open`."""

    exports: Exports
    works: Works
    parcels: Parcels
    proofs: Proofs

    @classmethod
    def open(cls, site: Site) -> Kept:
        """Blocks for files' sake."""
        with answering(site.settings.hotline.language):
            works = Works(site.state_dir, site.now)
        return cls(Exports(site), works, Parcels(site.state_dir, site.now), Proofs(site))

    async def close(self) -> None:
        """Let go of everything; waits for no thread."""
        self.works.close()
        self.proofs.close()
        self.parcels.close()
        await self.exports.close()
