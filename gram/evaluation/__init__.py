"""The one place where a metric is computed."""
