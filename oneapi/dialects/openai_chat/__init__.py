"""OpenAI Chat Completions: requests, answers, streams and errors."""
