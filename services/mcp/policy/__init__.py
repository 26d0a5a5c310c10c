"""Who may use which tool: one module for each kind of rule."""
