"""How requests are signed for providers that want that, as pure functions."""
