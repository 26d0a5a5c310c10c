"""Other gateways, run on the same rounds as ours: `make bench-peers`.

Their versions are pinned by `litellm.lock` and `portkey/package-lock.json`; docs/benchmarks.md says how to renew these.
"""
