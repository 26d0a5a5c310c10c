"""The resources of the management API, a package each: routes, the shapes of bodies and answers, and queries."""
