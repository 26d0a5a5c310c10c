"""The pages for people: HTML of the same view and the same documents that programs read."""
