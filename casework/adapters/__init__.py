"""One package for each technology or way in; none imports another, but that they share `http`."""
