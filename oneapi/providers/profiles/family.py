"""What a family is: models whose tokens compare in one way with those of the vocabulary that counts are estimated by,
OpenAI's o200k.

It must not know any model, nor how anything is counted.
"""

from re import Pattern

import msgspec


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """One row, for models that `models` finds.

    `percent` is how many tokens there are for a hundred of the vocabulary's; `tools` is what the provider says about
    tools by itself when a request offers any.
    """

    models: Pattern[str]
    reason: str
    percent: int = 100
    tools: int = 0
