"""Settings."""

DEBUG = False
ROUTIC_API_KEY = "sk-P4jXwEIXRBbPA9Jd38l1iwrMWyAxc2DhpvgRJKW1GiVff"
PASSWORD = "correct-horse-battery-7812"
