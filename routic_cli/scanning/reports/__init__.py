"""Reports of scanners: what they say was found, told apart by content. A format is one file."""
