"""Generated and broken input: parsers in process, guided by coverage, and the whole gateway over HTTP."""
