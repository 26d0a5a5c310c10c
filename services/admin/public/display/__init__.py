"""Lists of models and tools as JSON, in the shapes that programs for One API know."""
