"""What families of models, or all models of a vendor, can do, and what they refuse. Rows with reasons."""
