import ssl

import pytest

from oneapi.runtime.egress import tls


async def test_one_context_that_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", "/nowhere/keys")
    tls.make_context.cache_clear()
    context = tls.make_context()
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert not context.keylog_filename
    assert await tls.context() is context
    tls.make_context.cache_clear()
