"""Lists of models and tools for pages and programs: more than the public document of it says."""
