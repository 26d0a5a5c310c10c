"""What stands between the socket and the request, for every HTTP listener: strict HTTP, deadlines, sizes, the place of
credentials, paths that could be read in two ways, and sources of bad credentials.

It must not know what a request asks for, or in which format a service answers.
"""
