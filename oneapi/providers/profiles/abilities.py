"""What the models of a family can be asked, where it isn't what a conversion takes for granted. A new one is one row.

Decides what is known of each family; it must not know how a request is converted.
"""

import re

from oneapi.providers.profiles.ability import Ability

_OPENAI = frozenset({"openai", "azure-openai"})
_ANTHROPIC = frozenset({"anthropic"})
_CHAT = frozenset({"openai_chat"})
_RESPONSES = frozenset({"openai_responses"})
_MESSAGES = frozenset({"anthropic_messages"})
_GEMINI = frozenset({"gemini_generate"})
_COHERE = frozenset({"cohere_chat"})
_CONVERSE = frozenset({"bedrock_converse"})


def _models(pattern: str) -> re.Pattern[str]:
    """Names may stand behind a vendor's or a tuner's, as in `openai/o3`."""
    return re.compile(rf"(?:^|[/:.])(?:{pattern})", re.IGNORECASE)


ABILITIES = (
    Ability(
        providers=_OPENAI,
        models=_models(r"gpt-3|gpt-4|chatgpt"),
        can={"thinking": "none"},
        reason="Models that don't reason answer 400 to an effort.",
    ),
    Ability(
        providers=_OPENAI,
        models=_models(r"o[1-9]|gpt-[5-9]|codex"),
        can={"sampling": False, "developer_role": True},
        reason="Reasoning models answer 400 to temperature and top_p; their instructions are a developer's.",
    ),
    Ability(
        providers=_OPENAI,
        models=_models(r"o[1-9]"),
        can={"efforts": ("low", "medium", "high")},
        reason="The first reasoning models know three efforts.",
    ),
    Ability(
        providers=_OPENAI,
        models=_models(r"gpt-5(?![.\d])"),
        can={"efforts": ("minimal", "low", "medium", "high")},
        reason="Before 5.1 thinking can't be turned off, and high is the most.",
    ),
    Ability(
        providers=_OPENAI,
        models=_models(r"gpt-[5-9]|codex"),
        can={"custom_tools": True},
        reason="They take tools whose input is free text.",
    ),
    Ability(
        providers=_OPENAI,
        models=_models(r"gpt-5\.(?:[6-9]|\d\d)|gpt-[6-9]"),
        can={"cache_marks": True},
        reason="Marks of what to cache are known from 5.6 on; earlier models answer 400 to them.",
    ),
    Ability(
        providers=_OPENAI,
        dialects=_RESPONSES,
        models=_models(r".*"),
        can={"web_search": True},
        reason="The provider searches the web by itself.",
    ),
    Ability(
        providers=_OPENAI,
        dialects=_RESPONSES,
        models=_models(r"o[1-9]|gpt-[5-9](?!.*chat)|codex"),
        can={"encrypted_reasoning": True},
        reason="Stored turns bring their reasoning along encrypted; models that don't reason answer 400 to that.",
    ),
    Ability(
        providers=_OPENAI,
        dialects=_CHAT,
        models=re.compile(r"search-(?:preview|api)", re.IGNORECASE),
        can={"web_search": True},
        reason="Chat Completions search with these models only.",
    ),
    Ability(
        dialects=_CHAT,
        models=_models(r"qwen"),
        can={"system_first": True},
        reason="Their templates refuse a system message anywhere but at the beginning.",
    ),
    Ability(
        dialects=_CHAT,
        models=_models(r"deepseek"),
        can={"reasoning_required": True},
        reason="While thinking, every call that is repeated must have its reasoning.",
    ),
    Ability(
        providers=_ANTHROPIC,
        models=_models(r"claude"),
        can={"web_search": True},
        reason="The provider searches the web by itself.",
    ),
    Ability(
        dialects=_MESSAGES,
        models=_models(r"claude-(?:opus|sonnet|haiku)-4(?:[-.][0-5])?(?:-\d{8}|@\d{8}|$)"),
        can={"thinking": "budget"},
        reason="Up to 4.5 thinking has a budget in tokens; adaptive thinking is refused.",
    ),
    Ability(
        dialects=_MESSAGES,
        models=_models(r"claude-(?:(?:opus|sonnet|haiku)-4(?:-0)?(?:-\d{8}|@\d{8}|$)|3)"),
        can={"native_schema": False},
        reason="Output by a schema came with later models.",
    ),
    Ability(
        dialects=_MESSAGES,
        models=_models(r"claude-3-7"),
        can={"thinking": "budget"},
        reason="The first model that thinks, with a budget in tokens.",
    ),
    Ability(
        dialects=_MESSAGES,
        models=_models(r"claude-3-5"),
        can={"thinking": "none", "max_output": 8_192},
        reason="It doesn't think, and answers 400 to a larger cap.",
    ),
    Ability(
        dialects=_MESSAGES,
        models=_models(r"claude-3-(?:opus|sonnet|haiku)"),
        can={"thinking": "none", "max_output": 4_096, "web_search": False},
        reason="It doesn't think or search, and answers 400 to a larger cap.",
    ),
    Ability(
        dialects=_MESSAGES,
        models=_models(r"claude-(?:opus|sonnet|haiku)-(?:[5-9]|\d\d)(?:\D|$)"),
        can={"inline_system": True},
        reason="System messages may stand inside a conversation.",
    ),
    Ability(
        dialects=_GEMINI,
        models=_models("gemini-"),
        can={"web_search": True},
        reason="Google's models search by themselves.",
    ),
    Ability(
        dialects=_GEMINI,
        models=_models(r"gemini-[12](?:\D|$)"),
        can={"thinking": "none"},
        reason="Before 2.5 they don't think.",
    ),
    Ability(
        dialects=_GEMINI,
        models=_models(r"gemini-2\.5"),
        can={"thinking": "budget"},
        reason="They think with a budget in tokens; levels and signed calls came with 3.",
    ),
    Ability(
        dialects=_GEMINI,
        models=_models(r"gemini-(?:[3-9]|\d\d)"),
        can={"images_in_results": True},
        reason="Results of functions may hold pictures and documents.",
    ),
    Ability(
        dialects=_GEMINI,
        models=_models(r"gemini-(?!2\.0)"),
        can={"penalties": False},
        reason="They answer 400 to penalties; 2.0 alone takes them.",
    ),
    Ability(
        dialects=_COHERE,
        models=_models(r".*"),
        can={"thinking": "none"},
        reason="Most of Cohere's models don't think.",
    ),
    Ability(
        dialects=_COHERE,
        models=_models(r"command-.*reasoning"),
        can={"thinking": "budget"},
        reason="They think with a budget in tokens.",
    ),
    Ability(
        dialects=_CONVERSE,
        models=_models(r".*"),
        can={"thinking": "none", "forced_tools": False},
        reason="Bedrock answers 400 to what a model doesn't know: only of some is it known that they think, or obey.",
    ),
    Ability(
        dialects=_CONVERSE,
        models=_models(r"claude"),
        can={
            "vendor_fields": "claude",
            "thinking": "effort",
            "forced_tools": True,
            "cache_marks": True,
            "tool_cache_marks": True,
            "images_in_results": True,
        },
        reason="Anthropic's models take Anthropic's own settings.",
    ),
    Ability(
        dialects=_CONVERSE,
        models=_models(r"claude-(?:3-7|(?:opus|sonnet|haiku)-4(?:-[0-5])?(?:-\d{8}|$))"),
        can={"thinking": "budget"},
        reason="From 3.7 up to 4.5 thinking has a budget in tokens; adaptive thinking is refused.",
    ),
    Ability(
        dialects=_CONVERSE,
        models=_models(r"claude-(?:opus|sonnet|haiku)-(?:4-(?:[5-9]|\d\d)|[5-9]|\d\d)(?:\D|$)"),
        can={"long_cache_marks": True},
        reason="Marks that live for an hour came with 4.5; earlier models, and Amazon's, answer 400 to them.",
    ),
    Ability(
        dialects=_CONVERSE,
        models=_models(r"claude-(?:v?[12]|instant|3-(?!7))"),
        can={"thinking": "none"},
        reason="They don't think.",
    ),
    Ability(
        dialects=_CONVERSE,
        models=_models(r"claude-(?:v?[12]|instant|3|(?:opus|sonnet|haiku)-4(?:-[01])?(?:-\d{8}|$))"),
        can={"native_schema": False},
        reason="Output by a schema came with 4.5.",
    ),
    Ability(
        dialects=_CONVERSE,
        models=_models(r"claude-(?:opus|sonnet|haiku)-(?:[5-9]|\d\d)(?:\D|$)"),
        can={"inline_system": True},
        reason="System messages may stand inside a conversation.",
    ),
    Ability(
        dialects=_CONVERSE,
        models=_models(r"nova-"),
        can={
            "vendor_fields": "nova",
            "forced_tools": True,
            "cache_marks": True,
            "images_in_results": True,
            "native_schema": False,
        },
        reason="Amazon's models take Amazon's own settings, no schema of an output, and no marks of tools.",
    ),
    Ability(
        dialects=_CONVERSE,
        models=_models(r"nova-2"),
        can={"thinking": "effort", "efforts": ("low", "medium")},
        reason="With high effort they answer 400 to a token cap.",
    ),
    Ability(
        dialects=_CONVERSE,
        models=_models(r"gpt-oss"),
        can={"vendor_fields": "openai", "thinking": "effort", "efforts": ("low", "medium", "high")},
        reason="They know three efforts.",
    ),
    Ability(
        dialects=_CONVERSE,
        models=_models(r"mistral"),
        can={"forced_tools": True},
        reason="They can be told that a tool must be called.",
    ),
    Ability(
        dialects=_CONVERSE,
        models=_models(r"titan|llama|command|jamba|mistral-(?:7b|large-2402|small-2402)|mixtral"),
        can={"native_schema": False},
        reason="They take no schema of an output.",
    ),
)
