"""The forms that a report takes: a terminal's tables, Markdown, JSON, a chart."""
