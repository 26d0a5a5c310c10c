"""The configuration file: YAML without surprises, and values of the environment where it names them.

Decides what a file may hold: the five sections, names of entries, `${NAME}` for what the environment knows. Text stays
text: no dates, no sexagesimal numbers, no words that mean true. It must not know the management API.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

from oneapi.catalog.types import TOKEN_BUCKETS, UNITS

SECTIONS = ("accounts", "channels", "prices", "mcp_servers", "keys")
"""In the order in which they are applied: later ones may name earlier ones."""
MAX_FILE = 4 * 1024 * 1024
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MONEY = frozenset({*TOKEN_BUCKETS, *UNITS, "amount_usd"})


class BadDocument(Exception):
    """The file can't be used. The text is one sentence that says where and why."""


class _Loader(yaml.SafeLoader):
    """Safe, refuses duplicate keys, and reads scalars as JSON would."""


_Loader.yaml_implicit_resolvers = {}
_CORE = (
    ("tag:yaml.org,2002:null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", ["t", "f"]),
    ("tag:yaml.org,2002:int", r"^-?(?:0|[1-9][0-9]*)$", list("-0123456789")),
    ("tag:yaml.org,2002:float", r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$", list("-0123456789")),
)
for _tag, _pattern, _first in _CORE:
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), _first)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    pairs = [(loader.construct_object(key, deep=True), value) for key, value in node.value]
    found = {key: loader.construct_object(value, deep=True) for key, value in pairs if isinstance(key, str)}
    if len(found) != len(pairs):
        raise yaml.constructor.ConstructorError(None, None, "a key is there twice or is no text", node.start_mark)
    return found


def _number(loader: _Loader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(str(loader.construct_scalar(node)))


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)


@dataclass(frozen=True, slots=True)
class Document:
    """What the file wants: entries by section, each with a `name` (prices: `model`)."""

    sections: Mapping[str, list[dict[str, Any]]]


def read(text: str, environment: Mapping[str, str]) -> Document:
    """Parses and fills in the environment. Raises BadDocument."""
    if len(text) > MAX_FILE:
        raise BadDocument("The file is too large.")
    loader = _Loader(text)
    try:
        given = loader.get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        raise BadDocument(f"The file is not valid YAML{where}: {getattr(error, 'problem', None) or error}.") from error
    finally:
        loader.dispose()
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise BadDocument("The file must be a mapping of sections.")
    unknown = sorted(set(given) - set(SECTIONS))
    if unknown:
        raise BadDocument(f"The file has unknown sections: {', '.join(unknown)}. Known: {', '.join(SECTIONS)}.")
    return Document({section: _entries(section, given.get(section), environment) for section in SECTIONS})


def _entries(section: str, given: Any, environment: Mapping[str, str]) -> list[dict[str, Any]]:
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(entry, dict) for entry in given):
        raise BadDocument(f"The section {section} must be a list of entries.")
    entries: list[dict[str, Any]] = [_filled(section, entry, environment) for entry in given]
    seen: set[tuple[str, str]] = set()
    for entry in entries:
        name = entry.get("model" if section == "prices" else "name")
        if not isinstance(name, str) or not name:
            raise BadDocument(f"Every entry of {section} needs a {'model' if section == 'prices' else 'name'}.")
        identity = (name, str(entry.get("channel" if section == "prices" else "account")))
        if identity in seen:
            raise BadDocument(f"The section {section} has {name} twice.")
        seen.add(identity)
    return entries


def _filled(where: str, value: Any, environment: Mapping[str, str], field: str = "") -> Any:
    """Values with the environment filled in, and money as the decimal text that the API takes."""
    if isinstance(value, dict):
        # A tool's price stands under the tool's name.
        as_money = where == "mcp_servers" and field == "prices"
        names = {name: "amount_usd" if as_money else name for name in value}
        return {name: _filled(where, inner, environment, names[name]) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(where, inner, environment, field) for inner in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _variable(found[1], environment), value)
    if isinstance(value, Decimal):
        return format(value, "f") if field in _MONEY else float(value)
    if isinstance(value, int) and not isinstance(value, bool) and field in _MONEY:
        return str(value)
    return value


def _variable(name: str, environment: Mapping[str, str]) -> str:
    value = environment.get(name)
    if not value:
        raise BadDocument(f"The file names ${{{name}}}, and the environment doesn't have it.")
    return value
