"""What both web applications share: language, formatting, errors to HTTP, security headers, static files, byte ranges."""
