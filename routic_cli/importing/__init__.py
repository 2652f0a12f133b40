"""Key records of other programs, and routic's own: a new format is one new file here and one row in `reader.py`."""
