"""A read-only MCP server over what is public: tools that answer from the catalog, and the documents as resources."""
