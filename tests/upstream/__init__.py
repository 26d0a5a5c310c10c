"""An upstream provider for tests: a process of its own that plays provider traffic, behaves badly when asked, and
keeps its own record of what it served."""
