"""The public pages as people meet them: in a browser, over a whole gateway."""
