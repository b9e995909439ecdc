"""The explorer: what the page receives and sends; the widget, the frozen page, the live view, their benchmark."""
