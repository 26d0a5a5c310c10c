"""Cohere's Chat API, version 2, as upstreams speak it: requests out, answers and streams in."""
