"""The router: which channels may serve a request, in which order, and why.

It holds the catalog in memory and learns the health of channels from outcomes. It never calls an upstream, and knows
neither keys' secrets nor money.
"""
