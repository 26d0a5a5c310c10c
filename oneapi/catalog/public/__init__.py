"""What anyone may see of the catalog: its types, how it is made, how its prices read."""
