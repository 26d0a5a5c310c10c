"""Usage to money. Pure: rates, times and usage come as arguments; everything is integers."""
