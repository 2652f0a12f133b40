"""The usage report: one HTML file that stands alone, with nothing in it that a browser would fetch or run."""
