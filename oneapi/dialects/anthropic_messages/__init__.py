"""Anthropic Messages: requests, answers, streams and errors."""
