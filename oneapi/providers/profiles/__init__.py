"""What families of models, or all models of a vendor, refuse although their format has it. Rows with reasons."""
