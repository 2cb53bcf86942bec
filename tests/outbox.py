"""The one-time codes that were sent: what customers read on their phones."""

import asyncio
import json
from pathlib import Path

PATIENCE = 10


class Outbox:
    """Reads the file that receives every code instead of a phone."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def messages(self, challenge_id: str) -> list[dict[str, str]]:
        """Return what was sent for a challenge so far."""
        lines = self._file.read_text(encoding="utf-8").splitlines() if self._file.exists() else []
        return [message for line in lines if (message := json.loads(line))["id"] == challenge_id]

    async def code(self, challenge_id: str) -> str:
        """Wait for the code of a challenge and return it."""
        async with asyncio.timeout(PATIENCE):
            while not (found := self.messages(challenge_id)):  # noqa: ASYNC110  another task writes the file
                await asyncio.sleep(0.01)
        return found[0]["code"]
