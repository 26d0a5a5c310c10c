"""One request to a model, from its body to its bill.

It must not know how money is kept, how channels are chosen or how providers are called: it brings them together.
"""
