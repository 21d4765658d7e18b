"""The built site, without and with a browser."""
