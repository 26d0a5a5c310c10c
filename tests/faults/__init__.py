"""The whole gateway under a seeded schedule of faults, and a checker that compares three independent records."""
