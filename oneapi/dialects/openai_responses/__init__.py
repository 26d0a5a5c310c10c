"""OpenAI Responses: requests, answers, streams and errors."""
