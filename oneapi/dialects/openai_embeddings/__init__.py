"""OpenAI Embeddings: one request, one answer, no stream."""
