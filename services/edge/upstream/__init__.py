"""How the edge calls a provider: its own HTTP client, what a channel becomes before a call, and what can go wrong with
an answer.

It must not know who asked, or what an answer costs.
"""
