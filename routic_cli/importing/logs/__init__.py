"""Usage logs of gateways, and routic's own: a new format is one new file here and one row in `formats.py`."""
