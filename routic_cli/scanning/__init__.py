"""Finding keys: in reports of scanners, in files, in git history. What is found leaves as a fingerprint and a mask."""
