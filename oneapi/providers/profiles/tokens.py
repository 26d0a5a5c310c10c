"""How the tokens of families compare, where they don't count as OpenAI's do. A new one is one row.

Decides what is known of each family; of two rows that concern a model the first counts. It must not know how anything
is counted.
"""

import re

from oneapi.providers.profiles.family import Family

FAMILIES = (
    Family(
        # The version stands before or after the name of the size.
        models=re.compile(
            r"claude-(?:instant|[23]\b|[a-z]+-[34](?:[-.@:]|$)(?!(?:[7-9]|\d\d)(?:\D|$)))", re.IGNORECASE
        ),
        percent=118,
        tools=346,
        reason="Claude up to 4.6, as users measured it against Anthropic's count; what tools add is in its documents.",
    ),
    Family(
        models=re.compile(r"claude", re.IGNORECASE),
        percent=153,
        tools=346,
        reason="The vocabulary that came with Opus 4.7 makes more of the same text.",
    ),
)
