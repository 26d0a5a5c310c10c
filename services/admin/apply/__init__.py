"""`oneapi apply`: brings the configuration to what a file says, through the management API."""
