"""The evidence core of bodycam: it knows neither Flask nor USB."""

__version__ = "0.1.0"
