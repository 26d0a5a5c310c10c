"""The TLS of every connection to an upstream: one context, which cannot be made weaker by a setting.

It decides what a server must show: TLS 1.2 or newer, and a certificate for its name by someone whom the system trusts.
`SSL_CERT_FILE` and `SSL_CERT_DIR` say where the system keeps those, as for every program that uses OpenSSL. It must not
know who is called.
"""

import asyncio
import functools
import ssl


@functools.cache
def make_context() -> ssl.SSLContext:
    """The context of this process. Reads the system's certificates: it takes a while."""
    # Not `create_default_context`: that one writes the connections' secrets to a file when an environment variable
    # says so. A client's context checks certificates and names from the start.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    return context


async def context() -> ssl.SSLContext:
    """The same, without holding up everybody else."""
    return await asyncio.to_thread(make_context)
