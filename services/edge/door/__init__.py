"""What stands between the socket and the request: strict HTTP, deadlines, credentials' place, sizes, load.

It must not know what a request asks for.
"""
