"""What encoders and decoders get besides the message itself: ids, time, secrets, the upstream's profile.

It decides how ids are made: from the request's own, so that the same request gives the same ones. Pure.
"""

from collections.abc import Mapping
from typing import Any

from oneapi.dialects.canonical.losses import Losses
from oneapi.dialects.canonical.profile import Profile
from oneapi.dialects.canonical.requests import Request
from oneapi.dialects.canonical.seal import Seal


class Sending:
    """For `encode_request`: to which model, with what profile; losses are collected here."""

    __slots__ = ("losses", "max_output", "model", "profile", "seal")

    def __init__(self, model: str, profile: Profile, seal: Seal, losses: Losses, max_output: int | None = None) -> None:
        self.model = model
        self.profile = profile
        self.seal = seal
        self.losses = losses
        self.max_output = max_output


class Answering:
    """For encoders of answers: as whom, when, and in answer to what.

    `model` is the name that the client used; `asked` its request, `body` that request's JSON; `input_tokens` an
    estimate of its size, for formats that tell it before the provider does.
    """

    __slots__ = ("_made", "_seed", "asked", "body", "created", "input_tokens", "losses", "model", "seal")

    def __init__(
        self,
        seed: str,
        created: int,
        seal: Seal,
        asked: Request,
        body: Mapping[str, Any],
        losses: Losses,
        input_tokens: int = 0,
    ) -> None:
        self._seed = seed
        self._made = 0
        self.created = created
        self.seal = seal
        self.asked = asked
        self.body = body
        self.model = asked.model
        self.losses = losses
        self.input_tokens = input_tokens

    def id(self, prefix: str) -> str:
        """The answer's own id in a format."""
        return f"{prefix}{self._seed}"

    def part_id(self, prefix: str) -> str:
        """A new id inside the answer."""
        self._made += 1
        return f"{prefix}{self._seed}{self._made:04x}"
