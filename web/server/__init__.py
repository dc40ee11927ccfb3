"""The web server: HTTP/1.1 and HTTP/2 for an ASGI app. `http_server` is the one way in."""
