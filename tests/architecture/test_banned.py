"""What runs code from data, hides a shell or weakens a secret is found, wherever it is planted in the product."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, parsed, product_files

PLANTS = [
    ("TID251", "import jinja2"),
    ("TID251", "import mako.template"),
    ("TID251", "from string import Template"),
    ("TID251", "import pickle"),
    ("TID251", "from marshal import loads"),
    ("TID251", "import shelve"),
    ("TID251", "import dill"),
    ("TID251", "import yaml\n\nyaml.load('a', yaml.Loader)"),
    ("TID251", "import yaml\n\nyaml.unsafe_load_all('a')"),
    ("TID251", "from yaml import full_load"),
    ("TID251", "import xml.etree.ElementTree"),
    ("TID251", "from xml.dom import minidom"),
    ("TID251", "import xml.sax\n\nxml.sax.parseString(b'', None)"),
    ("TID251", "import lxml.etree"),
    ("TID251", "import tempfile\n\nNAME = tempfile.mktemp()"),
    ("TID251", "import os\n\nos.system('ls')"),
    ("TID251", "import os\n\nos.popen('ls')"),
    ("TID251", "import asyncio\n\nRUN = asyncio.create_subprocess_shell"),
    ("S102", "exec('1')"),
    ("S307", "X = eval('1')"),
    ("S602", "import subprocess\n\nsubprocess.run('ls', shell=True)"),
    ("S311", "import random\n\nTOKEN = random.random()"),
    ("S324", "import hashlib\n\nX = hashlib.md5(b'')"),
    ("S324", "import hashlib\n\nX = hashlib.new('sha1', b'')"),
    ("S101", "def act(role: str) -> None:\n    assert role == 'owner'"),
    ("S501", "import httpx\n\nhttpx.get('https://a', verify=False)"),
    ("S105", "PASSWORD = 'correct horse'"),
]


@pytest.mark.parametrize(("rule", "source"), PLANTS, ids=[plant[1].splitlines()[-1].strip() for plant in PLANTS])
@pytest.mark.parametrize("place", ["oneapi/runtime/planted.py", "services/admin/planted.py"])
def test_a_planted_one_is_found(rule: str, source: str, place: str) -> None:
    found = subprocess.run(
        [Path(sys.executable).with_name("ruff"), "check", "--no-cache", "--output-format", "concise",
         "--stdin-filename", place, "-"],
        cwd=ROOT, input=f'"""Planted."""\n\n{source}\n', capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert f" {rule} " in found.stdout, found.stdout + found.stderr


def compiles(tree: ast.Module) -> list[int]:
    """Lines that call the built-in `compile`, which no rule of ruff knows."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"compile", "__import__"}
    ]


def test_nothing_is_compiled() -> None:
    assert compiles(ast.parse("import re\nre.compile('a')\ncompile('1', 'a', 'eval')")) == [3]
    assert not [path for path in product_files() if compiles(parsed(path))]


def test_there_is_no_template_of_the_engine_that_alembic_brings() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not [name for name in listed.splitlines() if name.endswith((".mako", ".j2", ".jinja", ".jinja2"))]
