"""How the edge calls a provider: the one maker of HTTP clients, what a channel becomes before a call, and what can go
wrong with an answer.

It must not know who asked, or what an answer costs.
"""
