"""What is put on the PYTHONPATH of services under test. The product itself has no switches for tests."""
