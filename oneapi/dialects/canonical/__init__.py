"""The one model that every conversation format converts to and from. Pure data and pure steps; no format's spelling."""
