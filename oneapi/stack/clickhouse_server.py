"""ClickHouse: how ours is configured, when it is ready, and what another's must answer.

One configuration serves the official program and the launcher over the wheel. It must not know which of them runs it,
nor what tables there are.
"""

import base64
import hashlib
import http.client
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit
from xml.sax.saxutils import escape

from oneapi.stack.plan import Login, Plan, write_private
from oneapi.stack.problem import StackProblem
from oneapi.stack.programs import Program

ASK_LIMIT_S = 10.0
READY_ASK_LIMIT_S = 0.8
DATABASE = "oneapi"

CONFIG = """<clickhouse>
  <logger>
    <level>warning</level>
    <log>{directory}/server.log</log>
    <errorlog>{directory}/errors.log</errorlog>
    <size>10M</size>
    <count>2</count>
  </logger>
  <log-level>warning</log-level>
  <listen_host>127.0.0.1</listen_host>
  <http_port>{port}</http_port>
  <path>{directory}/data/</path>
  <tmp_path>{directory}/data/tmp/</tmp_path>
  <user_files_path>{directory}/data/user_files/</user_files_path>
  <format_schema_path>{directory}/data/format_schemas/</format_schema_path>
  <users_config>users.xml</users_config>
  <user_directories><users_xml><path>users.xml</path></users_xml></user_directories>
  <max_server_memory_usage_to_ram_ratio>0.5</max_server_memory_usage_to_ram_ratio>
  <mark_cache_size>268435456</mark_cache_size>
</clickhouse>
"""

USERS = """<clickhouse>
  <profiles>
    <default/>
    <bootstrap><max_sessions_for_user>1</max_sessions_for_user></bootstrap>
  </profiles>
  <quotas><default/></quotas>
  <users>{bootstrap}
    <{user}>
      <password_sha256_hex>{digest}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </{user}>
  </users>
</clickhouse>
"""

# The launcher's own session is the user `default`, and that can't have a password. It lives as long as the launcher and
# is the only one that this user may have, so nobody else gets in by that name; what it may do is what it needs: open
# the listeners, and read the pipe that keeps them open.
BOOTSTRAP = """
    <default>
      <password></password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>bootstrap</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SYSTEM LISTEN ON *.*</query>
        <query>GRANT FILE ON *.*</query>
        <query>GRANT CREATE TEMPORARY TABLE ON *.*</query>
      </grants>
    </default>"""


def plan(program: Program, directory: Path, port: int, login: Login) -> Plan:
    """Writes the configuration into `directory`, where the tables are kept too, and says how to run it."""
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "config.xml"
    write_private(config, CONFIG.format(port=port, directory=escape(str(directory))))
    official = Path(program.command[0]).name.startswith("clickhouse")
    users = USERS.format(
        bootstrap="" if official else BOOTSTRAP,
        user=login.user,
        digest=hashlib.sha256(login.password.encode()).hexdigest(),
    )
    write_private(directory / "users.xml", users)
    target = f"--config-file={config}" if official else str(directory)
    return Plan(
        name="ClickHouse",
        command=(*program.command, target),
        log=directory / "log",
        ready=lambda: answers(url(port, login, "default")),
        cwd=directory,
    )


def url(port: int, login: Login, database: str = DATABASE) -> str:
    """The address with login and database in it."""
    return f"http://{login.user}:{quote(login.password, safe='')}@127.0.0.1:{port}/{database}"


def ask(address: str, statement: str, *, use_database: bool = True, limit_s: float = ASK_LIMIT_S) -> str:
    """Runs a statement over HTTP and returns its text; raises StackProblem with the server's words, or OSError."""
    parts = urlsplit(address)
    query = {"database": parts.path.strip("/")} if use_database and parts.path.strip("/") else {}
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "127.0.0.1", parts.port or 8123, timeout=limit_s)
    try:
        connection.request("POST", f"/?{urlencode(query)}", statement.encode(), authorization(parts))
        response = connection.getresponse()
        text = response.read().decode(errors="replace").strip()
    except http.client.HTTPException as problem:
        raise OSError(f"no HTTP answer: {problem!r}") from problem
    finally:
        connection.close()
    if response.status != 200:
        raise StackProblem(text[:300] or f"status {response.status}")
    return text


def authorization(parts: SplitResult) -> dict[str, str]:
    """The header that carries the login of an address."""
    if parts.username is None:
        return {}
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}


def answers(address: str) -> bool:
    """Whether a server there takes statements."""
    try:
        ask(address, "SELECT 1", limit_s=READY_ASK_LIMIT_S)
    except (OSError, StackProblem):
        return False
    return True


def create_database(address: str, name: str = DATABASE) -> None:
    """Makes a database unless it is there."""
    ask(address, f"CREATE DATABASE IF NOT EXISTS `{name}` ENGINE = Atomic", use_database=False)


def probe(address: str) -> str:
    """The version of the server at an address of the operator's; StackProblem unless we may use its database."""
    try:
        return ask(address, "SELECT version()")
    except (OSError, StackProblem, ValueError) as problem:
        raise StackProblem(f"CLICKHOUSE_URL names a database that can't be used: {problem}.") from problem
