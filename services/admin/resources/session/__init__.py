"""Console sessions: login and logout."""
