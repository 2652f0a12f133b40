"""The audit: rules over what the usage log counts, and what they find."""
