from oneapi.stack.backing import servers_environment


def test_servers_get_no_secret_of_the_gateways() -> None:
    given = {"PATH": "/bin", "LC_ALL": "C", "ONEAPI_ADMIN_TOKEN": "x", "OPENAI_API_KEY": "x", "DATABASE_URL": "x"}
    assert servers_environment(given) == {"PATH": "/bin", "LC_ALL": "C"}
