"""HTTP of the management API: problems, bodies, replays, fields, observation. Knows no resource."""
