"""How the edge asks the router which channels may serve a request, and tells it how they did.

It must not know how channels are called.
"""
