"""The explorer: what the page is fed and told; the widget, the frozen page, the live view, their benchmark."""
