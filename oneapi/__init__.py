"""What more than one service of the gateway needs. Each part is named for what it is about."""
