"""A sample model: its archive, the image it is for, and a request to try it with."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One model archive and what somebody needs to host it."""

    key: str
    image: str
    about: str
    archive: bytes
    content_type: str
    request: str

    @property
    def facts(self) -> dict[str, Any]:
        """Everything but the archive."""
        return {name: value for name, value in asdict(self).items() if name != "archive"}
