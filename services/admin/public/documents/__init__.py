"""The documents, each module one family of them."""
