"""Public documents: what they are made of, which there are, and how they are served."""
