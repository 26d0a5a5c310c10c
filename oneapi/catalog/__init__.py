"""Published configuration: its types, its feed, and the immutable view that services decide by."""
